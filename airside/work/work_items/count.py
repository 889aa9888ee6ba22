"""Counts of the workspace's work items: in total, and grouped by one or two properties."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import Invalid
from airside.rest.call import Call
from airside.rest.face import Shown
from airside.rest.filters import filters_of
from airside.rest.parameters import Choice, Link, read_parameter
from airside.rest.route import Route
from airside.rest.wires.v1.paths import WORKSPACE
from airside.work.access import in_visible_projects
from airside.work.planning.estimate_tables import estimate_points, estimates, is_numeric
from airside.work.planning.estimated import IS_ESTIMATED, with_numeric_points
from airside.work.planning.milestone_tables import IN_MILESTONES
from airside.work.planning.tables import IN_CYCLES, IN_MODULES
from airside.work.projects.labels import labels
from airside.work.projects.states import states
from airside.work.work_items.assignees_and_labels import ASSIGNEES
from airside.work.work_items.filters import QUERY, narrow_by_query
from airside.work.work_items.tables import LISTED, work_item_labels, work_items
from airside.work.work_items.work_items import WORK_ITEMS_V1

_NUMERIC_ESTIMATE = Statement(
    sa.select(estimates.c.id).where(tenant(estimates), is_numeric, live(estimates)).limit(1)
)

NONE = "None"  # key of work items without a value, as in Plane

Clauses = tuple[sa.ColumnElement[bool], ...]


class SubGroupCount(msgspec.Struct, omit_defaults=True):
    count: int
    total_estimates: float | msgspec.UnsetType = msgspec.UNSET


class GroupCount(msgspec.Struct, omit_defaults=True):
    count: int
    total_estimates: float | msgspec.UnsetType = msgspec.UNSET
    sub_grouped_counts: dict[str, SubGroupCount] | msgspec.UnsetType = msgspec.UNSET


class WorkItemCount(Shown):
    grouped_by: str | None
    sub_grouped_by: str | None
    total_count: int
    grouped_counts: dict[str, GroupCount]
    total_estimates: float | msgspec.UnsetType = msgspec.UNSET  # where the workspace has numeric estimates


@dataclass(frozen=True)
class Dimension:
    """A property to group by. A work item with two labels counts under both, and once in the total."""

    column: sa.ColumnElement[Any] | None = None  # None: not stored yet, so no work item has a value
    join: sa.FromClause | None = None
    on: sa.ColumnElement[bool] | None = None
    is_many: bool = False  # whether a work item can have several values


def _linked(link: Link, *, is_many: bool = True) -> Dimension:
    columns = link.table.c
    same = (columns.workspace_id == work_items.c.workspace_id, columns[link.record] == work_items.c.id)
    return Dimension(columns[link.value], link.table, sa.and_(*same, *link.conditions), is_many=is_many)


_LIVE_LABEL = (
    sa.select(labels.c.id)
    .where(
        labels.c.workspace_id == work_item_labels.c.workspace_id,
        labels.c.id == work_item_labels.c.label_id,
        live(labels),
    )
    .correlate(work_item_labels)
    .exists()
)
_NOWHERE = Dimension()

DIMENSIONS = {
    "state_id": Dimension(work_items.c.state_id),
    "state__group": Dimension(
        states.c.group,
        states,
        sa.and_(states.c.workspace_id == work_items.c.workspace_id, states.c.id == work_items.c.state_id),
    ),
    "priority": Dimension(work_items.c.priority),
    "project_id": Dimension(work_items.c.project_id),
    "type_id": Dimension(work_items.c.type_id),
    "labels__id": _linked(Link(work_item_labels, "work_item_id", "label_id", (_LIVE_LABEL,))),
    "assignees__id": _linked(ASSIGNEES),
    "issue_module__module_id": _linked(IN_MODULES),
    "release_work_items__release_id": _NOWHERE,
    "cycle_id": _linked(IN_CYCLES, is_many=False),
    "milestone_id": _linked(IN_MILESTONES, is_many=False),
    "created_by": Dimension(work_items.c.created_by_id),
    "target_date": Dimension(work_items.c.target_date),
    "start_date": Dimension(work_items.c.start_date),
}


_GROUPS = {
    "group_by": Choice(sentence="Count each value of this apart.", choices=tuple(DIMENSIONS)),
    "sub_group_by": Choice(
        sentence="Count each value of this apart within a group.", choices=tuple(DIMENSIONS)
    ),
}


async def count_work_items(call: Call) -> Row:
    """GET work-items/count/. Raises Invalid for a property that can't be grouped by."""
    group, sub_group = (read_parameter(kind, name, call.query) for name, kind in _GROUPS.items())
    if sub_group and not group:
        raise Invalid({"sub_group_by": ["sub_group_by needs group_by."]})
    seen, asked = in_visible_projects(call, work_items.c.project_id), await narrow_by_query(call)
    filters = filters_of(WORK_ITEMS_V1).read(call.query, call.workspace_id)
    clauses = (*seen.clauses, *filters.clauses, *asked.clauses)
    params = {**seen.params, **filters.params, **asked.params, "workspace_id": call.workspace_id}
    groups = await _count(call, (group,), clauses, params) if group else {}
    if group and not DIMENSIONS[group].is_many:
        total = sum(groups.values())
    else:
        total = (await _count(call, (), clauses, params))[()]
    counts: dict[str, Row] = {key: {"count": count} for (key,), count in groups.items()}
    if group and sub_group:
        for (key, sub_key), count in (await _count(call, (group, sub_group), clauses, params)).items():
            counts[key].setdefault("sub_grouped_counts", {})[sub_key] = {"count": count}
    answer: Row = {
        "grouped_by": group,
        "sub_grouped_by": sub_group,
        "total_count": total,
        "grouped_counts": counts,
    }
    if await call.reader.fetch_value(_NUMERIC_ESTIMATE, workspace_id=call.workspace_id) is not None:
        await _add_sums(call, answer, clauses, params)
    return answer


