"""The work items of a cycle: in one at a time, counted by their states, transferred when it is over."""

from typing import Any

import pytest

from airside.db.base import Row, new_id
from airside.work.planning.tables import cycle_work_items, cycles
from tests.work.planning.scene import MISSING, PAST, Project

pytestmark = pytest.mark.asyncio(loop_scope="module")

GROUPS = ("backlog", "unstarted", "started", "completed", "cancelled")


def unknown(one: str) -> list[str]:
    return [f'Invalid pk "{one}" - object does not exist.']


async def complete(project: Project, cycle: Row) -> None:
    """As if its time had passed."""
    async with project.workshop.site.db.transaction() as tx:
        past = project.workshop.clock.now().replace(year=2025)
        await tx.update(cycles, {"start_date": past, "end_date": past}, id=cycle["id"])


async def test_added_work_items_are_listed_and_their_links_answered(project: Project) -> None:
    cycle, (one, two) = await project.make(), await project.items("backlog", "started")
    [child] = await project.items("backlog", parent=one)
    links = await project.add(cycle, one, two, one)
    assert [(link["issue"], link["cycle"], link["sub_issues_count"]) for link in links] == [
        (one, cycle["id"], 1),
        (two, cycle["id"], 0),
    ]
    path = f"cycles/{cycle['id']}/cycle-issues"
    assert await project.ids(path, order_by="created_at") == [one, two]
    assert (await project.get(path, fields="id,name", expand="state"))["results"][0].keys() == {"id", "name"}
    assert await project.ids(path, pql='stateGroup = "started"') == [two]
    assert (await project.get(f"{path}/{one.upper()}")) == links[0]
    assert (await project.ana.get(f"{project.path}/{path}/{child}")).json == MISSING
    assert await project.add(cycle, two) == links[1:], "adding it again changes nothing"
    recorded = await project.workshop.events_of(links[1]["id"])
    assert [event["name"] for event in recorded] == ["cycle.workitem.created"]
    assert recorded[0]["data"]["issue"] == two


async def test_progress_counts_the_work_items_of_each_group_and_their_points(project: Project) -> None:
    cycle, empty = await project.make(), await project.make()
    ids = [await project.items(group, point=number) for number, group in enumerate((*GROUPS, "started"))]
    assert (await project.get(f"cycles/{cycle['id']}"))["total_estimates"] is None
    await project.add(cycle, *(one for [one] in ids))
    shown = await project.get(f"cycles/{cycle['id']}")
    counts = {name: shown[f"{name}_issues"] for name in ("total", *GROUPS)}
    assert counts == {
        "total": 6, "backlog": 1, "unstarted": 1, "started": 2, "completed": 1, "cancelled": 1,
    }  # fmt: skip
    assert (shown["total_estimates"], shown["completed_estimates"], shown["started_estimates"]) == (15, 3, 7)
    listed = await project.ids("cycles", order_by="-total_issues")
    assert listed == [cycle["id"], empty["id"]]
    assert await project.ids("cycles", started_issues="2") == [cycle["id"]]
    assert (await project.ana.post(f"{project.path}/work-items/{ids[3][0]}/archive")).status_code == 204
    assert (await project.ana.delete(f"{project.path}/work-items/{ids[0][0]}")).status_code == 204
    shown = await project.get(f"cycles/{cycle['id']}")
    assert (shown["total_issues"], shown["completed_issues"], shown["backlog_issues"]) == (4, 0, 0)


async def test_progress_counts_the_points_of_the_projects_estimate(project: Project) -> None:
    made = await project.post("estimates", name="Points", type="points")
    assert made.status_code == 201, made.text
    path = f"{project.path}/estimates/{made.json['id']}/estimate-points"
    body = {"estimate_points": [{"key": 0, "value": "3"}, {"key": 1, "value": "5"}]}
    points = (await project.ana.post(path, body)).json
    cycle = await project.make()
    await project.add(
        cycle,
        *(await project.items("started", "completed", estimate_point=points[0]["id"])),
        *(await project.items("completed", estimate_point=points[1]["id"])),
    )
    shown = await project.get(f"cycles/{cycle['id']}")
    assert (shown["total_estimates"], shown["completed_estimates"], shown["started_estimates"]) == (11, 8, 3)


async def test_a_work_item_is_in_one_cycle_and_adding_it_to_another_moves_it(project: Project) -> None:
    first, second = await project.make(name="First"), await project.make(name="Second")
    [item] = await project.items("backlog")
    [link] = await project.add(first, item)
    [moved] = await project.add(second, item)
    assert (moved["id"], moved["cycle"]) == (link["id"], second["id"])
    assert await project.ids(f"cycles/{first['id']}/cycle-issues") == []
    assert await project.ids(f"cycles/{second['id']}/cycle-issues") == [item]
    assert (
        await project.ana.delete(f"{project.path}/cycles/{second['id']}/cycle-issues/{item}")
    ).status_code == 204
    assert (
        await project.ana.delete(f"{project.path}/cycles/{second['id']}/cycle-issues/{item}")
    ).json == MISSING
    assert await project.history(item, "cycles") == [
        ("created", "", "First", "added cycle First"),
        ("updated", "First", "Second", "updated cycle from First to Second"),
        ("deleted", "Second", "", "removed this issue from Second"),
    ]
    events = await project.workshop.events_of(link["id"])
    assert [event["name"].rpartition(".")[2] for event in events] == ["created", "updated", "deleted"]
    assert events[1]["previous"] == {"cycle_id": first["id"]}


