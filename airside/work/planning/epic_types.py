"""The type that makes a work item an epic: every project that uses epics has one."""

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.rest.call import Call
from airside.rest.gate import record_created
from airside.rest.verbs import insert_record, new_row
from airside.work.types.levels import check_definable
from airside.work.types.tables import type_projects, work_item_types
from airside.work.types.work_item_types import WORK_ITEM_TYPES_V1, WORKSPACE_WORK_ITEM_TYPES_V1
from airside.work.workspace_flags import WorkspaceManaged

_project_id = sa.bindparam("project_id", type_=Id())
_is_epic = sa.and_(tenant(work_item_types), work_item_types.c.is_epic, live(work_item_types))
_own = sa.select(work_item_types.c.id, work_item_types.c.created_at).where(
    _is_epic, work_item_types.c.project_id == _project_id
)
_imported = (
    sa.select(work_item_types.c.id, work_item_types.c.created_at)
    .join(
        type_projects,
        sa.and_(
            type_projects.c.workspace_id == work_item_types.c.workspace_id,
            type_projects.c.type_id == work_item_types.c.id,
        ),
    )
    .where(_is_epic, work_item_types.c.project_id.is_(None), type_projects.c.project_id == _project_id)
)
_either = sa.union_all(_own, _imported).subquery("either")  # each by its own index
_EPIC_TYPES = Statement(sa.select(_either.c.id).order_by(_either.c.created_at, _either.c.id))


async def list_epic_types(call: Call, project_id: str) -> list[str]:
    """The ids of the project's types of epics, the first one first."""
    rows = await call.reader.fetch_all(_EPIC_TYPES, workspace_id=call.workspace_id, project_id=project_id)
    return [row["id"] for row in rows]


async def ensure_epic_type(call: Call, project_id: str) -> str:
    """The id of the type that new epics of the call's project have; it is created where there is none."""
    found = await list_epic_types(call, project_id)
    if not found:
        await call.access.lock_workspace(call)  # so that two first epics create one type
        found = await list_epic_types(call, project_id)
    return found[0] if found else await _create(call, project_id)


async def _create(call: Call, project_id: str) -> str:
    """The type belongs to the project, or to the workspace where that manages types."""
    face = WORK_ITEM_TYPES_V1
    try:
        await check_definable(call)
    except WorkspaceManaged:
        face = WORKSPACE_WORK_ITEM_TYPES_V1
    sent: Row = {
        "name": "Epic",
        "description": "",
        "logo_props": {},
        "is_epic": True,
        "is_default": False,
        "is_active": True,
        "level": 1,
        "project_ids": [project_id],
        "external_source": None,
        "external_id": None,
    }
    row = new_row(face, call, sent)
    await insert_record(face, call, row)
    await face.record.after_create(call, row)
    await record_created(call, face, row)
    return row["id"]
