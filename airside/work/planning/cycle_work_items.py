"""The work items of a cycle. A work item is in one cycle at a time, so adding it to another moves it."""

from collections.abc import Sequence
from datetime import datetime

from airside.db.base import Row
from airside.errors import Refused
from airside.events.outbox import Change
from airside.rest.body import Body, Uuid
from airside.rest.call import Call
from airside.rest.computed import Computed
from airside.rest.face import Face, Shown
from airside.rest.links import Links, link_routes
from airside.rest.record import Parent, Record
from airside.rest.wires.v1.wire import V1
from airside.work.planning.cycle_dates import is_completed
from airside.work.planning.cycles import CYCLES_V1
from airside.work.planning.plan_history import find_name, record_added, record_moved, record_removed
from airside.work.planning.tables import cycle_work_items, cycles
from airside.work.work_items.children import load_children
from airside.work.work_items.work_items import WORK_ITEMS_V1


class CycleWorkItemsIn(Body):
    issues: list[Uuid]


class CycleWorkItemOut(Shown):
    id: str
    sub_issues_count: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    created_by: str | None
    updated_by: str | None
    project: str
    workspace: str
    issue: str
    cycle: str


class CycleCompleted(Refused):
    code = "cycle_completed"
    sentence = "The Cycle has already been completed so no new issues can be added"


class CycleWorkItems(Record):
    noun = "Cycle work item"
    table = cycle_work_items
    event = "cycle.workitem"
    feature = "cycles"
    parents = (Parent("cycle_id", cycles, "cycle_id"),)
    computed = {"sub_issues_count": Computed(load=load_children, empty=0)}

    async def after_event(self, call: Call, action: str, row: Row, changes: Sequence[Change], /) -> None:
        name = await find_name(call, cycles, row["cycle_id"])
        if action == "created":
            await record_added(call, row, "cycle", row["cycle_id"], name)
        elif action == "deleted":
            await record_removed(call, [row], "cycle", row["cycle_id"], name)
        for change in changes:
            if change.field == "cycle":
                old = await find_name(call, cycles, change.old_value)
                await record_moved(call, row, (change.old_value, old), (row["cycle_id"], name))


def _check_open(call: Call, cycle: Row) -> None:
    """Raises CycleCompleted."""
    if is_completed(cycle, call.now):
        raise CycleCompleted


CYCLE_WORK_ITEMS = CycleWorkItems()
CYCLE_WORK_ITEMS_V1 = Links(
    Face(
        CYCLE_WORK_ITEMS,
        wire=V1,
        path="projects/{project_id}/cycles/{cycle_id}/cycle-issues",
        key="issue_id",
        verbs=(),
        body=CycleWorkItemsIn,
        shown=CycleWorkItemOut,
        scope="projects.cycles",
    ),
    under=CYCLES_V1,
    column="issue_id",
    ids="issues",
    shows=WORK_ITEMS_V1,
    answers_links=True,
    retrieves_one=True,
    moves=True,
    check_parent=_check_open,
)
CYCLE_WORK_ITEM_ROUTES = link_routes(CYCLE_WORK_ITEMS_V1, "cycle work item", "cycle work items")
