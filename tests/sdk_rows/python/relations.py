"""Relations between work items: by name, as dependencies, and by a workspace's own definitions."""

from typing import Any

from plane.models.work_item_relation_definitions import (
    CreateWorkItemRelationDefinition,
    UpdateWorkItemRelationDefinition,
)
from plane.models.work_items import (
    CreateWorkItemCustomRelation,
    CreateWorkItemDependency,
    CreateWorkItemRelation,
    RemoveWorkItemRelation,
)

from tests.sdk_rows.place import SLUG, Place, unique
from tests.sdk_rows.rows import records, row

DEFINITIONS = records(
    "work_item_relation_definitions",
    lambda _: CreateWorkItemRelationDefinition(
        name=unique("Holding"), outward=unique("holds"), inward=unique("held by")
    ),
    lambda _: UpdateWorkItemRelationDefinition(name=unique("Carrying"), outward=unique("carries")),
    verbs=("create", "list", "update", "delete"),
)


def related(place: Place) -> tuple[str, str]:
    """Two work items, the first of which blocks the second."""
    bolt, nut = place.item().id, place.item().id
    data = CreateWorkItemRelation(relation_type="blocking", issues=[nut])
    place.client.work_items.relations.create(SLUG, place.project_id, bolt, data)
    return bolt, nut


@row("work_items.relations.create")
def create_relation(place: Place) -> None:
    bolt, nut = related(place)
    seen = place.client.work_items.relations.list(SLUG, place.project_id, nut)
    assert (seen.blocked_by, seen.blocking, seen.duplicate) == ([bolt], [], [])


@row("work_items.relations.list")
def list_relations(place: Place) -> None:
    bolt, nut = related(place)
    screw = place.item().id
    data = CreateWorkItemRelation(relation_type="relates_to", issues=[screw])
    place.client.work_items.relations.create(SLUG, place.project_id, bolt, data)
    seen = place.client.work_items.relations.list(SLUG, place.project_id, bolt)
    assert (seen.blocking, seen.relates_to) == ([nut], [screw])


@row("work_items.relations.delete")
def delete_relation(place: Place) -> None:
    bolt, nut = related(place)
    data = RemoveWorkItemRelation(related_issue=nut)
    place.client.work_items.relations.delete(SLUG, place.project_id, bolt, data)
    assert place.client.work_items.relations.list(SLUG, place.project_id, nut).blocked_by == []


def dependent(place: Place) -> tuple[str, str]:
    """Two work items, the first of which starts before the second."""
    bolt, nut = place.item().id, place.item().id
    data = CreateWorkItemDependency(relation_type="start_before", work_item_ids=[nut])
    [made] = place.client.work_items.dependencies.create(SLUG, place.project_id, bolt, data)
    assert (made.id, made.relation_type) == (nut, "start_before")
    return bolt, nut


@row("work_items.dependencies.create")
def create_dependency(place: Place) -> None:
    bolt, nut = dependent(place)
    seen = place.client.work_items.dependencies.list(SLUG, place.project_id, nut)
    assert [one.id for one in seen.start_after] == [bolt]


@row("work_items.dependencies.list")
def list_dependencies(place: Place) -> None:
    bolt, nut = dependent(place)
    seen = place.client.work_items.dependencies.list(SLUG, place.project_id, bolt)
    assert [(one.id, one.project_id) for one in seen.start_before] == [(nut, place.project_id)]
    assert seen.blocking == []


@row("work_items.dependencies.remove")
def remove_dependency(place: Place) -> None:
    bolt, nut = dependent(place)
    place.client.work_items.dependencies.remove(SLUG, place.project_id, nut, bolt)
    assert place.client.work_items.dependencies.list(SLUG, place.project_id, bolt).start_before == []


def custom(place: Place) -> tuple[str, str, Any]:
    """Two work items, the first of which holds the second by this definition."""
    bolt, nut = place.item().id, place.item().id
    definition, _ = DEFINITIONS.create(place, ())
    data = CreateWorkItemCustomRelation(
        relation_definition_id=definition.id,
        relation_definition_type=definition.outward,
        work_item_ids=[nut],
    )
    place.client.work_items.custom_relations.create(SLUG, place.project_id, bolt, data)
    return bolt, nut, definition


@row("work_items.custom_relations.create")
def create_custom_relation(place: Place) -> None:
    bolt, nut, definition = custom(place)
    seen = place.client.work_items.custom_relations.list(SLUG, place.project_id, nut)
    assert [one.id for one in seen[definition.inward]] == [bolt]


@row("work_items.custom_relations.list")
def list_custom_relations(place: Place) -> None:
    bolt, nut, definition = custom(place)
    seen = place.client.work_items.custom_relations.list(SLUG, place.project_id, bolt)
    assert [one.id for one in seen[definition.outward]] == [nut]
    assert seen[definition.inward] == []


@row("work_items.custom_relations.remove")
def remove_custom_relation(place: Place) -> None:
    bolt, nut, definition = custom(place)
    place.client.work_items.custom_relations.remove(SLUG, place.project_id, bolt, nut)
    seen = place.client.work_items.custom_relations.list(SLUG, place.project_id, nut)
    assert seen[definition.inward] == []
