"""The members of a workspace and their roles; every change is an event.

`require_admin` is the gate: every invitation, role change and removal, on every surface, calls it first, and it
refuses bots. A bot is added and removed only with its app.
"""

from typing import Any, NamedTuple

import sqlalchemy as sa

from airside.audit.record import record_audit
from airside.db.base import Row, new_id
from airside.db.conditions import tenant
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement
from airside.db.text_rules import is_id
from airside.errors import Forbidden, NotFound, Refused
from airside.events.outbox import Change, NewEvent, record_event
from airside.identity.proof import is_proven, require_proven
from airside.identity.revocations import revocations
from airside.identity.tables import users
from airside.identity.users import actor_of, get_user
from airside.runtime.site import Site
from airside.workspaces.roles import ADMIN, get_role
from airside.workspaces.tables import workspace_members, workspaces


class Leaving(NamedTuple):
    """The call that change hooks receive when a membership ends."""

    tx: Transaction
    site: Site
    by: Row


async def add_member(
    site: Site, workspace_id: str, user_id: str, role: int, *, by_user_id: str, accept_unproven: bool = False
) -> Row:
    """Add a person, or set an existing member's role; returns the membership. Raises Forbidden, Invalid, NotFound,
    Refused for a bot, and UnprovenEmail unless `accept_unproven`."""
    async with site.db.transaction() as tx:
        await require_admin(tx, workspace_id, by_user_id)
        user = await get_user(tx, user_id)
        if user["is_bot"]:
            raise Refused("A bot joins a workspace by its app's installation.")
        by = await get_user(tx, by_user_id)
        return await put_member(tx, site, workspace_id, user, role, by=by, accept_unproven=accept_unproven)


async def set_member_role(site: Site, workspace_id: str, user_id: str, role: int, *, by_user_id: str) -> Row:
    """Raises NotFound for a non-member, Refused for the last admin and for a bot."""
    async with site.db.transaction() as tx:
        await require_admin(tx, workspace_id, by_user_id)
        user = await _get_person(tx, workspace_id, user_id)
        return await put_member(tx, site, workspace_id, user, role, by=await get_user(tx, by_user_id))


async def remove_member(site: Site, workspace_id: str, user_id: str, *, by_user_id: str) -> None:
    """End a membership, including those of the workspace's projects and the user's grants to apps there."""
    async with site.db.transaction() as tx:
        if by_user_id != user_id:  # every member may leave
            await require_admin(tx, workspace_id, by_user_id)
        await _get_person(tx, workspace_id, user_id)
        await end_membership(tx, site, workspace_id, user_id, by=await get_user(tx, by_user_id))


async def put_member(
    tx: Transaction,
    site: Site,
    workspace_id: str,
    user: Row,
    role: int,
    *,
    by: Row,
    accept_unproven: bool = False,
) -> Row:
    """Create or update the membership (upsert), within the caller's transaction; the caller has checked the
    permission.

    Raises UnprovenEmail for a new member, unless `accept_unproven`."""
    get_role(role)
    await tx.lock(workspaces, id=workspace_id)  # so that two admins can't demote each other concurrently
    now = site.clock.now()
    before = await tx.find(workspace_members, workspace_id=workspace_id, user_id=user["id"])
    if before is None or not before["is_active"]:
        require_proven(user, accept_unproven=accept_unproven)
    if before is None:
        row = _new_row(workspace_id, user["id"], role) | _stamps(now, by["id"])
        row |= {"created_at": now, "created_by_id": by["id"], "deleted_at": None}
        await tx.insert(workspace_members, row)
        await _record(tx, site, "created", row, by)
        await _audit(tx, "member.added", row, user, by)
        return row
    changed = {"role": role, "is_active": True, "deleted_at": None}
    if all(before[name] == value for name, value in changed.items()):
        return before
    if before["is_active"] and before["role"] == ADMIN:
        await _check_other_admin(tx, workspace_id, user["id"])
    row = before | changed | _stamps(now, by["id"])
    await tx.update(
        workspace_members, changed | _stamps(now, by["id"]), workspace_id=workspace_id, id=row["id"]
    )
    action = "updated" if before["is_active"] else "created"
    await _record(tx, site, action, row, by, was=before)
    if action == "created":
        await _audit(tx, "member.added", row, user, by)
    else:
        await _audit(tx, "member.role_changed", row, user, by, before["role"])
    return row


async def end_membership(tx: Transaction, site: Site, workspace_id: str, user_id: str, *, by: Row) -> None:
    """As `remove_member`, within the caller's transaction; the caller has checked the permission. Raises Refused
    for the last admin."""
    await tx.lock(workspaces, id=workspace_id)
    row = await find_member(tx, workspace_id, user_id)
    if row is None:
        return
    if row["role"] == ADMIN:
        await _check_other_admin(tx, workspace_id, user_id)
    now = site.clock.now()
    changes = {"is_active": False, "deleted_at": now} | _stamps(now, by["id"])
    await tx.update(workspace_members, changes, workspace_id=workspace_id, id=row["id"])
    await site.change_hooks.run("workspace.member.deleted", Leaving(tx, site, by), row, row | changes)
    await _record(tx, site, "deleted", row, by)
    await _audit(tx, "member.removed", row | changes, row, by)
    await site.tokens.revoke_of_user(tx, user_id, "membership_ended", now, workspace_id)
    revocations.record(tx)


