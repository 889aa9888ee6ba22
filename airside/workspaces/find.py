"""Finds workspaces by slug, id or member, and lists all workspaces and people for operators."""

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import live
from airside.db.database import Reader
from airside.db.statements import Statement, any_of
from airside.db.text_rules import is_id, is_storable
from airside.errors import NotFound
from airside.identity.tables import users
from airside.workspaces.tables import workspace_members, workspaces

MAX_PEOPLE = 1_000_000  # when no limit is given


async def find_workspace(reader: Reader, slug: str) -> Row | None:
    return await reader.fetch_one(_BY_SLUG, slug=slug) if is_storable(slug) else None


async def get_workspace(reader: Reader, workspace_id: str) -> Row:
    """Raises NotFound."""
    found = await reader.fetch_one(_BY_ID, id=workspace_id) if is_id(workspace_id) else None
    if found is None:
        raise NotFound("There is no such workspace.")
    return found


async def list_workspaces_of(reader: Reader, user_id: str) -> list[Row]:
    """The workspaces of which the user is an active member, by name, each with their `role`."""
    return await reader.fetch_all(_OF_USER, user_id=user_id)


async def list_all_workspaces(reader: Reader) -> list[Row]:
    """For operators: every workspace of the instance, by slug, with the number of its members as `people`."""
    return await reader.fetch_all(_ALL)


async def list_people_of_instance(reader: Reader, *, limit: int = -1, offset: int = 0) -> list[Row]:
    """For operators: every person with an account, by e-mail, without password hashes, each with the slugs of their
    `workspaces`."""
    people = await reader.fetch_all(_PEOPLE, limit=MAX_PEOPLE if limit < 0 else limit, offset=offset)
    slugs: dict[str, list[str]] = {}
    for row in await reader.fetch_all(_SLUGS, ids=[person["id"] for person in people]):
        slugs.setdefault(row["user_id"], []).append(row["slug"])
    return [person | {"workspaces": slugs.get(person["id"], [])} for person in people]


_live = live(workspaces)
_BY_SLUG = Statement(sa.select(workspaces).where(workspaces.c.slug == sa.bindparam("slug"), _live))
_BY_ID = Statement(sa.select(workspaces).where(workspaces.c.id == sa.bindparam("id"), _live))
_OF_USER = Statement(
    sa.select(workspaces, workspace_members.c.role)
    .join_from(workspaces, workspace_members, workspace_members.c.workspace_id == workspaces.c.id)
    .where(workspace_members.c.user_id == sa.bindparam("user_id"), workspace_members.c.is_active, _live)
    .order_by(workspaces.c.name, workspaces.c.id)
)
_m = workspace_members.c
_ALL = Statement(
    sa.select(
        workspaces,
        sa.func.count(users.c.id).label("people"),
    )
    .select_from(workspaces)
    .outerjoin(workspace_members, sa.and_(_m.workspace_id == workspaces.c.id, _m.is_active))
    .outerjoin(users, sa.and_(users.c.id == _m.user_id, users.c.is_bot.is_(False)))
    .where(_live)
    .group_by(workspaces.c.id)
    .order_by(workspaces.c.slug)
)
_PEOPLE = Statement(
    sa.select(*(column for column in users.c if column.name != "password_hash"))
    .where(users.c.is_bot.is_(False))
    .order_by(users.c.email)
    .limit(sa.bindparam("limit", type_=sa.Integer()))
    .offset(sa.bindparam("offset", type_=sa.Integer()))
)
_SLUGS = Statement(
    sa.select(_m.user_id, workspaces.c.slug)
    .join_from(workspace_members, workspaces, workspaces.c.id == _m.workspace_id)
    .where(any_of(_m.user_id, "ids"), _m.is_active, _live)
    .order_by(workspaces.c.slug)
)