async def test_nothing_is_added_to_a_completed_cycle(project: Project) -> None:
    cycle, (one, two) = await project.make(**PAST), await project.items("backlog", "backlog")
    refused = await project.post(f"cycles/{cycle['id']}/cycle-issues", issues=[one, two])
    assert (refused.status_code, refused.json) == (
        400,
        {
            "code": "CYCLE_COMPLETED",
            "message": "The Cycle has already been completed so no new issues can be added",
        },
    )


async def test_unfinished_work_items_are_transferred_with_their_history(project: Project) -> None:
    old, new = await project.make(name="Old"), await project.make(name="New")
    items = dict(zip(GROUPS, await project.items(*GROUPS), strict=True))
    await project.add(old, *items.values())
    await complete(project, old)
    path = f"cycles/{old['id']}/transfer-issues"
    answer = await project.post(path, new_cycle_id=new["id"])
    assert (answer.status_code, answer.json) == (200, {"message": "Success"})
    kept = set(await project.ids(f"cycles/{old['id']}/cycle-issues"))
    assert kept == {items["completed"], items["cancelled"]}
    assert set(await project.ids(f"cycles/{new['id']}/cycle-issues")) == set(items.values()) - kept
    assert (await project.history(items["started"], "cycles"))[1:] == [
        ("updated", "Old", "New", "updated cycle from Old to New")
    ]
    assert len(await project.history(items["completed"], "cycles")) == 1
    shown = await project.get(f"cycles/{old['id']}")
    assert (shown["total_issues"], shown["progress_snapshot"]["total_issues"]) == (2, 5)
    assert (await project.post(path, new_cycle_id=new["id"])).status_code == 200, "nothing is left to move"


async def test_a_transfer_leads_from_a_cycle_that_is_over_to_one_that_is_not(project: Project) -> None:
    running = await project.make(start_date="2026-01-01", end_date="2026-01-10")
    draft, past = await project.make(), await project.make(**PAST)

    async def transfer(old: Row, new: str) -> Any:
        return (await project.post(f"cycles/{old['id']}/transfer-issues", new_cycle_id=new)).json

    assert await transfer(running, draft["id"]) == {"error": "The old cycle is not completed yet"}
    said = "The cycle where the issues are transferred is already completed"
    assert await transfer(draft, past["id"]) == {"error": said}
    gone = new_id()
    assert await transfer(past, gone) == {"new_cycle_id": unknown(gone)}
    assert await transfer({"id": gone}, draft["id"]) == MISSING
    assert await transfer(draft, running["id"]) == {"message": "Success"}
    await project.ana.post(f"{project.path}/cycles/{past['id']}/archive")
    assert await transfer(past, draft["id"]) == {"error": "Archived cycle cannot be updated"}


async def test_links_end_with_their_cycle_and_with_their_work_item(project: Project) -> None:
    cycle, other = await project.make(name="Sprint"), await project.make()
    one, two = await project.items("backlog", "backlog")
    await project.add(cycle, one)
    await project.add(other, two)
    assert await project.ids("work-items", cycle=cycle["id"]) == [one]
    assert (await project.ana.delete(f"{project.path}/cycles/{cycle['id']}")).status_code == 204
    assert await project.ids("work-items", cycle=cycle["id"]) == []
    assert (await project.history(one, "cycles"))[1:] == [
        ("deleted", "Sprint", "", "removed this issue from Sprint")
    ]
    assert (await project.ana.delete(f"{project.path}/work-items/{two}")).status_code == 204
    path = f"{project.path}/cycles/{other['id']}/cycle-issues"
    assert (await project.ana.get(f"{path}/{two}")).json == MISSING
    rows = [await project.workshop.site.db.find(cycle_work_items, issue_id=item) for item in (one, two)]
    assert all(row["deleted_at"] for row in rows if row)
    assert [link["issue"] for link in await project.add(other, one)] == [one], "it is free again"


async def test_lists_counts_and_queries_know_the_cycle(project: Project) -> None:
    active = await project.make(start_date="2026-01-01", end_date="2026-01-10")
    later = await project.make(start_date="2026-02-01", end_date="2026-02-10")
    past = await project.make()
    one, two, three, four = await project.items(*["backlog"] * 4)
    for cycle, item in ((active, one), (later, two), (past, three)):
        await project.add(cycle, item)
    await complete(project, past)
    assert set(await project.ids("work-items", cycle=f"{active['id']},{later['id']}")) == {one, two}
    for query, found in (
        (f'cycle = "{later["id"]}"', {two}),
        ("cycle IN (activeCycle())", {one}),
        ("cycle IN (upcomingCycles())", {two}),
        ("cycle IN (completedCycles())", {three}),
        ("cycle IS NULL", {four}),
        (f'cycle != "{later["id"]}"', {one, three, four}),
    ):
        assert set(await project.ids("work-items", pql=query)) == found, query
    filters = f'{{"cycle_id__in": ["{active["id"]}"]}}'
    assert await project.ids("work-items", filters=filters) == [one]
    own = {"project": project.path.rsplit("/", 1)[1], "group_by": "cycle_id"}
    counted = (await project.ana.get("workspaces/acme/work-items/count", **own)).json
    assert counted["total_count"] == 4
    assert counted["grouped_counts"] == {
        one: {"count": 1} for one in (active["id"], later["id"], past["id"], "None")
    }
