"""Runs and their activities: the records, how /api/v1 shows them, and who may see them."""

from datetime import datetime
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa

from airside.agents.tables import agent_run_activities, agent_runs
from airside.db.base import Id
from airside.host.chosen import host_of
from airside.identity.describe import find_users
from airside.rest.body import Body, Document, Metadata, Name, Text, Uuid
from airside.rest.call import Call
from airside.rest.face import Face, Shown
from airside.rest.record import ADMIN, GUEST, Narrowing, Parent, Record
from airside.rest.selection import find_record
from airside.rest.wires.v1.wire import V1

Status = Literal["created", "in_progress", "awaiting", "completed", "stopping", "stopped", "failed", "stale"]
Kind = Literal["prompt", "thought", "action", "response", "elicitation", "error"]
Signal = Literal["continue", "stop", "auth_request", "select"]

_Clauses = tuple[sa.ColumnElement[bool], ...]


class AgentRunIn(Body):
    example = {"agent_slug": "weather"}

    agent_slug: Name
    issue: Uuid | None = None
    project: Uuid | None = None
    comment: Uuid | None = None
    source_comment: Uuid | None = None
    external_link: Text | None = None
    type: Literal["comment_thread"] | None = None


class AgentRunChanges(Body):
    example = {"external_link": "https://weather.example/runs/1"}

    external_link: Text | None = None


class AgentRunOut(Shown):
    id: str
    agent_user: Any
    comment: str | None
    source_comment: str | None
    creator: Any
    stopped_at: datetime | None
    stopped_by: str | None
    started_at: datetime
    ended_at: datetime | None
    external_link: str | None
    issue: str | None
    workspace: str
    project: str | None
    status: Status
    error_metadata: dict[str, Any] | None
    type: Literal["comment_thread"]
    created_at: datetime
    updated_at: datetime


class ActivityIn(Body):
    example = {"type": "thought", "content": {"type": "thought", "body": "Where is it raining?"}}

    type: Kind
    content: Document
    content_metadata: Metadata | None = None
    signal: Signal | None = None
    signal_metadata: Metadata | None = None
    project: Uuid | None = None  # Plane's clients may send it; ignored, the run has its own


class ActivityOut(Shown):
    id: str
    agent_run: str
    content: dict[str, Any]
    content_metadata: dict[str, Any] | None
    ephemeral: bool
    signal: Signal
    signal_metadata: dict[str, Any] | None
    comment: str | None
    actor: Any
    type: Kind
    project: str | None
    workspace: str
    created_at: datetime
    updated_at: datetime


class AgentRuns(Record):
    noun = "Agent run"
    table = agent_runs
    event = None
    eventless = "its processes record events by the names that agents know"
    has_history = False

    async def narrow(self, call: Call, /) -> Narrowing:
        """An app sees only its own agent's runs. People see the runs of projects that they see."""
        seen = host_of(call.site).in_visible_projects(call, agent_runs.c.project_id)
        params: dict[str, Any] = {**seen.params}
        own = "app" if call.caller.app_id else "all" if call.workspace_role >= ADMIN else "person"
        if call.caller.app_id:
            params["own_app_id"] = call.caller.app_id
        elif own == "person":
            params["own_user_id"] = call.caller.user_id
        return Narrowing(_visible(seen.clauses, own), params)


RUNS = AgentRuns()
RUNS_V1 = Face(
    RUNS,
    wire=V1,
    path="runs",
    aliases=("agent-runs",),  # used by existing agents
    key="run_id",
    body=AgentRunIn,
    shown=AgentRunOut,
    scope="agents.runs",
    verbs=("list", "retrieve"),
    expands={"agent_user": find_users, "creator": find_users},
)


class AgentRunActivities(Record):
    noun = "Agent run activity"
    table = agent_run_activities
    event = None
    eventless = "its processes record events by the names that agents know"
    has_history = False
    parents = (Parent("run_id", agent_runs, "agent_run_id"),)
    write_role = GUEST  # as with comments

    async def narrow(self, call: Call, /) -> Narrowing:
        await find_record(RUNS_V1, call, call.path["run_id"])
        return Narrowing()


ACTIVITIES = AgentRunActivities()
ACTIVITIES_V1 = Face(
    ACTIVITIES,
    wire=V1,
    path="runs/{run_id}/activities",
    aliases=("agent-runs/{run_id}/activities",),
    key="activity_id",
    body=ActivityIn,
    shown=ActivityOut,
    scope="agents.run_activities",
    verbs=("list", "retrieve"),
    order_by=("sequence",),
    expands={"actor": find_users},
)


@cache
def _visible(seen: _Clauses, own: str) -> _Clauses:
    runs = agent_runs.c
    homeless = runs.project_id.is_(None)
    if own == "person":
        homeless = sa.and_(homeless, runs.creator_id == sa.bindparam("own_user_id", type_=Id()))
    found: list[sa.ColumnElement[bool]] = [sa.or_(homeless, sa.and_(*seen))]
    if own == "app":
        found.append(runs.app_id == sa.bindparam("own_app_id", type_=Id()))
    return tuple(found)
