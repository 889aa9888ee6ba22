"""The runs API: create, update, stop; list and retrieve come with the face."""

from airside.agents.activities import NewActivity, add_activity, store_run
from airside.agents.content import check_link
from airside.agents.creation import NewRun, is_by_bot, list_runs_of_agent, open_run
from airside.agents.directory import Agent, find_agent_by_slug, reaches
from airside.agents.notifications import record_run_change
from airside.agents.resources import RUNS_V1, AgentRunChanges, AgentRunIn, AgentRunOut
from airside.agents.statuses import ENDED, PROMPT, STOP, STOPPED
from airside.db.base import Row
from airside.errors import Conflict, Forbidden, Invalid, NotFound
from airside.host.chosen import host_of
from airside.host.protocol import Comment
from airside.rest.body import with_defaults
from airside.rest.call import Call
from airside.rest.record import GUEST, MEMBER
from airside.rest.route import Route
from airside.rest.selection import find_record
from airside.rest.verbs import in_transaction, show_record
from airside.rest.wires.v1.paths import WORKSPACE


async def create_run(call: Call) -> Row:
    """POST runs/: open a run without a mention. Raises Invalid, and Conflict if the source comment opened one."""
    sent = with_defaults(AgentRunIn, call.body)
    check_link(sent["external_link"])
    new, source = await _read_new(call, sent)

    async def work() -> Row:
        if source is not None:
            await host_of(call.site).lock_thread(call, source)
            await _check_source_unused(call, new)
        return await show_record(call, RUNS_V1, await open_run(call, new))

    return await in_transaction(call, work)


async def _read_new(call: Call, sent: Row) -> tuple[NewRun, Comment | None]:
    """The run to open, and the comment that asks for it."""
    agent = await find_agent_by_slug(call.reader, call.workspace_id, sent["agent_slug"])
    is_foreign = agent is not None and call.caller.app_id not in (None, agent.app_id)
    if agent is None or is_foreign:  # an app may start only its own agent; others look unknown to it
        raise Invalid({"agent_slug": ["There is no such agent in this workspace."]})
    source = await _find_comment(call, "source_comment", sent)
    thread = await _find_comment(call, "comment", sent)
    issue_id, project_id = await _find_place(call, agent, sent, source, thread)
    asked, first = source or thread, thread or source
    prompt = asked.text if asked is not None and not await is_by_bot(call) else None
    new = NewRun(
        agent=agent,
        project_id=project_id,
        issue_id=issue_id,
        thread_id=first.id if first else None,
        source_comment_id=source.id if source else None,
        external_link=sent["external_link"],
        prompt=prompt,
    )
    return new, source


async def _find_place(
    call: Call, agent: Agent, sent: Row, source: Comment | None, thread: Comment | None
) -> tuple[str | None, str | None]:
    """The run's work item and project; those of the comment by default. Raises Invalid under the field that was
    sent, with the same message for a missing record and for one that the caller or the agent can't access."""
    name = next((one for one in ("issue", "comment", "source_comment") if sent[one] is not None), None)
    if name is None:
        if sent["project"] is not None:
            await _enter(call, agent, "project", sent["project"], sent["project"])
        return None, sent["project"]
    first = thread or source
    issue_id = sent["issue"] or (first.item_id if first else "")
    project_id = await host_of(call.site).locate_item(call, issue_id, sent["project"])
    if project_id is None:
        raise _unknown(name, sent[name])
    await _enter(call, agent, name, sent[name], project_id)
    for other, comment in (("source_comment", source), ("comment", thread)):
        if comment is not None and comment.item_id != issue_id:
            raise _unknown(other, sent[other])
    if sent["project"] not in (None, project_id):
        raise _unknown(name, sent[name])
    return issue_id, project_id


async def _enter(call: Call, agent: Agent, name: str, value: str, project_id: str) -> None:
    """Raises Invalid under `name` for a project that the caller or the agent can't access."""
    try:
        await call.access.enter_project(call, project_id)
    except (Forbidden, NotFound):
        raise _unknown(name, value) from None
    if call.project_role < GUEST or not reaches(agent, project_id):
        raise _unknown(name, value)


