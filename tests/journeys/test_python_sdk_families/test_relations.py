"""Relations: seen from both sides, contradicting nothing, without circles of dependencies, custom by definition."""

from typing import Any

import pytest
from plane import PlaneClient
from plane.errors import HttpError
from plane.models.work_item_relation_definitions import (
    CreateWorkItemRelationDefinition,
    UpdateWorkItemRelationDefinition,
)
from plane.models.work_items import (
    CreateWorkItem,
    CreateWorkItemCustomRelation,
    CreateWorkItemDependency,
    CreateWorkItemRelation,
    RemoveWorkItemRelation,
)

from tests.journeys.conftest import Stage
from tests.journeys.test_python_sdk_families.recorded import list_recorded


def make_items(client: PlaneClient, project: Any, *names: str) -> list[Any]:
    return [client.work_items.create("acme", project.id, CreateWorkItem(name=name)) for name in names]


def test_4_relations_are_seen_from_both_sides(stage: Stage, ana: PlaneClient, project: Any) -> None:
    bolt, nut, screw = (one.id for one in make_items(ana, project, "Bolt", "Nut", "Screw"))
    relations = ana.work_items.relations
    body = CreateWorkItemRelation(relation_type="blocked_by", issues=[nut, screw])
    relations.create("acme", project.id, bolt, body)
    relations.create(
        "acme", project.id, nut, CreateWorkItemRelation(relation_type="relates_to", issues=[screw])
    )
    assert relations.list("acme", project.id, bolt).blocked_by == [nut, screw]
    seen = relations.list("acme", project.id, screw)
    assert (seen.blocking, seen.relates_to, seen.blocked_by) == ([bolt], [nut], [])
    relations.delete("acme", project.id, nut, RemoveWorkItemRelation(related_issue=bolt))
    assert relations.list("acme", project.id, bolt).blocked_by == [screw]
    history = ana.work_items.activities.list("acme", project.id, nut).results
    assert [line.comment for line in history[1:]] == [
        "added blocking relation", "added relates_to relation", "deleted blocking relation",
    ]  # fmt: skip
    ana.work_items.delete("acme", project.id, screw)
    assert relations.list("acme", project.id, bolt).blocked_by == []
    recorded = [name for name, _ in list_recorded(stage, "workitem.dependency")]
    assert recorded == ["workitem.dependency.created"] * 2 + ["workitem.dependency.deleted"]
    [(name, data)] = list_recorded(stage, "workitem.relation")
    assert (name, data["relation_type"], {data["issue"], data["related_issue"]}) == (
        *("workitem.relation.created", "relates_to"), {nut, screw},
    )  # fmt: skip


def test_4_relations_contradict_nothing_and_dependencies_make_no_circle(
    ana: PlaneClient, project: Any
) -> None:
    bolt, nut, screw = (one.id for one in make_items(ana, project, "Bolt", "Nut", "Screw"))
    dependencies = ana.work_items.dependencies

    def depend(one: str, name: Any, other: str) -> Any:
        body = CreateWorkItemDependency(relation_type=name, work_item_ids=[other])
        return dependencies.create("acme", project.id, one, body)

    [added] = depend(bolt, "blocking", nut)
    assert (added.id, added.relation_type) == (nut, "blocking")
    depend(nut, "blocking", screw)
    for one, name, other in (
        (nut, "blocking", bolt), (bolt, "blocked_by", nut), (screw, "blocking", bolt),
        (screw, "start_before", bolt), (bolt, "blocking", bolt),
    ):  # fmt: skip
        with pytest.raises(HttpError) as refused:
            depend(one, name, other)
        assert refused.value.status_code == 400
    depend(bolt, "blocking", nut)
    listed = dependencies.list("acme", project.id, nut)
    assert ([one.id for one in listed.blocked_by], [one.id for one in listed.blocking]) == ([bolt], [screw])
    dependencies.remove("acme", project.id, screw, nut)
    depend(screw, "blocking", bolt)
    assert [one.name for one in dependencies.list("acme", project.id, bolt).blocked_by] == ["Screw"]


def test_4_custom_relations_follow_their_definition(ana: PlaneClient, project: Any) -> None:
    bolt, nut = (one.id for one in make_items(ana, project, "Bolt", "Nut"))
    definitions, custom = ana.work_item_relation_definitions, ana.work_items.custom_relations
    made = definitions.create(
        "acme", CreateWorkItemRelationDefinition(name="Holding", outward="holds", inward="held by")
    )
    assert made.id in [one.id for one in definitions.list("acme", is_active=True).results]
    body = CreateWorkItemCustomRelation(
        relation_definition_id=made.id, relation_definition_type="held by", work_item_ids=[bolt]
    )
    [added] = custom.create("acme", project.id, nut, body)
    assert (added.id, added.relation_type) == (bolt, "held by")
    seen = custom.list("acme", project.id, bolt)
    assert ([one.id for one in seen["holds"]], seen["held by"]) == ([nut], [])
    definitions.update("acme", made.id, UpdateWorkItemRelationDefinition(outward="carries"))
    assert [one.id for one in custom.list("acme", project.id, bolt)["carries"]] == [nut]
    custom.remove("acme", project.id, bolt, nut)
    assert custom.list("acme", project.id, nut)["held by"] == []
    definitions.delete("acme", made.id)
    assert custom.list("acme", project.id, nut) == {}
