"""The pages that are linked to a work item, those that the person sees."""

from collections.abc import Mapping

import sqlalchemy as sa

from airside.db.conditions import tenant
from airside.db.statements import Statement, any_of
from airside.portal.work import operations
from airside.portal.work.acting import Work
from airside.work.pages.tables import pages

MAX_SHOWN = 100

_PROJECTS = Statement(
    sa.select(pages.c.id, pages.c.project_id).where(tenant(pages), any_of(pages.c.id, "ids"))
)


async def list_linked_pages(work: Work, path: Mapping[str, str]) -> list[dict[str, str]]:
    """Name and address of each page, newest link first; `path` names the work item."""
    answer = await work.perform(operations.LIST_ITEM_PAGES, path, query={"per_page": MAX_SHOWN})
    linked = [link["page"] for link in answer["results"]]
    if not linked:
        return []
    ids = [page["id"] for page in linked]
    rows = await work.site.db.fetch_all(_PROJECTS, workspace_id=work.visit.workspace_id, ids=ids)
    projects = {row["id"]: row["project_id"] for row in rows}
    return [
        {"name": page["name"], "href": _href_of(work, page["id"], projects[page["id"]])} for page in linked
    ]


def _href_of(work: Work, page_id: str, project_id: str | None) -> str:
    below = f"/projects/{project_id}" if project_id else ""
    return f"{work.here}{below}/records/pages/{page_id}/"
