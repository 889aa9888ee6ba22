"""The operations on pages beside the usual ones: their lists, PUT and archiving, at both levels."""

from functools import partial
from typing import Any

from airside.rest.archive import archive_routes
from airside.rest.call import Call
from airside.rest.face import Face
from airside.rest.route import Route
from airside.rest.routes import place_of, pluralize
from airside.rest.selection import list_records
from airside.rest.shaping import shape_rows, shown_names
from airside.rest.verbs import list_all, update
from airside.rest.wires.v1.lists import read_order, read_shape
from airside.rest.wires.v1.paging import read_page, wrap_page
from airside.rest.wires.v1.query_parameters import list_query
from airside.work.pages.pages import PAGES_V1, TYPE, WORKSPACE_PAGES_V1, PageIn, PageOut, PageSummary

LISTED = shown_names(PageSummary)


async def list_pages(face: Face, call: Call) -> Any:
    """A page of the list; with an external id, the page that has it."""
    if call.query.get("external_id") and call.query.get("external_source"):
        return await list_all(face, call)
    page = read_page(call.query, face.page_size, face.page_limit)
    order, shape = read_order(face, call.query), read_shape(face, call.query)
    rows, total = await list_records(face, call, order, page.offset, page.size)
    shape = shape._replace(fields=LISTED) if shape.fields is None else shape
    return wrap_page(page, total, await shape_rows(call, face, rows, shape))


def _page_routes(face: Face, noun: str, where: str) -> list[Route]:
    name = noun.replace(" ", "_")
    listing = Route(
        **place_of(face),
        method="GET",
        handler=partial(list_pages, face),
        scope=f"{face.scope}:read",
        name=f"list_{pluralize(name)}",
        summary=f"List the pages of {where}",
        shown=PageSummary,
        paged=True,
        face=face,
        query={"type": TYPE.describe("type", default="all"), **list_query(face)},
    )
    putting = Route(
        **place_of(face, "/{page_id}"),
        method="PUT",  # as the SDK sends it; absent fields stay unchanged, as with PATCH
        handler=partial(update, face),
        scope=f"{face.scope}:write",
        name=f"put_{name}",
        may_conflict=True,
        summary=f"Update a {noun}; what isn't sent stays as it is",
        role=face.record.write_role,
        body=PageIn,
        partial=True,
        shown=PageOut,
        event="page.updated",
        face=face,
    )
    return [listing, putting, *archive_routes(face, noun)]


PAGE_ROUTES = _page_routes(PAGES_V1, "page", "a project")
WORKSPACE_PAGE_ROUTES = _page_routes(WORKSPACE_PAGES_V1, "workspace page", "the workspace")
