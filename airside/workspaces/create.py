"""Creates a workspace with its owner as first admin, and updates its name and logo."""

import re
from collections.abc import Mapping
from typing import Any

from airside.audit.record import record_audit
from airside.db.base import Row, new_id
from airside.db.database import Transaction, UniqueViolation
from airside.db.text_rules import is_one_line
from airside.errors import Conflict, Invalid
from airside.events.outbox import NewEvent, compare, record_event
from airside.identity.users import actor_of, get_user
from airside.runtime.site import Site
from airside.workspaces.members import put_member, require_admin
from airside.workspaces.roles import ADMIN
from airside.workspaces.tables import workspaces

SLUG_LENGTH, NAME_LENGTH = 48, 80  # characters, as Plane's

# Every flag of GET …/features/. All off: features that Airside lacks, or that change the owner of states and types.
FEATURES = {
    "project_grouping": False,
    "initiatives": False,
    "teams": False,
    "customers": False,
    "wiki": False,
    "pi": False,
    "work_item_types": False,
    "releases": False,
    "states_owned_by_workspace": False,
}

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?")
# First path segments of Airside's own pages and endpoints.
# fmt: off
RESERVED_SLUGS = frozenset((
    "account", "accounts", "admin", "api", "api-keys", "apps", "auth", "consent", "device", "docs", "god-mode",
    "health", "healthz", "installations", "invitations", "login", "logout", "marketplace", "metrics", "oauth",
    "onboarding", "openapi", "profile", "readyz", "robots", "settings", "sign-in", "sign-out", "sign-up",
    "signin", "signout", "signup", "static", "support", "uploads", "webhooks", "well-known", "workspaces",
))
# fmt: on


async def create_workspace(
    site: Site, *, name: str, slug: str, owner_id: str, accept_unproven: bool = False
) -> Row:
    """Raises Invalid, Conflict for a taken slug, NotFound for an unknown owner, and UnprovenEmail."""
    slug = check_slug(slug)
    row = _new_row(check_name(name), slug, owner_id, site)
    try:
        async with site.db.transaction() as tx:
            owner = await get_user(tx, owner_id)
            if owner["is_bot"]:
                raise Invalid({"owner": ["A bot can't own a workspace."]})
            await tx.insert(workspaces, row)
            await record_audit(
                tx,
                "workspace.created",
                row["created_at"],
                workspace_id=row["id"],
                actor_id=owner_id,
                target=("workspace", row["id"]),
                details={"slug": slug},
            )
            await put_member(tx, site, row["id"], owner, ADMIN, by=owner, accept_unproven=accept_unproven)
    except UniqueViolation:
        raise Conflict(f"The workspace slug {slug} is taken.") from None
    return row


async def update_workspace(site: Site, workspace_id: str, by_user_id: str, changes: Mapping[str, Any]) -> Row:
    """Change `name` or `logo_url`. The slug is immutable, since apps store it. Raises Invalid and Forbidden."""
    allowed = {name: changes[name] for name in ("name", "logo_url") if name in changes}
    if "name" in allowed:
        allowed["name"] = check_name(allowed["name"])
    async with site.db.transaction() as tx:
        await require_admin(tx, workspace_id, by_user_id)
        before = await tx.lock(workspaces, id=workspace_id)
        assert before is not None  # it has an admin
        changed = {name: value for name, value in allowed.items() if before[name] != value}
        if not changed:
            return before
        now = site.clock.now()
        stamps: Row = {"updated_at": now, "updated_by_id": by_user_id}
        await tx.update(workspaces, changed | stamps, id=workspace_id)
        after = before | changed | stamps
        await _record_update(tx, site, before, after)
        if "name" in changed:
            await record_audit(
                tx,
                "workspace.renamed",
                now,
                workspace_id=workspace_id,
                actor_id=by_user_id,
                target=("workspace", workspace_id),
                details={"name": after["name"], "was": before["name"]},
            )
    return after


async def _record_update(tx: Transaction, site: Site, before: Row, after: Row) -> None:
    shown = show_workspace(after)
    previous, changes = compare(show_workspace(before), shown)
    event = NewEvent(
        workspace_id=after["id"],
        name="workspace.updated",
        entity_id=after["id"],
        actor_id=after["updated_by_id"],
        actor=actor_of(await get_user(tx, after["updated_by_id"])),
        at=after["updated_at"],
        data=shown,
        data_v2=shown,
        previous=previous,
        changes=changes,
    )
    await record_event(tx, site.wakeups, event)


def show_workspace(workspace: Row) -> dict[str, Any]:
    return {name: workspace[name] for name in ("id", "name", "slug", "logo_url")}


def check_slug(slug: str) -> str:
    """The normalized slug. Raises Invalid."""
    slug = slug.strip().lower()
    if len(slug) > SLUG_LENGTH or not _SLUG.fullmatch(slug):
        raise Invalid(
            {"slug": [f"Use at most {SLUG_LENGTH} letters, digits, hyphens and underscores, no other ends."]}
        )
    if slug in RESERVED_SLUGS:
        raise Invalid({"slug": ["This word is reserved. Choose another."]})
    return slug


def check_name(name: object) -> str:
    """The normalized name. Raises Invalid."""
    if not isinstance(name, str) or not name.strip():
        raise Invalid({"name": ["Give it a name."]})
    if len(name.strip()) > NAME_LENGTH or not is_one_line(name):
        raise Invalid({"name": [f"Use at most {NAME_LENGTH} characters, without line breaks."]})
    return name.strip()


def _new_row(name: str, slug: str, owner_id: str, site: Site) -> Row:
    now = site.clock.now()
    return {
        "id": new_id(),
        "name": name,
        "slug": slug,
        "logo_url": None,
        "owner_id": owner_id,
        "features": dict(FEATURES),
        "created_at": now,
        "updated_at": now,
        "deleted_at": None,
        "created_by_id": owner_id,
        "updated_by_id": owner_id,
    }
