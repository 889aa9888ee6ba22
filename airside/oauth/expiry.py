"""Deletes expired rows, so that tables stay small."""

from datetime import timedelta

import sqlalchemy as sa

from airside.db.base import Instant
from airside.db.statements import Statement
from airside.identity.form_answers import erase_shown
from airside.identity.tables import form_answers, guesses, sessions
from airside.oauth.tables import (
    access_tokens,
    authorization_codes,
    consent_requests,
    device_requests,
    refresh_tokens,
)
from airside.runtime.rate_budgets import rate_budgets
from airside.runtime.site import Site

# A used code must still be recognised on replay, and an expired token be there for support questions. Rows that
# any request can create, and that nothing reads after their expiry, are deleted at once.
KEEP = timedelta(days=7)
BATCH = 1000  # rows per transaction; on SQLite other writers wait for it


async def clear_expired(site: Site) -> int:
    """Delete expired requests, codes, tokens, sessions and guess counters; returns how many.

    A rotated refresh token is kept until it expires, so that its reuse is detected."""
    now = site.clock.now()
    await erase_shown(site)
    kept = [await _clear(site, statement, now - KEEP) for statement in _CLEAR]
    return sum(kept + [await _clear(site, statement, now) for statement in _CLEAR_AT_ONCE])


async def _clear(site: Site, statement: Statement, before: object) -> int:
    cleared = 0
    while True:
        async with site.db.transaction() as tx:
            deleted = await tx.execute(statement, before=before)
        cleared += deleted
        if deleted < BATCH:
            return cleared


def _clear_table(table: sa.Table) -> Statement:
    [key] = table.primary_key
    expired = table.alias("expired")
    oldest = (
        sa.select(expired.c[key.name])
        .where(expired.c.expires_at < sa.bindparam("before", type_=Instant()))
        .limit(sa.literal_column(str(BATCH)))
    )
    return Statement(sa.delete(table).where(key.in_(oldest)))


_CLEAR = [
    _clear_table(table)
    for table in (
        authorization_codes,
        device_requests,
        access_tokens,
        refresh_tokens,
        sessions,
    )
]
_CLEAR_AT_ONCE = [_clear_table(table) for table in (consent_requests, form_answers, guesses, rate_budgets)]
