"""Events about runs: `agent_run_create` and `agent_run_user_prompt`, sent to the agent as Plane does, and private
ones."""

from functools import partial
from typing import Any

from airside.agents.directory import Recipient
from airside.agents.resources import ACTIVITIES_V1, RUNS_V1
from airside.agents.statuses import CREATED, IN_PROGRESS
from airside.db.base import Row
from airside.events.catalog import (
    AGENT_RUN_ACTIVITY_CREATED,
    AGENT_RUN_CREATE,
    AGENT_RUN_UPDATED,
    AGENT_RUN_USER_PROMPT,
)
from airside.live.wakeups import Wakeups
from airside.rest.call import Call
from airside.rest.gate import record_act
from airside.rest.shaping import shape_row


async def send_run_created(call: Call, run: Row, agent: Recipient) -> None:
    """Sent to the agent only; not for a run that it opened itself, unless it receives its own events."""
    data = {
        "action": "created",
        "agent_run": {**_brief(run), "type": run["type"], "started_at": run["started_at"]},
        **_place(run, agent),
        "comment_id": run["source_comment_id"] or run["comment_id"],
        "type": "agent_run",
    }
    is_own = call.caller.user_id == run["agent_user_id"] and not agent.receives_own_events
    is_sent = run["refused_for"] is None and not is_own
    await _record(call, AGENT_RUN_CREATE, run, data, agent.installation_id if is_sent else None)


async def send_prompt(call: Call, run: Row, activity: Row, agent: Recipient) -> None:
    """A person's prompt or stop request, sent to the agent only. As in Plane's payload, a prompted run is
    `in_progress`, although its agent hasn't responded yet."""
    data = {
        "action": "prompted",
        "agent_run_activity": {
            "id": activity["id"],
            "agent_run": run["id"],
            "type": activity["type"],
            "content": activity["content"],
            "ephemeral": activity["ephemeral"],
            "signal": activity["signal"],
            "actor": activity["actor_id"],
            "workspace": activity["workspace_id"],
        },
        "agent_run": _brief(run) | {"status": IN_PROGRESS if run["status"] == CREATED else run["status"]},
        **_place(run, agent),
        "comment_id": activity["comment_id"] or run["comment_id"],
        "type": "agent_run_activity",
    }
    await _record(call, AGENT_RUN_USER_PROMPT, run, data, agent.installation_id)


async def record_activity(call: Call, run: Row, activity: Row) -> None:
    """Record the agent's own activity; delivered to no endpoint."""
    shown = await shape_row(call, ACTIVITIES_V1, activity)
    await _record(call, AGENT_RUN_ACTIVITY_CREATED, run, shown, None)


async def record_run_change(call: Call, run: Row) -> None:
    """Record a change of a run without an activity; delivered to no endpoint."""
    await _record(call, AGENT_RUN_UPDATED, run, await shape_row(call, RUNS_V1, run), None)


def _brief(run: Row) -> dict[str, Any]:
    return {
        "id": run["id"],
        "agent_user": run["agent_user_id"],
        "issue": run["issue_id"],
        "project": run["project_id"],
        "workspace": run["workspace_id"],
        "status": run["status"],
    }


def _place(run: Row, agent: Recipient) -> dict[str, Any]:
    return {
        "agent_user_id": run["agent_user_id"],
        "app_client_id": agent.client_id,
        "issue_id": run["issue_id"],
        "project_id": run["project_id"],
        "workspace_id": run["workspace_id"],
    }


async def _record(call: Call, name: str, run: Row, data: Row, installation_id: str | None) -> None:
    """Record under the run's id, so that the outbox numbers all events of a run in one sequence."""
    await record_act(
        call,
        name,
        run["id"],
        project_id=run["project_id"],
        data=data,
        installation_id=installation_id,
        is_private=installation_id is None,
    )
    call.writer.on_commit(partial(announce_run, call.site.wakeups, run))


def announce_run(wakeups: Wakeups, run: Row) -> None:
    """Refresh the pages that show the run. Call it after the commit."""
    if run["issue_id"] is not None:
        wakeups.announce(f"work_item:{run['issue_id']}")