async def find_member(reader: Reader, workspace_id: str, user_id: str) -> Row | None:
    """The active membership."""
    if not (is_id(workspace_id) and is_id(user_id)):
        return None
    return await reader.fetch_one(_MEMBER, workspace_id=workspace_id, user_id=user_id)


async def require_member(reader: Reader, workspace_id: str, user_id: str) -> Row:
    """The active membership. Raises NotFound: a non-member can't learn that the workspace exists."""
    member = await find_member(reader, workspace_id, user_id)
    if member is None:
        raise NotFound("There is no such workspace, or you are not a member of it.")
    return member


async def require_admin(reader: Reader, workspace_id: str, user_id: str) -> Row:
    """The active membership of a person who is an admin. Raises NotFound and Forbidden."""
    member = await require_member(reader, workspace_id, user_id)
    if member["role"] != ADMIN or member["is_bot"]:
        raise Forbidden("Only admins of the workspace may do this.")
    return member


async def list_members(reader: Reader, workspace_id: str, *, bots: bool = False) -> list[Row]:
    """Active members: `role`, and the user's columns except the password; people only unless `bots`."""
    found = await reader.fetch_all(_MEMBERS, workspace_id=workspace_id)
    return [member for member in found if bots or not member["is_bot"]]


async def _get_person(tx: Transaction, workspace_id: str, user_id: str) -> Row:
    member = await find_member(tx, workspace_id, user_id)
    if member is None:
        raise NotFound("There is no such member.")
    if member["is_bot"]:
        raise Refused("This is an app's bot. Uninstall the app instead.")
    return await get_user(tx, user_id)


async def _check_other_admin(tx: Transaction, workspace_id: str, leaving_id: str) -> None:
    if await tx.fetch_value(_IS_BOT, user_id=leaving_id):
        return
    if not await tx.fetch_value(_OTHER_ADMINS, workspace_id=workspace_id, leaving_id=leaving_id):
        raise Refused("A workspace needs an admin. Make somebody else admin first.")


async def _audit(
    tx: Transaction, action: str, row: Row, user: Row, by: Row, old_role: int | None = None
) -> None:
    """Audit the change; not for a bot, whose app's installation is audited."""
    if user["is_bot"]:
        return
    await record_audit(
        tx,
        action,
        row["updated_at"],
        workspace_id=row["workspace_id"],
        actor_id=by["id"],
        target=("user", row["user_id"]),
        details={"role": get_role(row["role"]).slug}
        | ({} if old_role is None else {"was": get_role(old_role).slug})
        | ({} if is_proven(user) else {"email_proven": False}),
    )


async def _record(
    tx: Transaction, site: Site, action: str, row: Row, by: Row, was: Row | None = None
) -> None:
    shown, is_gone = _show(row), action == "deleted"
    event = NewEvent(
        workspace_id=row["workspace_id"],
        name=f"workspace.member.{action}",
        entity_id=row["id"],
        actor_id=by["id"],
        actor=actor_of(by),
        at=site.clock.now(),
        data={"id": row["id"]} if is_gone else shown,
        data_v2={} if is_gone else shown,
        previous=shown if is_gone else {},
    )
    if was is not None and action == "updated":
        event.previous = {"role": was["role"]}
        event.changes = [Change("role", was["role"], row["role"])]
    await record_event(tx, site.wakeups, event)


def _show(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "member": row["user_id"],
        "role": row["role"],
        "workspace": row["workspace_id"],
    }


def _new_row(workspace_id: str, user_id: str, role: int) -> Row:
    return {
        "workspace_id": workspace_id,
        "id": new_id(),
        "user_id": user_id,
        "role": role,
        "is_active": True,
    }


def _stamps(now: Any, by_user_id: str) -> Row:
    return {"updated_at": now, "updated_by_id": by_user_id}


_m = workspace_members.c
_in_workspace = tenant(workspace_members)
_with_user = sa.join(workspace_members, users, users.c.id == _m.user_id)
_MEMBER = Statement(
    sa.select(workspace_members, users.c.is_bot, users.c.email_proven_at)
    .select_from(_with_user)
    .where(_in_workspace, _m.user_id == sa.bindparam("user_id"), _m.is_active)
)
_MEMBERS = Statement(
    sa.select(
        _m.id.label("membership_id"),
        _m.role,
        _m.created_at.label("joined_at"),
        *(column for column in users.c if column.name != "password_hash"),
    )
    .select_from(_with_user)
    .where(_in_workspace, _m.is_active)
    .order_by(_m.id)
)
_OTHER_ADMINS = Statement(
    sa.select(_m.id)
    .select_from(_with_user)
    .where(
        _in_workspace,
        _m.user_id != sa.bindparam("leaving_id"),
        _m.role == ADMIN,
        _m.is_active,
        users.c.is_bot.is_(False),
        users.c.is_active,
    )
    .limit(1)
)
_IS_BOT = Statement(sa.select(users.c.is_bot).where(users.c.id == sa.bindparam("user_id")))
