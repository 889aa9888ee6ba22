"""A project's work items: as a list or a board, in groups by state, filtered, with quick create."""

from typing import Any, NamedTuple
from urllib.parse import urlencode

from falcon.asgi import Request, Response

from airside.db.base import Row, is_uuid
from airside.errors import Forbidden, Invalid
from airside.portal.rendering import redirect
from airside.portal.visit import first_sentences
from airside.portal.webhooks.builder import quote_value
from airside.portal.work import operations
from airside.portal.work.acting import Work, WorkPage
from airside.portal.work.people import Person, list_people
from airside.portal.work.presentation import (
    PRIORITIES,
    Setting,
    find_setting,
    people_of,
    show_item,
    today_of,
)
from airside.portal.work.records import list_tabs
from airside.portal.work.return_to import read_next
from airside.rest.call import Call

LAYOUTS = ("list", "board")
PAGE_ALL_STATES = 45  # work items of all states on a page
PAGE_ONE_STATE = 50  # of one state that is shown by itself
LAST_PAGE = 1000
ORDERS = {
    "": ("Newest first", "-created_at"),
    "updated": ("Last changed first", "-updated_at"),
    "priority": ("Most urgent first", "priority"),
    "due": ("Due soonest first", "target_date"),
}


class Asked(NamedTuple):
    """The query parameters of the page."""

    layout: str
    q: str  # words in the title, or a query in PQL
    state: str
    priority: str
    assignee: str
    label: str
    order: str
    page: int  # of one state's group, from 1

    def query(self, **changes: Any) -> str:
        """The query string with these changes, without defaults."""
        asked = self._asdict() | changes
        kept = {name: value for name, value in asked.items() if value and (name, value) not in _DEFAULTS}
        return f"?{urlencode(kept)}" if kept else ""

    @property
    def is_filtered(self) -> bool:
        return any((self.q, self.priority, self.assignee, self.label, self.state))


Choices = list[tuple[str, str]]

_DEFAULTS = (("layout", "list"), ("page", 1))


class Items(WorkPage):
    """GET /<workspace>/projects/<id>/work-items/?layout=…&q=…&state=…, and POST to it makes one by its title."""

    creates = True

    async def on_get(self, req: Request, resp: Response, slug: str, project_id: str) -> None:
        work = await self.enter(req, resp, slug)
        try:
            call = await work.enter(operations.LIST_ITEMS, {"project_id": project_id})
        except Forbidden:  # a public project, of which the person isn't a member
            redirect(self.site, resp, f"{work.here}/projects/{project_id}/")
            return
        await show_items(work, call, read_asked(req))

    async def on_post(self, req: Request, resp: Response, slug: str, project_id: str) -> None:
        work, form = await self.take_form(req, resp, slug)
        body = {"name": form.text("name").strip(), "state": form.text("state") or None}
        back = read_next(form, f"{work.here}/projects/{project_id}/work-items/")
        try:
            await work.perform(operations.CREATE_ITEM, {"project_id": project_id}, body=body)
        except Invalid as error:
            call = await work.enter(operations.LIST_ITEMS, {"project_id": project_id})
            asked = read_asked(req)
            await show_items(work, call, asked, errors=first_sentences(error), typed=form.text("name"))
            return
        redirect(self.site, resp, back)


def read_asked(req: Request) -> Asked:
    """Parse the query parameters; invalid ones are ignored."""

    def text(name: str) -> str:
        value = req.get_param(name) or ""
        return value[:300] if "\x00" not in value and value.isprintable() else ""

    def choice(name: str, choices: Any) -> str:
        return text(name) if text(name) in choices else ""

    def one(name: str) -> str:
        return text(name) if is_uuid(text(name)) else ""

    page = text("page")
    number = int(page) if page.isascii() and page.isdigit() and len(page) <= 4 else 1
    assignee = text("assignee")
    return Asked(
        layout=choice("layout", LAYOUTS) or "list",
        q=text("q").strip(),
        state=one("state"),
        priority=choice("priority", PRIORITIES),
        assignee=assignee if assignee == "none" else one("assignee"),
        label=one("label"),
        order=choice("order", ORDERS),
        page=min(max(number, 1), LAST_PAGE),
    )


async def show_items(
    work: Work, call: Call, asked: Asked, *, errors: dict[str, str] | None = None, typed: str = ""
) -> None:
    setting = await find_setting(work, call)
    path = setting.project["href"]
    pql = build_pql(asked)
    groups: list[dict[str, Any]] = []
    try:
        groups = await list_groups(work, setting, asked, pql)
    except Invalid as error:
        errors = {**(errors or {}), "q": " ".join(first_sentences(error).values())}
    people = await list_people(work.site.db, work.visit.workspace_id, call.project_id)
    work.visit.show(
        "work/items.html",
        status=422 if errors else 200,
        project=setting.project,
        tabs=list_tabs(work, call, None),
        groups=groups,
        asked=asked,
        layout=asked.layout,
        here=path + asked.query(),
        path=path,
        layouts=[(one.capitalize(), path + asked.query(layout=one, page=1), one) for one in LAYOUTS],
        labels=setting.labels,
        choices=_choices(setting, people),
        errors=errors or {},
        typed=typed,
    )


