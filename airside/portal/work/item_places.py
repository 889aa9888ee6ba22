"""What a work item belongs to: its type, cycle, modules, milestone and estimate, read in one statement."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.rest.call import Call
from airside.rest.parameters import Link
from airside.work.planning.estimate_tables import estimate_points, estimates
from airside.work.planning.milestone_tables import IN_MILESTONES, milestones
from airside.work.planning.tables import IN_CYCLES, IN_MODULES, cycles, module_work_items, modules
from airside.work.types.tables import work_item_types

MAX_MODULES = 50

# Kind → its words, the feature that it belongs to, and the list of records that has its page.
KINDS: Mapping[str, tuple[str, str | None, str]] = {
    "type": ("Type", "work_item_types", "work-item-types/{id}/"),
    "cycle": ("Cycle", "cycles", "cycles/{id}/"),
    "module": ("Modules", "modules", "modules/{id}/"),
    "milestone": ("Milestone", None, "milestones/{id}/"),
    "estimate": ("Estimate", None, "estimates/"),
}


async def list_places(call: Call, item: Row, project: str) -> list[dict[str, Any]]:
    """For each kind that the project uses its words, and the names with addresses; `project` is the path of its
    pages."""
    found = await call.reader.fetch_all(
        _PLACES,
        workspace_id=call.workspace_id,
        item_id=item["id"],
        type_id=item["type_id"],
        point_id=item["estimate_point"],
        limit=MAX_MODULES,
    )
    records = f"{project}/records/"
    return [
        {
            "words": words,
            "entries": [
                {"name": _name(row), "href": records + tail.format(id=row["id"])}
                for row in sorted(found, key=lambda row: row["name"].casefold())
                if row["kind"] == kind
            ],
        }
        for kind, (words, feature, tail) in KINDS.items()
        if feature is None or call.access.is_feature_on(call, feature)
    ]


def _name(row: Row) -> str:
    if row["kind"] == "estimate" and row["unit"] == "points":
        return f"{row['name']} point{'' if row['name'] == '1' else 's'}"
    return row["name"]


def _branch(
    kind: str,
    source: sa.FromClause,
    table: sa.Table,
    name: sa.ColumnElement[str],
    *where: Any,
    unit: Any = None,
) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            sa.literal_column(f"'{kind}'", sa.Text).label("kind"),
            table.c.id,
            name.label("name"),
            (sa.literal_column("''", sa.Text) if unit is None else unit).label("unit"),
        )
        .select_from(source)
        .where(tenant(table), live(table), *where)
    )


def _holding(
    kind: str, link: Link, table: sa.Table, name: sa.ColumnElement[str]
) -> sa.Select[*tuple[Any, ...]]:
    """What holds the work item by a table of links."""
    row = link.table.c
    both = sa.and_(row.workspace_id == table.c.workspace_id, row[link.value] == table.c.id)
    is_item = row[link.record] == sa.bindparam("item_id", type_=Id())
    return _branch(
        kind, link.table.join(table, both), table, name, tenant(link.table), is_item, *link.conditions
    )


def _places() -> Statement:
    point, estimate = estimate_points.c, estimates.c
    scale = sa.and_(estimate.workspace_id == point.workspace_id, estimate.id == point.estimate_id)
    held = _holding("module", IN_MODULES, modules, modules.c.name)
    held = (
        held.order_by(module_work_items.c.module_id)
        .limit(sa.bindparam("limit", type_=sa.Integer()))
        .subquery("held")
    )
    return Statement(
        sa.union_all(
            _branch(
                "type",
                work_item_types,
                work_item_types,
                work_item_types.c.name,
                work_item_types.c.id == sa.bindparam("type_id", type_=Id()),
            ),
            _holding("cycle", IN_CYCLES, cycles, cycles.c.name),
            sa.select(held),
            _holding("milestone", IN_MILESTONES, milestones, milestones.c.title),
            _branch(
                "estimate",
                estimate_points.join(estimates, scale),
                estimate_points,
                point.value,
                point.id == sa.bindparam("point_id", type_=Id()),
                live(estimates),
                unit=estimate.type,
            ),
        )
    )


_PLACES = _places()
