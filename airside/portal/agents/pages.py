"""All agents of a workspace, all runs of an agent, and one run; stopping it, and answering what it asks."""

from contextlib import suppress
from datetime import timedelta
from html import escape
from typing import Any

from falcon.asgi import Request, Response

from airside.agents.activities import ACTIVITY_ROUTES
from airside.agents.directory import Agent, find_agents, list_agents
from airside.agents.queries import count_runs, find_runs, list_activities
from airside.agents.resources import RUNS_V1
from airside.agents.runs import RUN_ROUTES
from airside.agents.statuses import PROMPT, STATUSES
from airside.db.base import Row, new_id
from airside.errors import Conflict, NotFound
from airside.host.chosen import host_of
from airside.portal.agents.presentation import WORDS, show_question, show_run
from airside.portal.logos import shown_picture
from airside.portal.pagination import read_page
from airside.portal.rendering import redirect
from airside.portal.work.acting import Work, WorkPage
from airside.portal.work.people import find_people
from airside.portal.work.presentation import item_href
from airside.portal.work.writing import show_markdown
from airside.rest.routes import verb_route
from airside.rest.verbs import in_transaction
from airside.rich_text.html import clean_html, off_loop
from airside.rich_text.markdown import LARGE

PAGE = 50
RECENT = timedelta(days=30)  # period that an agent's counts cover

LIST_RUNS, SHOW_RUN = verb_route(RUNS_V1, "list"), verb_route(RUNS_V1, "retrieve")
STOP_RUN = next(route for route in RUN_ROUTES if route.name == "stop_agent_run")
CREATE_ACTIVITY = ACTIVITY_ROUTES[0]


class Agents(WorkPage):
    """GET /<workspace>/agents/"""

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        work = await self.enter(req, resp, slug)
        db, workspace_id = self.site.db, work.visit.workspace_id
        agents = await list_agents(db, workspace_id)
        counts = await count_runs(db, workspace_id, self.site.clock.now() - RECENT)
        work.visit.show(
            "agents/list.html",
            agents=[_show_agent(work, agent, counts.get(agent.bot_user_id)) for agent in agents],
        )


class AgentRuns(WorkPage):
    """GET /<workspace>/agents/<agent's user id>/: all of its runs, newest first."""

    async def on_get(self, req: Request, resp: Response, slug: str, agent_id: str) -> None:
        work = await self.enter(req, resp, slug)
        here = f"{work.here}/agents/{agent_id}/"
        agent = (await find_agents(self.site.db, work.visit.workspace_id, [agent_id])).get(agent_id)
        status = req.get_param("status") or ""
        status = status if status in STATUSES else ""
        page = read_page(req, here + (f"?status={status}" if status else ""), PAGE)
        query = {"agent_user": agent_id, "per_page": PAGE, "cursor": f"{PAGE}:{page.number - 1}:0"}
        found = await work.perform(LIST_RUNS, query=query | ({"status": status} if status else {}))
        if agent is None and not found["total_count"]:
            raise NotFound("There is no such agent, or nothing that it did is yours to see.")
        runs = await _show_runs(work, [row["id"] for row in found["results"]])
        page = page._replace(has_more=found["next_page_results"], shown=len(runs))
        counts = await count_runs(self.site.db, work.visit.workspace_id, self.site.clock.now() - RECENT)
        person = (await find_people(self.site.db, [agent_id])).get(agent_id)
        work.visit.show(
            "agents/runs.html",
            agent=_show_agent(work, agent, counts.get(agent_id)) if agent else None,
            name=agent.name if agent else person.name if person else "",
            here=here,
            runs=runs,
            asked=status,
            statuses=[(one, words) for one, (words, _) in WORDS.items()],
            page=page.links(),
        )


class AgentRun(WorkPage):
    """GET /<workspace>/agents/runs/<id>/: all activities of the run."""

    async def on_get(self, req: Request, resp: Response, slug: str, run_id: str) -> None:
        work = await self.enter(req, resp, slug)
        await work.perform(SHOW_RUN, {"run_id": run_id})
        (run,) = await _show_runs(work, [run_id])
        people = await find_people(self.site.db, (step["actor_id"] for step in run["steps"]))
        run["steps"] = await _render_steps(run["steps"])
        work.visit.show("agents/run.html", run=run, people=people)


class StopRun(WorkPage):
    """POST /<workspace>/agents/runs/<id>/stop/"""

    async def on_post(self, req: Request, resp: Response, slug: str, run_id: str) -> None:
        work, _ = await self.take_form(req, resp, slug)
        with suppress(Conflict):  # the run had already ended
            await work.perform(STOP_RUN, {"run_id": run_id})
        redirect(self.site, resp, await _href_of(work, run_id))


