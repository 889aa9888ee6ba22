"""The projects an installed app may access: all, or a selection by an admin. It applies to tokens and webhooks.

Only ids are stored: projects belong to another room, and with a Community Edition to another server. An id of
another workspace's project grants nothing, since every query is scoped to the workspace too.
"""

from collections.abc import Iterable

from airside.db.base import Row
from airside.db.database import Transaction
from airside.db.text_rules import is_id
from airside.errors import Invalid
from airside.identity.revocations import revocations
from airside.identity.users import get_user
from airside.installations.install import record_installation
from airside.installations.listening import apply_installation
from airside.installations.read import lock_installation
from airside.installations.tables import InstallationChanges, InstallationRow, installations
from airside.runtime.site import Site
from airside.workspaces.members import require_admin

MAX_PROJECTS = 1000  # selected projects; the list is read with every token that isn't cached


async def choose_projects(
    site: Site, workspace_id: str, installation_id: str, by_user_id: str, project_ids: Iterable[str] | None
) -> InstallationRow:
    """Limit the app to these projects; None allows all. Returns the installation.

    Raises NotFound, Invalid, and Forbidden for a non-admin."""
    chosen = None if project_ids is None else check_choice(project_ids)
    async with site.db.transaction() as tx:
        await require_admin(tx, workspace_id, by_user_id)
        before = await lock_installation(tx, workspace_id, installation_id)
        return await _store_choice(tx, site, before, chosen, await get_user(tx, by_user_id))


async def add_to_choice(tx: Transaction, site: Site, installation_id: str, project_id: str) -> None:
    """Let the app access a project that it has just created."""
    before = await tx.lock(installations, id=installation_id)
    if before is None or before["project_ids"] is None or project_id in before["project_ids"]:
        return
    by = await get_user(tx, before["bot_user_id"])
    await _store_choice(tx, site, before, [*before["project_ids"], project_id], by)


def check_choice(project_ids: Iterable[str]) -> list[str]:
    """The ids, each once. Raises Invalid for an empty list, too many ids, and a malformed id."""
    chosen = list(dict.fromkeys(one.lower() for one in project_ids))
    if not chosen:
        raise Invalid({"projects": ["Choose at least one project, or all."]})
    if len(chosen) > MAX_PROJECTS:
        raise Invalid({"projects": [f"Choose at most {MAX_PROJECTS} projects, or all."]})
    if not all(is_id(one) for one in chosen):
        raise Invalid({"projects": ["One of these is no project of this workspace."]})
    return chosen


async def _store_choice(
    tx: Transaction, site: Site, before: InstallationRow, chosen: list[str] | None, by: Row
) -> InstallationRow:
    if before["project_ids"] == chosen:
        return before
    changes: InstallationChanges = {
        "project_ids": chosen,
        "updated_at": site.clock.now(),
        "updated_by_id": by["id"],
    }
    await tx.update(installations, changes, id=before["id"])
    after: InstallationRow = {**before, **changes}
    await apply_installation(tx, after)
    await record_installation(tx, site, "app.projects_changed", after, by, was=before)
    revocations.record(tx)
    return after
