"""Opens agent runs, and finds the existing runs that continue instead."""

from typing import Any

import msgspec
import sqlalchemy as sa

from airside.agents.activities import NewActivity, add_activity
from airside.agents.directory import Agent
from airside.agents.guards import describe_refusal, find_depth, find_refusal
from airside.agents.notifications import send_run_created
from airside.agents.statuses import CREATED, ENDED, FAILED, PROMPT
from airside.agents.tables import agent_runs
from airside.db.base import Id, Row, new_id
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.identity.tables import users
from airside.rest.call import Call

MAX_PROMPT = 20_000  # characters; longer prompts are truncated

_r = agent_runs.c
_OF_THREAD = Statement(
    sa.select(agent_runs)
    .where(
        tenant(agent_runs),
        _r.comment_id == sa.bindparam("comment_id", type_=Id()),
        _r.refused_for.is_(None),
        live(agent_runs),
    )
    .order_by(_r.id.desc())
    .with_for_update()
)
_OF_AGENT = Statement(
    sa.select(agent_runs)
    .where(
        tenant(agent_runs),
        _r.issue_id == sa.bindparam("issue_id", type_=Id()),
        _r.agent_user_id == sa.bindparam("agent_user_id", type_=Id()),
        _r.refused_for.is_(None),
        live(agent_runs),
    )
    .order_by(_r.id.desc())
    .with_for_update()
)


class NewRun(msgspec.Struct, kw_only=True):
    """The parameters of a new run."""

    agent: Agent
    project_id: str | None = None
    issue_id: str | None = None
    thread_id: str | None = None
    source_comment_id: str | None = None
    external_link: str | None = None
    prompt: str | None = None  # the first prompt; None: none yet


async def open_run(call: Call, new: NewRun) -> Row:
    """Create the run and send it to its agent. If a guard refuses it, the run is created as failed."""
    is_asked_by_agent = new.agent.bot_user_id != call.caller.user_id and await is_by_bot(call)
    depth = await find_depth(call, new.issue_id, call.caller.user_id, is_bot=is_asked_by_agent)
    refused = await find_refusal(call, new.agent, depth)
    run = _as_row(call, new, depth, refused)
    await call.writer.insert(agent_runs, run)
    await send_run_created(call, run, new.agent)
    if refused is None and new.prompt is not None:
        await add_prompt(call, run, new.prompt, new.source_comment_id)
    return run


async def add_prompt(call: Call, run: Row, text: str, comment_id: str | None) -> None:
    """Add a person's text as the run's next prompt."""
    body = text.strip()[:MAX_PROMPT]
    content = {"type": PROMPT, "body": body}
    await add_activity(call, run, NewActivity(type=PROMPT, content=content, comment_id=comment_id))


async def is_by_bot(call: Call) -> bool:
    """Whether the caller is a bot."""
    if call.caller.kind == "bot":
        return True
    user = await call.reader.find(users, id=call.caller.user_id)
    return user is not None and user["is_bot"]


async def list_runs_of_thread(call: Call, thread_id: str) -> dict[str, Row]:
    """The run of each agent that a reply in this thread continues, by the agent's user id: the newest active one,
    else the newest ended one. All are locked."""
    rows = await call.reader.fetch_all(_OF_THREAD, workspace_id=call.workspace_id, comment_id=thread_id)
    found: dict[str, Row] = {}
    for row in rows:
        known = found.get(row["agent_user_id"])
        if known is None or (known["status"] in ENDED and row["status"] not in ENDED):
            found[row["agent_user_id"]] = row
    return found


async def list_runs_of_agent(call: Call, issue_id: str, agent_user_id: str) -> list[Row]:
    """Every run of the agent on a work item, newest first; all are locked."""
    return await call.reader.fetch_all(
        _OF_AGENT, workspace_id=call.workspace_id, issue_id=issue_id, agent_user_id=agent_user_id
    )


def _as_row(call: Call, new: NewRun, depth: int, refused: str | None) -> Row:
    now, user_id = call.now, call.caller.user_id
    moments: dict[str, Any] = dict.fromkeys(("stopped_at", "first_activity_at", "answered_at"), None)
    return {
        "workspace_id": call.workspace_id,
        "id": new_id(),
        "app_id": new.agent.app_id,
        "installation_id": new.agent.installation_id,
        "agent_user_id": new.agent.bot_user_id,
        "creator_id": user_id,
        "project_id": new.project_id,
        "issue_id": new.issue_id,
        "comment_id": new.thread_id,
        "source_comment_id": new.source_comment_id,
        "status": CREATED if refused is None else FAILED,
        "type": "comment_thread",
        "external_link": new.external_link,
        "error_metadata": None if refused is None else describe_refusal(call, refused),
        "refused_for": refused,
        "depth": depth,
        "last_sequence": 0,
        "started_at": now,
        "ended_at": None if refused is None else now,
        "stopped_by_id": None,
        "asked_at": now,
        "last_activity_at": now,
        **moments,
        "created_at": now,
        "updated_at": now,
        "deleted_at": None,
        "created_by_id": user_id,
        "updated_by_id": None,
    }
