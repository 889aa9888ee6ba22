"""Which level defines types and properties: what belongs to the workspace is changed there, not in its projects."""

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.statements import Statement
from airside.errors import Refused
from airside.rest.call import Call
from airside.workspaces.create import FEATURES
from airside.workspaces.tables import workspaces

_FLAGS = Statement(
    sa.select(workspaces.c.features).where(workspaces.c.id == sa.bindparam("workspace_id", type_=Id()))
)


class WorkspaceManaged(Refused):
    """Plane's code for a change in a project of what its workspace defines."""

    code = "workspace_managed"
    sentence = "This is managed by the workspace and can't be changed in a project"


async def check_definable(call: Call) -> None:
    """Raises WorkspaceManaged in a project whose workspace has types of its own turned on."""
    if not call.project:
        return
    flags = await call.reader.fetch_value(_FLAGS, workspace_id=call.workspace_id)
    if (FEATURES | (flags or {}))["work_item_types"]:
        raise WorkspaceManaged(
            "Work item types and properties are managed by this workspace, not its projects"
        )


def check_own(call: Call, row: Row) -> None:
    """Raises WorkspaceManaged for a record of the workspace that is changed in a project."""
    if call.project and row["project_id"] is None:
        raise WorkspaceManaged
