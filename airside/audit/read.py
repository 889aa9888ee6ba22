"""Reads the audit log: paginated newest first, exported oldest first; and serializes a row."""

from collections.abc import AsyncGenerator
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from airside.audit.tables import audit_log
from airside.db.base import Row
from airside.db.database import Reader
from airside.db.statements import Statement

BATCH = 500  # rows per query of an export

_encode = msgspec.json.Encoder().encode
_a = audit_log.c


class AuditFilter(msgspec.Struct, frozen=True):
    """Filters; None means any. Without a workspace, the rows of all workspaces and of none."""

    workspace_id: str | None = None
    action: str | None = None
    actor_id: str | None = None
    app_id: str | None = None
    since: datetime | None = None
    before: str | None = None  # rows older than the one with this id
    after: str | None = None  # rows newer than the one with this id

    @property
    def given(self) -> dict[str, Any]:
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}


async def list_audit(reader: Reader, wanted: AuditFilter, *, limit: int, offset: int = 0) -> list[Row]:
    """Newest first."""
    given = wanted.given
    statement = _list_statement(tuple(given), is_newest_first=True)
    return await reader.fetch_all(statement, **given, page_size=limit, page_offset=offset)


async def count_audit(reader: Reader, wanted: AuditFilter) -> int:
    given = wanted.given
    return await reader.fetch_value(_count_statement(tuple(given)), **given)


async def export_audit(reader: Reader, wanted: AuditFilter) -> AsyncGenerator[bytes]:
    """JSON lines, oldest first, streamed in batches."""
    while True:
        given = wanted.given
        statement = _list_statement(tuple(given), is_newest_first=False)
        rows = await reader.fetch_all(statement, **given, page_size=BATCH, page_offset=0)
        if rows:
            yield b"".join(_encode(show_entry(row)) + b"\n" for row in rows)
        if len(rows) < BATCH:
            return
        wanted = msgspec.structs.replace(wanted, after=rows[-1]["id"])


async def list_apps_seen(reader: Reader, workspace_id: str) -> list[Row]:
    """`app_id` and `app_name` of every app in the workspace's log, by name."""
    return await reader.fetch_all(_APPS_SEEN, workspace_id=workspace_id)


async def list_actors_seen(reader: Reader, workspace_id: str) -> list[Row]:
    """`actor_id` and `actor_name` of every actor in the workspace's log, by name."""
    return await reader.fetch_all(_ACTORS_SEEN, workspace_id=workspace_id)


def show_entry(row: Row) -> dict[str, Any]:
    """A row as the API and exports show it."""
    return {
        "id": row["id"],
        "workspace": row["workspace_id"],
        "created_at": row["created_at"].isoformat(timespec="microseconds").removesuffix("+00:00") + "Z",
        "action": row["action"],
        "actor": {"kind": row["actor_kind"], "id": row["actor_id"], "name": row["actor_name"]},
        "app": {"id": row["app_id"], "name": row["app_name"]} if row["app_id"] else None,
        "target": {"kind": row["target_kind"], "id": row["target_id"]} if row["target_kind"] else None,
        "address": row["address"],
        "user_agent": row["user_agent"],
        "details": row["details"],
    }


_COMPARE: dict[str, sa.ColumnElement[bool]] = {
    **{
        name: _a[name] == sa.bindparam(name, type_=_a[name].type)
        for name in ("workspace_id", "action", "actor_id", "app_id")
    },
    "since": _a.created_at >= sa.bindparam("since", type_=_a.created_at.type),
    "before": _a.id < sa.bindparam("before", type_=_a.id.type),
    "after": _a.id > sa.bindparam("after", type_=_a.id.type),
}


@lru_cache
def _list_statement(given: tuple[str, ...], *, is_newest_first: bool) -> Statement:
    # Ids are time-ordered (UUIDv7), so one index serves both workspace and order.
    return Statement(
        sa.select(audit_log)
        .where(*(_COMPARE[name] for name in given))
        .order_by(_a.id.desc() if is_newest_first else _a.id.asc())
        .limit(sa.bindparam("page_size", type_=sa.Integer()))
        .offset(sa.bindparam("page_offset", type_=sa.Integer()))
    )


@lru_cache
def _count_statement(given: tuple[str, ...]) -> Statement:
    return Statement(
        sa.select(sa.func.count().label("total"))
        .select_from(audit_log)
        .where(*(_COMPARE[name] for name in given))
    )


def _seen(id_: sa.ColumnElement[Any], name: sa.ColumnElement[Any]) -> Statement:
    latest = sa.func.max(name, type_=sa.Text()).label(name.key or "")
    return Statement(
        sa.select(id_, latest)
        .where(_COMPARE["workspace_id"], id_.is_not(None))
        .group_by(id_)
        .order_by(latest)
    )


_APPS_SEEN = _seen(_a.app_id, _a.app_name)
_ACTORS_SEEN = _seen(_a.actor_id, _a.actor_name)
