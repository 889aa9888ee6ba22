"""Relations between work items: the writing of them, with an event of the relation and in both histories."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from airside.db.base import Id, Row, TextList
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.errors import AirsideError, Invalid, Refused
from airside.events.outbox import Change
from airside.rest.body import Body
from airside.rest.call import Call
from airside.rest.face import Face, Shown
from airside.rest.record import Record
from airside.rest.references import unknown_ids
from airside.rest.selection import check_parents
from airside.rest.verbs import in_transaction, remove_record, store_record
from airside.rest.wires.v1.wire import V1
from airside.work.work_items.activities import Happening, record_happenings
from airside.work.work_items.dependency_circles import check_circle
from airside.work.work_items.related_items import find_items, show_related
from airside.work.work_items.relation_definitions import find_definitions
from airside.work.work_items.relation_kinds import DEPENDENCIES, name_side, relations
from airside.work.work_items.tables import work_items
from airside.work.work_items.visible_items import below_work_item

ITSELF = "A work item cannot be related to itself."
REVERSED = "These work items are related the other way round."

_REQUIRED_IDS = "Ensure this field has at least 1 elements."


class RelationOut(Shown):
    """A relation as its events show it."""

    id: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    relation_type: str
    definition: str | None
    created_by: str | None
    updated_by: str | None
    project: str
    workspace: str
    issue: str
    related_issue: str


class Relations(Record):
    """`call.prepared` has the two `items` with their keys, and the `definitions` of custom relations, by id."""

    noun = "Relation"
    table = relations
    event = "workitem.relation"
    has_history = False
    parents = (below_work_item(),)

    async def before_create(self, call: Call, row: Row, /) -> None:
        if row.pop("is_related"):
            row["issue_id"], row["related_issue_id"] = row["related_issue_id"], row["issue_id"]

    async def after_event(self, call: Call, action: str, row: Row, changes: Sequence[Change], /) -> None:
        items = call.prepared["items"]
        ends = (row["issue_id"], row["related_issue_id"])
        for is_related, (own, other) in enumerate((ends, ends[::-1])):
            name = _name_side(call, row, is_related=bool(is_related))
            happening = _describe(action, name, items[other]["key"], other)
            await record_happenings(call, own, items[own]["project_id"], [happening])


class Dependencies(Relations):
    """Those that order work items in time."""

    noun = "Dependency"
    event = "workitem.dependency"


RELATIONS_V1 = Face(
    Relations(),
    wire=V1,
    path="projects/{project_id}/work-items/{work_item_id}/relations",
    aliases=("projects/{project_id}/issues/{work_item_id}/relations",),
    key="related_work_item_id",
    verbs=(),
    body=Body,
    shown=RelationOut,
    scope="projects.work_items",
)
DEPENDENCIES_V1 = Face(
    Dependencies(),
    wire=V1,
    path="projects/{project_id}/work-items/{work_item_id}/dependencies",
    key="related_work_item_id",
    verbs=(),
    body=Body,
    shown=RelationOut,
    scope="projects.work_items.relations",
)
CUSTOM_RELATIONS_V1 = replace(
    RELATIONS_V1,
    path="projects/{project_id}/work-items/{work_item_id}/work-item-relations",
    aliases=(),
    scope="projects.work_items.relations",
)


class Side(NamedTuple):
    """What is added: a stored kind, seen from one of its ends, which calls it `name`."""

    kind: str
    name: str
    is_related: bool  # whether the work item in the URL is the row's related end
    definition_id: str | None = None
    is_undirected: bool = False


async def add_relations(call: Call, side: Side, field: str) -> list[Row]:
    """Relate the work item in the URL to each of the body's `field`, once, and answer them in that order.

    Raises Invalid by an id's position, also for a work item that the caller doesn't see; Refused for an archived
    one in the URL."""
    ids = list(dict.fromkeys(call.body[field]))
    if not ids:
        raise Invalid({field: [_REQUIRED_IDS]})
    return await in_transaction(call, lambda: _add(call, side, field, ids))


async def remove_relations(call: Call, kinds: Sequence[str], related_id: str, missing: AirsideError) -> None:
    """Remove the relations of these stored kinds to one work item. Raises `missing` where there are none."""
    await in_transaction(call, lambda: _remove(call, kinds, related_id, missing))


async def _add(call: Call, side: Side, field: str, ids: list[str]) -> list[Row]:
    own, items = await _enter(call, ids)
    _check_ids(call, field, own, [one for one in ids if one not in items])
    new = await _list_new(call, side, field, own, ids)
    if new and side.kind in DEPENDENCIES:
        sources, targets = (new, [own]) if side.is_related else ([own], new)
        await check_circle(call, field, side.kind, sources, targets)
    for one in new:
        sent = {
            "related_issue_id": one,
            "relation_type": side.kind,
            "definition_id": side.definition_id,
            "is_related": side.is_related,
        }
        await store_record(_face_of(side.kind), call, sent)
    return await show_related(call, [items[one] | {"relation_type": side.name} for one in ids])


async def _remove(call: Call, kinds: Sequence[str], related_id: str, missing: AirsideError) -> None:
    own, items = await _enter(call, [related_id])
    rows = await _find_between(call, own, [related_id], kinds)
    known = {None, *await _find_definitions(call, rows)}
    rows = [row for row in rows if row["definition_id"] in known]
    if not rows or related_id not in items:
        raise missing
    for row in rows:
        await remove_record(_face_of(row["relation_type"]), call, row)


async def _find_definitions(call: Call, rows: list[Row]) -> Mapping[str, Row]:
    """Those of custom relations, also as `call.prepared` has them."""
    ids = {row["definition_id"] for row in rows} - {None}
    found = call.prepared["definitions"] = await find_definitions(call, ids)
    return found


async def _enter(call: Call, ids: Sequence[str]) -> tuple[str, Mapping[str, Row]]:
    """The URL's work item, and it and the others that are visible, by id. Changes of relations wait for each other,
    so that two at once make neither a circle nor a relation twice. Raises NotFound and Refused."""
    await call.access.lock_workspace(call)
    await check_parents(RELATIONS_V1, call)
    own = call.path["work_item_id"]
    items = await find_items(call, [own, *ids])
    if own not in items:
        raise Refused(await _why_unrelatable(call, own))
    call.prepared["items"] = items
    return own, items


async def _why_unrelatable(call: Call, own: str) -> str:
    item = await call.reader.find(work_items, workspace_id=call.workspace_id, id=own)
    if item and item["in_intake"]:
        return "A work item in the intake can be related once it is accepted there"
    return "Archived work item cannot be updated"


def _face_of(kind: str) -> Face:
    return DEPENDENCIES_V1 if kind in DEPENDENCIES else RELATIONS_V1


def _check_ids(call: Call, field: str, own: str, missing: Sequence[str]) -> None:
    sent: list[str] = call.body[field]
    if missing:
        raise Invalid({field: unknown_ids(sent, missing)})
    if own in sent:
        raise Invalid({field: {str(sent.index(own)): [ITSELF]}})


async def _list_new(call: Call, side: Side, field: str, own: str, ids: list[str]) -> list[str]:
    """Those of the ids that aren't related in this way yet. Raises Invalid for one that is the other way round; of
    dependencies the check for circles finds that."""
    present: set[str] = set()
    for row in await _find_between(call, own, ids, [side.kind]):
        if row["definition_id"] != side.definition_id:
            continue
        is_related = row["related_issue_id"] == own
        other = row["issue_id"] if is_related else row["related_issue_id"]
        if side.is_undirected or is_related == side.is_related:
            present.add(other)
        elif side.kind not in DEPENDENCIES:
            raise Invalid({field: {str(call.body[field].index(other)): [REVERSED]}})
    return [one for one in ids if one not in present]


async def _find_between(call: Call, own: str, ids: Sequence[str], kinds: Sequence[str]) -> list[Row]:
    return await call.reader.fetch_all(
        _BETWEEN, workspace_id=call.workspace_id, work_item_id=own, ids=list(ids), kinds=list(kinds)
    )


def _between() -> Statement:
    """Either end's rows by its own index."""
    edge = relations.c
    branches = [
        sa.select(relations).where(
            tenant(relations),
            own == sa.bindparam("work_item_id", type_=Id()),
            any_of(other, "ids"),
            any_of(edge.relation_type, "kinds", TextList()),
            live(relations),
        )
        for own, other in ((edge.issue_id, edge.related_issue_id), (edge.related_issue_id, edge.issue_id))
    ]
    return Statement(sa.union_all(*branches))


_BETWEEN = _between()


def _describe(action: str, name: str, key: str, other_id: str) -> Happening:
    """The history's entry about a relation to the work item with this key, in Plane's words."""
    if action == "created":
        return Happening("updated", name, "", key, None, other_id, f"added {name} relation")
    return Happening("deleted", name, key, "", other_id, None, f"deleted {name} relation")


def _name_side(call: Call, row: Row, *, is_related: bool) -> str:
    if row["definition_id"] is None:
        return name_side(row["relation_type"], is_related=is_related)
    return call.prepared["definitions"][row["definition_id"]]["inward" if is_related else "outward"]
