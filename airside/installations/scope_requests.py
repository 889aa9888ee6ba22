"""Requests of installed apps for additional scopes, open until an admin approves or declines.

One is created when the app's registration gains scopes, or when a member who can't grant scopes consents to an app
that requests them. Each installation has at most one open request, to which scopes are added. Existing tokens keep
their scopes.
"""

import sqlalchemy as sa

from airside.apps.scopes import Grant, ceiling_of, covers, join_scopes
from airside.apps.tables import apps
from airside.audit.record import record_audit
from airside.db.base import Id, Row, new_id
from airside.db.conditions import tenant
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement
from airside.errors import NotFound
from airside.identity.users import get_user
from airside.installations.install import widen_installation
from airside.installations.read import list_installations_of, lock_installation
from airside.installations.tables import InstallationRow, ScopeRequestRow, scope_requests
from airside.runtime.site import Site
from airside.workspaces.members import require_admin


async def request_scopes(
    tx: Transaction, site: Site, installation: InstallationRow, asked: Grant, by_user_id: str | None
) -> bool:
    """Request the scopes that aren't granted yet from the admins; returns whether anything was added.

    Members can't request again what admins declined last; a changed registration can."""
    wanted = missing_scopes(asked, installation["scopes"])
    if not wanted or (by_user_id is not None and await _is_declined(tx, installation["id"], wanted)):
        return False
    before = await _lock_open(tx, installation["id"])
    if before is not None:
        joined = join_scopes(before["scopes"], wanted)
        if set(joined) == set(before["scopes"]):
            return False
        await tx.update(scope_requests, {"scopes": joined}, **_keys(before))
        return True
    row = {
        "id": new_id(),
        "workspace_id": installation["workspace_id"],
        "installation_id": installation["id"],
        "scopes": wanted,
        "asked_by_id": by_user_id,
        "created_at": site.clock.now(),
    }
    await tx.insert(scope_requests, row)
    return True


async def request_gained_scopes(tx: Transaction, site: Site, before: Row, app: Row) -> None:
    """Request the scopes that a changed registration has gained, for every installation."""
    gained = missing_scopes(ceiling_of(app["scopes"]), ceiling_of(before["scopes"]))
    if gained:
        for installation in await list_installations_of(tx, app["id"]):
            await request_scopes(tx, site, installation, gained, None)


async def approve_scopes(
    site: Site, workspace_id: str, installation_id: str, by_user_id: str
) -> InstallationRow:
    """Grant the requested scopes that the app is still registered for; returns the installation.

    Raises NotFound without an open request, and Forbidden for a non-admin."""
    async with site.db.transaction() as tx:
        await require_admin(tx, workspace_id, by_user_id)
        installation = await lock_installation(tx, workspace_id, installation_id)
        request = await _get_open(tx, installation["id"])
        app = await tx.find(apps, id=installation["app_id"])
        assert app is not None  # a registration is kept for the record
        ceiling = ceiling_of(app["scopes"])
        granted = [scope for scope in request["scopes"] if covers(ceiling, scope)]
        by = await get_user(tx, by_user_id)
        await _decide(tx, site, request, by_user_id, is_approved=True)
        return await widen_installation(tx, site, installation, by, granted)


async def decline_scopes(site: Site, workspace_id: str, installation_id: str, by_user_id: str) -> None:
    """Close the request without a grant. Raises NotFound without an open request, Forbidden for a non-admin."""
    async with site.db.transaction() as tx:
        await require_admin(tx, workspace_id, by_user_id)
        installation = await lock_installation(tx, workspace_id, installation_id)
        request = await _get_open(tx, installation["id"])
        await _decide(tx, site, request, by_user_id, is_approved=False)
        await record_audit(
            tx,
            "app.scopes_declined",
            site.clock.now(),
            workspace_id=workspace_id,
            actor_id=by_user_id,
            app_id=installation["app_id"],
            target=("installation", installation["id"]),
            details={"scopes": request["scopes"]},
        )


async def end_scope_request(tx: Transaction, site: Site, installation_id: str, by_user_id: str) -> None:
    """Close the open request of an installation that was uninstalled."""
    request = await _lock_open(tx, installation_id)
    if request is not None:
        await _decide(tx, site, request, by_user_id, is_approved=False)


async def settle_granted(tx: Transaction, site: Site, installation: InstallationRow, by_user_id: str) -> None:
    """Close the open request if an admin has granted all of its scopes at consent."""
    request = await _lock_open(tx, installation["id"])
    if request is not None and not missing_scopes(request["scopes"], installation["scopes"]):
        await _decide(tx, site, request, by_user_id, is_approved=True)


async def find_scope_request(reader: Reader, installation_id: str) -> ScopeRequestRow | None:
    """The open request of the installation."""
    return await reader.fetch_one(_OPEN, installation_id=installation_id)


async def list_scope_requests(reader: Reader, workspace_id: str) -> list[ScopeRequestRow]:
    """A workspace's open requests, oldest first."""
    return await reader.fetch_all(_OPEN_OF_WORKSPACE, workspace_id=workspace_id)


def missing_scopes(asked: Grant, granted: Grant) -> Grant:
    """The requested scopes that the grant doesn't cover, without umbrella scopes."""
    return [scope for scope in join_scopes(asked, []) if not covers(granted, scope)]


async def _lock_open(tx: Transaction, installation_id: str) -> ScopeRequestRow | None:
    found = await find_scope_request(tx, installation_id)
    return None if found is None else await tx.lock(scope_requests, **_keys(found))


async def _get_open(tx: Transaction, installation_id: str) -> ScopeRequestRow:
    found = await _lock_open(tx, installation_id)
    if found is None:
        raise NotFound("This app asks for nothing that it wasn't granted.")
    return found


async def _is_declined(tx: Transaction, installation_id: str, wanted: Grant) -> bool:
    last = await tx.fetch_one(_LAST_DECIDED, installation_id=installation_id)
    return last is not None and not last["is_approved"] and not missing_scopes(wanted, last["scopes"])


async def _decide(
    tx: Transaction, site: Site, request: ScopeRequestRow, by_user_id: str, *, is_approved: bool
) -> None:
    decision = {"decided_at": site.clock.now(), "decided_by_id": by_user_id, "is_approved": is_approved}
    await tx.update(scope_requests, decision, **_keys(request))


def _keys(request: ScopeRequestRow) -> dict[str, str]:
    return {"workspace_id": request["workspace_id"], "id": request["id"]}


_r = scope_requests.c
_OPEN = Statement(
    sa.select(scope_requests).where(
        _r.installation_id == sa.bindparam("installation_id", type_=Id()), _r.decided_at.is_(None)
    ),
    ScopeRequestRow,
)
_LAST_DECIDED = Statement(
    sa.select(scope_requests)
    .where(_r.installation_id == sa.bindparam("installation_id", type_=Id()), _r.decided_at.is_not(None))
    .order_by(_r.decided_at.desc())
    .limit(sa.literal_column("1")),
    ScopeRequestRow,
)
_OPEN_OF_WORKSPACE = Statement(
    sa.select(scope_requests).where(tenant(scope_requests), _r.decided_at.is_(None)).order_by(_r.id),
    ScopeRequestRow,
)
