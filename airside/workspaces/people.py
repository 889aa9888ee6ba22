"""The member lists of the API: the people and bots of a workspace or project with their roles.

Separate from membership itself, because workspaces and projects share filters, order and fields.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import tenant
from airside.db.statements import Statement
from airside.errors import BadRequest, Invalid
from airside.identity.tables import users
from airside.rest.call import Call
from airside.rest.paging import read_page, wrap_page
from airside.rest.parameters import described, fields_query, order_query, page_query
from airside.rest.resource import MEMBER, Route, Shown
from airside.rest.routes import WORKSPACE
from airside.rest.shaping import shown_names, split_names
from airside.workspaces.role_definitions import role_slugs
from airside.workspaces.tables import workspace_members

LITE_SIZE = 1000  # default and maximum of the `-lite` lists
SHAPES = 256  # cached statements

TEXT_FILTERS = ("first_name", "last_name", "email", "display_name")  # substring, case-insensitive
FLAG_FILTERS = ("is_active", "is_bot")
ORDERS = (*TEXT_FILTERS, "role", "created_at")


class MemberOut(Shown):
    id: str  # the user's
    first_name: str
    last_name: str
    email: str
    avatar: str
    avatar_url: str | None
    display_name: str
    role: int
    role_slug: str
    is_active: bool
    is_bot: bool


MEMBER_QUERY = {
    **fields_query(MemberOut),
    **order_query(ORDERS, "-created_at"),
    **{name: described(str, f"Only people whose `{name}` contains this.") for name in TEXT_FILTERS},
    "role_slug": described(str, "Only people with this role."),
    "is_active": described(
        bool, "Only members who are active, or with `false` those who have left.", default=True
    ),
    "is_bot": described(bool, "Only bots, or only people."),
}


@dataclass(frozen=True, eq=False)
class PeopleScope:
    """The members of a workspace or project, as columns of the tables that store them."""

    namespace: str  # of their roles: workspace | project
    source: sa.FromClause  # joined with `users`
    role: sa.ColumnElement[int]
    is_active: sa.ColumnElement[bool]
    joined_at: sa.ColumnElement[Any]
    conditions: tuple[sa.ColumnElement[bool], ...]


WORKSPACE_PEOPLE = PeopleScope(
    namespace="workspace",
    source=sa.join(workspace_members, users, users.c.id == workspace_members.c.user_id),
    role=workspace_members.c.role,
    is_active=workspace_members.c.is_active,
    joined_at=workspace_members.c.created_at,
    conditions=(tenant(workspace_members),),
)


async def list_people(call: Call, circle: PeopleScope, **scope: str) -> list[Row]:
    """All members; inactive ones only with the filter `is_active`. Raises Invalid and BadRequest."""
    filters = _read_filters(call.query, circle)
    statement = _list_statement(circle, tuple(filters), _read_order(call.query), paged=False)
    return _shape(call, circle, await call.reader.fetch_all(statement, **scope, **filters))


async def page_people(call: Call, circle: PeopleScope, **scope: str) -> Any:
    """One page of members."""
    page = read_page(call.query, LITE_SIZE, LITE_SIZE)
    filters = _read_filters(call.query, circle)
    statement = _list_statement(circle, tuple(filters), _read_order(call.query), paged=True)
    rows = await call.reader.fetch_all(
        statement, **scope, **filters, page_size=page.size, page_offset=page.offset
    )
    total = await call.reader.fetch_value(_count_statement(circle, tuple(filters)), **scope, **filters)
    return wrap_page(page, total, _shape(call, circle, rows))


def shape_member(circle: PeopleScope, row: Row) -> Row:
    return {**row, "role_slug": role_slugs(circle.namespace).get(row["role"])}


def _shape(call: Call, circle: PeopleScope, rows: list[Row]) -> list[Row]:
    asked = split_names(call.query.get("fields", ""))
    names = [name for name in shown_names(MemberOut) if not asked or name in asked]
    shown = (shape_member(circle, row) for row in rows)
    return [{name: row[name] for name in names} for row in shown]


def _read_filters(query: Mapping[str, str], circle: PeopleScope) -> dict[str, Any]:
    """Filter → the value to compare with."""
    found: dict[str, Any] = {name: f"%{_escape(query[name])}%" for name in TEXT_FILTERS if query.get(name)}
    if query.get("role_slug"):
        levels = {slug: level for level, slug in role_slugs(circle.namespace).items()}
        found["role_slug"] = levels.get(query["role_slug"], 0)  # no member has the role 0
    for name in FLAG_FILTERS:
        if query.get(name):
            if query[name] not in ("true", "false"):
                raise Invalid({name: ["Must be a valid boolean."]})
            found[name] = query[name] == "true"
    return {"is_active": True, **found}


def _read_order(query: Mapping[str, str]) -> str:
    asked = query.get("order_by") or "-created_at"
    if asked.removeprefix("-") not in ORDERS:
        raise BadRequest("Invalid order_by parameter.")
    return asked


@lru_cache(SHAPES)
def people_statement(circle: PeopleScope) -> sa.Select[Any]:
    """All members of the scope, active or not."""
    person = ("id", "first_name", "last_name", "email", "avatar", "avatar_url", "display_name", "is_bot")
    return (
        sa.select(
            *(users.c[name] for name in person),
            circle.role.label("role"),
            circle.is_active.label("is_active"),
        )
        .select_from(circle.source)
        .where(*circle.conditions)
    )


@lru_cache(SHAPES)
def _list_statement(circle: PeopleScope, filters: tuple[str, ...], order: str, paged: bool) -> Statement:
    name = order.removeprefix("-")
    column = {"role": circle.role, "created_at": circle.joined_at}.get(name)
    column = users.c[name] if column is None else column
    down = order[0] == "-"
    clause = people_statement(circle).where(*_compare(circle, filters))
    clause = clause.order_by(
        column.desc() if down else column.asc(), users.c.id.desc() if down else users.c.id.asc()
    )
    if paged:
        clause = clause.limit(sa.bindparam("page_size", type_=sa.Integer())).offset(
            sa.bindparam("page_offset", type_=sa.Integer())
        )
    return Statement(clause)


@lru_cache(SHAPES)
def _count_statement(circle: PeopleScope, filters: tuple[str, ...]) -> Statement:
    return Statement(
        sa.select(sa.func.count().label("total"))
        .select_from(circle.source)
        .where(*circle.conditions, *_compare(circle, filters))
    )


def _compare(circle: PeopleScope, filters: tuple[str, ...]) -> list[sa.ColumnElement[bool]]:
    flags = {"role_slug": circle.role, "is_active": circle.is_active, "is_bot": users.c.is_bot}
    return [
        users.c[name].ilike(sa.bindparam(name), escape="\\")
        if name in TEXT_FILTERS
        else flags[name] == sa.bindparam(name, type_=flags[name].type)
        for name in filters
    ]


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


async def list_workspace_members(call: Call) -> Any:
    return await list_people(call, WORKSPACE_PEOPLE, workspace_id=call.workspace_id)


async def page_workspace_members(call: Call) -> Any:
    return await page_people(call, WORKSPACE_PEOPLE, workspace_id=call.workspace_id)


PEOPLE_ROUTES = [
    Route(
        method="GET",
        path=WORKSPACE + "members",
        handler=list_workspace_members,
        scope="workspaces.members:read",
        name="list_workspace_members",
        summary="List the members of a workspace",
        role=MEMBER,  # guests can't list members
        shown=list[MemberOut],
        query=MEMBER_QUERY,
    ),
    Route(
        method="GET",
        path=WORKSPACE + "members-lite",
        handler=page_workspace_members,
        scope="workspaces.members:read",
        name="page_workspace_members",
        summary="List the members of a workspace, page by page",
        role=MEMBER,
        shown=MemberOut,
        paged=True,
        query={**MEMBER_QUERY, **page_query(LITE_SIZE, LITE_SIZE)},
    ),
]
