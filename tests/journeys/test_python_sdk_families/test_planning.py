"""Cycles and modules: progress, dates, what is closed, transfer, members and archive."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from plane import PlaneClient
from plane.errors import HttpError
from plane.models.cycles import CreateCycle, TransferCycleWorkItemsRequest, UpdateCycle
from plane.models.modules import CreateModule, UpdateModule
from plane.models.projects import ProjectFeature
from plane.models.work_items import CreateWorkItem, UpdateWorkItem

from tests.journeys.conftest import Stage
from tests.journeys.test_python_sdk_families.recorded import list_recorded


@pytest.fixture
def planned(ana: PlaneClient, project: Any) -> Any:
    """The project, with cycles and modules."""
    ana.projects.update_features("acme", project.id, ProjectFeature(cycles=True, modules=True))
    return project


def day(shift: int) -> str:
    return (datetime.now(UTC) + timedelta(days=shift)).date().isoformat()


def make_items(client: PlaneClient, project: Any, *groups: str) -> list[str]:
    states = {one.group: one.id for one in client.states.list("acme", project.id).results}
    return [
        client.work_items.create("acme", project.id, CreateWorkItem(name=group, state=states[group])).id
        for group in groups
    ]


def ids_of(page: Any) -> list[str]:
    return [one.id for one in page.results]


def test_1_cycles_have_progress_and_unfinished_work_items_are_transferred(
    stage: Stage, ana: PlaneClient, planned: Any
) -> None:
    me = ana.users.get_me().id
    old, new = (
        ana.cycles.create("acme", planned.id, CreateCycle(name=name, owned_by=me, project_id=planned.id))
        for name in ("Old", "New")
    )
    started, done, dropped = make_items(ana, planned, "started", "completed", "cancelled")
    ana.cycles.add_work_items("acme", planned.id, old.id, [started, done, dropped])
    shown = ana.cycles.retrieve("acme", planned.id, old.id)
    counts = (shown.total_issues, shown.started_issues, shown.completed_issues, shown.cancelled_issues)
    assert counts == (3, 1, 1, 1)
    ana.cycles.transfer_work_items(
        "acme", planned.id, old.id, TransferCycleWorkItemsRequest(new_cycle_id=new.id)
    )
    assert ids_of(ana.cycles.list_work_items("acme", planned.id, new.id)) == [started]
    assert ana.cycles.retrieve("acme", planned.id, old.id).total_issues == 2
    history = ana.work_items.activities.list("acme", planned.id, started).results
    assert [line.comment for line in history[1:]] == ["added cycle Old", "updated cycle from Old to New"]
    recorded = [name.rpartition(".")[2] for name, _ in list_recorded(stage, "cycle.workitem")]
    assert recorded == ["created"] * 3 + ["updated"]


def test_1_cycles_do_not_overlap_and_completed_ones_are_closed(ana: PlaneClient, planned: Any) -> None:
    me = ana.users.get_me().id

    def make(name: str, start: int, end: int) -> Any:
        dates = {"start_date": day(start), "end_date": day(end)}
        body = CreateCycle(name=name, owned_by=me, project_id=planned.id, **dates)
        return ana.cycles.create("acme", planned.id, body)

    past, now = make("Past", -20, -10), make("Now", -5, 5)
    with pytest.raises(HttpError) as refused:
        make("Between", 3, 9)
    assert refused.value.status_code == 400
    [current] = ana.cycles.list("acme", planned.id, {"cycle_view": "current"})
    assert current.id == now.id
    assert ids_of(ana.cycles.list("acme", planned.id, {"status": "completed"})) == [past.id]
    with pytest.raises(HttpError) as closed:
        ana.cycles.update("acme", planned.id, past.id, UpdateCycle(name="Renamed"))
    assert closed.value.status_code == 400
    ana.cycles.archive("acme", planned.id, past.id)
    assert ids_of(ana.cycles.list_archived("acme", planned.id)) == [past.id]


def test_2_modules_count_have_members_and_are_archived_when_finished(
    stage: Stage, ana: PlaneClient, planned: Any
) -> None:
    me = ana.users.get_me().id
    body = CreateModule(name="Wheels", lead=me, members=[me])
    wheels = ana.modules.create("acme", planned.id, body)
    doors = ana.modules.create("acme", planned.id, CreateModule(name="Doors"))
    [item] = make_items(ana, planned, "started")
    for module in (wheels, doors):
        ana.modules.add_work_items("acme", planned.id, module.id, [item])
    done = next(one.id for one in ana.states.list("acme", planned.id).results if one.group == "completed")
    ana.work_items.update("acme", planned.id, item, UpdateWorkItem(state=done))
    shown = ana.modules.retrieve("acme", planned.id, wheels.id)
    assert (shown.total_issues, shown.completed_issues, shown.lead) == (1, 1, me)
    [lite, _] = sorted(ana.modules.list_lite("acme", planned.id).results, key=lambda one: one.id or "")
    assert lite.members == [me]
    with pytest.raises(HttpError) as refused:
        ana.modules.archive("acme", planned.id, wheels.id)
    assert refused.value.status_code == 400
    ana.modules.update("acme", planned.id, wheels.id, UpdateModule(status="completed"))
    ana.modules.archive("acme", planned.id, wheels.id)
    assert ids_of(ana.modules.list("acme", planned.id)) == [doors.id]
    names = [
        name.rpartition(".")[2] for name, data in list_recorded(stage, "module") if data["id"] == wheels.id
    ]
    assert names == ["created", "updated", "archived"]
