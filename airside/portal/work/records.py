"""A plain page for every kind of record that has none of its own: its list, one record, and its history.

Read only: authors look there at what their apps did. Drawn from the API's table, and read through its operations:
a person sees what the API would answer them.
"""

from collections.abc import Mapping
from typing import Any, cast

from falcon.asgi import Request, Response

from airside.db.base import Row
from airside.errors import NotFound
from airside.host.chosen import host_of
from airside.portal.pagination import read_page
from airside.portal.work.acting import Work, WorkPage
from airside.portal.work.people import NOBODY
from airside.portal.work.presentation import show_project
from airside.portal.work.record_kinds import KINDS, Kind, kinds_below
from airside.portal.work.record_values import (
    Names,
    find_names,
    show_changes,
    show_facts,
    show_fields,
    title_of,
)
from airside.rest.call import Access, Call
from airside.rest.history import list_history
from airside.runtime.site import Site

PER_PAGE = 50
BELOW = 20  # records of each list that a record's page shows
ENTRIES = 100  # of its history


class RecordList(WorkPage):
    """GET /<workspace>/projects/<id>/records/<kind>/?page=N, and the same for the workspace's."""

    def __init__(self, site: Site, access: Access, kind: Kind) -> None:
        super().__init__(site, access)
        self._kind = kind

    async def on_get(self, req: Request, resp: Response, slug: str, **path: str) -> None:
        work = await self.enter(req, resp, slug)
        here = f"{work.here}/{self._kind.path.format(**path)}/"
        page = read_page(req, here, PER_PAGE)
        call = await work.enter(self._kind.route, path)
        rows, has_more = await _list(work, self._kind, path, PER_PAGE, page.number - 1)
        names = await find_names(work, self._kind.face, rows)
        work.visit.show(
            "work/records.html",
            project=_show_project(work, call),
            title=self._kind.title,
            crumbs=_crumbs(work, call, self._kind, path)[:-1],
            tabs=list_tabs(work, call, self._kind),
            records=[_show(work, self._kind, path, row, names) for row in rows],
            page=page._replace(has_more=has_more, shown=len(rows)).links(),
        )


class RecordPage(WorkPage):
    """GET /<workspace>/projects/<id>/records/<kind>/<record>/, and the same for the workspace's."""

    def __init__(self, site: Site, access: Access, kind: Kind) -> None:
        super().__init__(site, access)
        self._kind = kind

    async def on_get(self, req: Request, resp: Response, slug: str, **path: str) -> None:
        work = await self.enter(req, resp, slug)
        kind, retrieve = self._kind, self._kind.retrieve or self._kind.route
        call = await work.enter(retrieve, path)
        try:
            row: Row = await retrieve.handler(call)
        except NotFound:
            if not kind.is_single:
                raise
            _show_nothing(work, call, kind, path)
            return
        key = {kind.face.key: row["id"]}
        entries = await list_history(self.site.db, work.visit.workspace_id, row["id"], ENTRIES)
        actors = [entry["actor_id"] for entry in entries]
        named = [
            row,
            *({str(place): change for place, change in enumerate(_values(entry))} for entry in entries),
        ]
        names = await find_names(work, kind.face, named, row.get("created_by"), *actors)
        work.visit.show(
            "work/record.html",
            project=_show_project(work, call),
            title=title_of(row),
            noun=kind.noun,
            crumbs=_crumbs(work, call, kind, path)[: -1 if kind.is_single else None],
            is_archived=bool(row.get("archived_at")),
            created_at=row.get("created_at"),
            updated_at=row.get("updated_at"),
            fields=await show_fields(row, names),
            creator=names.people.get(row.get("created_by") or "", NOBODY),
            below=[await _show_below(work, one, {**path, **key}) for one in kinds_below(kind)],
            history=[_show_entry(entry, names) for entry in entries],
        )


def record_routes(site: Site) -> list[tuple[str, object]]:
    """Path without its trailing slash → resource."""
    access = host_of(site).access
    routes: list[tuple[str, object]] = []
    for kind in KINDS:
        page = RecordPage if kind.is_single else RecordList
        routes.append((f"/{{slug}}/{kind.path}", page(site, access, kind)))
        if kind.has_page:
            routes.append((f"/{{slug}}/{kind.path}/{_key(kind)}", RecordPage(site, access, kind)))
    return routes


