"""Milestones: dates that a project's work items are due together, and how far they are."""

from datetime import date, datetime
from typing import Any

from airside.db.base import Row
from airside.rest.body import Body, Key, Name
from airside.rest.call import Call
from airside.rest.face import Face, Shown
from airside.rest.followups import follow_up
from airside.rest.record import Record
from airside.rest.wires.v1.wire import V1
from airside.work.expansions import expand_project, expand_user, expand_workspace
from airside.work.planning.milestone_links import EMPTIED_MILESTONE
from airside.work.planning.milestone_tables import IN_MILESTONES, milestones
from airside.work.planning.progress import count_fields, estimate_fields, percentage_fields


class MilestoneIn(Body):
    example = {"title": "Public beta", "target_date": "2026-03-31"}

    title: Name
    target_date: date | None = None
    external_source: Key | None = None
    external_id: Key | None = None


class MilestoneOut(Shown):
    id: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    title: str
    target_date: date | None
    external_source: str | None
    external_id: str | None
    created_by: Any
    updated_by: Any
    project: Any
    workspace: Any
    total_issues: int
    backlog_issues: int
    unstarted_issues: int
    started_issues: int
    completed_issues: int
    cancelled_issues: int
    total_estimates: int | None
    completed_estimates: int | None
    started_estimates: int | None
    progress_percentage: int


class Milestones(Record):
    noun = "Milestone"
    about = "Dates that a project's work items are due together."
    table = milestones
    event = "milestone"
    computed = {
        **count_fields(IN_MILESTONES, milestones),
        **estimate_fields(IN_MILESTONES),
        **percentage_fields(IN_MILESTONES),
    }

    async def before_delete(self, call: Call, row: Row, /) -> None:
        await follow_up(call, EMPTIED_MILESTONE, row["id"])


MILESTONES = Milestones()
MILESTONES_V1 = Face(
    MILESTONES,
    wire=V1,
    path="projects/{project_id}/milestones",
    key="milestone_id",
    body=MilestoneIn,
    shown=MilestoneOut,
    scope="projects.milestones",
    expands={
        "project": expand_project,
        "workspace": expand_workspace,
        "created_by": expand_user,
        "updated_by": expand_user,
    },
)
