"""Revokes all API keys of a user at once, for operators when the keys may have leaked."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airside.audit.record import OPERATOR, record_audit
from airside.db.base import Row
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement
from airside.identity.revocations import revocations
from airside.identity.tables import api_keys


async def count_live_keys(reader: Reader, user_id: str, now: datetime) -> int:
    """How many of a user's keys are neither revoked nor expired."""
    return len(await reader.fetch_all(_LIVE_KEYS, user_id=user_id, now=now))


async def revoke_keys_of(tx: Transaction, user_id: str, now: datetime) -> int:
    """Revoke all live keys of a user as an operator; returns how many."""
    keys = await tx.fetch_all(_LIVE_KEYS_HELD, user_id=user_id, now=now)
    for key in keys:
        await tx.update(api_keys, {"revoked_at": now}, id=key["id"])
        await audit_key(tx, "api_key.revoked", now, key, by_operator=True)
    revocations.record(tx)
    return len(keys)


async def audit_key(
    tx: Transaction, action: str, at: datetime, key: Row, *, by_operator: bool = False
) -> None:
    """Audit an action on a key, by its owner or by an operator."""
    details = {"label": key["label"], "last_four": key["last_four"]}
    by: dict[str, Any] = {"actor_id": key["user_id"]}
    if by_operator:
        by, details = {"actor_kind": OPERATOR}, details | {"user": key["user_id"]}
    await record_audit(tx, action, at, target=("api_key", key["id"]), details=details, **by)


_k = api_keys.c
_live = (
    sa.select(_k.id, _k.user_id, _k.label, _k.last_four)
    .where(
        _k.user_id == sa.bindparam("user_id"),
        _k.revoked_at.is_(None),
        sa.or_(_k.expires_at.is_(None), _k.expires_at > sa.bindparam("now", type_=_k.expires_at.type)),
    )
    .order_by(_k.id)
)
_LIVE_KEYS = Statement(_live)
_LIVE_KEYS_HELD = Statement(_live.with_for_update())
