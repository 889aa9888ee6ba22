"""When a member leaves the workspace, their project memberships end."""

from airside.db.base import Row
from airside.runtime.site import Site
from airside.work.projects.members import end_project_memberships
from airside.workspaces.members import Leaving


def watch_departures(site: Site) -> None:
    """Register the hook, so that a former member who returns doesn't regain their project roles."""
    site.change_hooks.add("workspace.member.deleted", leave_projects)


async def leave_projects(leaving: Leaving, member: Row | None, _: Row) -> None:
    """An app's bot keeps its memberships: a reinstalled app returns to the projects that it created."""
    if member is None or member["is_bot"]:
        return
    await end_project_memberships(
        leaving.tx, leaving.site, member["workspace_id"], member["user_id"], leaving.by
    )