async def _find_comment(call: Call, name: str, sent: Row) -> Comment | None:
    if sent[name] is None:
        return None
    found = await host_of(call.site).find_comment(call, sent[name], sent["issue"])
    if found is None:
        raise _unknown(name, sent[name])
    return found


async def _check_source_unused(call: Call, new: NewRun) -> None:
    if new.issue_id is None:
        return
    for run in await list_runs_of_agent(call, new.issue_id, new.agent.bot_user_id):
        if run["source_comment_id"] == new.source_comment_id:
            raise Conflict("This comment has asked the agent already", existing=run["id"])


def _unknown(name: str, value: str) -> Invalid:
    return Invalid({name: [f'Invalid pk "{value}" - object does not exist.']})


async def update_run(call: Call) -> Row:
    """PATCH runs/{run_id}/: set the link to the agent's own log of the run."""

    async def work() -> Row:
        run = await find_record(RUNS_V1, call, call.path["run_id"], lock=True)
        changes = dict(call.body)
        check_link(changes.get("external_link"))
        if any(run[name] != value for name, value in changes.items()):
            await store_run(call, run, changes)
            await record_run_change(call, run)
        return await show_record(call, RUNS_V1, run)

    return await in_transaction(call, work)


async def stop_run(call: Call) -> Row:
    """POST runs/{run_id}/stop/: a person requests the stop; the agent itself stops at once.

    Raises Conflict for an ended run."""

    async def work() -> Row:
        run = await find_record(RUNS_V1, call, call.path["run_id"], lock=True)
        if call.caller.user_id == run["agent_user_id"]:
            await _end_own(call, run)
        else:
            await ask_to_stop(call, run)
        return await show_record(call, RUNS_V1, run)

    return await in_transaction(call, work)


async def ask_to_stop(call: Call, run: Row) -> None:
    """Send the agent a stop request; `run` must be locked. Raises Conflict for a run that can't be stopped."""
    content = {"type": PROMPT, "body": "Stop"}
    await add_activity(call, run, NewActivity(type=PROMPT, content=content, signal=STOP))


async def _end_own(call: Call, run: Row) -> None:
    if run["status"] in ENDED:
        raise Conflict(f"This run is {run['status']} already.")
    moments = {"ended_at": call.now, "answered_at": call.now, "last_activity_at": call.now}
    asked = {
        "stopped_at": run["stopped_at"] or call.now,
        "stopped_by_id": run["stopped_by_id"] or call.caller.user_id,
    }
    await store_run(call, run, {"status": STOPPED} | moments | asked)
    await record_run_change(call, run)


RUN_ROUTES = [
    Route(
        method="POST",
        path=WORKSPACE + "runs",
        aliases=(WORKSPACE + "agent-runs",),
        handler=create_run,
        scope="agents.runs:write",
        name="create_agent_run",
        may_conflict=True,
        summary="Ask an agent to run",
        role=GUEST,
        status=201,
        body=AgentRunIn,
        shown=AgentRunOut,
        event="agent_run_create",
        face=RUNS_V1,
    ),
    Route(
        method="PATCH",
        path=WORKSPACE + "runs/{run_id}",
        aliases=(WORKSPACE + "agent-runs/{run_id}",),
        handler=update_run,
        scope="agents.runs:write",
        name="update_agent_run",
        summary="Link an agent run to the agent's own log",
        role=MEMBER,
        body=AgentRunChanges,
        partial=True,
        shown=AgentRunOut,
        event="agent_run.updated",
        face=RUNS_V1,
    ),
    Route(
        method="POST",
        path=WORKSPACE + "runs/{run_id}/stop",
        aliases=(WORKSPACE + "agent-runs/{run_id}/stop",),
        handler=stop_run,
        scope="agents.runs:write",
        name="stop_agent_run",
        may_conflict=True,
        summary="Ask an agent to stop its run",
        role=GUEST,
        shown=AgentRunOut,
        event="agent_run_user_prompt",
        face=RUNS_V1,
    ),
]
