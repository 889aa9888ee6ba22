"""Posts an agent's Markdown as a comment by its bot in the run's thread."""

from airside.agents.tables import agent_runs
from airside.db.base import Row
from airside.rest.call import Call
from airside.rich_text.html import Cleaned, clean_now, off_loop
from airside.rich_text.markdown import LARGE, render_markdown
from airside.work.work_items.comments import comments, write_comment
from airside.work.work_items.tables import work_items


async def render_answer(text: str) -> Cleaned:
    """Render Markdown to a comment's HTML. HTML that comments allow, such as mentions, is kept.

    Raises Invalid for content that a comment can't hold."""
    return await off_loop(len(text), lambda: clean_now(render_markdown(text), "content"), LARGE)


async def can_answer(call: Call, run: Row) -> bool:
    """Whether the run has a work item to comment on. Enters its project; raises NotFound without access."""
    if run["issue_id"] is None or run["project_id"] is None:
        return False
    item = await call.reader.find(work_items, workspace_id=call.workspace_id, id=run["issue_id"])
    if item is None or item["deleted_at"] is not None:
        return False
    await call.access.enter_project(call, run["project_id"])
    return True


async def write_answer(call: Call, run: Row, comment_id: str, text: Cleaned) -> None:
    """Write the comment as a reply in the run's thread, or as a new thread if the run has none."""
    parent_id = await _live_thread(call, run)
    await write_comment(
        call,
        comment_id=comment_id,
        work_item_id=run["issue_id"],
        parent_id=parent_id,
        text=text,
    )
    if parent_id is None:
        await call.writer.update(
            agent_runs, {"comment_id": comment_id}, workspace_id=call.workspace_id, id=run["id"]
        )
        run["comment_id"] = comment_id


async def _live_thread(call: Call, run: Row) -> str | None:
    if run["comment_id"] is None:
        return None
    root = await call.reader.find(comments, workspace_id=call.workspace_id, id=run["comment_id"])
    return root["id"] if root is not None and root["deleted_at"] is None else None
