"""What a work item names is deleted: the work item names it no more, where it is shown, filtered and counted."""

import pytest
import pytest_asyncio

from airside.db.base import Row
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def features(workshop: Workshop) -> None:
    for name in ("modules", "cycles", "epics", "work_item_types"):
        assert (await workshop.ana.patch(workshop.path("features"), {name: True})).status_code == 200


async def remove(workshop: Workshop, path: str) -> None:
    answer = await workshop.ana.delete(workshop.path(path))
    assert answer.status_code == 204, answer.text


async def shown(workshop: Workshop, item: Row, **query: str) -> Row:
    answer = await workshop.ana.get(workshop.path(f"work-items/{item['id']}"), **query)
    assert answer.status_code == 200, answer.text
    return answer.json


async def listed(workshop: Workshop, **query: str) -> list[str]:
    answer = await workshop.ana.get(workshop.path("work-items"), **query)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json["results"]]


async def counted(workshop: Workshop, by: str) -> set[str]:
    answer = await workshop.ana.get("workspaces/acme/work-items/count", group_by=by)
    assert answer.status_code == 200, answer.text
    return set(answer.json["grouped_counts"])


async def test_a_label(workshop: Workshop) -> None:
    label = (await workshop.make("labels", name=unique("Label"), color="#fff"))["id"]
    kept = (await workshop.make("labels", name=unique("Kept"), color="#fff"))["id"]
    item = await workshop.make("work-items", name="A", labels=[label, kept])
    await remove(workshop, f"labels/{label}")
    assert (await shown(workshop, item))["labels"] == [kept]
    expanded = await shown(workshop, item, expand="labels")
    assert [one["id"] for one in expanded["labels"]] == [kept]
    assert await listed(workshop, labels=label) == []
    assert label not in await counted(workshop, "labels__id")
    assert await listed(workshop, pql=f'label = "{label}"') == []
    again = await workshop.ana.patch(workshop.path(f"work-items/{item['id']}"), {"name": "B"})
    assert again.json["labels"] == [kept]


async def test_a_cycle_and_a_module(workshop: Workshop) -> None:
    groups = {"cycle": "cycle_id", "module": "issue_module__module_id"}
    for plan in groups:
        body = {"name": unique(plan), **({"project_id": workshop.engine} if plan == "cycle" else {})}
        made = (await workshop.make(f"{plan}s", **body))["id"]
        item = await workshop.make("work-items", name="A")
        await workshop.make(f"{plan}s/{made}/{plan}-issues", issues=[item["id"]])
        assert await listed(workshop, **{plan: made}) == [item["id"]]
        await remove(workshop, f"{plan}s/{made}")
        assert await listed(workshop, **{plan: made}) == []
        assert made not in await counted(workshop, groups[plan])


async def test_a_parent(workshop: Workshop) -> None:
    parent = await workshop.make("work-items", name="Parent")
    child = await workshop.make("work-items", name="Child", parent=parent["id"])
    await remove(workshop, f"work-items/{parent['id']}")
    assert (await shown(workshop, child, expand="parent"))["parent"] is None
    assert await listed(workshop, parent=parent["id"]) == []


async def test_a_related_work_item(workshop: Workshop) -> None:
    one, other = [await workshop.make("work-items", name=name) for name in ("One", "Other")]
    path = f"work-items/{one['id']}/relations"
    await workshop.make(path, relation_type="relates_to", issues=[other["id"]])
    await remove(workshop, f"work-items/{other['id']}")
    assert (await workshop.ana.get(workshop.path(path))).json["relates_to"] == []


async def test_a_comment_that_was_replied_to(workshop: Workshop) -> None:
    item = await workshop.make("work-items", name="A")
    path = f"work-items/{item['id']}/comments"
    first = (await workshop.make(path, comment_html="<p>1</p>"))["id"]
    reply = (await workshop.make(path, comment_html="<p>2</p>", parent=first))["id"]
    await remove(workshop, f"{path}/{first}")
    assert (await workshop.ana.get(workshop.path(f"{path}/{reply}"))).json["parent"] is None


async def test_an_estimate(workshop: Workshop) -> None:
    base = f"workspaces/acme/projects/{workshop.garage}"
    ana = workshop.ana
    estimate = (await ana.post(f"{base}/estimates", {"name": unique("Scale"), "type": "points"})).json["id"]
    points = await ana.post(
        f"{base}/estimates/{estimate}/estimate-points", {"estimate_points": [{"key": 1, "value": "5"}]}
    )
    point = points.json[0]["id"]
    assert points.status_code == 201, points.text
    item = (await ana.post(f"{base}/work-items", {"name": "A", "estimate_point": point})).json
    assert item["estimate_point"] == point
    assert (await ana.delete(f"{base}/estimates")).status_code == 204
    assert (await ana.get(f"{base}/work-items/{item['id']}")).json["estimate_point"] is None


async def test_a_property(workshop: Workshop) -> None:
    made = await workshop.ana.post(
        workshop.path("work-item-properties"),
        {"display_name": unique("Severity"), "property_type": "TEXT"},
    )
    assert made.status_code == 201, made.text
    one = made.json["id"]
    item = await workshop.make("work-items", name="A")
    value = workshop.path(f"work-items/{item['id']}/work-item-properties/{one}/values")
    set_to = await workshop.ana.post(value, {"value": "high"})
    assert set_to.status_code == 200, set_to.text
    assert one in str((await shown(workshop, item, expand="custom_fields"))["custom_fields"])
    await remove(workshop, f"work-item-properties/{one}")
    assert one not in str(await shown(workshop, item, expand="custom_fields"))
    assert (await workshop.ana.get(value)).status_code == 404
