"""Posts an agent's Markdown as a comment by its bot in the run's thread."""

from airside.agents.tables import agent_runs
from airside.db.base import Row
from airside.host.chosen import host_of
from airside.rest.call import Call
from airside.rich_text.html import Cleaned, clean_now, off_loop
from airside.rich_text.markdown import LARGE, render_markdown


async def render_answer(text: str) -> Cleaned:
    """Render Markdown to a comment's HTML. HTML that comments allow, such as mentions, is kept.

    Raises Invalid for content that a comment can't hold."""
    return await off_loop(len(text), lambda: clean_now(render_markdown(text), "content"), LARGE)


async def can_answer(call: Call, run: Row) -> bool:
    """Whether the run has a work item to comment on. Enters its project; raises NotFound without access."""
    if run["issue_id"] is None or run["project_id"] is None:
        return False
    if await host_of(call.site).locate_item(call, run["issue_id"], run["project_id"]) is None:
        return False
    await call.access.enter_project(call, run["project_id"])
    return True


async def write_answer(call: Call, run: Row, comment_id: str, text: Cleaned) -> None:
    """Write the comment as a reply in the run's thread, or as a new thread if the run has none."""
    thread_id = await host_of(call.site).write_comment(
        call, comment_id=comment_id, item_id=run["issue_id"], thread_id=run["comment_id"], text=text
    )
    if thread_id != run["comment_id"]:
        key = {"workspace_id": call.workspace_id, "id": run["id"]}
        await call.writer.update(agent_runs, {"comment_id": thread_id}, **key)
        run["comment_id"] = thread_id
