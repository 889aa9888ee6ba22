"""Fields of a query with several values, which a table links to work items: labels, assignees, modules …"""

from collections.abc import Sequence

import sqlalchemy as sa

from airside.pql.expression import Value
from airside.rest.parameters import Link
from airside.work.planning.milestone_tables import IN_MILESTONES
from airside.work.planning.tables import IN_CYCLES, IN_MODULES
from airside.work.pql.comparisons import among
from airside.work.pql.scope import Clause, Scope
from airside.work.work_items.assignees_and_labels import COMPUTED
from airside.work.work_items.tables import work_items

LINKS: dict[str, Link] = {
    "cycle": IN_CYCLES,
    "module": IN_MODULES,
    "milestone": IN_MILESTONES,
    **{one.query: one.filter.link for one in COMPUTED.values() if one.filter is not None and one.filter.link},
}


def compile_link(link: Link, how: str, values: Sequence[Value], scope: Scope) -> Clause:
    columns = link.table.c
    found = sa.select(columns[link.record]).where(
        columns.workspace_id == scope.workspace_id, *link.conditions
    )
    if how == "null":
        return ~found.where(columns[link.record] == work_items.c.id).correlate(work_items).exists()
    found = found.where(among(columns[link.value], values, scope))
    return work_items.c.id.in_(found.correlate(None))
