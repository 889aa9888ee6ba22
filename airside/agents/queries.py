"""Queries for runs and activities on pages; the caller has checked access."""

from collections.abc import Sequence

import sqlalchemy as sa

from airside.agents.statuses import FAILED
from airside.agents.tables import agent_run_activities, agent_runs
from airside.db.base import Id, IdList, Instant, Row
from airside.db.conditions import tenant
from airside.db.database import Reader
from airside.db.statements import Statement, any_of

MAX_RUNS = 50  # per work item
MAX_ACTIVITIES = 2_000  # of all listed runs together

_r, _a = agent_runs.c, agent_run_activities.c
_OF_ITEM = Statement(
    sa.select(agent_runs)
    .where(tenant(agent_runs), _r.issue_id == sa.bindparam("issue_id", type_=Id()))
    .order_by(_r.id.desc())
    .limit(sa.literal_column(str(MAX_RUNS)))
)
_BY_IDS = Statement(sa.select(agent_runs).where(tenant(agent_runs), any_of(_r.id, "ids", IdList())))
_ACTIVITIES = Statement(
    sa.select(agent_run_activities)
    .where(tenant(agent_run_activities), any_of(_a.agent_run_id, "ids", IdList()))
    .order_by(_a.created_at.desc(), _a.sequence.desc())
    .limit(sa.literal_column(str(MAX_ACTIVITIES)))
)
_COUNTS = Statement(
    sa.select(
        _r.agent_user_id,
        sa.func.count().label("runs"),
        sa.func.sum(sa.case((_r.ended_at.is_(None), 1), else_=0)).label("open"),
        sa.func.sum(sa.case((_r.status == FAILED, 1), else_=0)).label("failed"),
        sa.func.sum(sa.case((_r.refused_for.is_not(None), 1), else_=0)).label("refused"),
    )
    .where(tenant(agent_runs), _r.created_at > sa.bindparam("since", type_=Instant()))
    .group_by(_r.agent_user_id)
)


async def list_runs_of_item(reader: Reader, workspace_id: str, issue_id: str) -> list[Row]:
    """The latest runs on a work item, oldest first."""
    return (await reader.fetch_all(_OF_ITEM, workspace_id=workspace_id, issue_id=issue_id))[::-1]


async def find_runs(reader: Reader, workspace_id: str, ids: Sequence[str]) -> dict[str, Row]:
    rows = await reader.fetch_all(_BY_IDS, workspace_id=workspace_id, ids=list(ids)) if ids else []
    return {row["id"]: row for row in rows}


async def list_activities(reader: Reader, workspace_id: str, run_ids: Sequence[str]) -> dict[str, list[Row]]:
    """The activities of each run, in order; the newest MAX_ACTIVITIES of all."""
    found: dict[str, list[Row]] = {one: [] for one in run_ids}
    rows = (
        await reader.fetch_all(_ACTIVITIES, workspace_id=workspace_id, ids=list(run_ids)) if run_ids else []
    )
    for row in sorted(rows, key=lambda row: row["sequence"]):
        found[row["agent_run_id"]].append(row)
    return found


async def count_runs(reader: Reader, workspace_id: str, since: object) -> dict[str, Row]:
    """`runs`, `open`, `failed` and `refused` of each agent since then, by the agent's user id."""
    rows = await reader.fetch_all(_COUNTS, workspace_id=workspace_id, since=since)
    return {row["agent_user_id"]: row for row in rows}
