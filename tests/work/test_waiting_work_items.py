"""What belongs to a work item that waits in the intake: who sees it, and that nobody is sent it."""

from typing import Any

import pytest
import pytest_asyncio

from airside.api.v1 import TABLE
from airside.db.base import Row
from airside.events.tables import events
from airside.rest.face import Face
from airside.work.work_items.tables import work_items
from tests.support.api import Client
from tests.support.uploads import attach
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def features(workshop: Workshop) -> None:
    for name in ("intakes", "modules", "cycles", "epics"):
        assert (await workshop.ana.patch(workshop.path("features"), {name: True})).status_code == 200


async def file(workshop: Workshop, by: Client | None = None) -> str:
    body = {"issue": {"name": unique("Request")}}
    made = await (by or workshop.ana).post(workshop.path("intake-issues"), body)
    assert made.status_code == 201, made.text
    return made.json["issue"]


async def decide(workshop: Workshop, item: str, status: int) -> None:
    answer = await workshop.ana.patch(workshop.path(f"intake-issues/{item}/status"), {"status": status})
    assert answer.status_code == 200, answer.text


async def add_to(workshop: Workshop, item: str) -> None:
    """A comment, a link, a file, a worklog and a page."""
    path = workshop.path(f"work-items/{item}")
    page = await workshop.make("pages", name=unique("Page"), description_html="<p></p>")
    for name, body in (
        ("comments", {"comment_html": "<p>Really?</p>"}),
        ("links", {"url": "https://courier.example/1"}),
        ("worklogs", {"duration": 5}),
        ("pages", {"page_id": page["id"]}),
    ):
        made = await workshop.ana.post(f"{path}/{name}", body)
        assert made.status_code == 201, made.text
    await attach(workshop.ana, f"{path}/attachments", b"proof")
    comment = (await workshop.ana.get(f"{path}/comments")).json["results"][0]["id"]
    for answer in (
        await workshop.ana.patch(f"{path}/comments/{comment}", {"comment_html": "<p>No</p>"}),
        await workshop.ana.delete(f"{path}/comments/{comment}"),
    ):
        assert answer.status_code in (200, 204)


async def events_about(workshop: Workshop, item: str) -> list[tuple[str, bool]]:
    """Name and privacy of every event whose data or former values name the work item."""
    rows = await workshop.site.db.find_all(events, project_id=workshop.engine)
    found = [
        row
        for row in rows
        if item in {(row["data_v2"] | row["previous"]).get(name) for name in ("issue_id", "work_item_id")}
    ]
    return [(row["name"], row["is_private"]) for row in found if not row["name"].startswith("intake.")]


async def test_what_is_added_to_a_waiting_one_is_sent_to_nobody_until_it_is_accepted(
    workshop: Workshop,
) -> None:
    item = await file(workshop)
    await add_to(workshop, item)
    kept = await events_about(workshop, item)
    assert {name.rpartition(".")[0] for name, _ in kept} == {
        "workitem.comment", "workitem.link", "workitem.worklog", "workitem.page_link", "workitem.attachment",
    }  # fmt: skip
    assert {name.rpartition(".")[2] for name, _ in kept} == {"created", "updated", "deleted"}
    assert {is_private for _, is_private in kept} == {True}
    totals = (await workshop.ana.get(workshop.path("total-worklogs"))).json
    assert item not in [one["issue_id"] for one in totals]
    await decide(workshop, item, 1)
    await workshop.ana.post(workshop.path(f"work-items/{item}/comments"), {"comment_html": "<p>Yes</p>"})
    assert (await events_about(workshop, item))[len(kept) :] == [("workitem.comment.created", False)]
    totals = (await workshop.ana.get(workshop.path("total-worklogs"))).json
    assert {"issue_id": item, "duration": 5} in totals


async def test_every_record_below_a_work_item_knows_of_waiting_ones() -> None:
    faces = {entry if isinstance(entry, Face) else entry.face for entry in TABLE} - {None}
    parents = [parent for face in faces if face for parent in face.record.parents]
    below = [parent for parent in parents if parent.table is work_items]
    assert len(below) > 6
    assert {parent.private for parent in below} == {"in_intake"}


LISTS = ("", "/comments", "/links", "/activities", "/attachments", "/worklogs", "/pages", "/relations",
         "/dependencies", "/work-item-properties/values")  # fmt: skip


