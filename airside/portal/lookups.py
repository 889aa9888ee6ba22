"""Names for the ids that records hold, fetched for a whole page at once."""

from collections.abc import Iterable

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.database import Reader
from airside.db.statements import Statement, any_of
from airside.identity.tables import users
from airside.workspaces.tables import workspaces

UNKNOWN = "somebody who has left"


async def find_names(reader: Reader, user_ids: Iterable[str | None]) -> dict[str | None, str]:
    """User id → display name; unknown ids are left out."""
    rows = await reader.fetch_all(_USERS, ids=_distinct(user_ids))
    return {row["id"]: row["display_name"] for row in rows}


async def find_workspaces(reader: Reader, workspace_ids: Iterable[str]) -> dict[str, Row]:
    rows = await reader.fetch_all(_WORKSPACES, ids=_distinct(workspace_ids))
    return {row["id"]: row for row in rows}


def _distinct(ids: Iterable[str | None]) -> list[str]:
    return list({one for one in ids if one is not None})


_USERS = Statement(sa.select(users.c.id, users.c.display_name).where(any_of(users.c.id, "ids")))
_WORKSPACES = Statement(
    sa.select(workspaces.c.id, workspaces.c.name, workspaces.c.slug, workspaces.c.logo_url).where(
        any_of(workspaces.c.id, "ids")
    )
)
