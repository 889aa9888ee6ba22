"""Invitations to a workspace: by a link that is shown once, stored as its hash, and works once."""

from datetime import timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from airside.audit.record import record_audit
from airside.db.base import Id, Row, is_uuid, new_id
from airside.db.conditions import live, tenant
from airside.db.database import Reader, Transaction, UniqueViolation
from airside.db.statements import Statement
from airside.errors import Conflict, Invalid, NotFound, Refused
from airside.events.outbox import Change, NewEvent, record_event
from airside.identity.passwords import check_password, hash_password
from airside.identity.proof import is_proven, require_proven
from airside.identity.tables import users
from airside.identity.users import (
    actor_of,
    check_email,
    create_invited,
    find_user_by_email,
    get_user,
)
from airside.runtime.site import Site
from airside.system.credentials import hash_credential, new_credential
from airside.workspaces.members import find_member, put_member, require_admin
from airside.workspaces.roles import ADMIN, get_role
from airside.workspaces.tables import workspace_invitations, workspaces

LIFETIME = timedelta(days=7)
HASHES = "10/hour"  # password hashes per invitation
ACCOUNT_EXISTS = "There is an account for this e-mail already. Sign in with it."
DERIVED = "responded_at"  # changes with `accepted`, so v1 sends no event of its own for it
MAX_PENDING_INVITATIONS = 200  # per workspace
SHOWN = ("id", "email", "role", "created_at", "updated_at", "responded_at")


class Invited(NamedTuple):
    """An invitation with its token, which is shown once."""

    invitation: Row
    token: str


class Ended(NotFound):
    """The invitation is unknown, expired, used or revoked; the error is the same for all."""

    sentence = "This invitation is no longer valid. Ask its sender for a new link."


async def create_invitation(
    site: Site, workspace_id: str, by_user_id: str, *, email: str, role: int, accept_unproven: bool = False
) -> Invited:
    """Raises Forbidden, Invalid for an e-mail that is a member's or invited already, Refused for too many pending
    invitations, and UnprovenEmail unless `accept_unproven`."""
    email, token, now = check_email(email), new_credential(), site.clock.now()
    get_role(role)
    async with site.db.transaction() as tx:
        await require_admin(tx, workspace_id, by_user_id)
        await tx.lock(workspaces, id=workspace_id)  # so that concurrent requests don't invite an e-mail twice
        await _check_new(tx, workspace_id, email)
        is_unproven = await _check_proven(tx, email, accept_unproven)
        row = {
            "workspace_id": workspace_id,
            "id": new_id(),
            "email": email,
            "role": role,
            "token_hash": hash_credential(token),
            "expires_at": now + LIFETIME,
            "responded_at": None,
            "accepts_unproven": is_unproven,
            "created_at": now,
            "updated_at": now,
            "deleted_at": None,
            "created_by_id": by_user_id,
            "updated_by_id": by_user_id,
        }
        await tx.insert(workspace_invitations, row)
        await _record(tx, site, "created", row, by_user_id)
        await _audit(tx, "invitation.created", row, by_user_id)
    return Invited(row, token)


async def list_invitations(reader: Reader, workspace_id: str) -> list[Row]:
    """The pending invitations, expired ones too, newest first."""
    return await reader.fetch_all(_PENDING, workspace_id=workspace_id)


async def get_invitation(reader: Reader, workspace_id: str, invitation_id: str) -> Row:
    """A pending or accepted invitation. Raises NotFound."""
    keys = {"workspace_id": workspace_id, "id": invitation_id}
    row = await reader.fetch_one(_ONE, **keys) if is_uuid(invitation_id) else None
    if row is None:
        raise NotFound
    return row


async def renew_link(
    site: Site, workspace_id: str, invitation_id: str, by_user_id: str, *, accept_unproven: bool = False
) -> Invited:
    """Replace the invitation's link and restart its lifetime; the previous link stops working. Raises UnprovenEmail
    as for a new invitation."""
    token, now = new_credential(), site.clock.now()
    changes: Row = {"token_hash": hash_credential(token), "expires_at": now + LIFETIME}
    async with site.db.transaction() as tx:
        before = await _lock_pending(tx, workspace_id, invitation_id, by_user_id)
        accepted = accept_unproven or before["accepts_unproven"]
        changes["accepts_unproven"] = await _check_proven(tx, before["email"], accepted)
        row = await _store(tx, site, before, changes, by_user_id)
        await _audit(tx, "invitation.link_made", row, by_user_id)
    return Invited(row, token)


