"""Search for work items in the whole workspace: by text, number or key, and by filters."""

import re
from datetime import date
from functools import lru_cache
from typing import Annotated, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from msgspec import Meta

from airside.db.base import Id, Row, is_uuid
from airside.db.conditions import tenant
from airside.db.statements import Statement
from airside.errors import Invalid
from airside.pql.values import MAX_NUMBER, MAX_TEXT, parse_key
from airside.rest.body import Body, Conditions, Text, Uuid
from airside.rest.call import Call
from airside.rest.face import Shown
from airside.rest.parameters import described
from airside.rest.route import Route
from airside.rest.wires.v1.lists import split_names
from airside.rest.wires.v1.paths import WORKSPACE
from airside.rest.wires.v1.query_parameters import fields_query
from airside.work.access import in_visible_projects
from airside.work.pql.compile import compile_pql
from airside.work.pql.text import contains_patterns, like_any
from airside.work.projects.tables import projects
from airside.work.work_items.filters import compile_filter_object
from airside.work.work_items.tables import LISTED, work_items

DEFAULT_LIMIT = 10  # as Plane's
MAX_LIMIT = 1000  # a larger limit is reduced to it

Clauses = tuple[sa.ColumnElement[bool], ...]


class FoundItem(Shown):
    id: str
    name: str
    sequence_id: int
    project__identifier: str
    project_id: str
    workspace__slug: str


class FoundItems(Shown):
    issues: list[FoundItem]


class AdvancedSearchIn(Body):
    example = {"query": "wheel"}

    query: Text | None = None
    filters: Conditions | None = None
    pql: Text | None = None
    limit: int | None = None
    project_id: Uuid | None = None
    workspace_search: bool | None = None


class AdvancedFoundItem(Shown):
    id: str
    name: str
    sequence_id: int
    project_identifier: str
    project_id: str
    workspace_id: str
    type_id: str | None
    state_id: str
    priority: str
    target_date: date | None
    start_date: date | None


class Search(NamedTuple):
    """The shape of the statement, which is its cache key."""

    patterns: int = 0  # number of LIKE patterns for the text; 0 without text
    described: bool = False  # search descriptions too
    keyed: bool = False  # the text is a key such as WEB-11
    numbered: bool = False  # the text is a number
    in_project: bool = False
    clauses: Clauses = ()


async def search_work_items(call: Call) -> Row:
    """GET work-items/search/: matches of the text, newest first; none without text, as in Plane."""
    words = _read_words("search", call.query.get("search") or call.query.get("q"))
    limit, project_id = _read_limit(call.query.get("limit")), _read_project(call)
    if not words:
        return {"issues": []}
    rows = await _find(call, Search(), words, limit, project_id)
    asked = split_names(call.query.get("fields", ""))
    found = [_show_found(call, row) for row in rows]
    return {"issues": [{name: row[name] for name in asked if name in row} if asked else row for row in found]}


def _show_found(call: Call, row: Row) -> Row:
    return {
        "name": row["name"],
        "id": row["id"],
        "sequence_id": row["sequence_id"],
        "project__identifier": row["project_identifier"],
        "project_id": row["project_id"],
        "workspace__slug": call.workspace["slug"],
    }


async def search_advanced(call: Call) -> list[Row]:
    """POST work-items/advanced-search/: text, also searched for in descriptions, and filters, joined by and."""
    sent = call.body
    words = _read_words("query", sent.get("query"))
    clauses: list[sa.ColumnElement[bool]] = []
    if sent.get("filters"):
        clauses.append(await compile_filter_object(sent["filters"], call))
    if sent.get("pql"):
        clauses.append(await compile_pql(sent["pql"], call))
    project_id = None if sent.get("workspace_search") else sent.get("project_id")
    search = Search(described=True, clauses=tuple(clauses))
    return await _find(call, search, words, _read_limit(sent.get("limit")), project_id)


async def _find(call: Call, search: Search, words: str, limit: int, project_id: str | None) -> list[Row]:
    seen = in_visible_projects(call, work_items.c.project_id)
    params = {**seen.params, "workspace_id": call.workspace_id, "limit": limit, "project_id": project_id}
    patterns, key = contains_patterns(words) if words else (), parse_key(words)
    params |= {f"pattern_{number}": pattern for number, pattern in enumerate(patterns)}
    number = int(words) if re.fullmatch("[0-9]{1,10}", words) else None
    if key is not None:
        params |= {"key_project": key.project, "key_sequence": key.sequence}
    if number is not None:
        params["number"] = min(number, MAX_NUMBER)
    shape = search._replace(
        patterns=len(patterns),
        keyed=key is not None,
        numbered=number is not None,
        in_project=project_id is not None,
        clauses=seen.clauses + search.clauses,
    )
    return await call.reader.fetch_all(_search_statement(shape), **params)


