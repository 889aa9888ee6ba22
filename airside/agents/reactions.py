"""Opens and prompts runs for comments and assignments, in the transaction that stores their event."""

from airside.agents.activities import NewActivity, add_activity
from airside.agents.assignment_notices import notice_assignment, notice_mention
from airside.agents.content import MAX_BODY
from airside.agents.creation import (
    NewRun,
    add_prompt,
    is_by_bot,
    list_runs_of_agent,
    list_runs_of_thread,
    open_run,
)
from airside.agents.directory import Agent, find_agents, reaches
from airside.agents.mentions import find_mentions
from airside.agents.statuses import ACTIVE, COMPLETED, FINAL, RESPONSE
from airside.agents.tables import agent_run_activities
from airside.db.base import Row
from airside.host.chosen import host_of
from airside.host.protocol import Comment, Item, Watcher
from airside.rest.call import Call
from airside.rich_text.html import off_loop, weigh
from airside.runtime.site import Site


def watch_work(site: Site) -> None:
    """Follow the mentions and assignments of agents."""
    host_of(site).start(site, Watcher(react_to_comment, react_to_item))


async def react_to_comment(call: Call, before: Comment | None, comment: Comment) -> None:
    """React to a new or an edited comment."""
    if before is None:
        await _react_to_new(call, comment)
    else:
        await _react_to_edit(call, before, comment)


async def _react_to_new(call: Call, comment: Comment) -> None:
    """A mention opens a run, a reply prompts the thread's run; a comment by an agent counts as its response."""
    mentioned = await _find_mentioned(call, comment, await _list_mentions(comment))
    for agent in mentioned.values():
        await notice_mention(call, agent, comment, None)
    if await is_by_bot(call):
        await _take_as_answer(call, comment)
        await _open_runs(call, comment, mentioned)
        return
    thread_id = await host_of(call.site).lock_thread(call, comment)
    talking = await list_runs_of_thread(call, thread_id) if comment.parent_id else {}
    for run in _addressed(talking, mentioned):
        await add_prompt(call, run, comment.text or "…", comment.id)
    await _open_runs(call, comment, {one: agent for one, agent in mentioned.items() if one not in talking})


async def _react_to_edit(call: Call, before: Comment, comment: Comment) -> None:
    """Open runs for newly mentioned agents; an agent that has a run from this comment gets no second one."""
    known = await _list_mentions(before)
    added = [one for one in await _list_mentions(comment) if one not in known]
    mentioned = await _find_mentioned(call, comment, added)
    for agent in mentioned.values():
        await notice_mention(call, agent, comment, before)
    await _open_runs(call, comment, mentioned)


async def react_to_item(call: Call, before: Item | None, item: Item) -> None:
    """Assigning an agent opens a run, unless it has an active one on the item; unassigning does nothing."""
    known = before.assignees if before else list[str]()
    added = [one for one in item.assignees if one not in known]
    agents = await find_agents(call.reader, call.workspace_id, added) if added else {}
    for agent in agents.values():
        if agent.bot_user_id == call.caller.user_id or not reaches(agent, item.project_id):
            continue
        if before is None:
            await notice_assignment(call, agent, item)
        runs = await list_runs_of_agent(call, item.id, agent.bot_user_id)
        if any(run["status"] in ACTIVE for run in runs):
            continue
        prompt = f"{item.key} {item.name}\n\n{item.text}"
        new = NewRun(agent=agent, project_id=item.project_id, issue_id=item.id, prompt=prompt)
        await open_run(call, new)


async def _list_mentions(comment: Comment) -> list[str]:
    return await off_loop(weigh(comment.html), lambda: find_mentions(comment.html))


async def _find_mentioned(call: Call, comment: Comment, ids: list[str]) -> dict[str, Agent]:
    """The agents among these ids with access to the project, except the caller itself."""
    if not ids:
        return {}
    found = await find_agents(call.reader, call.workspace_id, ids)
    return {
        one: found[one]
        for one in ids
        if one in found and one != call.caller.user_id and reaches(found[one], comment.project_id)
    }


def _addressed(talking: dict[str, Row], mentioned: dict[str, Agent]) -> list[Row]:
    """The runs that a person's reply prompts: those of the agents it mentions, else all active ones, else the
    newest ended one."""
    if mentioned:
        return [talking[one] for one in mentioned if one in talking]
    active = [run for run in talking.values() if run["status"] in ACTIVE]
    return active or list(talking.values())[:1]


async def _open_runs(call: Call, comment: Comment, agents: dict[str, Agent]) -> None:
    thread_id = await host_of(call.site).lock_thread(call, comment) if agents else ""
    for agent in agents.values():
        runs = await list_runs_of_agent(call, comment.item_id, agent.bot_user_id)
        if any(run["source_comment_id"] == comment.id for run in runs):
            continue
        if any(run["comment_id"] == thread_id and run["status"] in ACTIVE for run in runs):
            continue
        new = NewRun(
            agent=agent,
            project_id=comment.project_id,
            issue_id=comment.item_id,
            thread_id=thread_id,
            source_comment_id=comment.id,
            prompt=comment.text or "…",
        )
        await open_run(call, new)


async def _take_as_answer(call: Call, comment: Comment) -> None:
    """Record an agent's comment as its run's response: agents built on plane-adk don't use the runs API."""
    known = await call.reader.find(
        agent_run_activities, workspace_id=call.workspace_id, comment_id=comment.id
    )
    if known is not None:  # the comment was written by an activity
        return
    runs = await list_runs_of_agent(call, comment.item_id, call.caller.user_id)
    run = next((run for run in runs if run["status"] in (*ACTIVE, COMPLETED)), None)
    if run is None or run["status"] in FINAL or not comment.text:
        return
    content = {"type": RESPONSE, "body": comment.text[:MAX_BODY]}
    await add_activity(call, run, NewActivity(type=RESPONSE, content=content, comment_id=comment.id))
