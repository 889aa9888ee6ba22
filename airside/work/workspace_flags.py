"""What a workspace manages for its projects: its feature flags say so, and projects don't change it then."""

import sqlalchemy as sa

from airside.db.base import Id
from airside.db.statements import Statement
from airside.errors import Refused
from airside.rest.call import Call
from airside.workspaces.create import FEATURES
from airside.workspaces.tables import workspaces

STATES_OWNED = "states_owned_by_workspace"

_FLAGS = Statement(
    sa.select(workspaces.c.features).where(workspaces.c.id == sa.bindparam("workspace_id", type_=Id()))
)


class WorkspaceManaged(Refused):
    """Plane's code for a change in a project of what its workspace defines."""

    code = "workspace_managed"
    sentence = "This is managed by the workspace and can't be changed in a project"


async def is_on(call: Call, flag: str) -> bool:
    """As the transaction sees it, if there is one."""
    flags: dict[str, bool] | None = await call.reader.fetch_value(_FLAGS, workspace_id=call.workspace_id)
    return (FEATURES | (flags or {}))[flag]
