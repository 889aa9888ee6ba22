"""Adds an activity to a run, by the agent or by a person, and updates the run's status."""

from typing import Any

import msgspec

from airside.agents.answers import can_answer, render_answer, write_answer
from airside.agents.content import MAX_BODY, check_content, check_signal
from airside.agents.directory import Recipient
from airside.agents.notifications import record_activity, send_prompt
from airside.agents.resources import ACTIVITIES_V1, RUNS_V1, ActivityIn, ActivityOut
from airside.agents.statuses import (
    CONTINUE,
    ELICITATION,
    ENDED,
    EPHEMERAL,
    ERROR,
    PROMPT,
    RESPONSE,
    STOP,
    next_status,
)
from airside.agents.tables import agent_run_activities, agent_runs
from airside.apps.tables import apps
from airside.db.base import Row, new_id
from airside.errors import Conflict, Forbidden, Invalid
from airside.installations.tables import INSTALLED, installations
from airside.rest.body import with_defaults
from airside.rest.call import Call
from airside.rest.record import GUEST
from airside.rest.route import Route
from airside.rest.selection import find_record
from airside.rest.verbs import in_transaction, show_record
from airside.rest.wires.v1.paths import WORKSPACE
from airside.rich_text.html import Cleaned

POSTED_AS_COMMENT = frozenset({RESPONSE, ELICITATION, ERROR})


class NewActivity(msgspec.Struct, kw_only=True):
    """An activity to add, validated by `check_content` and `check_signal`."""

    type: str
    content: dict[str, Any]
    signal: str = CONTINUE
    content_metadata: dict[str, Any] | None = None
    signal_metadata: dict[str, Any] | None = None
    comment_id: str | None = None  # an existing comment with the same content


async def create_activity(call: Call) -> Row:
    """POST …/activities/: an agent reports in its own run, or a person prompts it."""
    sent = with_defaults(ActivityIn, call.body)
    new = NewActivity(
        type=sent["type"],
        content=sent["content"],
        signal=sent["signal"] or CONTINUE,
        content_metadata=sent["content_metadata"],
        signal_metadata=sent["signal_metadata"],
    )
    answer = await _render(new)

    async def work() -> Row:
        run = await find_record(RUNS_V1, call, call.path["run_id"], lock=True)
        _check_author(call, run, new.type)
        new.content = check_content(new.type, new.content)
        check_signal(new.type, new.signal, new.signal_metadata)
        return await show_record(call, ACTIVITIES_V1, await add_activity(call, run, new, answer))

    return await in_transaction(call, work)


def _check_author(call: Call, run: Row, kind: str) -> None:
    """Only people create prompts, and only the run's own bot creates other activities.

    A user token of an app counts as the app's, or an agent could prompt itself. Raises Invalid, Forbidden."""
    if kind == PROMPT:
        if call.caller.app_id is not None:
            raise Invalid({"type": ["A prompt comes from a person; an app can't create one."]})
    elif call.caller.kind != "bot" or call.caller.user_id != run["agent_user_id"]:
        raise Forbidden("Only the agent of this run, with its bot token, can report what it does.")


async def _render(new: NewActivity) -> Cleaned | None:
    """The activity's comment. Rendered before the transaction, since it can be slow; the content is validated
    later."""
    body = new.content.get("body")
    if new.type not in POSTED_AS_COMMENT or not isinstance(body, str) or len(body) > MAX_BODY:
        return None
    return await render_answer(body)


async def add_activity(call: Call, run: Row, new: NewActivity, answer: Cleaned | None = None) -> Row:
    """Store the activity, update the run's status and record the event. `run` must be locked; it is changed in
    place. Raises Conflict for a run that doesn't accept the activity; a run that a guard refused accepts none.

    `answer` is the activity's comment, unless the comment exists already."""
    status = next_status(run["status"], new.type, new.signal) if run["refused_for"] is None else None
    if status is None:
        raise Conflict(f"This run is {run['status']} and takes no such activity.")
    is_posted = answer is not None and await can_answer(call, run)
    activity = _as_row(call, run, new, new_id() if is_posted else new.comment_id)
    await call.writer.insert(agent_run_activities, activity)
    await _move_run(call, run, activity, status)
    if new.type == PROMPT:
        await send_prompt(call, run, activity, await find_recipient(call, run))
    else:
        await record_activity(call, run, activity)
    if answer is not None and is_posted:
        await write_answer(call, run, activity["comment_id"], answer)
    return activity


async def find_recipient(call: Call, run: Row) -> Recipient:
    """The run's agent, for notifications."""
    app = await call.reader.find(apps, id=run["app_id"])
    installation = await call.reader.find(installations, id=run["installation_id"])
    assert app is not None
    assert installation is not None
    is_live = installation["status"] == INSTALLED and installation["deleted_at"] is None
    return Recipient(
        client_id=app["client_id"],
        receives_own_events=app["receives_own_events"],
        installation_id=installation["id"] if is_live else None,
    )


def _as_row(call: Call, run: Row, new: NewActivity, comment_id: str | None) -> Row:
    return {
        "workspace_id": run["workspace_id"],
        "id": new_id(),
        "agent_run_id": run["id"],
        "sequence": run["last_sequence"] + 1,
        "type": new.type,
        "content": new.content,
        "content_metadata": new.content_metadata,
        "ephemeral": new.type in EPHEMERAL,
        "signal": new.signal,
        "signal_metadata": new.signal_metadata,
        "comment_id": comment_id,
        "actor_id": call.caller.user_id,
        "project_id": run["project_id"],
        "created_at": call.now,
        "updated_at": call.now,
        "deleted_at": None,
        "created_by_id": call.caller.user_id,
        "updated_by_id": None,
    }


async def _move_run(call: Call, run: Row, activity: Row, status: str) -> None:
    changes: Row = {"status": status, "last_sequence": activity["sequence"], "last_activity_at": call.now}
    changes["ended_at"] = call.now if status in ENDED else None
    if run["status"] in ENDED and status not in ENDED:
        changes |= {"stopped_at": None, "stopped_by_id": None, "error_metadata": None}
    if activity["type"] == PROMPT:
        changes["asked_at"] = call.now
        if activity["signal"] == STOP:
            changes |= {"stopped_at": call.now, "stopped_by_id": call.caller.user_id}
    else:
        changes |= {"answered_at": call.now, "first_activity_at": run["first_activity_at"] or call.now}
    if activity["type"] == ERROR:
        said = {"message": activity["content"]["body"]}
        changes["error_metadata"] = said | (activity["signal_metadata"] or {})
    await store_run(call, run, changes)


async def store_run(call: Call, run: Row, changes: Row) -> None:
    """Update a run's row, and `run` in place."""
    changes = {**changes, "updated_at": call.now, "updated_by_id": call.caller.user_id}
    await call.writer.update(agent_runs, changes, workspace_id=run["workspace_id"], id=run["id"])
    run |= changes


ACTIVITY_ROUTES = [
    Route(
        method="POST",
        path=WORKSPACE + ACTIVITIES_V1.path,
        aliases=tuple(WORKSPACE + path for path in ACTIVITIES_V1.aliases),
        handler=create_activity,
        scope="agents.run_activities:write",
        name="create_agent_run_activity",
        may_conflict=True,
        summary="Report an activity in an agent run, or prompt the agent",
        role=GUEST,
        status=201,
        body=ActivityIn,
        shown=ActivityOut,
        event="agent_run_user_prompt",
        face=ACTIVITIES_V1,
    )
]
