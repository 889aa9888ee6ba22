"""Limits on new runs: the depth of agents that prompt agents (against loops), and runs per minute and agent.

A refused run is stored as failed, so that users see why no agent answers, and operators see that it happens.
"""

from datetime import timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog

from airside.agents.directory import Agent
from airside.agents.tables import agent_runs
from airside.db.base import Id, Instant
from airside.db.conditions import tenant
from airside.db.statements import Statement
from airside.rest.call import Call

DEPTH, RATE = "depth", "rate"  # agent_runs.refused_for
MINUTE = timedelta(minutes=1)
CHAIN_WINDOW = timedelta(hours=1)  # an agent's mention counts as caused by its runs active within this time

_log = structlog.get_logger("airside.agents")

_r = agent_runs.c
_RECENT = Statement(
    sa.select(sa.func.count().label("runs")).where(
        tenant(agent_runs),
        _r.agent_user_id == sa.bindparam("agent_user_id", type_=Id()),
        _r.created_at > sa.bindparam("since", type_=Instant()),
        _r.refused_for.is_(None),
    )
)
_DEEPEST = Statement(
    sa.select(sa.func.max(_r.depth).label("depth")).where(
        tenant(agent_runs),
        _r.agent_user_id == sa.bindparam("agent_user_id", type_=Id()),
        _r.issue_id == sa.bindparam("issue_id", type_=Id()),
        _r.last_activity_at > sa.bindparam("since", type_=Instant()),
    )
)


async def find_depth(call: Call, issue_id: str | None, asked_by: str, *, is_bot: bool) -> int:
    """The depth of a run opened by this user: 0 for a person, else one more than the agent's deepest recent run."""
    if not is_bot:
        return 0
    if issue_id is None:
        return 1
    deepest = await call.reader.fetch_value(
        _DEEPEST,
        workspace_id=call.workspace_id,
        agent_user_id=asked_by,
        issue_id=issue_id,
        since=call.now - CHAIN_WINDOW,
    )
    return (deepest or 0) + 1


async def find_refusal(call: Call, agent: Agent, depth: int) -> str | None:
    """Why a run of this depth is refused now (DEPTH or RATE); None when it is allowed."""
    settings = call.site.settings
    if depth > settings.agent_depth_limit:
        refused = DEPTH
    elif await _count_recent(call, agent) >= settings.agent_runs_per_minute:
        refused = RATE
    else:
        return None
    _log.warning(
        "agent_run_refused",
        reason=refused,
        workspace=call.workspace_id,
        agent=agent.slug,
        asked_by=call.caller.user_id,
        depth=depth,
    )
    call.writer.on_commit(partial(call.site.counters.add, "airside_agent_runs_refused", refused))
    return refused


def describe_refusal(call: Call, refused: str) -> dict[str, Any]:
    """The run's `error_metadata`."""
    settings = call.site.settings
    messages = {
        DEPTH: f"Agents asked one another more than {settings.agent_depth_limit} times in a row.",
        RATE: f"This agent was given {settings.agent_runs_per_minute} runs within a minute.",
    }
    return {"error_code": f"REFUSED_{refused.upper()}", "message": messages[refused]}


async def _count_recent(call: Call, agent: Agent) -> int:
    found = await call.reader.fetch_value(
        _RECENT,
        workspace_id=call.workspace_id,
        agent_user_id=agent.bot_user_id,
        since=call.now - MINUTE,
    )
    return int(found)
