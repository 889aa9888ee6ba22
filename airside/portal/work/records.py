"""A plain page for every kind of record that has none of its own: its list, one record, and its history.

Read only: authors look there at what their apps did. Drawn from the API's table, and read through its operations:
a person sees what the API would answer them.
"""

from collections.abc import Mapping
from typing import Any

from falcon.asgi import Request, Response

from airside.db.base import Row
from airside.errors import NotFound
from airside.host.chosen import host_of
from airside.portal.pagination import read_page
from airside.portal.work.acting import Work, WorkPage
from airside.portal.work.people import NOBODY
from airside.portal.work.presentation import show_project
from airside.portal.work.progress_bar import read_progress
from airside.portal.work.record_kinds import KINDS, Kind
from airside.portal.work.record_names import Names, find_names, is_named, list_href
from airside.portal.work.record_rows import NOTHING, Listed, is_used, list_below, list_page, show_rows
from airside.portal.work.record_values import show_changes, show_fields, title_of
from airside.portal.work.record_words import words_for
from airside.rest.call import Access, Call
from airside.rest.history import list_history
from airside.rest.record import ADMIN
from airside.runtime.site import Site
from airside.work.pages.tables import PRIVATE

PER_PAGE = 50
ENTRIES = 100  # of a record's history
VERBS = {"created": "made", "updated": "changed", "deleted": "removed"}
HELD = {"created": "added", "updated": "moved", "deleted": "removed"}


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
        if not is_used(call, self._kind):
            show_feature_off(work, call, self._kind, path)
            return
        rows, has_more = await list_page(work, self._kind, path, PER_PAGE, page.number - 1)
        _show_list(
            work,
            call,
            self._kind,
            path,
            here=f"{here}?page={page.number}" if page.number > 1 else here,
            listed=await show_rows(work, call, self._kind, path, rows),
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
        if not is_used(call, kind):
            show_feature_off(work, call, kind, path)
            return
        try:
            row: Row = await retrieve.handler(call)
        except NotFound:
            if not kind.is_single:
                raise
            _show_list(work, call, kind, path, here=f"{work.here}/{kind.path.format(**path)}/")
            return
        await _show_record(work, call, kind, path, row)


async def _show_record(work: Work, call: Call, kind: Kind, path: Mapping[str, str], row: Row) -> None:
    entries = await list_history(work.site.db, work.visit.workspace_id, row["id"], ENTRIES)
    changed = [{str(place): value for place, value in enumerate(_values(entry))} for entry in entries]
    actors = [entry["actor_id"] for entry in entries]
    names = await find_names(work, call, kind.face, [row, *changed], row.get("created_by"), *actors)
    below = await list_below(work, call, kind, path, row)
    work.visit.show(
        "work/record.html",
        project=_show_project(work, call),
        live=_live(work, call),
        here=_href_of(work, kind, path, row),
        title=title_of(row),
        noun=kind.noun,
        crumbs=_crumbs(work, call, kind, path)[: -1 if kind.is_single else None],
        badges=_badges(row),
        created_at=row.get("created_at"),
        updated_at=row.get("updated_at"),
        progress=read_progress(row),
        fields=await show_fields(kind.face, row, names, elsewhere=[one.field for one in below]),
        creator=names.people.get(row.get("created_by") or "", NOBODY),
        below=below,
        history=[_show_entry(kind, entry, names) for entry in entries],
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
    found = [
        (kind.title, list_href(work, call, kind), kind is here, None)
        for kind in KINDS
        if kind.is_main and kind.in_project == bool(call.project) and is_used(call, kind)
    ]
    if not call.project:
        return found
    items = f"{work.here}/projects/{call.project_id}/work-items/"
    return [("Work items", items, here is None, None), *found]


def _href_of(work: Work, kind: Kind, path: Mapping[str, str], row: Row) -> str:
    end = "" if kind.is_single else f"{path[_key(kind).strip('{}')]}/"
    return f"{work.here}/{kind.path.format(**path)}/{end}"


def _live(work: Work, call: Call) -> str:
    """The topic of what changes with the records."""
    return f"project:{call.project_id}" if call.project else f"workspace:{work.visit.workspace_id}"


def _key(kind: Kind) -> str:
    assert kind.retrieve is not None
    return kind.retrieve.path.rpartition("/")[2]


def _show_list(
    work: Work,
    call: Call,
    kind: Kind,
    path: Mapping[str, str],
    *,
    here: str,
    listed: Listed = NOTHING,
    page: Any = None,
    off: dict[str, str] | None = None,
) -> None:
    work.visit.show(
        "work/records.html",
        project=_show_project(work, call),
        live=_live(work, call),
        here=here,
        title=kind.title,
        crumbs=_crumbs(work, call, kind, path)[:-1],
        tabs=list_tabs(work, call, kind),
        listed=listed,
        page=page or {},
        off=off,
    )


def show_feature_off(work: Work, call: Call, kind: Kind, path: Mapping[str, str]) -> None:
    """In place of the records of a feature that isn't used; what the API holds stays there."""
    place = "project" if call.project else "workspace"
    can_switch = bool(call.project) and call.project_role >= ADMIN
    off = {
        "title": f"{words_for(kind.feature or '')} are turned off",
        "sentence": f"They are hidden in this {place}. The API still reads what there is.",
        "href": f"{work.here}/projects/{call.project_id}/settings/" if can_switch else "",
    }
    _show_list(work, call, kind, path, here=f"{work.here}/{kind.path.format(**path)}/", off=off)


def _badges(row: Row) -> list[str]:
    marks = {
        "Archived": row.get("archived_at"),
        "Locked": row.get("is_locked"),
        "Private": row.get("access") == PRIVATE,
    }
    return [words for words, is_marked in marks.items() if is_marked]


def _crumbs(work: Work, call: Call, kind: Kind, path: Mapping[str, str]) -> list[tuple[str, str]]:
    crumbs = [("Projects", f"{work.here}/projects/")]
    if call.project:
        crumbs.append((call.project["name"], f"{work.here}/projects/{call.project_id}/work-items/"))
    return [*crumbs, (kind.title, f"{work.here}/{kind.path.format(**path)}/")]


def _show_project(work: Work, call: Call) -> dict[str, Any] | None:
    return show_project(work.here, call.project, call.project_role) if call.project else None


def _values(entry: Row) -> list[Any]:
    return [value for name, *values in entry["changes"] if is_named(name) for value in values]


def _show_entry(kind: Kind, entry: Row, names: Names) -> dict[str, Any]:
    noun, is_own = entry["noun"].lower(), entry["noun"] == kind.face.record.noun
    is_held = not is_own and noun.endswith("work item")  # in a cycle, a module, a milestone
    verbs = HELD if is_held else VERBS
    article = "this" if is_own else "an" if noun.startswith(tuple("aeio")) else "a"
    return {
        "actor": names.people.get(entry["actor_id"] or "", NOBODY),
        "words": f"{verbs.get(entry['action'], entry['action'])} {article} {'work item' if is_held else noun}",
        "changes": show_changes(kind.face, entry["changes"], names),
        "at": entry["created_at"],
    }
