"""Invitations over the API: Plane's operations. The invitation link is shown only on the members page."""

from datetime import datetime
from typing import Any, Literal

from airside.errors import Refused
from airside.rest.body import Body, Short
from airside.rest.call import Call
from airside.rest.face import Shown
from airside.rest.record import ADMIN
from airside.rest.route import Route
from airside.rest.wires.v1.paths import WORKSPACE
from airside.workspaces.invitations import (
    create_invitation,
    get_invitation,
    list_invitations,
    revoke_invitation,
    set_invited_role,
    show_invitation,
)
from airside.workspaces.roles import MEMBER

ONE = WORKSPACE + "invitations/{invitation_id}"
READ, WRITE = "workspaces.members:read", "workspaces.members:write"


class InvitationIn(Body):
    example = {"email": "ben@example.com", "role": 15}

    email: Short
    role: Literal[20, 15, 5] = MEMBER
    accept_unproven: bool = False


class InvitationOut(Shown):
    id: str
    email: str
    role: int
    created_at: datetime
    updated_at: datetime
    responded_at: datetime | None
    accepted: bool


async def list_all(call: Call) -> Any:
    """The pending invitations."""
    return [show_invitation(row) for row in await list_invitations(call.reader, call.workspace_id)]


async def retrieve(call: Call) -> Any:
    return show_invitation(await get_invitation(call.reader, call.workspace_id, call.path["invitation_id"]))


async def create(call: Call) -> Any:
    made = await create_invitation(
        call.site,
        call.workspace_id,
        call.caller.user_id,
        email=call.body["email"],
        role=call.body.get("role", MEMBER),
        accept_unproven=call.body.get("accept_unproven", False),
    )
    return show_invitation(made.invitation)


async def update(call: Call) -> Any:
    """Change the role, or accept an unproven account. The e-mail is immutable: its owner may already have the
    link."""
    row = await get_invitation(call.reader, call.workspace_id, call.path["invitation_id"])
    if call.body.get("email", row["email"]).strip().lower() != row["email"]:
        raise Refused("The e-mail of an invitation can't be changed. Invite the other address.")
    role = call.body.get("role", row["role"])
    changed = await set_invited_role(
        call.site,
        call.workspace_id,
        row["id"],
        call.caller.user_id,
        role,
        accept_unproven=call.body.get("accept_unproven", False),
    )
    return show_invitation(changed)


async def delete(call: Call) -> None:
    await revoke_invitation(call.site, call.workspace_id, call.path["invitation_id"], call.caller.user_id)


INVITATION_ROUTES = [
    Route(
        method="GET",
        path=WORKSPACE + "invitations",
        handler=list_all,
        scope=READ,
        name="list_workspace_invitations",
        summary="List invitations that nobody has accepted yet",
        role=ADMIN,
        shown=list[InvitationOut],
    ),
    Route(
        method="POST",
        path=WORKSPACE + "invitations",
        handler=create,
        scope=WRITE,
        name="add_workspace_invitation",
        summary="Invite somebody to a workspace",
        role=ADMIN,
        people_only=True,
        status=201,
        body=InvitationIn,
        shown=InvitationOut,
        event="workspace.invitation.created",
    ),
    Route(
        method="GET",
        path=ONE,
        handler=retrieve,
        scope=READ,
        name="get_workspace_invitation_detail",
        summary="Retrieve an invitation",
        role=ADMIN,
        shown=InvitationOut,
    ),
    Route(
        method="PATCH",
        path=ONE,
        handler=update,
        scope=WRITE,
        name="update_workspace_invitation",
        summary="Change the role that an invitation gives",
        role=ADMIN,
        people_only=True,
        body=InvitationIn,
        partial=True,
        shown=InvitationOut,
        event="workspace.invitation.updated",
    ),
    Route(
        method="DELETE",
        path=ONE,
        handler=delete,
        scope=WRITE,
        name="delete_workspace_invitation",
        summary="Revoke an invitation",
        role=ADMIN,
        people_only=True,
        status=204,
        event="workspace.invitation.deleted",
    ),
]
