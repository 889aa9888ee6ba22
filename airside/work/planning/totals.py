"""How many cycles and modules a project has, for many projects at once."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.rest.call import Call
from airside.rest.totals import count_for_each
from airside.work.planning.tables import cycles, modules


def _count(table: sa.Table) -> sa.Select[Any, int, str]:
    return (
        sa.select(
            table.c.project_id,
            sa.func.count().label("total"),
            sa.literal(table.name, sa.Text).label("kind"),
        )
        .where(tenant(table), any_of(table.c.project_id, "ids"), live(table))
        .group_by(table.c.project_id)
    )


_TOTALS = Statement(sa.union_all(_count(cycles), _count(modules)))


async def load_totals(call: Call, rows: Sequence[Row]) -> Mapping[str, Row]:
    async def count(ids: list[str]) -> Mapping[str, Row]:
        found: dict[str, Row] = {}
        for one in await call.reader.fetch_all(_TOTALS, workspace_id=call.workspace_id, ids=ids):
            totals = found.setdefault(one["project_id"], {"cycles": 0, "modules": 0, "all": 0})
            totals[one["kind"]] = one["total"]
            totals["all"] += one["total"]
        return found

    return await count_for_each(call, _TOTALS, [row["id"] for row in rows], "all", count)
