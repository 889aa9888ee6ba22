"""The operations of relations, dependencies and custom relations of a work item, each seen from its own side."""

from typing import Any

from airside.db.base import Row
from airside.errors import Invalid, NotFound
from airside.rest.body import Body, Short, Uuid
from airside.rest.call import Call
from airside.rest.face import Shown
from airside.rest.record import GUEST, MEMBER
from airside.rest.references import unknown_ids
from airside.rest.route import Route
from airside.rest.routes import place_of
from airside.rest.selection import check_parents
from airside.rest.wires.v1.query_parameters import shape_query
from airside.work.work_items.related_items import RELATED_ITEMS_V1, RelatedItem, list_related, show_related
from airside.work.work_items.relation_definitions import find_definition, list_definitions
from airside.work.work_items.relation_kinds import (
    CUSTOM,
    DEPENDENCIES,
    INVERSES,
    UNDIRECTED,
    DependencyType,
    RelationType,
    name_side,
    to_stored,
)
from airside.work.work_items.relations import (
    CUSTOM_RELATIONS_V1,
    DEPENDENCIES_V1,
    RELATIONS_V1,
    Side,
    add_relations,
    remove_relations,
)


class RelationIn(Body):
    relation_type: RelationType
    issues: list[Uuid]


class RelationRemoval(Body):
    related_issue: Uuid


class DependencyIn(Body):
    relation_type: DependencyType
    work_item_ids: list[Uuid]


class CustomRelationIn(Body):
    relation_definition_id: Uuid
    relation_definition_type: Short
    work_item_ids: list[Uuid]


class RelationIds(Shown):
    """The ids of the related work items, by the relation as the work item in the URL calls it."""

    blocking: list[str]
    blocked_by: list[str]
    duplicate: list[str]
    relates_to: list[str]
    start_after: list[str]
    start_before: list[str]
    finish_after: list[str]
    finish_before: list[str]


class DependentItems(Shown):
    """The work items before and after the one in the URL."""

    blocking: list[RelatedItem]
    blocked_by: list[RelatedItem]
    start_before: list[RelatedItem]
    start_after: list[RelatedItem]
    finish_before: list[RelatedItem]
    finish_after: list[RelatedItem]


async def list_relations(call: Call) -> Row:
    """GET …/relations/: ids by relation. Raises NotFound."""
    await check_parents(RELATIONS_V1, call)
    found: dict[str, list[str]] = {name: [] for name in RelationIds.__struct_fields__}
    for row in await list_related(call, call.path["work_item_id"], [*INVERSES]):
        found[name_side(row["kind"], is_related=row["is_related"])].append(row["id"])
    return found


async def create_relation(call: Call) -> list[Row]:
    name = call.body["relation_type"]
    kind, is_related = to_stored(name)
    side = Side(kind, name, is_related, is_undirected=kind in UNDIRECTED)
    return await add_relations(call, side, "issues")


async def remove_relation(call: Call) -> None:
    """POST …/relations/remove/: all of them but custom ones. Raises Invalid where there are none."""
    related = call.body["related_issue"]
    missing = Invalid({"related_issue": unknown_ids(related, [related])})
    await remove_relations(call, [*INVERSES], related, missing)


async def list_dependencies(call: Call) -> Row:
    """GET …/dependencies/: work items by direction. Raises NotFound."""
    await check_parents(DEPENDENCIES_V1, call)
    rows = await list_related(call, call.path["work_item_id"], [*DEPENDENCIES])
    for row in rows:
        row["relation_type"] = name_side(row["kind"], is_related=row["is_related"])
    return await _group(call, rows, [*DependentItems.__struct_fields__])


async def create_dependency(call: Call) -> list[Row]:
    name = call.body["relation_type"]
    kind, is_related = to_stored(name)
    return await add_relations(call, Side(kind, name, is_related), "work_item_ids")


async def remove_dependency(call: Call) -> None:
    """Every dependency between the two. Raises NotFound where there is none."""
    await remove_relations(call, [*DEPENDENCIES], call.path["related_work_item_id"], NotFound())


async def list_custom_relations(call: Call) -> Row:
    """GET …/work-item-relations/: work items by the names of the two sides of each active definition."""
    await check_parents(CUSTOM_RELATIONS_V1, call)
    active = {one["id"]: one for one in await list_definitions(call) if one["is_active"]}
    rows = await list_related(call, call.path["work_item_id"], [CUSTOM])
    rows = [row for row in rows if row["definition_id"] in active]
    for row in rows:
        row["relation_type"] = active[row["definition_id"]]["inward" if row["is_related"] else "outward"]
    names = [one[side] for one in active.values() for side in ("outward", "inward")]
    return await _group(call, rows, names)


