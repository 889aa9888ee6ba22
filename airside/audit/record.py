"""Writes the audit log: one row per action, in the action's own transaction.

The source and the kind of actor come from the request's context (audit/sources.py). The INSERT itself reads the
names, so a row costs one statement and keeps the names of users and apps at that time.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airside.audit.actions import check_action
from airside.audit.sources import APP, OPERATOR, PERSON, UNKNOWN, current_actor, current_source
from airside.audit.tables import audit_log
from airside.db.base import Id, new_id
from airside.db.database import Transaction
from airside.db.statements import Statement

__all__ = ["APP", "OPERATOR", "PERSON", "UNKNOWN", "record_audit"]


async def record_audit(
    tx: Transaction,
    action: str,
    at: datetime,
    *,
    workspace_id: str | None = None,
    actor_id: str | None = None,
    actor_kind: str | None = None,
    app_id: str | None = None,
    target: tuple[str, str | None] = ("", None),
    details: dict[str, Any] | None = None,
    once: str | None = None,
) -> None:
    """Add a row. `target` is the object of the action, as (kind, id); `details` never hold a credential.

    `actor_kind` is only for actions outside the API: tokens, sign-ins, an operator's command. `app_id` is the app
    concerned, by default the one the caller acts through. `once` is a deduplication key: a second row with the same
    key is silently dropped. Raises ValueError for an action that isn't in the catalogue."""
    check_action(action)
    source, actor = current_source(), current_actor()
    await tx.execute(
        _INSERT,
        id=new_id(),
        workspace_id=workspace_id,
        created_at=at,
        action=action,
        actor_kind=actor_kind or actor.kind,
        actor_id=actor_id,
        app_id=app_id or actor.app_id,
        target_kind=target[0],
        target_id=target[1],
        address=source.address,
        user_agent=source.user_agent,
        details=details or {},
        once=once,
    )


def _insert() -> Statement:
    given = {
        column.name: sa.bindparam(column.name, type_=column.type)
        for column in audit_log.c
        if column.name not in ("actor_name", "app_name")
    }
    # Other rooms' tables: they import this one.
    users, apps = (
        sa.table(table, sa.column("id", Id), sa.column(name, sa.Text))
        for table, name in (("users", "display_name"), ("apps", "name"))
    )
    person = sa.select(users.c.display_name).where(users.c.id == given["actor_id"]).scalar_subquery()
    app = sa.select(apps.c.name).where(apps.c.id == given["app_id"]).scalar_subquery()
    named = sa.select(
        *(value.label(name) for name, value in given.items()), sa.func.coalesce(person, ""), app
    )
    columns = [*given, "actor_name", "app_name"]
    # `WHERE true` keeps SQLite from reading ON CONFLICT as the ON of a join.
    selected = named.where(sa.text("true")).suffix_with("ON CONFLICT DO NOTHING")
    return Statement(sa.insert(audit_log).from_select(columns, selected))


_INSERT = _insert()
