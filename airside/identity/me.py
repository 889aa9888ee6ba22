"""GET users/me: the user of the credential, a person or an app's bot."""

from typing import Any

from airside.errors import NotFound
from airside.rest.call import Call
from airside.rest.face import Shown
from airside.rest.route import Route


class Me(Shown):
    id: str
    first_name: str
    last_name: str
    email: str
    avatar: str
    avatar_url: str | None
    display_name: str


async def show_me(call: Call) -> Any:
    """The caller's own seven fields."""
    found = await call.access.describe_user(call, call.caller.user_id)
    if found is None:
        raise NotFound
    return found


ME_ROUTES = [
    Route(
        method="GET",
        path="users/me",
        handler=show_me,
        scope="profile:read",
        name="retrieve_me",
        summary="Show who the credential stands for",
        shown=Me,
        unmetered=True,
    )
]
