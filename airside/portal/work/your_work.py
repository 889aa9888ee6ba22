"""The work items of all projects that are assigned to the person."""

from typing import Any

from falcon.asgi import Request, Response

from airside.db.base import Row
from airside.portal.pagination import read_page
from airside.portal.work import operations
from airside.portal.work.acting import Work, WorkPage
from airside.portal.work.items import LISTED
from airside.portal.work.presentation import find_setting, people_of, show_item, today_of
from airside.rest.call import Call

PER_PAGE = 30
VIEWS = {
    "": ("To do", "assignee = currentUser() and state_group in (backlog, unstarted, started)"),
    "done": ("Done", "assignee = currentUser() and state_group in (completed, cancelled)"),
    "made": ("Created by you", "created_by = currentUser()"),
}


class YourWork(WorkPage):
    """GET /<workspace>/your-work/?view=…&page=N"""

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        work = await self.enter(req, resp, slug)
        view = req.get_param("view") or ""
        view = view if view in VIEWS else ""
        here = f"{work.here}/your-work/"
        page = read_page(req, here + (f"?view={view}" if view else ""), PER_PAGE)
        answer = await work.perform(
            operations.LIST_ITEMS_OF_WORKSPACE,
            query={
                "pql": VIEWS[view][1],
                "order_by": "priority",
                "per_page": PER_PAGE,
                "cursor": f"{PER_PAGE}:{page.number - 1}:0",
                "fields": LISTED,
            },
        )
        items = await show_items(work, answer["results"])
        page = page._replace(has_more=answer["next_page_results"], shown=len(items))
        work.visit.show(
            "work/your_work.html",
            items=items,
            view=view,
            here=here,
            views=[
                (words, f"{here}?view={one}" if one else here, one == view, None)
                for one, (words, _) in VIEWS.items()
            ],
            page=page.links(),
        )


async def show_items(work: Work, rows: list[Row]) -> list[dict[str, Any]]:
    """Work items of several projects, each with its own project's states and labels."""
    people, today = await people_of(work, rows), today_of(work)
    settings = {
        one: await find_setting(work, await _enter(work, one)) for one in {row["project"] for row in rows}
    }
    return [
        show_item(work, settings[row["project"]], row, people, today)
        | {"project": settings[row["project"]].project}
        for row in rows
    ]


async def _enter(work: Work, project_id: str) -> Call:
    return await work.enter(operations.LIST_STATES, {"project_id": project_id})
