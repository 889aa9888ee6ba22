"""The intake: what waits there is in no list until it is accepted; who may see it, change it and decide on it."""

from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from airside.db.base import Row, new_id
from airside.work.intake.items import intake_items
from airside.work.intake.snooze import wake_snoozed
from airside.work.projects.states import states
from tests.support.api import Client
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def intake(workshop: Workshop) -> None:
    turned = await workshop.ana.patch(workshop.path("features"), {"intakes": True})
    assert turned.status_code == 200


async def file(workshop: Workshop, by: Client | None = None, **issue: Any) -> Row:
    body = {"issue": {"name": unique("Request"), **issue}, "source": "Form"}
    made = await (by or workshop.ana).post(workshop.path("intake-issues"), body)
    assert made.status_code == 201, made.text
    return made.json


def at(workshop: Workshop, filed: Row, tail: str = "") -> str:
    return workshop.path(f"intake-issues/{filed['issue']}{tail}")


async def decide(workshop: Workshop, filed: Row, by: Client | None = None, **body: Any) -> Any:
    return await (by or workshop.ana).patch(at(workshop, filed, "/status"), body)


async def where_listed(workshop: Workshop, filed: Row) -> dict[str, bool]:
    """In which lists and counts the work item is."""
    ana, item, name = workshop.ana, filed["issue"], filed["issue_detail"]["name"]
    pql = f'title = "{name}"'
    count = (await ana.get("workspaces/acme/work-items/count", pql=pql)).json["total_count"]
    advanced = await ana.post("workspaces/acme/work-items/advanced-search", {"query": name})
    found = {
        "list": (await ana.get(workshop.path("work-items"))).json["results"],
        "pql": (await ana.get(workshop.path("work-items"), pql=pql)).json["results"],
        "workspace": (await ana.get("workspaces/acme/work-items", pql=pql)).json["results"],
        "search": (await ana.get("workspaces/acme/work-items/search", search=name)).json["issues"],
        "advanced": advanced.json,
    }
    return {
        "count": count == 1,
        **{where: item in [one["id"] for one in rows] for where, rows in found.items()},
    }


async def history(workshop: Workshop, filed: Row) -> list[tuple[Any, ...]]:
    path = workshop.path(f"work-items/{filed['issue']}/activities")
    lines = (await workshop.ana.get(path)).json["results"]
    return [(line["field"], line["old_value"], line["new_value"], line["comment"]) for line in lines]


async def test_what_is_filed_waits_in_the_triage_state_and_in_no_list(workshop: Workshop) -> None:
    filed = await file(workshop, priority="high", description_html="<p>It squeaks<script>x</script></p>")
    detail = filed["issue_detail"]
    assert (filed["status"], filed["source"], filed["intake"]) == (-2, "Form", workshop.engine)
    assert (detail["id"], detail["priority"], detail["description_html"]) == (
        *(filed["issue"], "high"), "<p>It squeaks</p>",
    )  # fmt: skip
    assert (detail["state"]["name"], detail["state"]["group"]) == ("Triage", "triage")
    assert set((await where_listed(workshop, filed)).values()) == {False}
    again = await file(workshop)
    assert again["issue_detail"]["state"] == detail["state"], "there is one triage state"
    events = [event["name"] for event in await workshop.events_of(filed["id"])]
    assert (events, await workshop.events_of(filed["issue"])) == (["intake.workitem.created"], [])
    assert await history(workshop, filed) == [(None, None, None, "created the issue")]
    listed = (await workshop.ana.get(workshop.path("intake-issues"), status="-2")).json["results"]
    assert listed[:2] == [again, filed]
    former = await workshop.ana.get(workshop.path(f"inbox-issues/{filed['issue']}"))
    assert former.json == filed


async def test_an_accepted_one_is_in_the_default_state_and_in_every_list(workshop: Workshop) -> None:
    filed = await file(workshop)
    accepted = await decide(workshop, filed, status=1)
    assert (accepted.status_code, accepted.json["status"]) == (200, 1)
    assert accepted.json["issue_detail"]["state"]["group"] == "backlog"
    assert set((await where_listed(workshop, filed)).values()) == {True}
    [updated] = await workshop.events_of(filed["issue"])
    assert (updated["name"], updated["is_private"]) == ("workitem.updated", False)
    assert [change["field"] for change in updated["changes"]] == ["state"]
    events = await workshop.events_of(filed["id"])
    assert [(one["name"], [change["field"] for change in one["changes"]]) for one in events] == [
        ("intake.workitem.created", []), ("intake.workitem.updated", ["status"]),
    ]  # fmt: skip
    assert (await history(workshop, filed))[1:] == [
        ("intake", "Pending", "Accepted", "updated the intake status"),
        ("state", "Triage", "Backlog", "updated the state to"),
    ]
    again = await decide(workshop, filed, status=1)
    assert again.json == accepted.json
    refused = await decide(workshop, filed, status=-1)
    assert (refused.status_code, refused.json) == (400, {"status": ["This work item is accepted already."]})
    moved = await workshop.ana.patch(workshop.path(f"work-items/{filed['issue']}"), {"priority": "low"})
    assert moved.status_code == 200


