"""`expand` replaces ids by small objects, fetched for a whole page at once."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from airside.db.conditions import tenant
from airside.db.statements import Statement, any_of
from airside.identity.describe import find_users
from airside.rest.call import Call
from airside.rest.face import Expander
from airside.work.projects.tables import projects

expand_user: Expander = find_users


async def expand_workspace(call: Call, ids: Sequence[str]) -> Mapping[str, Any]:
    """Only the call's own workspace can be named."""
    small = {name: call.workspace[name] for name in ("name", "slug", "id")}
    return {call.workspace_id: small}


def expand_rows(table: sa.Table, *names: str) -> Expander:
    """An expander that shows these columns of a tenant's table."""
    columns = table.c
    statement = Statement(
        sa.select(columns.id, *(columns[name] for name in names)).where(
            tenant(table),
            any_of(columns.id, "ids"),
        )
    )

    async def expand(call: Call, ids: Sequence[str]) -> Mapping[str, Any]:
        rows = await call.reader.fetch_all(statement, workspace_id=call.workspace_id, ids=list(ids))
        return {row["id"]: row for row in rows}

    return expand


_project_columns = expand_rows(
    projects, "identifier", "name", "cover_image", "icon_prop", "emoji", "description"
)


async def expand_project(call: Call, ids: Sequence[str]) -> Mapping[str, Any]:
    found = await _project_columns(call, ids)
    return {one: {**row, "cover_image_url": row["cover_image"]} for one, row in found.items()}
