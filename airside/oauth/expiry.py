"""Clearing away what has expired, so that tables stay as small as what is in use."""

from datetime import timedelta

import sqlalchemy as sa

from airside.db.base import Instant
from airside.db.statements import Statement
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

# A used code must still be recognised when it is replayed, a dead token when somebody asks why it stopped. What
# anybody can make by a request, and nobody asks for again, goes at once.
KEEP = timedelta(days=7)
BATCH = 1000  # rows of one transaction; on SQLite other writers wait for it


async def clear_expired(site: Site) -> int:
    """Delete expired requests, codes, tokens, sessions and counts of guesses; how many.

    A refresh token that was rotated stays as long as it could be presented, so that its reuse is noticed."""
    now = site.clock.now()
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
