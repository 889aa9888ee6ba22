"""The answers of writes that had an Idempotency-Key, kept for a day.

A row is written in the transaction of its change. Bodies are sealed, since some show a secret once. They aren't
sealed again when the instance's key is replaced: a day later they are gone.
"""

from datetime import datetime, timedelta
from typing import Any, TypedDict

import sqlalchemy as sa

from airside.db.away import DatabaseBusy
from airside.db.base import Id, Instant, TableOf, metadata
from airside.db.database import Reader, Transaction, UniqueViolation
from airside.db.statements import Statement
from airside.http.answer import Answer
from airside.runtime.site import Site
from airside.system.credentials import Sealer

KEEP = timedelta(hours=24)
MAX_BODY_BYTES = 256 * 1024  # a larger body isn't kept, only that there was one
BATCH = 1000  # rows of one transaction of the purge
SEAL = "stored_answer"  # purpose


class StoredAnswerRow(TypedDict):
    workspace_id: str
    key_hash: str
    fingerprint: str
    status: int | None
    body_sealed: str | None
    expires_at: datetime


idempotency_keys = TableOf[StoredAnswerRow](
    "idempotency_keys",
    metadata,
    sa.Column("workspace_id", Id, primary_key=True),
    sa.Column("key_hash", sa.Text, primary_key=True),  # of the key, its caller and the operation
    sa.Column("fingerprint", sa.Text, nullable=False),  # hash of what was sent
    sa.Column("status", sa.Integer),  # null while the transaction goes on
    sa.Column("body_sealed", sa.Text),  # null without a body, and for one that is too large
    sa.Column("expires_at", Instant, nullable=False, index=True),
)


class KeyTaken(Exception):
    """Another request with this key was committed meanwhile."""


class KeyBusy(Exception):
    """Another request with this key is still in progress."""


async def find_stored(reader: Reader, workspace_id: str, key_hash: str) -> StoredAnswerRow | None:
    """The row, which may have expired."""
    return await reader.find(idempotency_keys, workspace_id=workspace_id, key_hash=key_hash)


async def claim_key(tx: Transaction, row: StoredAnswerRow, expired: StoredAnswerRow | None) -> None:
    """Take the key until the transaction ends, in place of an `expired` row. On PostgreSQL this waits for another
    transaction that has the key. Raises KeyTaken, and KeyBusy if that takes too long."""
    keys = {"workspace_id": row["workspace_id"], "key_hash": row["key_hash"]}
    try:
        if expired is not None:
            await tx.delete(idempotency_keys, **keys, expires_at=expired["expires_at"])
        await tx.insert(idempotency_keys, row)
    except UniqueViolation:
        raise KeyTaken from None
    except DatabaseBusy:
        raise KeyBusy from None


async def store_answer(tx: Transaction, sealer: Sealer, row: StoredAnswerRow, answer: Answer) -> None:
    """Complete the row that `claim_key` inserted."""
    is_kept = 0 < len(answer.body) <= MAX_BODY_BYTES
    changes = {
        "status": answer.status,
        "body_sealed": sealer.seal(answer.body.decode(), SEAL) if is_kept else None,
    }
    await tx.update(idempotency_keys, changes, workspace_id=row["workspace_id"], key_hash=row["key_hash"])


def open_answer(sealer: Sealer, row: StoredAnswerRow) -> Answer | None:
    """The stored answer; None where its body was too large, or was sealed with a key that is gone."""
    status = row["status"]
    if status is None or row["body_sealed"] is None:
        return Answer(204) if status == 204 else None
    try:
        return Answer(status, sealer.unseal_once(row["body_sealed"], SEAL).encode())
    except ValueError:
        return None


async def purge_answers(site: Site) -> int:
    """Delete what is older than a day; returns how many."""
    purged, now = 0, site.clock.now()
    while True:
        async with site.db.transaction() as tx:
            deleted = await tx.execute(_PURGE, now=now)
        purged += deleted
        if deleted < BATCH:
            return purged


def _purge() -> Statement:
    stored, old = idempotency_keys.c, idempotency_keys.alias("old").c
    oldest = (
        sa.select(old.workspace_id, old.key_hash)
        .where(old.expires_at <= sa.bindparam("now", type_=Instant()))
        .limit(sa.literal_column(str(BATCH)))
    )
    key: Any = sa.tuple_(stored.workspace_id, stored.key_hash)
    return Statement(sa.delete(idempotency_keys).where(key.in_(oldest)))


_PURGE = _purge()
