"""Which level defines types and properties: what belongs to the workspace is changed there, not in its projects."""

from airside.db.base import Row
from airside.rest.call import Call
from airside.work.workspace_flags import WorkspaceManaged, is_on


async def check_definable(call: Call) -> None:
    """Raises WorkspaceManaged in a project whose workspace has types of its own turned on."""
    if call.project and await is_on(call, "work_item_types"):
        raise WorkspaceManaged(
            "Work item types and properties are managed by this workspace, not its projects"
        )


def check_own(call: Call, row: Row) -> None:
    """Raises WorkspaceManaged for a record of the workspace that is changed in a project."""
    if call.project and row["project_id"] is None:
        raise WorkspaceManaged
