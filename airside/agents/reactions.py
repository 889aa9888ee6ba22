"""Change hooks that open or prompt runs for comments and assignments, in the transaction that writes these."""

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
from airside.agents.directory import find_agents, reaches
from airside.agents.mentions import find_mentions
from airside.agents.statuses import ACTIVE, COMPLETED, FINAL, RESPONSE
from airside.agents.tables import agent_run_activities
from airside.db.base import Row
from airside.rest.call import Call
from airside.rich_text.html import off_loop, weigh
from airside.runtime.site import Site
from airside.work.projects.tables import projects
from airside.work.work_items.comments import comments

MAX_ANCESTORS = 100  # of a reply; deeper replies start a new thread


def watch_work(site: Site) -> None:
    """Register the hooks for mentions and assignments of agents."""
    site.change_hooks.add("workitem.comment.created", react_to_comment)
    site.change_hooks.add("workitem.comment.updated", react_to_edit)
    site.change_hooks.add("workitem.created", react_to_assignees)
    site.change_hooks.add("workitem.updated", react_to_assignees)


async def react_to_comment(call: Call, before: Row | None, comment: Row) -> None:
    """A mention opens a run, a reply prompts the thread's run; a comment by an agent counts as its response."""
    mentioned = await _find_mentioned(call, comment, await _list_mentions(comment))
    for agent in mentioned.values():
        await notice_mention(call, agent, comment, before)
    if await is_by_bot(call):
        await _take_as_answer(call, comment)
        await _open_runs(call, comment, mentioned)
        return
    thread_id = await _find_thread(call, comment)
    talking = await list_runs_of_thread(call, thread_id) if comment["parent_id"] else {}
    for run in _addressed(talking, mentioned):
        await add_prompt(call, run, comment["comment_stripped"] or "…", comment["id"])
    await _open_runs(call, comment, {one: agent for one, agent in mentioned.items() if one not in talking})


async def react_to_edit(call: Call, before: Row | None, comment: Row) -> None:
    """Open runs for newly mentioned agents; an agent that has a run from this comment gets no second one."""
    known = await _list_mentions(before) if before else []
    added = [one for one in await _list_mentions(comment) if one not in known]
    mentioned = await _find_mentioned(call, comment, added)
    for agent in mentioned.values():
        await notice_mention(call, agent, comment, before)
    await _open_runs(call, comment, mentioned)


async def react_to_assignees(call: Call, before: Row | None, item: Row) -> None:
    """Assigning an agent opens a run, unless it has an active one on the item; unassigning does nothing."""
    known = before["assignees"] if before else []
    added = [one for one in item["assignees"] if one not in known]
    agents = await find_agents(call.reader, call.workspace_id, added) if added else {}
    for agent in agents.values():
        if agent["bot_user_id"] == call.caller.user_id or not reaches(agent, item["project_id"]):
            continue
        if before is None:
            await notice_assignment(call, agent, item)
        runs = await list_runs_of_agent(call, item["id"], agent["bot_user_id"])
        if any(run["status"] in ACTIVE for run in runs):
            continue
        prompt = await _describe_item(call, item)
        await open_run(
            call, NewRun(agent=agent, project_id=item["project_id"], issue_id=item["id"], prompt=prompt)
        )


async def _list_mentions(comment: Row) -> list[str]:
    text = comment["comment_html"]
    return await off_loop(weigh(text), lambda: find_mentions(text))


async def _find_mentioned(call: Call, comment: Row, ids: list[str]) -> dict[str, Row]:
    """The agents among these ids with access to the project, except the caller itself."""
    if not ids:
        return {}
    found = await find_agents(call.reader, call.workspace_id, ids)
    return {
        one: found[one]
        for one in ids
        if one in found and one != call.caller.user_id and reaches(found[one], comment["project_id"])
    }


def _addressed(talking: dict[str, Row], mentioned: dict[str, Row]) -> list[Row]:
    """The runs that a person's reply prompts: those of the agents it mentions, else all active ones, else the
    newest ended one."""
    if mentioned:
        return [talking[one] for one in mentioned if one in talking]
    active = [run for run in talking.values() if run["status"] in ACTIVE]
    return active or list(talking.values())[:1]


async def _open_runs(call: Call, comment: Row, agents: dict[str, Row]) -> None:
    thread_id = await _find_thread(call, comment) if agents else ""
    for agent in agents.values():
        runs = await list_runs_of_agent(call, comment["issue_id"], agent["bot_user_id"])
        if any(run["source_comment_id"] == comment["id"] for run in runs):
            continue
        if any(run["comment_id"] == thread_id and run["status"] in ACTIVE for run in runs):
            continue
        new = NewRun(
            agent=agent,
            project_id=comment["project_id"],
            issue_id=comment["issue_id"],
            thread_id=thread_id,
            source_comment_id=comment["id"],
            prompt=comment["comment_stripped"] or "…",
        )
        await open_run(call, new)


async def _take_as_answer(call: Call, comment: Row) -> None:
    """Record an agent's comment as its run's response: agents built on plane-adk don't use the runs API."""
    known = await call.reader.find(
        agent_run_activities, workspace_id=call.workspace_id, comment_id=comment["id"]
    )
    if known is not None:  # the comment was written by an activity
        return
    runs = await list_runs_of_agent(call, comment["issue_id"], call.caller.user_id)
    run = next((run for run in runs if run["status"] in (*ACTIVE, COMPLETED)), None)
    if run is None or run["status"] in FINAL or not comment["comment_stripped"]:
        return
    content = {"type": RESPONSE, "body": comment["comment_stripped"][:MAX_BODY]}
    await add_activity(call, run, NewActivity(type=RESPONSE, content=content, comment_id=comment["id"]))


async def _find_thread(call: Call, comment: Row) -> str:
    """The id of the thread's first comment, locked so that concurrent replies can't both open a run."""
    at, seen = comment, {comment["id"]}
    while at["parent_id"] and at["parent_id"] not in seen and len(seen) < MAX_ANCESTORS:
        parent = await call.reader.find(comments, workspace_id=call.workspace_id, id=at["parent_id"])
        if parent is None or parent["issue_id"] != comment["issue_id"]:
            break
        seen.add(parent["id"])
        at = parent
    await call.writer.lock(comments, workspace_id=call.workspace_id, id=at["id"])
    return at["id"]


async def _describe_item(call: Call, item: Row) -> str:
    project = await call.reader.find(projects, workspace_id=call.workspace_id, id=item["project_id"])
    name = f"{project['identifier'] if project else ''}-{item['sequence_id']} {item['name']}"
    return f"{name}\n\n{item['description_stripped']}"