def first_workspace_path(work: Work) -> str:
    """The page of a kind that the workspace itself has; "" if there is none."""
    found = next((kind for kind in KINDS if kind.is_main and not kind.in_project), None)
    return f"{work.here}/{found.path}/" if found else ""


def list_tabs(work: Work, call: Call, here: Kind | None) -> list[tuple[str, str, bool, None]]:
    """The kinds of records of the project or workspace, without those whose feature is off."""
    path = {"project_id": call.project_id} if call.project else {}
    found = [
        (kind.title, f"{work.here}/{kind.path.format(**path)}/", kind is here, None)
        for kind in KINDS
        if kind.is_main and kind.in_project == bool(call.project) and _is_used(call, kind)
    ]
    if not call.project:
        return found
    items = f"{work.here}/projects/{call.project_id}/work-items/"
    return [("Work items", items, here is None, None), *found]


def _is_used(call: Call, kind: Kind) -> bool:
    feature = kind.route.feature
    return feature is None or call.access.is_feature_on(call, feature)


def _key(kind: Kind) -> str:
    assert kind.retrieve is not None
    return kind.retrieve.path.rpartition("/")[2]


async def _list(
    work: Work, kind: Kind, path: Mapping[str, str], size: int, number: int = 0
) -> tuple[list[Row], bool]:
    """Records of one page, and whether there are more."""
    query = {"per_page": size, "cursor": f"{size}:{number}:0"} if kind.route.paged else {}
    answer = await work.perform(kind.route, path, query=query)
    if not isinstance(answer, list):
        return answer["results"], answer["next_page_results"]
    rows, start = cast("list[Row]", answer), number * size  # a list without pages
    return rows[start : start + size], len(rows) > start + size


def _show(work: Work, kind: Kind, path: Mapping[str, str], row: Row, names: Names) -> dict[str, Any]:
    href = ""
    if kind.is_of_items:
        href = f"{work.here}/browse/{row['id']}/"
    elif kind.has_page:
        href = f"{work.here}/{kind.path.format(**path)}/{row['id']}/"
    return {"title": title_of(row), "href": href, "facts": show_facts(row, names)}


def _show_nothing(work: Work, call: Call, kind: Kind, path: Mapping[str, str]) -> None:
    work.visit.show(
        "work/records.html",
        project=_show_project(work, call),
        title=kind.title,
        crumbs=_crumbs(work, call, kind, path)[:-1],
        tabs=list_tabs(work, call, kind),
        records=[],
        page={},
    )


async def _show_below(work: Work, kind: Kind, path: Mapping[str, str]) -> dict[str, Any]:
    try:
        rows, has_more = await _list(work, kind, path, BELOW)
    except NotFound:
        rows, has_more = [], False
    names = await find_names(work, kind.face, rows)
    return {
        "title": kind.title,
        "records": [_show(work, kind, path, row, names) for row in rows],
        "href": f"{work.here}/{kind.path.format(**path)}/" if has_more else "",
    }


def _crumbs(work: Work, call: Call, kind: Kind, path: Mapping[str, str]) -> list[tuple[str, str]]:
    crumbs = [("Projects", f"{work.here}/projects/")]
    if call.project:
        crumbs.append((call.project["name"], f"{work.here}/projects/{call.project_id}/work-items/"))
    return [*crumbs, (kind.title, f"{work.here}/{kind.path.format(**path)}/")]


def _show_project(work: Work, call: Call) -> dict[str, Any] | None:
    return show_project(work.here, call.project, call.project_role) if call.project else None


def _values(entry: Row) -> list[Any]:
    return [value for change in entry["changes"] for value in change[1:]]


def _show_entry(entry: Row, names: Names) -> dict[str, Any]:
    return {
        "actor": names.people.get(entry["actor_id"] or "", NOBODY),
        "noun": entry["noun"].lower(),
        "action": entry["action"],
        "changes": show_changes(entry["changes"], names),
        "at": entry["created_at"],
    }
