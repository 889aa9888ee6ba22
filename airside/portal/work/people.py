"""Who can be assigned and mentioned in a project: its members, the workspace's admins, and agents.

An agent is an installed app that can be mentioned: while it isn't suspended, and only in projects that it may
access.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa

from airside.apps.tables import apps
from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.database import Reader
from airside.db.statements import Statement, any_of
from airside.identity.tables import users
from airside.installations.tables import INSTALLED, installations
from airside.portal.logos import shown_picture
from airside.work.projects.tables import project_members
from airside.workspaces.roles import ADMIN, GUEST
from airside.workspaces.tables import workspace_members

MAX_PEOPLE = 500  # people that a picker loads


class Person(NamedTuple):
    """A person or agent as templates show them."""

    id: str
    name: str
    avatar_url: str
    is_agent: bool = False
    can_be_assigned: bool = True


NOBODY = Person("", "somebody who has left", "", False, False)


async def list_people(reader: Reader, workspace_id: str, project_id: str) -> list[Person]:
    """People by name, then agents by name."""
    rows = await reader.fetch_all(
        _PEOPLE_HERE, workspace_id=workspace_id, project_id=project_id, limit=MAX_PEOPLE
    )
    found = [_show(row) for row in rows if not row["is_bot"] or _is_agent_here(row, project_id)]
    return sorted(found, key=lambda person: (person.is_agent, person.name.casefold()))


async def find_people(reader: Reader, ids: Iterable[str | None]) -> dict[str, Person]:
    """The users with these ids, including former members."""
    wanted = sorted({one for one in ids if one})
    rows = await reader.fetch_all(_BY_ID, ids=wanted) if wanted else []
    return {
        row["id"]: Person(row["id"], row["display_name"], shown_picture(row["avatar_url"]), row["is_bot"])
        for row in rows
    }


def _is_agent_here(row: Row, project_id: str) -> bool:
    return row["is_mentionable"] and (row["project_ids"] is None or project_id in row["project_ids"])


def _show(row: Row) -> Person:
    role = row["project_role"] or 0
    is_assignable = min(role, row["workspace_role"]) > GUEST or row["workspace_role"] >= ADMIN
    return Person(
        row["id"], row["display_name"], shown_picture(row["avatar_url"]), row["is_bot"], is_assignable
    )


_u, _w, _m = users.c, workspace_members.c, project_members.c
_i, _a = installations.c, apps.c


def _people_here() -> Statement:
    here: Any = (
        workspace_members.join(users, _u.id == _w.user_id)
        .outerjoin(
            project_members,
            sa.and_(
                _m.workspace_id == _w.workspace_id,
                _m.member_id == _w.user_id,
                _m.project_id == sa.bindparam("project_id", type_=Id()),
                live(project_members),
            ),
        )
        .outerjoin(
            installations,
            sa.and_(
                _i.bot_user_id == _w.user_id,
                _i.workspace_id == _w.workspace_id,
                _i.status == INSTALLED,
                live(installations),
            ),
        )
        .outerjoin(apps, _a.id == _i.app_id)
    )
    picked = (
        _u.id, _u.display_name, _u.avatar_url, _u.is_bot, _w.role.label("workspace_role"),
        _m.role.label("project_role"), _a.is_mentionable, _i.project_ids,
    )  # fmt: skip
    is_person = sa.and_(_u.is_bot.is_(False), sa.or_(_m.id.is_not(None), _w.role >= ADMIN))
    return Statement(
        sa.select(*picked)
        .select_from(here)
        .where(
            tenant(workspace_members),
            _w.is_active,
            live(workspace_members),
            sa.or_(is_person, _a.is_mentionable),
        )
        .order_by(_u.display_name)
        .limit(sa.bindparam("limit", type_=sa.Integer()))
    )


_PEOPLE_HERE = _people_here()
_BY_ID = Statement(sa.select(_u.id, _u.display_name, _u.avatar_url, _u.is_bot).where(any_of(_u.id, "ids")))
