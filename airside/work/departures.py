"""POST members/remove: somebody leaves the workspace, and with it every project of it.

It stands in this room because it ends project memberships as well. What apps could do in the person's name
ends with the membership: no token resolves for somebody who isn't a member.
"""

from typing import Any

from airside.db.base import Row
from airside.errors import Invalid, NotFound, Refused
from airside.identity.users import find_user_by_email, get_user
from airside.rest.body import Body, Short, Uuid
from airside.rest.call import Call
from airside.rest.resource import ADMIN, Route
from airside.rest.routes import WORKSPACE
from airside.rest.verbs import in_transaction
from airside.work.projects.members import end_project_memberships
from airside.workspaces.members import end_membership, find_member


class DepartureIn(Body):
    """Plane documents no body; these are the names by which clients could mean a person."""

    member: Uuid | None = None
    member_id: Uuid | None = None
    user_id: Uuid | None = None
    email: Short | None = None


async def remove_workspace_member(call: Call) -> None:
    """Raises Invalid when nobody is named, NotFound for no member, Refused for the last admin and for bots."""

    async def work() -> None:
        member = await _get_named(call)
        if member["is_bot"]:
            raise Refused("This is an app's bot. Uninstall the app instead.")
        by = await get_user(call.writer, call.caller.user_id)
        await end_project_memberships(call, member["user_id"])
        await end_membership(call.writer, call.site, call.workspace_id, member["user_id"], by=by)

    await in_transaction(call, work)


async def _get_named(call: Call) -> Row:
    sent: dict[str, Any] = call.body
    user_id = sent.get("member") or sent.get("member_id") or sent.get("user_id")
    if user_id is None and sent.get("email"):
        user = await find_user_by_email(call.writer, sent["email"])
        user_id = user["id"] if user else ""
    if user_id is None:
        raise Invalid({"member": ["This field is required."]})
    member = await find_member(call.writer, call.workspace_id, user_id)
    if member is None:
        raise NotFound
    return member


DEPARTURE_ROUTES = [
    Route(
        method="POST",
        path=WORKSPACE + "members/remove",
        handler=remove_workspace_member,
        scope="workspaces.members:write",
        name="remove_workspace_member",
        role=ADMIN,
        status=204,
        body=DepartureIn,
        event="workspace.member.deleted",
    )
]