async def statuses(workshop: Workshop, by: Client, item: str) -> dict[str, int]:
    answers = {tail: await by.get(workshop.path(f"work-items/{item}{tail}")) for tail in LISTS}
    key = await workshop.ana.get(workshop.path(f"work-items/{item}"))
    project = (await workshop.ana.get(f"workspaces/acme/projects/{workshop.engine}")).json["identifier"]
    sequence = key.json["sequence_id"]
    answers["key"] = await by.get(f"workspaces/acme/work-items/{project}-{sequence}")
    answers["write"] = await by.post(
        workshop.path(f"work-items/{item}/comments"), {"comment_html": "<p>.</p>"}
    )
    return {where: answer.status_code for where, answer in answers.items()}


async def test_a_guest_finds_a_waiting_one_of_their_own_only(workshop: Workshop) -> None:
    own, other = await file(workshop, by=workshop.gil), await file(workshop)
    assert set((await statuses(workshop, workshop.gil, other)).values()) == {404}
    assert set((await statuses(workshop, workshop.gil, own)).values()) == {200, 201}
    assert set((await statuses(workshop, workshop.ben, own)).values()) == {200, 201}
    await decide(workshop, other, 1)
    assert set((await statuses(workshop, workshop.gil, other)).values()) == {200, 201}
    shown = await file(workshop)
    for everything, wanted in ((True, {200, 201}), (False, {404})):
        body = {"guest_view_all_features": everything}
        await workshop.ana.patch(f"workspaces/acme/projects/{workshop.engine}", body)
        assert set((await statuses(workshop, workshop.gil, shown)).values()) == wanted


async def test_an_app_needs_the_scope_of_the_intake_to_find_a_waiting_one(workshop: Workshop) -> None:
    item = await file(workshop)
    scopes = {
        f"projects.work_items{one}:{right}"
        for right in ("read", "write")
        for one in ("", ".comments", ".links", ".activities", ".attachments", ".worklogs", ".relations")
    }
    scopes |= {"projects.work_item_property_values:read", "projects.work_item_properties:read"}  # fmt: skip
    for scope, wanted in ((None, {404}), ("projects.intakes:read", {200, 201})):
        granted = frozenset(scopes | ({scope} if scope else set()))
        async with workshop.api.acting_as(workshop.cast.ana["id"], kind="user", scopes=granted) as app:
            found = await statuses(workshop, app, item)
            assert {where: status for where, status in found.items() if status != 403} != {}
            assert set(found.values()) - {403} == wanted, found


async def test_a_waiting_one_is_no_epic_for_a_guest(workshop: Workshop) -> None:
    item = await file(workshop)
    types = (await workshop.ana.get(workshop.path("work-item-types"))).json
    [epic_type] = [one["id"] for one in types if one["is_epic"]]
    changed = await workshop.ana.patch(workshop.path(f"work-items/{item}"), {"type_id": epic_type})
    assert changed.status_code == 200, changed.text
    epic = workshop.path(f"epics/{item}")
    assert [(await one.get(epic)).status_code for one in (workshop.gil, workshop.ben)] == [404, 200]
    assert item not in [one["id"] for one in (await workshop.ana.get(workshop.path("epics"))).json["results"]]


async def test_a_waiting_one_is_tied_to_no_other_work_item(workshop: Workshop) -> None:
    item, other = await file(workshop), (await workshop.make("work-items", name=unique("Known")))["id"]
    module = (await workshop.make("modules", name=unique("Module")))["id"]
    cycle = (await workshop.make("cycles", name=unique("Cycle"), project_id=workshop.engine))["id"]
    item_path, other_path = workshop.path(f"work-items/{item}"), workshop.path(f"work-items/{other}")
    ana = workshop.ana
    refused: list[Any] = [
        await ana.post(f"{item_path}/relations", {"relation_type": "relates_to", "issues": [other]}),
        await ana.post(f"{other_path}/relations", {"relation_type": "relates_to", "issues": [item]}),
        await ana.post(f"{other_path}/dependencies", {"relation_type": "blocking", "work_item_ids": [item]}),
        await ana.patch(other_path, {"parent": item}),
        await ana.patch(item_path, {"module": module}),
        await ana.post(workshop.path(f"modules/{module}/module-issues"), {"issues": [item]}),
        await ana.post(workshop.path(f"cycles/{cycle}/cycle-issues"), {"issues": [item]}),
        await ana.post(workshop.path("work-items"), {"name": unique("Child"), "parent": item}),
    ]
    assert [answer.status_code for answer in refused] == [400] * len(refused)
    assert [one for one in await events_about(workshop, item) if not one[1]] == []
    [line] = (await ana.get(f"{other_path}/activities")).json["results"]
    assert line["verb"] == "created"
    await decide(workshop, item, 1)
    body: Row = {"relation_type": "relates_to", "issues": [item]}
    assert (await ana.post(f"{other_path}/relations", body)).status_code == 201