@lru_cache(256)
def _search_statement(search: Search) -> Statement:
    items = work_items.c
    found = (
        sa.select(
            items.id,
            items.name,
            items.sequence_id,
            projects.c.identifier.label("project_identifier"),
            items.project_id,
            items.workspace_id,
            items.type_id,
            items.state_id,
            items.priority,
            items.target_date,
            items.start_date,
        )
        .join(
            projects,
            sa.and_(projects.c.workspace_id == items.workspace_id, projects.c.id == items.project_id),
        )
        .where(tenant(work_items), *LISTED, *search.clauses)
    )
    if search.in_project:
        found = found.where(items.project_id == sa.bindparam("project_id", type_=Id()))
    exact = _exact(search)
    if search.patterns:
        found = found.where(sa.or_(*_wordings(search), *exact))
    if exact:  # exact matches of key or number come first
        found = found.order_by(sa.case((sa.or_(*exact), 0), else_=1))
    newest = (items.created_at.desc(), items.id.desc())
    return Statement(found.order_by(*newest).limit(sa.bindparam("limit", type_=sa.Integer())))


def _wordings(search: Search) -> list[sa.ColumnElement[bool]]:
    columns = [work_items.c.name, projects.c.identifier]
    if search.described:
        columns.append(work_items.c.description_stripped)
    patterns = [sa.bindparam(f"pattern_{number}", type_=sa.Text()) for number in range(search.patterns)]
    return [like_any(column, patterns) for column in columns]


def _exact(search: Search) -> list[sa.ColumnElement[bool]]:
    number = work_items.c.sequence_id
    found: list[sa.ColumnElement[bool]] = []
    if search.keyed:
        found.append(
            sa.and_(
                projects.c.identifier == sa.bindparam("key_project"),
                number == sa.bindparam("key_sequence", type_=sa.Integer()),
            )
        )
    if search.numbered:
        found.append(number == sa.bindparam("number", type_=sa.Integer()))
    return found


def _read_words(name: str, text: str | None) -> str:
    words = (text or "").strip()
    if len(words) > MAX_TEXT:
        raise Invalid({name: [f"Ensure this field has no more than {MAX_TEXT} characters."]})
    return words


def _read_limit(value: str | int | None) -> int:
    if value is None or value == "":
        return DEFAULT_LIMIT
    try:
        limit = int(str(value)[:20])
    except ValueError:
        raise Invalid({"limit": ["A valid integer is required."]}) from None
    if limit < 1:
        raise Invalid({"limit": ["Ensure this value is greater than or equal to 1."]})
    return min(limit, MAX_LIMIT)


def _read_project(call: Call) -> str | None:
    """The project to search in; None with `workspace_search=true`, as in Plane."""
    asked = call.query.get("project_id") or call.query.get("project")
    if not asked or call.query.get("workspace_search", "").lower() == "true":
        return None
    if not is_uuid(asked):
        raise Invalid({"project_id": ["Must be a valid UUID."]})
    return asked.lower()


SEARCH_ROUTES = [
    Route(
        method="GET",
        path=WORKSPACE + "work-items/search",
        aliases=(WORKSPACE + "issues/search",),
        handler=search_work_items,
        scope="projects.work_items:read",
        name="search_work_items",
        summary="Search work items by words, number or identifier",
        shown=FoundItems,
        query={
            "search": described(Annotated[str, Meta(max_length=MAX_TEXT)], "The words to look for."),
            "q": described(Annotated[str, Meta(max_length=MAX_TEXT)], "The same as `search`."),
            "limit": described(
                Annotated[int, Meta(ge=1)],
                f"How many are found at most; never more than {MAX_LIMIT}.",
                default=DEFAULT_LIMIT,
            ),
            "project_id": described(UUID, "Only this project."),
            "workspace_search": described(bool, "Search every project, regardless of `project_id`."),
            "project": described(UUID, "The same as `project_id`."),
            **fields_query(FoundItem),
        },
    ),
    Route(
        method="POST",
        path=WORKSPACE + "work-items/advanced-search",
        handler=search_advanced,
        scope="projects.work_items:read",
        name="search_work_items_advanced",
        summary="Search work items by words and filters",
        body=AdvancedSearchIn,
        shown=list[AdvancedFoundItem],
        eventless="reads only",
        refuses_key="A search changes nothing and takes no Idempotency-Key.",
    ),
]