async def create_custom_relation(call: Call) -> list[Row]:
    """Raises Invalid for a definition that is unknown or not active, and for a name that isn't one of its sides."""
    definition_id, name = call.body["relation_definition_id"], call.body["relation_definition_type"]
    definition = await find_definition(call, definition_id)
    if definition is None:
        raise Invalid({"relation_definition_id": unknown_ids(definition_id, [definition_id])})
    if not definition["is_active"]:
        raise Invalid({"relation_definition_id": ["This relation definition is not active."]})
    if name not in (definition["outward"], definition["inward"]):
        raise Invalid({"relation_definition_type": [f'"{name}" is not a valid choice.']})
    call.prepared["definitions"] = {definition_id: definition}
    is_undirected = definition["outward"] == definition["inward"]
    is_related = name != definition["outward"]
    side = Side(CUSTOM, name, is_related, definition_id, is_undirected=is_undirected)
    return await add_relations(call, side, "work_item_ids")


async def remove_custom_relation(call: Call) -> None:
    """Every custom relation between the two. Raises NotFound where there is none."""
    await remove_relations(call, [CUSTOM], call.path["related_work_item_id"], NotFound())


async def _group(call: Call, rows: list[Row], names: list[str]) -> dict[str, list[Row]]:
    """The work items by `relation_type`; every name is there."""
    found: dict[str, list[Row]] = {name: [] for name in names}
    for row, shown in zip(rows, await show_related(call, rows), strict=True):
        found[row["relation_type"]].append(shown)
    return found


_SHAPE = shape_query(RELATED_ITEMS_V1)
_ONE = "/{related_work_item_id}"


def _route(face: Any, tail: str = "", **fields: Any) -> Route:
    reads = fields["method"] == "GET"
    return Route(
        **place_of(face, tail),
        **fields,
        face=face,
        scope=f"{face.scope}:{'read' if reads else 'write'}",
        role=GUEST if reads else MEMBER,
    )


RELATION_ROUTES = [
    _route(
        RELATIONS_V1,
        method="GET",
        handler=list_relations,
        name="list_relations",
        summary="List the ids of related work items by relation",
        shown=RelationIds,
    ),
    _route(
        RELATIONS_V1,
        method="POST",
        handler=create_relation,
        name="create_relation",
        summary="Relate a work item to others",
        status=201,
        body=RelationIn,
        shown=list[RelatedItem],
        event="workitem.relation.created",
        query=_SHAPE,
    ),
    _route(
        RELATIONS_V1,
        "/remove",
        method="POST",
        handler=remove_relation,
        name="remove_relation",
        summary="Remove the relations to a work item",
        status=204,
        body=RelationRemoval,
        event="workitem.relation.deleted",
    ),
    _route(
        DEPENDENCIES_V1,
        method="GET",
        handler=list_dependencies,
        name="list_dependencies",
        summary="List the work items before and after one",
        shown=DependentItems,
        query=_SHAPE,
    ),
    _route(
        DEPENDENCIES_V1,
        method="POST",
        handler=create_dependency,
        name="create_dependency",
        summary="Put a work item before or after others",
        status=201,
        body=DependencyIn,
        shown=list[RelatedItem],
        event="workitem.dependency.created",
        query=_SHAPE,
    ),
    _route(
        DEPENDENCIES_V1,
        _ONE,
        method="DELETE",
        handler=remove_dependency,
        name="remove_dependency",
        summary="Remove the dependencies between two work items",
        status=204,
        event="workitem.dependency.deleted",
    ),
    _route(
        CUSTOM_RELATIONS_V1,
        method="GET",
        handler=list_custom_relations,
        name="list_custom_relations",
        summary="List related work items by the workspace's own relations",
        shown=dict[str, list[RelatedItem]],
        query=_SHAPE,
    ),
    _route(
        CUSTOM_RELATIONS_V1,
        method="POST",
        handler=create_custom_relation,
        name="create_custom_relation",
        summary="Relate a work item to others by a relation of the workspace",
        status=201,
        body=CustomRelationIn,
        shown=list[RelatedItem],
        event="workitem.relation.created",
        query=_SHAPE,
    ),
    _route(
        CUSTOM_RELATIONS_V1,
        _ONE,
        method="DELETE",
        handler=remove_custom_relation,
        name="remove_custom_relation",
        summary="Remove the workspace's own relations between two work items",
        status=204,
        event="workitem.relation.deleted",
    ),
]
