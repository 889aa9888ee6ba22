"""The work items of a milestone. A work item has at most one: added to another, it leaves the first."""

from datetime import datetime

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.rest.body import Body, Uuid
from airside.rest.call import Call
from airside.rest.face import Face, Shown
from airside.rest.links import Links, link_routes
from airside.rest.record import Parent, Record, Reference
from airside.rest.wires.v1.wire import V1
from airside.work.planning.milestone_links import record_milestone
from airside.work.planning.milestone_tables import milestone_work_items, milestones
from airside.work.planning.milestones import MILESTONES_V1
from airside.work.work_items.tables import work_items

_LINK = Statement(
    sa.select(milestone_work_items)
    .where(
        tenant(milestone_work_items),
        milestone_work_items.c.issue_id == sa.bindparam("issue_id", type_=work_items.c.id.type),
        live(milestone_work_items),
    )
    .with_for_update()
)


class MilestoneWorkItemsIn(Body):
    issues: list[Uuid]


class MilestoneWorkItemOut(Shown):
    id: str
    created_at: datetime
    updated_at: datetime
    issue: str
    milestone: str
    created_by: str | None
    updated_by: str | None
    project: str
    workspace: str


class MilestoneWorkItems(Record):
    noun = "Milestone work item"
    table = milestone_work_items
    event = None
    eventless = "the change of each work item is its event"
    parents = (Parent("milestone_id", milestones, "milestone_id"),)
    references = {"issue_id": Reference(work_items, "project_id")}

    async def before_create(self, call: Call, row: Row, /) -> None:
        keys = {"workspace_id": call.workspace_id, "issue_id": row["issue_id"]}
        left = await call.reader.fetch_one(_LINK, **keys)
        if left is not None:
            keys = {"workspace_id": call.workspace_id, "id": left["id"]}
            await call.writer.update(milestone_work_items, {"deleted_at": call.now}, **keys)
        old_id = None if left is None else left["milestone_id"]
        await record_milestone(call, [row["issue_id"]], old_id, row["milestone_id"])

    async def before_delete(self, call: Call, row: Row, /) -> None:
        await record_milestone(call, [row["issue_id"]], row["milestone_id"], None)


MILESTONE_WORK_ITEMS = Links(
    Face(
        MilestoneWorkItems(),
        wire=V1,
        path="projects/{project_id}/milestones/{milestone_id}/work-items",
        key="issue_id",
        body=MilestoneWorkItemsIn,
        shown=MilestoneWorkItemOut,
        scope="projects.milestones",
    ),
    under=MILESTONES_V1,
    column="issue_id",
    ids="issues",
    removal=MilestoneWorkItemsIn,
    removes_one=False,
    add_status=204,
)
MILESTONE_WORK_ITEM_ROUTES = link_routes(MILESTONE_WORK_ITEMS, "milestone work item", "milestone work items")