class AnswerRun(WorkPage):
    """POST /<workspace>/agents/runs/<id>/answer/: an option that the agent offers, chosen by its button."""

    creates = True

    async def on_post(self, req: Request, resp: Response, slug: str, run_id: str) -> None:
        work, form = await self.take_form(req, resp, slug)
        run = await work.perform(SHOW_RUN, {"run_id": run_id})
        labels = await self._read_choice(work, run, form.texts("option"))
        if labels:
            await _reply(work, run, ", ".join(labels))
        redirect(self.site, resp, await _href_of(work, run_id))

    async def _read_choice(self, work: Work, run: Row, chosen: list[str]) -> list[str]:
        """The labels of the chosen options; options that are no longer offered are ignored."""
        activities = await list_activities(self.site.db, work.visit.workspace_id, [run["id"]])
        question = show_question(run, activities[run["id"]])
        options: list[Row] = question["options"] if question else []
        labels = [one["label"] for one in options if one["id"] in chosen]
        return labels if question and question["allow_multiple"] else labels[:1]


async def _reply(work: Work, run: Row, text: str) -> None:
    """Post a reply in the work item's thread; a run without a thread gets a prompt activity instead."""
    if run["comment"] and run["issue"] and run["project"] and await _write_reply(work, run, text):
        return
    content = {"type": PROMPT, "body": text}
    await work.perform(CREATE_ACTIVITY, {"run_id": run["id"]}, body={"type": PROMPT, "content": content})


async def _write_reply(work: Work, run: Row, text: str) -> bool:
    """False when the thread was deleted. Raises NotFound and Forbidden as commenting does."""
    host = host_of(work.site)
    call = await work.enter(CREATE_ACTIVITY, {"run_id": run["id"], "project_id": run["project"]})
    thread = await host.find_comment(call, run["comment"], run["issue"])
    if thread is None or await host.locate_item(call, thread.item_id, run["project"]) is None:
        return False
    cleaned = await clean_html(f"<p>{escape(text)}</p>", "option")
    await in_transaction(
        call,
        lambda: host.write_comment(
            call, comment_id=new_id(), item_id=thread.item_id, thread_id=thread.id, text=cleaned
        ),
    )
    return True


async def _href_of(work: Work, run_id: str) -> str:
    """The page that shows the run: its work item's, else its own."""
    (run,) = await _show_runs(work, [run_id])
    return run["item"]["href"] if run["item"] else run["href"]


async def _show_runs(work: Work, ids: list[str]) -> list[dict[str, Any]]:
    """In the order of the ids, each with its work item where it has one."""
    db, workspace_id, now = work.site.db, work.visit.workspace_id, work.site.clock.now()
    rows = await find_runs(db, workspace_id, ids)
    activities = await list_activities(db, workspace_id, ids)
    people = await find_people(
        db, (row[name] for row in rows.values() for name in ("agent_user_id", "creator_id"))
    )
    items = await _find_items(work, [row["issue_id"] for row in rows.values() if row["issue_id"]])
    return [
        show_run(work.here, rows[one], activities[one], people, now)
        | {"item": items.get(rows[one]["issue_id"]), "depth": rows[one]["depth"]}
        for one in ids
        if one in rows
    ]


async def _render_steps(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Render their Markdown bodies as HTML."""

    def render() -> list[dict[str, Any]]:
        return [step | {"html": show_markdown(step["body"])} for step in steps]

    return await off_loop(sum(len(step["body"]) for step in steps), render, LARGE)


async def _find_items(work: Work, ids: list[str]) -> dict[str, dict[str, str]]:
    items = await host_of(work.site).name_items(work.site.db, work.visit.workspace_id, ids)
    return {
        item.id: {
            "key": item.key,
            "name": item.name,
            "href": work.site.settings.work_url(item_href(work.here, item.key, item.id)),
        }
        for item in items.values()
    }


def _show_agent(work: Work, agent: Agent, counts: Row | None) -> dict[str, Any]:
    return {
        "id": agent.bot_user_id,
        "name": agent.name,
        "logo_url": shown_picture(agent.logo_url),
        "about": agent.short_description,
        "href": f"{work.here}/agents/{agent.bot_user_id}/",
        "installed_href": f"{work.here}/settings/integrations/{agent.installation_id}/",
        **{name: int(counts[name] or 0) if counts else 0 for name in ("runs", "open", "failed", "refused")},
    }
