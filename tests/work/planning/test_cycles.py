"""Cycles: their dates, what may be done with them when, and their progress."""

from zoneinfo import ZoneInfo

import pytest

from airside.db.base import Row
from tests.work.planning.scene import NOW, PAST, Project

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_new_cycle_has_the_recorded_shape(project: Project) -> None:
    cycle = await project.make(name="Sprint 1", start_date="2026-01-05T08:00:00Z", end_date="2026-01-15")
    ana = project.workshop.cast.ana["id"]
    assert (cycle["start_date"], cycle["end_date"]) == (NOW, "2026-01-15T23:59:00Z")
    assert (cycle["owned_by"], cycle["created_by"], cycle["sort_order"]) == (ana, ana, 65535.0)
    assert (cycle["version"], cycle["timezone"], cycle["description"]) == (1, "UTC", "")
    assert (cycle["view_props"], cycle["logo_props"], cycle["progress_snapshot"]) == ({}, {}, {})
    assert (cycle["total_issues"], cycle["total_estimates"], cycle["status"]) == (0, None, "current")
    after = await project.make(start_date="2026-01-20T18:00:00Z", end_date="2026-01-22")
    assert (after["start_date"], after["sort_order"]) == ("2026-01-20T00:00:01Z", 55535.0)


async def test_days_are_those_of_the_cycles_time_zone(project: Project) -> None:
    body = {"start_date": "2026-02-01", "end_date": "2026-02-02", "timezone": "America/New_York"}
    cycle = await project.make(**body)
    assert (cycle["start_date"], cycle["end_date"]) == ("2026-02-01T05:00:01Z", "2026-02-03T04:59:00Z")
    path = f"{project.path}/cycles/{cycle['id']}"
    assert (await project.ana.patch(path, cycle)).json["end_date"] == cycle["end_date"]
    for wrong in ("Mars/Olympus", "", "../etc/passwd"):
        refused = await project.ana.patch(path, {"timezone": wrong})
        assert refused.json == {"timezone": [f'"{wrong}" is not a valid choice.']}


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        (
            {"start_date": "2026-03-01"},
            {"error": "Both start date and end date are either required or are to be null"},
        ),
        (
            {"start_date": "2026-03-02", "end_date": "2026-03-01"},
            {"non_field_errors": ["Start date cannot exceed end date"]},
        ),
        (
            {"start_date": "soon", "end_date": "2026-03-01"},
            {
                "start_date": [
                    "Datetime has wrong format. Use a date, or a time such as 2026-01-31T12:00:00Z."
                ]
            },
        ),
        (
            {"start_date": "0001-01-01", "end_date": "0001-01-02", "timezone": "Asia/Tokyo"},
            {"start_date": ["Datetime value out of range."]},
        ),
    ],
)
async def test_dates_come_together_and_in_order(project: Project, dates: Row, said: Row) -> None:
    answer = await project.post("cycles", name="Wrong", **dates)
    assert (answer.status_code, answer.json) == (400, said)


async def test_two_cycles_do_not_overlap_unless_the_project_allows_it(project: Project) -> None:
    first = await project.make(start_date="2026-02-01", end_date="2026-02-14")
    overlapping = {"error": "The dates of this cycle overlap with those of another cycle"}
    for start, end in (("02-14", "02-20"), ("01-20", "02-01"), ("02-03", "02-04"), ("01-01", "03-01")):
        body = {"start_date": f"2026-{start}", "end_date": f"2026-{end}"}
        answer = await project.post("cycles", name="Second", **body)
        assert (answer.status_code, answer.json) == (400, overlapping), (start, end)
    second = await project.make(start_date="2026-02-15", end_date="2026-02-28")
    path = f"{project.path}/cycles/{second['id']}"
    assert (await project.ana.patch(path, {"start_date": "2026-02-10"})).json == overlapping
    assert (await project.ana.patch(path, {"end_date": "2026-03-10"})).status_code == 200
    turned = await project.ana.patch(f"{project.path}/features", {"parallel_cycles": True})
    assert turned.status_code == 200
    moved = await project.ana.patch(path, {"start_date": first["start_date"]})
    assert (moved.status_code, moved.json["start_date"]) == (200, first["start_date"])


async def test_a_deleted_cycle_leaves_its_days(project: Project) -> None:
    dates = {"start_date": "2026-02-01", "end_date": "2026-02-14"}
    first = await project.make(**dates)
    assert (await project.ana.delete(f"{project.path}/cycles/{first['id']}")).status_code == 204
    assert (await project.make(**dates))["id"] != first["id"]


