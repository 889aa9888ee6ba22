"""What ends when somebody leaves the workspace: their place in each of its projects."""

from airside.db.base import Row
from airside.runtime.site import Site
from airside.work.projects.members import end_project_memberships
from airside.workspaces.members import Leaving


def watch_departures(site: Site) -> None:
    """From here on nobody who leaves keeps a role that would be theirs again if they came back."""
    site.change_hooks.add("workspace.member.deleted", leave_projects)


async def leave_projects(leaving: Leaving, member: Row | None, _: Row) -> None:
    """An app's bot comes back with its app, to the projects that it made."""
    if member is None or member["is_bot"]:
        return
    await end_project_memberships(
        leaving.tx, leaving.site, member["workspace_id"], member["user_id"], leaving.by
    )
