"""The sign-ins of Airside's own command line: list them, and revoke them as the user or as an admin."""

from typing import TypedDict

import sqlalchemy as sa

from airside.db.base import Id
from airside.db.conditions import tenant
from airside.db.statements import Statement
from airside.db.text_rules import is_id
from airside.errors import NotFound
from airside.oauth.tables import TokenFamilyRow, device_requests, token_families
from airside.oauth.tokens import list_live_families, revoke_family
from airside.runtime.site import Site
from airside.workspaces.members import require_admin


class SignInId(TypedDict):
    id: str


async def list_sign_ins(site: Site, user_id: str) -> list[TokenFamilyRow]:
    """A user's live sign-ins, newest first."""
    found = await list_live_families(site, user_id)
    return [family for family in reversed(found) if family["installation_id"] is None]


async def end_sign_in(site: Site, user_id: str, sign_in_id: str) -> None:
    """Revoke one's own sign-in. Raises NotFound, also for another user's."""
    async with site.db.transaction() as tx:
        found = await tx.lock(token_families, id=sign_in_id, user_id=user_id) if is_id(sign_in_id) else None
        if found is None or found["installation_id"] is not None:
            raise NotFound("There is no such sign-in.")
        await revoke_family(tx, found["id"], "signed_out", site.clock.now(), user_id)


async def end_sign_ins_in(site: Site, workspace_id: str, user_id: str, by_user_id: str) -> int:
    """As an admin, revoke all of a member's sign-ins in this workspace, and approved codes not used yet; how many.

    Raises NotFound and Forbidden."""
    async with site.db.transaction() as tx:
        await require_admin(tx, workspace_id, by_user_id)
        whose = {"user_id": user_id, "workspace_id": workspace_id}
        await tx.execute(_UNUSED_CODES, **whose)  # first: see revoke_families_of
        found = await tx.fetch_all(_OF_MEMBER, **whose)
        for one in found:
            await revoke_family(tx, one["id"], "ended_by_admin", site.clock.now(), by_user_id)
        return len(found)


_f, _d = token_families.c, device_requests.c
_UNUSED_CODES = Statement(
    sa.delete(device_requests).where(
        _d.user_id == sa.bindparam("user_id", type_=Id()),
        tenant(device_requests),
        _d.installation_id.is_(None),
    )
)
_OF_MEMBER = Statement(
    sa.select(_f.id).where(
        _f.user_id == sa.bindparam("user_id", type_=Id()),
        tenant(token_families),
        _f.installation_id.is_(None),
        _f.revoked_at.is_(None),
    ),
    SignInId,
)
