"""The workspace's projects, as far as the person may see them."""

import sqlalchemy as sa
from falcon.asgi import Request, Response

from airside.db.base import Id, Row
from airside.db.database import Reader
from airside.db.statements import Statement, any_of
from airside.identity.storable import is_id
from airside.installations.project_choice import MOST
from airside.portal.pages_of import PageOf, cut_page, read_page
from airside.portal.visit import Page, Visit, enter_workspace
from airside.site import Site
from airside.work.access import PUBLIC
from airside.work.projects.tables import project_members, projects
from airside.work.work_items.tables import work_items
from airside.workspaces.roles import ADMIN, MEMBER

PER_PAGE = 50


class Projects(Page):
    """GET /<workspace>/projects/?page=N"""

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        visit = await enter_workspace(self.site, req, resp, slug)
        page = read_page(req, f"{visit.here}/projects/", PER_PAGE)
        page, found = cut_page(page, await self._list(visit, page))
        ids = [project["id"] for project in found]
        members = await _count(self.site.db, _MEMBERS, visit.workspace_id, ids)
        items = await _count(self.site.db, _WORK_ITEMS, visit.workspace_id, ids)
        shown = [
            {
                "name": project["name"],
                "identifier": project["identifier"],
                "description": project["description"][:200],
                "logo_url": "",
                "member_count": members.get(project["id"], 0),
                "work_item_count": items.get(project["id"], 0),
            }
            for project in found
        ]
        visit.show("projects/list.html", projects=shown, page=page.links())

    async def _list(self, visit: Visit, page: PageOf) -> list[Row]:
        """One more than a page shows. The same rule as the API's list of projects."""
        window = {"workspace_id": visit.workspace_id, "limit": PER_PAGE + 1, "offset": page.offset}
        if visit.role == ADMIN:
            return await self.site.db.fetch_all(_ALL, **window)
        statement = _OWN_AND_PUBLIC if visit.role >= MEMBER else _OWN
        return await self.site.db.fetch_all(statement, user_id=visit.user_id, **window)


async def list_choosable(site: Site, workspace_id: str) -> list[Row]:
    """The projects that an app can be let into, by name: `id`, `name`, `identifier`."""
    window = {"workspace_id": workspace_id, "limit": MOST, "offset": 0}
    return await site.db.fetch_all(_ALL, **window) if is_id(workspace_id) else []


async def _count(reader: Reader, statement: Statement, workspace_id: str, ids: list[str]) -> dict[str, int]:
    rows = await reader.fetch_all(statement, workspace_id=workspace_id, ids=ids)
    return {row["project_id"]: row["total"] for row in rows}


_p, _m, _w = projects.c, project_members.c, work_items.c
_workspace_id = sa.bindparam("workspace_id", type_=Id())


def _listing(*conditions: sa.ColumnElement[bool]) -> Statement:
    return Statement(
        sa.select(_p.id, _p.name, _p.identifier, _p.description)
        .where(_p.workspace_id == _workspace_id, _p.deleted_at.is_(None), _p.archived_at.is_(None))
        .where(*conditions)
        .order_by(_p.name, _p.id)
        .limit(sa.bindparam("limit", type_=sa.Integer()))
        .offset(sa.bindparam("offset", type_=sa.Integer()))
    )


_own = _p.id.in_(
    sa.select(_m.project_id).where(
        _m.workspace_id == _workspace_id,
        _m.member_id == sa.bindparam("user_id", type_=Id()),
        _m.deleted_at.is_(None),
    )
)
_ALL, _OWN, _OWN_AND_PUBLIC = _listing(), _listing(_own), _listing(sa.or_(_p.network == PUBLIC, _own))
_MEMBERS = Statement(
    sa.select(_m.project_id, sa.func.count().label("total"))
    .where(_m.workspace_id == _workspace_id, any_of(_m.project_id, "ids"), _m.deleted_at.is_(None))
    .group_by(_m.project_id)
)
_WORK_ITEMS = Statement(
    sa.select(_w.project_id, sa.func.count().label("total"))
    .where(_w.workspace_id == _workspace_id, any_of(_w.project_id, "ids"), _w.deleted_at.is_(None))
    .group_by(_w.project_id)
)