async def set_invited_role(
    site: Site,
    workspace_id: str,
    invitation_id: str,
    by_user_id: str,
    role: int,
    *,
    accept_unproven: bool = False,
) -> Row:
    """Change the invited role. Raises Invalid, NotFound, Refused, and UnprovenEmail as for a new invitation."""
    get_role(role)
    async with site.db.transaction() as tx:
        before = await _lock_pending(tx, workspace_id, invitation_id, by_user_id)
        accepted = accept_unproven or before["accepts_unproven"]
        changes = {"accepts_unproven": await _check_proven(tx, before["email"], accepted), "role": role}
        if all(before[name] == value for name, value in changes.items()):
            return before
        row = await _store(tx, site, before, changes, by_user_id)
        if row["accepts_unproven"] and not before["accepts_unproven"]:
            await _audit(tx, "invitation.unproven_accepted", row, by_user_id)
        if row["role"] != before["role"]:
            await _record(tx, site, "updated", row, by_user_id, {"role": before["role"]})
            await _audit(tx, "invitation.role_changed", row, by_user_id)
    return row


async def revoke_invitation(site: Site, workspace_id: str, invitation_id: str, by_user_id: str) -> None:
    """Revoke the invitation and its link. Raises NotFound, and Refused for an accepted one."""
    async with site.db.transaction() as tx:
        before = await _lock_pending(tx, workspace_id, invitation_id, by_user_id)
        row = await _store(tx, site, before, {"deleted_at": site.clock.now()}, by_user_id)
        await _record(tx, site, "deleted", row, by_user_id)
        await _audit(tx, "invitation.revoked", row, by_user_id)


async def find_by_token(site: Site, token: str) -> Row:
    """The invitation with `workspace_name`, `workspace_slug` and `invited_by`. Raises Ended."""
    row = await site.db.fetch_one(_BY_TOKEN, token_hash=hash_credential(token), now=site.clock.now())
    if row is None or not await _is_backed(site.db, row):
        raise Ended
    return row


async def accept_as(site: Site, token: str, user_id: str) -> Row:
    """Accept the invitation as an existing user; returns it. Raises Ended, Refused for another e-mail than the
    invited one, and UnprovenEmail unless an admin accepted that."""
    async with site.db.transaction() as tx:
        row = await _lock_by_token(tx, site, token)
        user = await get_user(tx, user_id)
        if user["email"] != row["email"] or user["is_bot"]:
            raise Refused(f"This invitation is for {row['email']}.")
        await _accept(tx, site, row, user, accept_unproven=row["accepts_unproven"])
    return row


async def accept_as_new(site: Site, token: str, *, name: str, password: str) -> tuple[Row, Row]:
    """Accept the invitation by creating a user, with an unproven e-mail; returns the invitation and the user.
    Raises Ended, Invalid, Conflict for an existing account, and RateLimited after too many attempts."""
    invitation = await find_by_token(site, token)
    if await find_user_by_email(site.db, invitation["email"]) is not None:
        raise Conflict(ACCOUNT_EXISTS)
    check_password(password)
    await site.budgets.spend("invitation_hashes", HASHES, invitation["id"])
    hashed = await hash_password(password, (invitation["email"], name, invitation["workspace_name"]))
    try:
        async with site.db.transaction() as tx:
            row = await _lock_by_token(tx, site, token)
            user = await create_invited(tx, row["email"], name, hashed, site.clock.now())
            await _accept(tx, site, row, user, accept_unproven=True)
    except UniqueViolation:
        raise Conflict(ACCOUNT_EXISTS) from None
    return row, user


async def _accept(tx: Transaction, site: Site, row: Row, user: Row, *, accept_unproven: bool) -> None:
    """Add the member. An invitation never lowers the role of an existing member."""
    member = await find_member(tx, row["workspace_id"], user["id"])
    role = max(row["role"], member["role"]) if member else row["role"]
    await put_member(tx, site, row["workspace_id"], user, role, by=user, accept_unproven=accept_unproven)
    now = site.clock.now()
    after = await _store(tx, site, row, {"responded_at": now}, user["id"])
    await _record(tx, site, "updated", after, user["id"], {"responded_at": None, "accepted": False})
    await _audit(tx, "invitation.accepted", after, user["id"])


async def _check_new(tx: Transaction, workspace_id: str, email: str) -> None:
    user = await find_user_by_email(tx, email)
    if user is not None and await find_member(tx, workspace_id, user["id"]):
        raise Invalid({"email": [f"{email} is a member already."]})
    pending = await list_invitations(tx, workspace_id)
    if any(row["email"] == email for row in pending):
        raise Invalid.whole("Email already invited")  # Plane's message
    if len(pending) >= MAX_PENDING_INVITATIONS:
        raise Refused(f"{MAX_PENDING_INVITATIONS} invitations wait already. Revoke some that nobody needs.")


async def _check_proven(tx: Transaction, email: str, accept_unproven: bool) -> bool:
    """Whether the e-mail belongs to an unproven account, which was accepted. False without such an account: an
    acceptance stored in advance would also cover an account created later.

    Raises UnprovenEmail."""
    user = await find_user_by_email(tx, email)
    if user is None or is_proven(user):
        return False
    require_proven(user, accept_unproven=accept_unproven)
    return True


