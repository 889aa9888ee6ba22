"""Applies an app's new name in the workspaces that installed it: to its bot's display name and its webhooks.

The audit log keeps the name of the time, and the app's slug stays, since people type it.
"""

from datetime import datetime

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.database import Transaction
from airside.db.statements import Statement
from airside.identity.tables import users
from airside.installations.tables import installations
from airside.webhooks.tables import webhook_endpoints


async def rename_bots(tx: Transaction, app: Row, now: datetime) -> None:
    """Also for uninstalled apps: their bots are still shown as authors."""
    for statement in (_BOTS, _WEBHOOKS):
        await tx.execute(statement, app_id=app["id"], new_name=app["name"], now=now)


_i, _u, _e = installations.c, users.c, webhook_endpoints.c
_of_app = _i.app_id == sa.bindparam("app_id", type_=Id())
_name, _now = sa.bindparam("new_name", type_=sa.Text()), sa.bindparam("now", type_=_u.updated_at.type)
_BOTS = Statement(
    sa.update(users)
    .where(_u.id.in_(sa.select(_i.bot_user_id).where(_of_app)), _u.is_bot)
    .values(display_name=_name, updated_at=_now)
)
_WEBHOOKS = Statement(
    sa.update(webhook_endpoints)
    .where(
        _e.workspace_id.in_(sa.select(_i.workspace_id).where(_of_app)),
        _e.installation_id.in_(sa.select(_i.id).where(_of_app)),
    )
    .values(title=_name, updated_at=_now)
)
