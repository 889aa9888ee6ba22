"""Projects and work items by their identifiers: ENG, ENG-12. Upper and lower case are the same."""

import sqlalchemy as sa

from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.pql.values import parse_key
from airside.rest.call import Call
from airside.work.projects.tables import projects
from airside.work.work_items.tables import work_items

_PROJECT = Statement(
    sa.select(projects.c.id).where(
        tenant(projects),
        projects.c.identifier == sa.bindparam("identifier"),
        live(projects),
    )
)
_WORK_ITEM = Statement(
    sa.select(work_items.c.id, work_items.c.project_id)
    .join(
        projects,
        sa.and_(
            projects.c.workspace_id == work_items.c.workspace_id, projects.c.id == work_items.c.project_id
        ),
    )
    .where(
        tenant(work_items),
        tenant(projects),
        projects.c.identifier == sa.bindparam("identifier"),
        work_items.c.sequence_id == sa.bindparam("sequence_id", type_=sa.Integer()),
        live(projects),
        live(work_items),
    )
)


async def find_project_id(call: Call, identifier: str) -> str | None:
    """Whether the caller may see the project is for `Access.enter_project`."""
    keys = {"workspace_id": call.workspace_id, "identifier": identifier.upper()}
    return await call.reader.fetch_value(_PROJECT, **keys)


async def find_work_item_id(call: Call, text: str) -> str | None:
    """The work item with this key; in the call's project, where the URL names one."""
    key = parse_key(text)
    if key is None:
        return None
    keys = {"identifier": key.project, "sequence_id": key.sequence}
    row = await call.reader.fetch_one(_WORK_ITEM, workspace_id=call.workspace_id, **keys)
    if row is None or (call.project and row["project_id"] != call.project_id):
        return None
    return row["id"]
