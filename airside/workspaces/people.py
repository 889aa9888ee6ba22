"""The member lists of the API: the people and bots of a workspace or project with their roles.

Separate from membership itself, because workspaces and projects share filters, order and fields.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import tenant
from airside.db.statements import Statement
from airside.errors import BadRequest
from airside.identity.tables import users
from airside.rest.call import Call
from airside.rest.face import Shown
from airside.rest.filters import Filters
from airside.rest.parameters import Choice, Contains, Flag, Query
from airside.rest.record import MEMBER, Narrowing
from airside.rest.route import Route
from airside.rest.shaping import shown_names
from airside.rest.totals import find_total
from airside.rest.wires.v1.lists import split_names
from airside.rest.wires.v1.paging import page_query, read_page, wrap_page
from airside.rest.wires.v1.paths import WORKSPACE
from airside.rest.wires.v1.query_parameters import fields_query, order_query
from airside.workspaces.role_definitions import role_slugs
from airside.workspaces.tables import workspace_members

LITE_SIZE = 1000  # default and maximum of the `-lite` lists
SHAPES = 256  # cached statements

TEXT_FILTERS = ("first_name", "last_name", "email", "display_name")  # substring, case-insensitive
Clauses = tuple[sa.ColumnElement[bool], ...]

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


@dataclass(frozen=True, eq=False)
class PeopleScope:
    """The members of a workspace or project, as columns of the tables that store them."""

    namespace: str  # of their roles: workspace | project
    source: sa.FromClause  # joined with `users`
    role: sa.ColumnElement[int]
    is_active: sa.ColumnElement[bool]
    joined_at: sa.ColumnElement[Any]
    user_id: sa.ColumnElement[str]  # beside it in an index, so that a page is read in the default order
    conditions: tuple[sa.ColumnElement[bool], ...]


WORKSPACE_PEOPLE = PeopleScope(
    namespace="workspace",
    source=sa.join(workspace_members, users, users.c.id == workspace_members.c.user_id),
    role=workspace_members.c.role,
    is_active=workspace_members.c.is_active,
    joined_at=workspace_members.c.created_at,
    user_id=workspace_members.c.user_id,
    conditions=(tenant(workspace_members),),
)


@cache
def filters_of_people(circle: PeopleScope) -> Filters:
    """The filters of the members of a scope."""
    levels = {slug: level for level, slug in role_slugs(circle.namespace).items()}
    active = "Only members who are active, or with `false` those who have left."
    return Filters(
        {
            **{name: Contains(users.c[name]) for name in TEXT_FILTERS},
            "role_slug": Choice(circle.role, "Only people with this role.", choices=levels),
            "is_active": Flag(circle.is_active, active),
            "is_bot": Flag(users.c.is_bot, "Only bots, or only people."),
        }
    )


def people_query(circle: PeopleScope) -> Query:
    """The parameters of a list of members."""
    filters = filters_of_people(circle)
    return {
        **fields_query(MemberOut),
        **order_query(ORDERS, "-created_at"),
        **filters.describe(),
        "is_active": filters.kinds["is_active"].describe("is_active", default=True),
    }


async def list_people(call: Call, circle: PeopleScope, **scope: str) -> list[Row]:
    """All members; inactive ones only with the filter `is_active`. Raises Invalid and BadRequest."""
    asked = _read_filters(call, circle)
    statement = _list_statement(circle, asked.clauses, _read_order(call.query), paged=False)
    return _shape(call, circle, await call.reader.fetch_all(statement, **scope, **asked.params))


async def page_people(call: Call, circle: PeopleScope, **scope: str) -> Any:
    """One page of members."""
    page = read_page(call.query, LITE_SIZE, LITE_SIZE)
    asked = _read_filters(call, circle)
    params = {**scope, **asked.params}
    statement = _list_statement(circle, asked.clauses, _read_order(call.query), paged=True)
    rows = await call.reader.fetch_all(statement, **params, page_size=page.size, page_offset=page.offset)
    counting, place = _count_statement(circle, asked.clauses), {"offset": page.offset, "limit": page.size}
    total = await find_total(call, counting, params, **place, found=len(rows))
    return wrap_page(page, total, _shape(call, circle, rows))


def shape_member(circle: PeopleScope, row: Row) -> Row:
    return {**row, "role_slug": role_slugs(circle.namespace).get(row["role"])}


def _shape(call: Call, circle: PeopleScope, rows: list[Row]) -> list[Row]:
    asked = split_names(call.query.get("fields", ""))
    names = [name for name in shown_names(MemberOut) if not asked or name in asked]
    shown = (shape_member(circle, row) for row in rows)
    return [{name: row[name] for name in names} for row in shown]


def _read_filters(call: Call, circle: PeopleScope) -> Narrowing:
    """The conditions of the query; without one on `is_active`, only active members are listed."""
    asked = {name: value for name, value in call.query.items() if value}
    return filters_of_people(circle).read({"is_active": "true", **asked}, call.workspace_id)


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
def _list_statement(circle: PeopleScope, clauses: Clauses, order: str, paged: bool) -> Statement:
    name = order.removeprefix("-")
    column = {"role": circle.role, "created_at": circle.joined_at}.get(name)
    column = users.c[name] if column is None else column
    down = order[0] == "-"
    clause = people_statement(circle).where(*clauses)
    clause = clause.order_by(
        column.desc() if down else column.asc(), circle.user_id.desc() if down else circle.user_id.asc()
    )
    if paged:
        clause = clause.limit(sa.bindparam("page_size", type_=sa.Integer())).offset(
            sa.bindparam("page_offset", type_=sa.Integer())
        )
    return Statement(clause)


@lru_cache(SHAPES)
def _count_statement(circle: PeopleScope, clauses: Clauses) -> Statement:
    return Statement(
        sa.select(sa.func.count().label("total"))
        .select_from(circle.source)
        .where(*circle.conditions, *clauses)
    )


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
        query=people_query(WORKSPACE_PEOPLE),
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
        query={**people_query(WORKSPACE_PEOPLE), **page_query(LITE_SIZE, LITE_SIZE)},
    ),
]
