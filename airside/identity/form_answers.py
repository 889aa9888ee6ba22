"""Idempotent form submissions: a form sent twice is performed once, and both redirect to the same page.

A created secret is stored sealed, for the session that sent the form, until that page has shown it once. A double
click without scripts ends the first request on its way: its page may have been rendered, but not displayed. So the
second request lets the page show the secret again, within seconds. All state is in the database, so any process may
handle the retry, and a restart loses nothing.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import sqlalchemy as sa

from airside.db.base import Instant, Row
from airside.db.database import UniqueViolation
from airside.db.statements import Statement
from airside.db.text_rules import is_storable
from airside.errors import Conflict
from airside.identity.tables import SHOWN_ONCE, form_answers
from airside.runtime.site import Site

KEEP = timedelta(minutes=10)  # for a secret to be shown, and for a form to be recognised as sent before
DOUBLE_CLICK = timedelta(seconds=5)  # after a secret was shown, in which the same form shows it again
LEASE = timedelta(minutes=1)  # after that, the process that claimed the form is presumed dead
POLLS, POLL_SECONDS = 20, 0.25  # of a duplicate that waits for the first submission to finish

Fields = Mapping[str, list[str]]


class StillProcessing(Conflict):
    """The same form was sent before and is still being processed."""

    def __init__(self) -> None:
        super().__init__(
            "This was sent already and is still being worked on. Look in a moment whether it is there."
        )


def key_of(session_hash: str, path: str, fields: Fields, files: Mapping[str, bytes]) -> str:
    """The idempotency key: a hash of the form with all its fields and files. The CSRF token among them is new each
    time the page is loaded, so the same values may be sent again from a reloaded page; and its entropy prevents
    brute-forcing the other fields from the hash."""
    sent = hashlib.sha256(msgspec.json.encode([session_hash, path, dict(fields)]))
    for name, data in files.items():
        sent.update(hashlib.sha256(name.encode() + b"\0" + data).digest())
    return sent.hexdigest()


async def claim(site: Site, session_hash: str, key: str) -> str | None:
    """None: the caller is the first and must process the form. Else the first submission's redirect. Raises
    StillProcessing."""
    for _ in range(POLLS):
        found = await _find_or_claim(site, session_hash, key)
        if found is None:
            return None
        if found["location"] is not None:
            await _show_again(site, found)
            return found["location"]
        await asyncio.sleep(POLL_SECONDS)
    raise StillProcessing


async def _find_or_claim(site: Site, session_hash: str, key: str) -> Row | None:
    """The form's row; None when there was none and the caller now holds the claim."""
    now = site.clock.now()
    found = await site.db.find(form_answers, key=key)
    if found is not None and found["expires_at"] > now:
        return found
    row = {"key": key, "session_hash": session_hash, "expires_at": now + LEASE}
    try:
        async with site.db.transaction() as tx:
            if found is not None:
                await tx.delete(form_answers, key=key, expires_at=found["expires_at"])
            await tx.insert(form_answers, row)
    except UniqueViolation:  # a concurrent submission was first
        return await site.db.find(form_answers, key=key) or row | {"location": None}
    return None


async def _show_again(site: Site, found: Row) -> None:
    if found["shown_at"] is None or site.clock.now() - found["shown_at"] > DOUBLE_CLICK:
        return
    async with site.db.transaction() as tx:
        await tx.update(form_answers, {"shown_at": None}, key=found["key"])


async def finish(site: Site, key: str, location: str) -> None:
    """Record the redirect of a processed form."""
    changes = {"location": location, "expires_at": site.clock.now() + KEEP}
    async with site.db.transaction() as tx:
        await tx.update(form_answers, changes, key=key)


async def release(site: Site, key: str) -> None:
    """Drop the claim of a form that was refused, so that it may be sent again."""
    async with site.db.transaction() as tx:
        await tx.delete(form_answers, key=key)


async def store_shown_once(site: Site, key: str, path: str, shown: Mapping[str, Any]) -> str:
    """Store values for the page at `path` to show once; returns the page's URL."""
    location = f"{path}?{urlencode({'answer': key})}"
    sealed = site.sealer.seal(msgspec.json.encode(shown).decode(), SHOWN_ONCE)
    changes = {"location": location, "shown_sealed": sealed, "expires_at": site.clock.now() + KEEP}
    async with site.db.transaction() as tx:
        await tx.update(form_answers, changes, key=key)
    return location


def _is_shown_next(row: Row, now: datetime) -> bool:
    return row["shown_sealed"] is not None and row["shown_at"] is None and row["expires_at"] > now


async def take_shown_once(
    site: Site, key: str, path: str, session_hash: str, *, keep: bool = False
) -> dict[str, Any] | None:
    """The values for the page at `path`, for the session that created them; None if shown already, or unknown.

    `keep`: don't count this as shown."""
    if not is_storable(key):  # no query could carry it
        return None
    async with site.db.transaction() as tx:
        row = await tx.lock(form_answers, key=key)
        if row is None or not _is_shown_next(row, site.clock.now()):
            return None
        if row["session_hash"] != session_hash or row["location"].partition("?")[0] != path:
            return None
        if not keep:
            await tx.update(form_answers, {"shown_at": site.clock.now()}, key=key)
    try:
        return msgspec.json.decode(site.sealer.unseal(row["shown_sealed"], SHOWN_ONCE))
    except ValueError:  # sealed with a key that this instance no longer has
        return None


async def erase_shown(site: Site) -> None:
    """Erase the secrets that were shown and can't be shown again."""
    async with site.db.transaction() as tx:
        await tx.execute(_ERASE, before=site.clock.now() - DOUBLE_CLICK)


_ERASE = Statement(
    sa.update(form_answers)
    .values(shown_sealed=None)
    .where(
        form_answers.c.shown_sealed.is_not(None),
        form_answers.c.shown_at < sa.bindparam("before", type_=Instant()),
    )
)
