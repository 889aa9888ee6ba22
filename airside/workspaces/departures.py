"""POST members/remove: removes a member from the workspace and all its projects.

The tokens of apps that act as the user stop working too: a token resolves only for an active member.
"""

from typing import Any

from airside.errors import Invalid, NotFound
from airside.identity.users import find_user_by_email
from airside.rest.body import Body, Short, Uuid
from airside.rest.call import Call
from airside.rest.record import ADMIN
from airside.rest.route import Route
from airside.rest.wires.v1.paths import WORKSPACE
from airside.workspaces.members import find_member, remove_member


class DepartureIn(Body):
    """Plane documents no body; these are the field names that clients may use for the member."""

    member: Uuid | None = None
    member_id: Uuid | None = None
    user_id: Uuid | None = None
    email: Short | None = None


async def remove_workspace_member(call: Call) -> None:
    """Raises Invalid without a member, NotFound for a non-member, Refused for the last admin and for bots."""
    user_id = await _read_member(call)
    if user_id is None or await find_member(call.reader, call.workspace_id, user_id) is None:
        raise NotFound
    await remove_member(call.site, call.workspace_id, user_id, by_user_id=call.caller.user_id)


async def _read_member(call: Call) -> str | None:
    sent: dict[str, Any] = call.body
    user_id = sent.get("member") or sent.get("member_id") or sent.get("user_id")
    if user_id is not None:
        return user_id
    if not sent.get("email"):
        raise Invalid({"member": ["This field is required."]})
    user = await find_user_by_email(call.reader, sent["email"])
    return user["id"] if user else None


DEPARTURE_ROUTES = [
    Route(
        method="POST",
        path=WORKSPACE + "members/remove",
        handler=remove_workspace_member,
        scope="workspaces.members:write",
        name="remove_workspace_member",
        summary="Remove a person from a workspace",
        role=ADMIN,
        people_only=True,
        status=204,
        body=DepartureIn,
        event="workspace.member.deleted",
    )
]