async def _add_sums(call: Call, answer: Row, clauses: Clauses, params: Row) -> None:
    """The points of the work items in all, and of each group that has any."""
    answer["total_estimates"] = (await _count(call, (), clauses, params, sums=True))[()]
    group, sub_group = answer["grouped_by"], answer["sub_grouped_by"]
    counts = answer["grouped_counts"]
    if group:
        for (key,), points in (await _count(call, (group,), clauses, params, sums=True)).items():
            if key in counts:  # else it has come since they were counted
                counts[key]["total_estimates"] = points
    if sub_group:
        names = (group, sub_group)
        for (key, sub_key), points in (await _count(call, names, clauses, params, sums=True)).items():
            if sub_key in counts.get(key, {}).get("sub_grouped_counts", {}):
                counts[key]["sub_grouped_counts"][sub_key]["total_estimates"] = points


async def _count(
    call: Call, names: tuple[str, ...], clauses: Clauses, params: Row, *, sums: bool = False
) -> dict[tuple[str, ...], Any]:
    """Group keys → count, or sum of points; without grouping one entry with an empty key."""
    rows = await call.reader.fetch_all(_count_statement(names, clauses, sums), **params)
    return {
        tuple(_key(row.get(f"group_{number}")) for number in range(len(names))): row["total"] or 0
        for row in rows
        if row["total"] or not names
    }


@lru_cache(256)
def _count_statement(names: tuple[str, ...], clauses: Clauses, sums: bool) -> Statement:
    # No additional join for a repeated property, or for one that isn't stored.
    used = {number: DIMENSIONS[name] for number, name in enumerate(names)}
    columns = {number: one.column for number, one in used.items() if one.column is not None}
    source: sa.FromClause = with_numeric_points(work_items) if sums else work_items
    for one in dict.fromkeys(used.values()):
        if one.join is not None and one.on is not None:
            source = source.outerjoin(one.join, one.on)
    picked = [column.label(f"group_{number}") for number, column in columns.items()]
    return Statement(
        sa.select(
            *picked, (sa.func.sum(estimate_points.c.number) if sums else sa.func.count()).label("total")
        )
        .select_from(source)
        .where(tenant(work_items), *LISTED, *clauses, *((IS_ESTIMATED,) if sums else ()))
        .group_by(*dict.fromkeys(columns.values()))
    )


def _key(value: Any) -> str:
    if value is None:
        return NONE
    return value.isoformat() if isinstance(value, date) else str(value)


COUNT_ROUTES = [
    Route(
        method="GET",
        path=WORKSPACE + "work-items/count",
        handler=count_work_items,
        scope="projects.work_items:read",
        name="count_work_items",
        summary="Count work items, in all and in groups",
        shown=WorkItemCount,
        query={
            **filters_of(WORK_ITEMS_V1).describe(),
            **QUERY,
            **{name: kind.describe(name) for name, kind in _GROUPS.items()},
        },
    )
]
