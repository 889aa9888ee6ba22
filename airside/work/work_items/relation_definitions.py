"""Relation definitions: the workspace's own kinds of relations, with a name for each of their two sides."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from airside.db.base import Id, Row, metadata
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.rest.body import Body, Label, Name, Number, Short
from airside.rest.call import Call
from airside.rest.face import Face, Shown
from airside.rest.record import ADMIN, Level, Record
from airside.rest.wires.v1.wire import V1
from airside.work.rows import live_unique, workspace_row
from airside.work.unique_names import check_name

SORT_STEP = 10_000.0  # after the last one

relation_definitions = sa.Table(
    "work_item_relation_definitions",
    metadata,
    *workspace_row(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("outward", sa.Text, nullable=False),  # as the source's side calls it: implements
    sa.Column("inward", sa.Text, nullable=False),  # as the target's does: implemented by
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("color", sa.Text),
    sa.Column("sort_order", sa.Float, nullable=False),
)
sa.Index(
    "ix_work_item_relation_definitions_order",
    relation_definitions.c.workspace_id,
    relation_definitions.c.sort_order,
    relation_definitions.c.id,
)
live_unique(
    "uq_work_item_relation_definitions_name",
    relation_definitions.c.workspace_id,
    relation_definitions.c.name,
)

_LAST_SORT = Statement(
    sa.select(sa.func.max(relation_definitions.c.sort_order).label("last")).where(
        tenant(relation_definitions), live(relation_definitions)
    )
)
_BY_ID = Statement(
    sa.select(relation_definitions).where(
        tenant(relation_definitions),
        relation_definitions.c.id == sa.bindparam("id", type_=Id()),
        live(relation_definitions),
    )
)
_AMONG = Statement(
    sa.select(relation_definitions).where(
        tenant(relation_definitions), any_of(relation_definitions.c.id, "ids"), live(relation_definitions)
    )
)
_ALL = Statement(
    sa.select(relation_definitions)
    .where(tenant(relation_definitions), live(relation_definitions))
    .order_by(relation_definitions.c.sort_order, relation_definitions.c.id)
)


class RelationDefinitionIn(Body):
    example = {"name": "Implementation", "outward": "implements", "inward": "implemented by"}

    name: Name
    outward: Label | None = None
    inward: Label | None = None
    is_default: bool = False
    is_active: bool = True
    color: Short | None = None
    sort_order: Number | None = None


class RelationDefinitionOut(Shown):
    id: str
    name: str
    outward: str
    inward: str
    is_default: bool
    is_active: bool
    color: str | None
    sort_order: float
    created_at: datetime
    updated_at: datetime
    created_by: str | None
    updated_by: str | None
    workspace: str


class RelationDefinitions(Record):
    noun = "Relation definition"
    about = "Kinds of relations between work items that a workspace defines itself."
    table = relation_definitions
    level = Level.WORKSPACE
    event = "workitem.relation_definition"
    write_role = ADMIN

    async def before_create(self, call: Call, row: Row, /) -> None:
        await check_name(self, call, row["name"])
        _fill_sides(row, row["name"])
        if row["sort_order"] is None:
            last = await call.reader.fetch_value(_LAST_SORT, workspace_id=call.workspace_id)
            row["sort_order"] = (last or 0.0) + SORT_STEP

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        if changes.get("name", row["name"]) != row["name"]:
            await check_name(self, call, changes["name"])
        if {"outward", "inward"} & changes.keys():
            sides = {**row, **changes}
            _fill_sides(sides, sides["name"])
            changes |= {side: sides[side] for side in ("outward", "inward")}


def _fill_sides(columns: Row, name: str) -> None:
    """A side without a name of its own is called as the other, or else as the definition."""
    columns["outward"] = columns["outward"] or columns["inward"] or name
    columns["inward"] = columns["inward"] or columns["outward"]


async def find_definition(call: Call, definition_id: str) -> Row | None:
    return await call.reader.fetch_one(_BY_ID, workspace_id=call.workspace_id, id=definition_id)


async def list_definitions(call: Call) -> list[Row]:
    """All of the workspace, in their order; a workspace has few."""
    return await call.reader.fetch_all(_ALL, workspace_id=call.workspace_id)


async def find_definitions(call: Call, ids: Collection[str]) -> dict[str, Row]:
    """Those with these ids, by id."""
    found = await call.reader.fetch_all(_AMONG, workspace_id=call.workspace_id, ids=list(ids)) if ids else []
    return {one["id"]: one for one in found}


RELATION_DEFINITIONS_V1 = Face(
    RelationDefinitions(),
    wire=V1,
    path="work-item-relation-definitions",
    key="definition_id",
    verbs=("list", "create", "update", "delete"),
    body=RelationDefinitionIn,
    shown=RelationDefinitionOut,
    scope="workspaces.work_item_relation_definitions",
    order_by=("sort_order",),
)
