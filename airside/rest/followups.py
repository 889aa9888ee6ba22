"""What follows a change on any number of other records: their references to a record that is deleted are cleared.

The first of them change in the transaction of the change, the others afterwards in the background, in short
transactions; so no caller and no other writer waits for all of them. Each change has its event, by the same person.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache

import sqlalchemy as sa

from airside.db.away import DatabaseAway
from airside.db.base import Id, Instant, Json, Row, metadata, new_id, tenant_key
from airside.db.conditions import live, tenant
from airside.db.database import Transaction
from airside.db.statements import Statement, any_of
from airside.rest.call import Access, Call, Caller
from airside.rest.computed import compute
from airside.rest.face import Face
from airside.rest.gate import record_updated
from airside.runtime.site import Site

AT_ONCE = 50  # records changed in the transaction of the change, whatever number of kinds follows it
FIRST, BATCH = 10, 100  # records changed in the first background transaction, and at most in any
BATCH_SECONDS = 0.1  # that a later one is to take; on SQLite other writers wait for it
RETRY = timedelta(minutes=1)  # after a batch that failed
_FOLLOWED = "followed"  # in `call.prepared`: how many records have been changed so far
FOLLOW_UP = "rest.followups"  # wake-up of the background job, which also polls

followups = sa.Table(
    "followups",
    metadata,
    *tenant_key(),
    sa.Column("project_id", Id),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("record_id", Id, nullable=False),
    sa.Column("actor_id", Id, nullable=False),
    sa.Column("details", Json, nullable=False),
    sa.Column("due_at", Instant, nullable=False),
)
sa.Index(
    "ix_followups_due", followups.c.due_at, followups.c.id
)  # of all workspaces: the worker claims the oldest

_DUE = Statement(
    sa.select(followups)
    .where(followups.c.due_at <= sa.bindparam("now", type_=Instant()))
    .order_by(followups.c.due_at, followups.c.id)
    .limit(sa.literal_column("1"))
    .with_for_update(skip_locked=True)
)

_sizes: dict[str, int] = {}  # kind → records of its next batch, by how long the last one took

# Changes up to this number of records that follow the record with this id; returns how many it found.
Step = Callable[[Call, str, Row, int], Awaitable[int]]


@dataclass(frozen=True)
class Followup:
    """One kind of what follows."""

    kind: str
    step: Step


async def follow_up(call: Call, followup: Followup, record_id: str, **details: str) -> None:
    """Change the first records in the call's transaction, and leave the others to the worker."""
    left = AT_ONCE - call.prepared.get(_FOLLOWED, 0)  # of all that follows the call
    found = await followup.step(call, record_id, details, left) if left else 0
    call.prepared[_FOLLOWED] = AT_ONCE - left + found
    if found < left:
        return
    row = {
        "workspace_id": call.workspace_id,
        "id": new_id(),
        "project_id": call.project.get("id"),
        "kind": followup.kind,
        "record_id": record_id,
        "actor_id": call.caller.user_id,
        "details": details,
        "due_at": call.now,
    }
    await call.writer.insert(followups, row)
    call.writer.on_commit(lambda: call.site.wakeups.wake(FOLLOW_UP))


async def in_turns(rows: Iterable[Row]) -> AsyncIterator[Row]:
    """The rows in the order of their ids; others use the event loop between two of them."""
    for row in sorted(rows, key=lambda row: row["id"]):
        yield row
        await asyncio.sleep(0)


async def run_followups(site: Site, access: Access, known: Mapping[str, Followup]) -> bool:
    """Change one more batch of the followup that has waited longest; True when there may be more."""
    now, row = site.clock.now(), Row()
    try:
        async with site.db.transaction() as tx:
            row = await tx.fetch_one(_DUE, now=now) or Row()
            if row:
                await _run(site, access, tx, row, known[row["kind"]])
    except (DatabaseAway, asyncio.CancelledError):
        raise
    except Exception:  # whatever it is, it is raised again
        if row:
            await _postpone(site, row, now + RETRY)  # others needn't wait for it
        raise
    return bool(row)


async def _run(site: Site, access: Access, tx: Transaction, row: Row, followup: Followup) -> None:
    keys = {"workspace_id": row["workspace_id"], "id": row["id"]}
    call = await _as_actor(site, access, tx, row)
    limit, begun = min(BATCH, _sizes.get(followup.kind, FIRST)), time.perf_counter()
    found = await followup.step(call, row["record_id"], row["details"], limit)
    if found < limit:
        await tx.delete(followups, **keys)
        return
    await tx.update(followups, {"due_at": call.now}, **keys)
    seconds = time.perf_counter() - begun
    _sizes[followup.kind] = max(1, min(2 * limit, int(limit * BATCH_SECONDS / seconds)))


async def _postpone(site: Site, row: Row, until: datetime) -> None:
    async with site.db.transaction() as tx:
        await tx.update(followups, {"due_at": until}, workspace_id=row["workspace_id"], id=row["id"])


async def _as_actor(site: Site, access: Access, tx: Transaction, row: Row) -> Call:
    """A call of the person whose change it follows, who needn't be allowed it any more."""
    caller = Caller(row["actor_id"], "user", "")
    call = Call(site, access, caller, site.clock.now(), "PATCH", {}, {}, tx=tx)
    await access.enter_unchecked(call, row["workspace_id"], row["project_id"])
    return call


@cache
def clearing(face: Face, column: str, *stamps: str) -> Followup:
    """Records of the face lose their reference to the record; `stamps` are further columns with its time."""

    async def clear(call: Call, record_id: str, _: Row, limit: int) -> int:
        keys = {"workspace_id": call.workspace_id}
        rows = await call.reader.fetch_all(
            _referring(face.table, column), **keys, record_id=record_id, limit=limit
        )
        await compute(face.record.computed, call, rows)
        changes: Row = {column: None, "updated_by_id": call.caller.user_id}
        changes |= dict.fromkeys(("updated_at", *stamps), call.now)
        if rows:
            clear_all = _update_among(face.table, tuple(changes))
            await call.writer.execute(clear_all, **keys, **changes, ids=[row["id"] for row in rows])
        async for row in in_turns(rows):
            await record_updated(call, face, row, row | changes, (column,))
        return len(rows)

    return Followup(f"{face.table.name}.{column}", clear)


@cache
def _update_among(table: sa.Table, columns: tuple[str, ...]) -> Statement:
    """UPDATE of these columns in the rows with some ids."""
    values = {name: sa.bindparam(name, type_=table.c[name].type) for name in columns}
    return Statement(sa.update(table).where(tenant(table), any_of(table.c.id, "ids")).values(values))


@lru_cache(64)
def _referring(table: sa.Table, column: str) -> Statement:
    """Without ORDER BY: with one, SQLite would scan the whole workspace instead of the column's index."""
    return Statement(
        sa.select(table)
        .where(
            tenant(table),
            table.c[column] == sa.bindparam("record_id", type_=table.c[column].type),
            live(table),
        )
        .limit(sa.bindparam("limit", type_=sa.Integer()))
        .with_for_update()
    )
