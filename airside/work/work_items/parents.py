"""A work item's parent: it may be in another project, if the caller can see that project."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.errors import Invalid
from airside.rest.call import Call
from airside.work.access import in_visible_projects
from airside.work.work_items.tables import work_items

SHOWN = ("id", "name", "sequence_id", "project_id", "priority", "state_id")


async def check_parent(call: Call, parent_id: str | None) -> None:
    """Raises Invalid, with the message for a missing id."""
    if parent_id is not None and parent_id not in await expand_parent(call, [parent_id]):
        raise Invalid({"parent": [f'Invalid pk "{parent_id}" - object does not exist.']})


async def expand_parent(call: Call, ids: Sequence[str]) -> Mapping[str, Any]:
    """Work items of the call's project and of others that the caller sees; the rest is left out."""
    seen = in_visible_projects(call, work_items.c.project_id)
    here = call.project["id"] if call.project else None
    statement = _statement(seen.clauses)
    rows = await call.reader.fetch_all(
        statement, workspace_id=call.workspace_id, ids=list(ids), here=here, **seen.params
    )
    return {row["id"]: row for row in rows}


@lru_cache(64)
def _statement(seen: tuple[sa.ColumnElement[bool], ...]) -> Statement:
    columns = work_items.c
    return Statement(
        sa.select(*(columns[name] for name in SHOWN)).where(
            tenant(work_items),
            any_of(columns.id, "ids"),
            live(work_items),
            columns.in_intake.is_(sa.false()),
            sa.or_(columns.project_id == sa.bindparam("here", type_=columns.project_id.type), sa.and_(*seen)),
        )
    )