async def test_a_rejected_one_stays_out_and_may_be_accepted_later(workshop: Workshop) -> None:
    filed = await file(workshop)
    assert (await decide(workshop, filed, status=-1)).json["status"] == -1
    assert set((await where_listed(workshop, filed)).values()) == {False}
    assert (await decide(workshop, filed, status=1)).json["status"] == 1
    assert set((await where_listed(workshop, filed)).values()) == {True}


async def test_a_duplicate_names_a_work_item_that_is_there(workshop: Workshop) -> None:
    filed, pending = await file(workshop), await file(workshop)
    other = (await workshop.make("work-items", name=unique("Known")))["id"]
    missing = await decide(workshop, filed, status=2)
    assert (missing.status_code, missing.json) == (400, {"duplicate_to": ["This field is required."]})
    for wrong in (new_id(), filed["issue"], pending["issue"]):
        refused = await decide(workshop, filed, status=2, duplicate_to=wrong)
        assert refused.json == {"duplicate_to": [f'Invalid pk "{wrong}" - object does not exist.']}
    stray = await decide(workshop, filed, status=-1, duplicate_to=other)
    assert stray.json == {"duplicate_to": ["Only a duplicate names another work item."]}
    marked = await decide(workshop, filed, status=2, duplicate_to=other)
    assert (marked.json["status"], marked.json["duplicate_to"]) == (2, other)
    assert set((await where_listed(workshop, filed)).values()) == {False}
    reopened = await decide(workshop, filed, status=-2)
    assert (reopened.json["status"], reopened.json["duplicate_to"]) == (-2, None)


async def test_a_snoozed_one_comes_back_at_its_time(workshop: Workshop) -> None:
    filed, later = await file(workshop), await file(workshop)
    now = workshop.clock.now()
    for wrong in (
        {},
        {"snoozed_till": now.isoformat()},
        {"snoozed_till": (now - timedelta(days=1)).isoformat()},
    ):
        refused = await decide(workshop, filed, status=0, **wrong)
        assert refused.json == {"snoozed_till": ["A snoozed work item needs a time in the future."]}
    stray = await decide(workshop, filed, status=-1, snoozed_till=(now + timedelta(hours=1)).isoformat())
    assert stray.json == {"snoozed_till": ["Only a snoozed work item has this time."]}
    for one, hours in ((filed, 1), (later, 2)):
        till = (now + timedelta(hours=hours)).isoformat()
        assert (await decide(workshop, one, by=workshop.ben, status=0, snoozed_till=till)).json["status"] == 0
    assert await wake_snoozed(workshop.site) is False
    assert (await workshop.ana.get(at(workshop, filed))).json["status"] == 0
    workshop.clock.advance(seconds=3600)
    await wake_snoozed(workshop.site)
    back, still = [(await workshop.ana.get(at(workshop, one))).json for one in (filed, later)]
    assert (back["status"], back["snoozed_till"], still["status"]) == (-2, None, 0)
    last = (await workshop.events_of(filed["id"]))[-1]
    assert (last["name"], last["actor_id"]) == ("intake.workitem.updated", workshop.cast.ben["id"])
    assert (await history(workshop, filed))[-1][:3] == ("intake", "Snoozed", "Pending")


async def test_one_is_snoozed_until_a_day(workshop: Workshop) -> None:
    filed, day = await file(workshop), (workshop.clock.now() + timedelta(days=2)).date().isoformat()
    snoozed = await decide(workshop, filed, status=0, snoozed_till=day)
    assert (snoozed.status_code, snoozed.json["snoozed_till"]) == (200, f"{day}T00:00:00Z")


