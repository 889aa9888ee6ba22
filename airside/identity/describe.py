"""People and bots by their ids, as the wire shows them."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from airside.db.statements import Statement, any_of
from airside.identity.tables import users
from airside.identity.users import ACTOR_FIELDS
from airside.rest.call import Call

_USERS = Statement(sa.select(*(users.c[name] for name in ACTOR_FIELDS)).where(any_of(users.c.id, "ids")))


async def find_users(call: Call, ids: Sequence[str]) -> Mapping[str, Any]:
    """User id → the seven fields of the wire; an expander for fields that name a user."""
    return {row["id"]: row for row in await call.reader.fetch_all(_USERS, ids=list(ids))}