def _choices(setting: Setting, people: list[Person]) -> dict[str, Choices]:
    """The filters and sort orders: value and label."""
    return {
        "state": [("", "Any state"), *((one["id"], one["name"]) for one in setting.states)],
        "label": [("", "Any label"), *((one["id"], one["name"]) for one in setting.labels)],
        "priority": [("", "Any priority"), *((one, one.capitalize()) for one in PRIORITIES)],
        "assignee": [
            ("", "Anybody"), ("none", "Nobody"),
            *((one.id, one.name) for one in people if one.can_be_assigned),
        ],
        "order": [(name, words) for name, (words, _) in ORDERS.items()],
    }  # fmt: skip


async def list_groups(work: Work, setting: Setting, asked: Asked, pql: str) -> list[dict[str, Any]]:
    """For each state its first work items, their total, and links to the next page."""
    project_id = setting.project["id"]
    counts = await count_states(work, project_id, pql)
    size = PAGE_ONE_STATE if asked.state else max(5, PAGE_ALL_STATES // max(1, len(setting.states)))
    found: list[tuple[dict[str, Any], list[Row], int]] = []
    for state in setting.states:
        if asked.state and state["id"] != asked.state:
            continue
        window = (size, asked.page if asked.state else 1)
        total = counts.get(state["id"], 0)
        rows = await _list_group(work, project_id, state["id"], asked, pql, window) if total else []
        found.append((state, rows, total))
    items = [row for _, rows, _ in found for row in rows]
    people, today = await people_of(work, items), today_of(work)
    groups: list[dict[str, Any]] = []
    for state, rows, total in found:
        shown = [show_item(work, setting, row, people, today) for row in rows]
        where = _neighbours(setting, asked, state, total, size)
        groups.append({"state": state, "items": shown, "total": total, **where})
    return groups


def _neighbours(
    setting: Setting, asked: Asked, state: dict[str, Any], total: int, size: int
) -> dict[str, Any]:
    """Links to the pages of one state's work items."""
    number = asked.page if asked.state else 1
    path = setting.project["href"]
    has_next = asked.state and number * size < total
    return {
        "prev_href": path + asked.query(state=state["id"], page=number - 1) if number > 1 else None,
        "next_href": path + asked.query(state=state["id"], page=number + 1) if has_next else None,
        "rest": max(0, total - number * size),
        "href": path + asked.query(state=state["id"], page=1),
        "list_href": path + asked.query(state=state["id"], page=1, layout="list"),
    }


async def count_states(work: Work, project_id: str, pql: str) -> dict[str, int]:
    query = {"project": project_id, "group_by": "state_id", "pql": pql}
    counted = await work.perform(operations.COUNT_ITEMS, query=query)
    return {state_id: group["count"] for state_id, group in counted["grouped_counts"].items()}


async def _list_group(
    work: Work, project_id: str, state_id: str, asked: Asked, pql: str, window: tuple[int, int]
) -> list[Row]:
    size, number = window
    query = {
        "state": state_id,
        "pql": pql,
        "order_by": ORDERS[asked.order][1],
        "per_page": size,
        "cursor": f"{size}:{number - 1}:0",
        "fields": LISTED,
    }
    page = await work.perform(operations.LIST_ITEMS, {"project_id": project_id}, query=query)
    return page["results"]


# All fields but the descriptions.
LISTED = (
    "id,name,priority,start_date,target_date,sequence_id,archived_at,"
    "created_by,project,state,parent,assignees,labels"
)


def build_pql(asked: Asked) -> str:
    """The filters as one PQL query. A search text that isn't PQL is searched for in titles."""
    parts: list[str] = []
    if asked.q:
        parts.append(f"({asked.q})" if is_query(asked.q) else f"title ~ {quote_value(asked.q)}")
    if asked.priority:
        parts.append(f"priority = {quote_value(asked.priority)}")
    if asked.assignee:
        is_none = asked.assignee == "none"
        parts.append("hasNoAssignee()" if is_none else f"assignee = {quote_value(asked.assignee)}")
    if asked.label:
        parts.append(f"label = {quote_value(asked.label)}")
    return " and ".join(parts)


def is_query(text: str) -> bool:
    """Whether the text is meant as PQL: it parses, or contains an operator that titles don't."""
    from airside.pql.parse import parse_pql

    try:
        parse_pql(text)
    except Invalid:
        return any(sign in text for sign in (" = ", " != ", " ~ ", " in (", "()"))
    return True