async def test_guests_file_and_change_their_own_and_decide_on_none(workshop: Workshop) -> None:
    own, other = await file(workshop, by=workshop.gil), await file(workshop)
    gil = workshop.gil
    seen = (await gil.get(workshop.path("intake-issues"))).json
    assert ([one["issue"] for one in seen["results"]], seen["total_count"]) == ([own["issue"]], 1)
    for answer in (
        await gil.get(at(workshop, other)),
        await gil.patch(at(workshop, other), {"issue": {"name": "Mine"}}),
        await gil.delete(at(workshop, other)),
    ):
        assert answer.status_code == 404
    changed = await gil.patch(
        at(workshop, own), {"issue": {"name": "Squeak", "description_html": "<p>!</p>"}}
    )
    assert changed.json["issue_detail"]["name"] == "Squeak"
    assert (await history(workshop, own))[1:] == [
        ("name", own["issue_detail"]["name"], "Squeak", "updated the name to"),
        ("description", "<p></p>", "<p>!</p>", "updated the description to"),
    ]
    assert [one["name"] for one in await workshop.events_of(own["id"])] == [
        "intake.workitem.created", "intake.workitem.updated",
    ]  # fmt: skip
    for body in ({"status": 1}, {"source": "Me"}):
        assert (await gil.patch(at(workshop, own), body)).status_code == 403
    assert (await decide(workshop, own, by=workshop.ben, status=1)).status_code == 200
    assert (await gil.patch(at(workshop, own), {"issue": {"name": "Late"}})).status_code == 403
    assert (await workshop.zoe.get(workshop.path("intake-issues"))).status_code == 403


async def test_who_filed_one_and_admins_take_it_back_with_its_work_item(workshop: Workshop) -> None:
    guests, anas, accepted = await file(workshop, by=workshop.gil), await file(workshop), await file(workshop)
    await decide(workshop, accepted, status=1)
    assert (await workshop.ben.delete(at(workshop, anas))).status_code == 403
    assert (await workshop.gil.delete(at(workshop, guests))).status_code == 204
    for filed in (anas, accepted):
        assert (await workshop.ana.delete(at(workshop, filed))).status_code == 204
        assert (await workshop.ana.get(at(workshop, filed))).status_code == 404
    statuses = [
        (await workshop.ana.get(workshop.path(f"work-items/{filed['issue']}"))).status_code
        for filed in (guests, anas, accepted)
    ]
    assert statuses == [404, 404, 200]
    assert (await workshop.events_of(anas["id"]))[-1]["name"] == "intake.workitem.deleted"


async def test_a_deleted_work_item_is_deleted_in_the_intake(workshop: Workshop) -> None:
    filed = await file(workshop)
    item = workshop.path(f"work-items/{filed['issue']}")
    moved = await workshop.ana.patch(item, {"state": await workshop.state_of("started")})
    assert (moved.status_code, list(moved.json)) == (400, ["error"])
    assert (await workshop.ana.delete(item)).status_code == 204
    assert (await workshop.ana.get(at(workshop, filed))).status_code == 404
    assert (await workshop.events_of(filed["id"]))[-1]["name"] == "intake.workitem.deleted"
    assert {event["is_private"] for event in await workshop.events_of(filed["issue"])} == {True}


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "issue"), ({"issue": {}}, "issue"), ({"issue": {"name": " "}}, "issue"), ({"issue": "x"}, "issue"),
     ({"issue": {"name": "A", "priority": "huge"}}, "issue"), ({"issue": {"name": "A"}, "status": 1}, "status"),
     ({"issue": {"name": "A"}, "intake": new_id()}, "intake"), ({"issue": {"name": "A"}, "status": 7}, "status")],
)  # fmt: skip
async def test_a_wrong_filing_is_refused_by_its_field(workshop: Workshop, body: Row, field: str) -> None:
    refused = await workshop.ana.post(workshop.path("intake-issues"), body)
    assert (refused.status_code, list(refused.json)) == (400, [field])


async def test_while_the_feature_is_off_nothing_is_filed_and_what_was_stays_readable(
    workshop: Workshop,
) -> None:
    filed = await file(workshop)
    await workshop.ana.patch(workshop.path("features"), {"intakes": False})
    for answer in (
        await workshop.ana.post(workshop.path("intake-issues"), {"issue": {"name": "No"}}),
        await decide(workshop, filed, status=1),
        await workshop.ana.delete(at(workshop, filed)),
    ):
        assert (answer.status_code, list(answer.json)) == (400, ["error"])
    assert (await workshop.ana.get(at(workshop, filed))).json["id"] == filed["id"]
    await workshop.ana.patch(workshop.path("features"), {"intakes": True})


async def test_a_state_that_has_the_name_already_is_left_alone(workshop: Workshop) -> None:
    path = f"workspaces/acme/projects/{workshop.garage}"
    await workshop.ana.patch(f"{path}/features", {"intakes": True})
    named = (await workshop.ana.post(f"{path}/states", {"name": "Triage", "color": "#fff"})).json
    made = await workshop.ana.post(f"{path}/intake-issues", {"issue": {"name": "Noise"}})
    assert made.json["issue_detail"]["state"]["id"] != named["id"]
    triage = await workshop.site.db.find_all(states, project_id=workshop.garage, group="triage")
    assert [(one["name"], one["is_triage"]) for one in triage] == [("Triage of the intake", True)]
    assert (await workshop.ana.get(f"{path}/work-items")).json["results"] == []
    assert len(await workshop.site.db.find_all(intake_items, project_id=workshop.garage)) == 1
