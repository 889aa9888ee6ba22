"""What a form led to that makes something: sent twice it is done once, and leads to the same page both times.

A secret that was made is on that page: sealed, for the session that sent the form, until it has been shown. All of
it is in the database, so any process may be asked, and a restart loses nothing.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from airside.db.base import Row
from airside.db.database import UniqueViolation
from airside.errors import Conflict
from airside.identity.storable import is_storable
from airside.identity.tables import SHOWN_ONCE, form_answers
from airside.runtime.site import Site

KEPT = timedelta(minutes=10)  # how long a secret waits to be shown, and a form is known to have been sent
AT_WORK = timedelta(minutes=1)  # after that, whoever worked on it is taken for dead
LOOKS, BETWEEN = 20, 0.25  # how often, and after how many seconds, somebody looks whether the other is done

Fields = Mapping[str, list[str]]


class StillAtWork(Conflict):
    """The same form was sent before, and isn't answered yet."""

    def __init__(self) -> None:
        super().__init__(
            "This was sent already and is still being worked on. Look in a moment whether it is there."
        )


def key_of(session_hash: str, path: str, fields: Fields, files: Mapping[str, bytes]) -> str:
    """Stands for a form with all that is in it. Its CSRF token is of one showing of its page, so whoever opens the
    page again may send the same once more; and with 256 bits in it nobody can find out the rest."""
    sent = hashlib.sha256(msgspec.json.encode([session_hash, path, dict(fields)]))
    for name, data in files.items():
        sent.update(hashlib.sha256(name.encode() + b"\0" + data).digest())
    return sent.hexdigest()


async def claim(site: Site, session_hash: str, key: str) -> str | None:
    """None: whoever asks is the first, and answers it. Else where it led. Raises StillAtWork."""
    for _ in range(LOOKS):
        found = await _find_or_begin(site, session_hash, key)
        if found is None:
            return None
        if found["location"] is not None:
            return found["location"]
        await asyncio.sleep(BETWEEN)
    raise StillAtWork


async def _find_or_begin(site: Site, session_hash: str, key: str) -> Row | None:
    """What is known of the form; None when it was not known, and is from now on."""
    now = site.clock.now()
    found = await site.db.find(form_answers, key=key)
    if found is not None and found["expires_at"] > now:
        return found
    row = {"key": key, "session_hash": session_hash, "expires_at": now + AT_WORK}
    try:
        async with site.db.transaction() as tx:
            if found is not None:
                await tx.delete(form_answers, key=key, expires_at=found["expires_at"])
            await tx.insert(form_answers, row)
    except UniqueViolation:  # another was faster
        return await site.db.find(form_answers, key=key) or row | {"location": None}
    return None


async def finish(site: Site, key: str, location: str) -> None:
    """It was done, and led there."""
    kept = {"location": location, "expires_at": site.clock.now() + KEPT}
    async with site.db.transaction() as tx:
        await tx.update(form_answers, kept, key=key)


async def give_back(site: Site, key: str) -> None:
    """It was refused: it may be sent again."""
    async with site.db.transaction() as tx:
        await tx.delete(form_answers, key=key)


async def keep_to_show(site: Site, key: str, path: str, shown: Mapping[str, Any]) -> str:
    """Where the page at `path` shows this once."""
    location = f"{path}?{urlencode({'answer': key})}"
    sealed = site.sealer.seal(msgspec.json.encode(shown).decode(), SHOWN_ONCE)
    kept = {"location": location, "shown_sealed": sealed, "expires_at": site.clock.now() + KEPT}
    async with site.db.transaction() as tx:
        await tx.update(form_answers, kept, key=key)
    return location


async def take_to_show(
    site: Site, key: str, path: str, session_hash: str, *, keep: bool = False
) -> dict[str, Any] | None:
    """What the page at `path` has to show, for the session that made it; None when it was shown, or never was.

    `keep`: somebody asks about it only."""
    if not is_storable(key):  # of which no database could be asked
        return None
    async with site.db.transaction() as tx:
        row = await tx.lock(form_answers, key=key)
        if row is None or row["shown_sealed"] is None or row["expires_at"] <= site.clock.now():
            return None
        if row["session_hash"] != session_hash or row["location"].partition("?")[0] != path:
            return None
        if not keep:
            await tx.update(form_answers, {"shown_sealed": None}, key=key)
    try:
        return msgspec.json.decode(site.sealer.unseal(row["shown_sealed"], SHOWN_ONCE))
    except ValueError:  # sealed under a key that this instance doesn't have any more
        return None
