"""When a member leaves the workspace, their memberships of projects and of collections end."""

from airside.db.base import Row
from airside.runtime.site import Site
from airside.work.pages.collection_members import end_collection_memberships
from airside.work.projects.members import end_project_memberships
from airside.workspaces.members import Leaving


def watch_departures(site: Site) -> None:
    """Register the hook, so that a former member who returns doesn't regain what they had."""
    site.change_hooks.add("workspace.member.deleted", leave_projects)


async def leave_projects(leaving: Leaving, member: Row | None, _: Row) -> None:
    """An app's bot keeps its memberships: a reinstalled app returns to the projects that it created."""
    if member is None or member["is_bot"]:
        return
    workspace_id, user_id = member["workspace_id"], member["user_id"]
    await end_project_memberships(leaving.tx, leaving.site, workspace_id, user_id, leaving.by)
    await end_collection_memberships(leaving.tx, workspace_id, user_id, leaving.site.clock.now())