async def test_a_completed_cycle_is_closed_and_only_it_is_archived(project: Project) -> None:
    past, draft = await project.make(**PAST), await project.make()
    path = f"{project.path}/cycles"
    closed = await project.ana.patch(f"{path}/{past['id']}", {"name": "Renamed"})
    assert (closed.status_code, closed.json) == (
        400,
        {"error": "The Cycle has already been completed so it cannot be edited"},
    )
    refused = await project.ana.post(f"{path}/{draft['id']}/archive")
    assert (refused.status_code, refused.json) == (400, {"error": "Only completed cycles can be archived"})
    assert (await project.ana.post(f"{path}/{past['id']}/archive")).status_code == 204
    assert [one["id"] for one in (await project.get("cycles"))["results"]] == [draft["id"]]
    [archived] = (await project.get("archived-cycles"))["results"]
    assert (archived["id"], archived["archived_at"]) == (past["id"], NOW)
    answer = await project.ana.patch(f"{path}/{past['id']}", {"name": "Renamed"})
    assert answer.json == {"error": "Archived cycle cannot be edited"}
    restored = await project.ana.delete(f"{project.path}/archived-cycles/{past['id']}/unarchive")
    assert restored.status_code == 204
    assert (await project.get("archived-cycles"))["results"] == []
    names = [event["name"] for event in await project.workshop.events_of(past["id"])]
    assert names == ["cycle.created", "cycle.archived", "cycle.updated"]


async def test_a_cycle_ends_now_where_its_end_alone_becomes_today(project: Project) -> None:
    """So plane-mcp-server completes one, and archives it right after."""
    tokyo = "Asia/Tokyo"  # where it is tomorrow in the evening
    today = project.workshop.clock.now().astimezone(ZoneInfo(tokyo)).date().isoformat()
    running = await project.make(start_date="2026-01-01", end_date="2030-01-10", timezone=tokyo)
    path = f"{project.path}/cycles/{running['id']}"
    both = await project.ana.patch(path, {"start_date": "2026-01-01", "end_date": today})
    assert both.json["end_date"] > NOW, "a day that is sent with the start lasts until midnight"
    ended = await project.ana.patch(path, {"end_date": today})
    assert (ended.status_code, ended.json["end_date"]) == (200, NOW)
    project.workshop.clock.advance(seconds=1)
    assert (await project.get(f"cycles/{running['id']}"))["status"] == "completed"
    assert (await project.ana.post(f"{path}/archive")).status_code == 204
    project.workshop.clock.advance(seconds=-1)


async def test_a_cycle_that_has_not_begun_does_not_end_now(project: Project) -> None:
    later = await project.make(start_date="2030-01-01", end_date="2030-01-10")
    today = project.workshop.clock.now().date().isoformat()
    refused = await project.ana.patch(f"{project.path}/cycles/{later['id']}", {"end_date": today})
    assert (refused.status_code, refused.json) == (
        400, {"non_field_errors": ["Start date cannot exceed end date"]},
    )  # fmt: skip


async def test_a_list_shows_the_cycles_of_one_status(project: Project) -> None:
    made = {
        "completed": await project.make(**PAST),
        "current": await project.make(start_date="2026-01-01", end_date="2026-01-10"),
        "upcoming": await project.make(start_date="2026-02-01", end_date="2026-02-10"),
        "draft": await project.make(),
    }
    for status, cycle in made.items():
        assert cycle["status"] == status
        listed = await project.get("cycles", status=status)
        rows = listed if status == "current" else listed["results"]
        assert [one["id"] for one in rows] == [cycle["id"]], "the current ones come without an envelope"
        assert (await project.get("cycles", cycle_view=status)) == listed
        lite = (await project.get("cycles-lite", status=status))["results"]
        assert [one["id"] for one in lite] == [cycle["id"]]
        assert "total_issues" not in lite[0]
    incomplete = (await project.get("cycles", status="incomplete", cycle_view="current"))["results"]
    assert {one["status"] for one in incomplete} == {"current", "upcoming", "draft"}
    wrong = await project.ana.get(f"{project.path}/cycles", status="bogus")
    assert (wrong.status_code, list(wrong.json)) == (400, ["status"])
    unknown = await project.ana.get(f"{project.path}/cycles-lite", cycle_view="current")
    assert (unknown.status_code, list(unknown.json)) == (400, ["cycle_view"])


async def test_only_an_admin_or_its_owner_deletes_a_cycle(project: Project) -> None:
    workshop, ben = project.workshop, project.workshop.cast.ben["id"]
    joined = await project.post("project-members", member=ben, role=15)
    assert joined.status_code == 201
    theirs, ours = await project.make(), await project.make(owned_by=ben)
    refused = await workshop.ben.delete(f"{project.path}/cycles/{theirs['id']}")
    assert (refused.status_code, refused.json) == (
        403,
        {"error": "Only admin or creator can delete the cycle"},
    )
    assert (await workshop.ben.delete(f"{project.path}/cycles/{ours['id']}")).status_code == 204


async def test_a_body_that_names_another_project_is_refused(project: Project) -> None:
    garage = project.workshop.garage
    answer = await project.post("cycles", name="Lost", project_id=garage)
    assert answer.json == {"project_id": [f'Invalid pk "{garage}" - object does not exist.']}
    assert (await project.make(project_id=project.path.rsplit("/", 1)[1]))["status"] == "draft"


async def test_without_the_feature_nothing_is_written(project: Project) -> None:
    cycle = await project.make()
    await project.ana.patch(f"{project.path}/features", {"cycles": False})
    assert (await project.post("cycles", name="Off")).status_code == 400
    assert (await project.get(f"cycles/{cycle['id']}"))["id"] == cycle["id"]
