"""Clearing away what has expired, so that tables stay as small as what is in use."""

from datetime import timedelta

import sqlalchemy as sa

from airside.db.base import Instant
from airside.db.statements import Statement
from airside.identity.tables import sessions
from airside.oauth.tables import access_tokens, authorization_codes, consent_requests, refresh_tokens
from airside.site import Site

# A used code must still be recognised when it is replayed, a dead token when somebody asks why it stopped.
KEEP = timedelta(days=7)


async def clear_expired(site: Site) -> int:
    """Delete expired requests, codes, tokens and sessions; how many. A refresh token that was rotated stays as
    long as it could be presented, so that its reuse is noticed."""
    before = site.clock.now() - KEEP
    cleared = 0
    for statement in _CLEAR:
        async with site.db.transaction() as tx:
            cleared += await tx.execute(statement, before=before)
    return cleared


_CLEAR = [
    Statement(sa.delete(table).where(table.c.expires_at < sa.bindparam("before", type_=Instant())))
    for table in (consent_requests, authorization_codes, access_tokens, refresh_tokens, sessions)
]
