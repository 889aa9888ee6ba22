"""Limits guesses at short secrets: passwords, and the user codes of devices.

Counted in the database, so that all processes share the limit, and before the secret is checked, so that concurrent
guesses can't bypass it. Secrets of 256 bits are counted per process (attempts.py, docs/decisions/0011).
"""

import json
import math
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from airside.db.base import Row
from airside.db.database import Transaction
from airside.db.statements import Statement
from airside.errors import RateLimited
from airside.identity.tables import guesses
from airside.runtime.site import Site

PURPOSE = "guesser"


class Guesses(msgspec.Struct, frozen=True):
    """At most `allowed` guesses per key in a window of `within`, which starts with the first guess."""

    name: str
    allowed: int
    within: timedelta

    async def spend(self, tx: Transaction, site: Site, *key: str) -> None:
        """Count a guess. Raises RateLimited when the key has none left, until its window ends."""
        now, guesser = site.clock.now(), self._guesser(site, key)
        known = await tx.find(guesses, guesser=guesser)
        if known is not None and known["tried"] >= self.allowed and known["expires_at"] > now:
            raise _used_up(known, now)  # without a write
        counted = await tx.fetch_one(_SPEND, guesser=guesser, now=now, until=now + self.within)
        assert counted is not None  # it returns the row that it wrote
        if counted["tried"] > self.allowed:
            raise _used_up(counted, now)

    async def give_back(self, tx: Transaction, site: Site, *key: str) -> None:
        """Uncount a guess that was right."""
        await tx.execute(_GIVE_BACK, of_guesser=self._guesser(site, key))

    async def forget(self, tx: Transaction, site: Site, *key: str) -> None:
        """Reset the key after a right guess: the failures before it were the same person's."""
        await tx.delete(guesses, guesser=self._guesser(site, key))

    def _guesser(self, site: Site, key: tuple[str, ...]) -> str:
        """A MAC, since keys hold e-mail and IP addresses, which could be brute-forced from a plain hash."""
        return site.sealer.sign(json.dumps([self.name, *key]), PURPOSE)


def _used_up(counted: Row, now: datetime) -> RateLimited:
    return RateLimited(max(1, math.ceil((counted["expires_at"] - now).total_seconds())))


def _spend() -> Statement:
    # As in events/outbox.py: both dialects spell the upsert alike, but Core has it only in their own modules.
    text = sa.text(
        "INSERT INTO guesses (guesser, tried, expires_at) VALUES (:guesser, 1, :until) "
        "ON CONFLICT (guesser) DO UPDATE SET "
        "tried = CASE WHEN guesses.expires_at <= :now THEN 1 ELSE guesses.tried + 1 END, "
        "expires_at = CASE WHEN guesses.expires_at <= :now THEN :until ELSE guesses.expires_at END "
        "RETURNING tried, expires_at"
    )
    columns = guesses.c
    return Statement(
        text.bindparams(
            sa.bindparam("guesser", type_=columns.guesser.type),
            sa.bindparam("now", type_=columns.expires_at.type),
            sa.bindparam("until", type_=columns.expires_at.type),
        ).columns(columns.tried, columns.expires_at)
    )


_SPEND = _spend()
_GIVE_BACK = Statement(
    sa.update(guesses)
    .where(guesses.c.guesser == sa.bindparam("of_guesser"), guesses.c.tried > sa.literal_column("0"))
    .values(tried=guesses.c.tried - sa.literal_column("1"))
)