async def _lock_pending(tx: Transaction, workspace_id: str, invitation_id: str, by_user_id: str) -> Row:
    """Raises Forbidden, NotFound, and Refused for an accepted invitation."""
    await require_admin(tx, workspace_id, by_user_id)
    keys = {"workspace_id": workspace_id, "id": invitation_id}
    row = await tx.lock(workspace_invitations, **keys) if is_uuid(invitation_id) else None
    if row is None or row["deleted_at"] is not None:
        raise NotFound
    if row["responded_at"] is not None:
        raise Refused("This invitation was accepted. Remove the member instead.")
    return row


async def _lock_by_token(tx: Transaction, site: Site, token: str) -> Row:
    row = await tx.lock(workspace_invitations, token_hash=hash_credential(token))
    is_over = (
        row is None
        or row["deleted_at"] is not None
        or row["responded_at"] is not None
        or row["expires_at"] <= site.clock.now()
    )
    if row is None or is_over:
        raise Ended
    workspace = await tx.find(workspaces, id=row["workspace_id"])
    if workspace is None or workspace["deleted_at"] is not None or not await _is_backed(tx, row):
        raise Ended
    return row | {"workspace_slug": workspace["slug"], "workspace_name": workspace["name"]}


async def _is_backed(reader: Reader, row: Row) -> bool:
    """Whether the user who last changed the invitation is still an admin: else a removed admin could rejoin with a
    link they kept. The change must also be later than the proof of that admin's e-mail, if it was proven, so that
    the account's former holder can't rejoin."""
    member = await find_member(reader, row["workspace_id"], row["updated_by_id"])
    if member is None or member["role"] != ADMIN:
        return False
    return member["email_proven_at"] is None or member["email_proven_at"] <= row["updated_at"]


async def _store(tx: Transaction, site: Site, row: Row, changes: Row, by_user_id: str) -> Row:
    changes = changes | {"updated_at": site.clock.now(), "updated_by_id": by_user_id}
    await tx.update(workspace_invitations, changes, workspace_id=row["workspace_id"], id=row["id"])
    return row | changes


def show_invitation(row: Row) -> dict[str, Any]:
    """The API representation, without the token's hash."""
    return {name: row[name] for name in SHOWN} | {"accepted": row["responded_at"] is not None}


async def _record(
    tx: Transaction, site: Site, action: str, row: Row, by_user_id: str, previous: Row | None = None
) -> None:
    shown, is_gone, now = show_invitation(row), action == "deleted", site.clock.now()
    changed = {name: old for name, old in (previous or {}).items() if name != DERIVED}
    event = NewEvent(
        workspace_id=row["workspace_id"],
        name=f"workspace.invitation.{action}",
        entity_id=row["id"],
        actor_id=by_user_id,
        actor=actor_of(await get_user(tx, by_user_id)),
        at=now,
        data={"id": row["id"]} if is_gone else shown,
        data_v2={} if is_gone else shown,
        previous=shown if is_gone else (previous or {}),
        changes=[Change(name, old, shown[name]) for name, old in changed.items()],
    )
    await record_event(tx, site.wakeups, event)


async def _audit(tx: Transaction, action: str, row: Row, by_user_id: str) -> None:
    details: dict[str, Any] = {"email": row["email"], "role": get_role(row["role"]).slug}
    if row["accepts_unproven"]:
        details["accepts_unproven"] = True
    await record_audit(
        tx,
        action,
        row["updated_at"],
        workspace_id=row["workspace_id"],
        actor_id=by_user_id,
        target=("invitation", row["id"]),
        details=details,
    )


_i = workspace_invitations.c
_workspace_id = tenant(workspace_invitations)
_is_pending = sa.and_(live(workspace_invitations), _i.responded_at.is_(None))
_PENDING = Statement(
    sa.select(workspace_invitations).where(_workspace_id, _is_pending).order_by(_i.id.desc())
)
_ONE = Statement(
    sa.select(workspace_invitations).where(
        _workspace_id, _i.id == sa.bindparam("id", type_=Id()), live(workspace_invitations)
    )
)


def _by_token() -> Statement:
    w = workspaces.c
    return Statement(
        sa.select(
            workspace_invitations,
            *(w.name.label("workspace_name"), w.slug.label("workspace_slug"), w.logo_url.label("logo_url")),
            users.c.display_name.label("invited_by"),
        )
        .join_from(workspace_invitations, workspaces, w.id == _i.workspace_id)
        .outerjoin(users, users.c.id == _i.created_by_id)
        .where(
            _i.token_hash == sa.bindparam("token_hash", type_=sa.Text()),
            _i.expires_at > sa.bindparam("now", type_=_i.expires_at.type),
            *(_is_pending, live(workspaces)),
        )
    )


_BY_TOKEN = _by_token()
