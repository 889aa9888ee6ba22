"""The work items that one is related to: those that the caller sees, from either end of a relation."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa

from airside.db.base import Id, Row, TextList
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.rest.call import Call
from airside.rest.computed import Computed
from airside.rest.face import Face, Shown
from airside.rest.record import Record
from airside.rest.shaping import shape_rows
from airside.rest.wires.v1.lists import read_shape
from airside.rest.wires.v1.wire import V1
from airside.work.access import in_visible_projects
from airside.work.expansions import expand_user
from airside.work.projects.tables import projects
from airside.work.types.tables import work_item_types
from airside.work.work_items.assignees_and_labels import COMPUTED
from airside.work.work_items.relation_kinds import relations
from airside.work.work_items.tables import list_conditions, work_items

LIST_LIMIT = 10_000  # of one work item; the answer isn't paged

_other = work_items.alias("related_items")
_NAMES = ("id", "name", "sequence_id", "project_id", "state_id", "priority", "type_id", "sort_order",
          "created_at", "updated_at", "created_by_id", "updated_by_id")  # fmt: skip

_EPIC_TYPES = Statement(
    sa.select(work_item_types.c.id).where(
        tenant(work_item_types), any_of(work_item_types.c.id, "ids"), work_item_types.c.is_epic
    )
)


class RelatedItem(Shown):
    id: str
    name: str
    sequence_id: int
    project_id: str
    state_id: str
    priority: str
    type_id: str | None
    is_epic: bool
    label_ids: list[str]
    assignee_ids: list[str]
    sort_order: float
    created_at: datetime
    updated_at: datetime
    created_by: str | None
    updated_by: str | None
    relation_type: str  # as the work item in the URL calls it


async def _load_epics(call: Call, rows: Sequence[Row]) -> Mapping[str, bool]:
    ids = list({row["type_id"] for row in rows if row["type_id"]})
    if not ids:
        return {}
    found = await call.reader.fetch_all(_EPIC_TYPES, workspace_id=call.workspace_id, ids=ids)
    epics = {row["id"] for row in found}
    return {row["id"]: row["type_id"] in epics for row in rows}


class RelatedItems(Record):
    """A work item beside the one that it is related to; its row has the relation's name."""

    noun = "Related work item"
    table = work_items
    event = None
    eventless = "a view of a work item; its relation has the event"
    computed = {
        "assignee_ids": COMPUTED["assignees"],
        "label_ids": COMPUTED["labels"],
        "is_epic": Computed(load=_load_epics, empty=False),
    }


RELATED_ITEMS_V1 = Face(
    RelatedItems(),
    wire=V1,
    path="projects/{project_id}/work-items/{work_item_id}/relations",
    key="related_work_item_id",
    verbs=(),
    shown=RelatedItem,
    scope="projects.work_items",
    expands={"created_by": expand_user, "updated_by": expand_user},
)


async def show_related(call: Call, rows: list[Row]) -> list[Row]:
    """The work items in the shape that the query asks for; each row has its `relation_type`."""
    return await shape_rows(call, RELATED_ITEMS_V1, rows, read_shape(RELATED_ITEMS_V1, call.query))


async def list_related(
    call: Call, work_item_id: str, kinds: Sequence[str], *, limit: int = LIST_LIMIT
) -> list[Row]:
    """The visible work items at the other end of the relations of these stored kinds, oldest relation first.

    Each has the relation's `kind`, `definition_id`, and `is_related`: whether `work_item_id` is its related end."""
    seen = in_visible_projects(call, _other.c.project_id)
    return await call.reader.fetch_all(
        _related_statement(seen.clauses),
        **_scope(call),
        **seen.params,
        work_item_id=work_item_id,
        kinds=list(kinds),
        limit=limit,
    )


async def find_items(call: Call, ids: Sequence[str]) -> Mapping[str, Row]:
    """Id → the visible work items of these, each with its `key` such as ENG-12."""
    seen = in_visible_projects(call, _other.c.project_id)
    statement = _items_statement(seen.clauses)
    rows = await call.reader.fetch_all(statement, **_scope(call), **seen.params, ids=list(ids))
    return {row["id"]: row for row in rows}


def _scope(call: Call) -> Row:
    return {"workspace_id": call.workspace_id, "here": call.project_id}


def _visible(seen: tuple[sa.ColumnElement[bool], ...]) -> list[sa.ColumnElement[bool]]:
    """Of the URL's project, which the guard has checked, and of others that the caller sees."""
    here = _other.c.project_id == sa.bindparam("here", type_=Id())
    return [*list_conditions(_other), sa.or_(here, sa.and_(*seen))]


@lru_cache(64)
def _related_statement(seen: tuple[sa.ColumnElement[bool], ...]) -> Statement:
    """One branch for each end, so that each reads its own index."""
    edge = relations.c
    branches = [
        sa.select(
            *(_other.c[name] for name in _NAMES),
            edge.id.label("relation_id"),
            edge.relation_type.label("kind"),
            edge.definition_id,
            sa.literal_column("1" if is_related else "0", sa.Integer).label("is_related"),
        )
        .select_from(relations)
        .join(_other, sa.and_(_other.c.workspace_id == edge.workspace_id, _other.c.id == other))
        .where(
            tenant(relations),
            own == sa.bindparam("work_item_id", type_=Id()),
            live(relations),
            any_of(edge.relation_type, "kinds", TextList()),
            *_visible(seen),
        )
        for own, other, is_related in (
            (edge.issue_id, edge.related_issue_id, False),
            (edge.related_issue_id, edge.issue_id, True),
        )
    ]
    both = sa.union_all(*branches).subquery("both")
    limit = sa.bindparam("limit", type_=sa.Integer())
    return Statement(sa.select(both).order_by(both.c.relation_id).limit(limit))


@lru_cache(64)
def _items_statement(seen: tuple[sa.ColumnElement[bool], ...]) -> Statement:
    key = projects.c.identifier + "-" + sa.cast(_other.c.sequence_id, sa.Text)
    return Statement(
        sa.select(*(_other.c[name] for name in _NAMES), key.label("key"))
        .join(
            projects,
            sa.and_(projects.c.workspace_id == _other.c.workspace_id, projects.c.id == _other.c.project_id),
        )
        .where(tenant(_other), any_of(_other.c.id, "ids"), *_visible(seen))
    )
