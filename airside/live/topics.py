"""The rows of `live_topics`: watching, notifying and polling many topics at once."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from airside.db.base import Instant, Row
from airside.db.database import Database, Transaction
from airside.db.statements import Statement, any_text_of
from airside.live.tables import live_topics

WATCHED = timedelta(seconds=60)  # how long a topic counts as watched after the last renewal
SKEW = timedelta(seconds=2)  # by which the clocks of two machines may differ


async def mark_watched(tx: Transaction, topics: Collection[str], now: datetime) -> list[Row]:
    """Mark the topics as watched; returns their rows, with `version`, `changed_at` and `watched_since`."""
    return [
        row
        for topic in sorted(topics)  # in one order everywhere, so that no two processes deadlock
        for row in await tx.fetch_all(_WATCH, topic=topic, now=now, until=now + WATCHED)
    ]


async def keep_watched(tx: Transaction, topics: Collection[str], now: datetime) -> None:
    """Renew the topics, and delete the rows of topics that have not been watched for long."""
    await tx.execute(_END, before=now - WATCHED)
    await mark_watched(tx, topics, now)


async def list_versions(db: Database, topics: Collection[str]) -> dict[str, int]:
    return {row["topic"]: row["version"] for row in await db.fetch_all(_VERSIONS, topics=list(topics))}


async def increment_versions(db: Database, topics: Collection[str], now: datetime) -> Mapping[str, int]:
    """Increment the versions of the topics that are watched; returns the new ones. The others are not written."""
    found = await db.fetch_all(_WATCHED, topics=list(topics), now=now)
    if not found:
        return {}
    async with db.transaction() as tx:
        # Lock the rows in one order first, so that two processes that change the same topics don't deadlock.
        locked = await tx.fetch_all(_LOCK, topics=[row["topic"] for row in found])
        names = [row["topic"] for row in locked]
        return {row["topic"]: row["version"] for row in await tx.fetch_all(_CHANGE, topics=names, now=now)}


def is_unchanged(row: Row, since: datetime) -> bool:
    """Whether it was watched continuously since then, and didn't change."""
    return row["watched_since"] <= since and row["changed_at"] < since - SKEW


def _watch() -> Statement:
    # The upsert is the same SQL in both dialects, but Core has it only per dialect, so it is written as text.
    text = sa.text(
        "INSERT INTO live_topics (topic, version, watched_since, watched_until, changed_at) "
        "VALUES (:topic, 1, :now, :until, :now) "
        "ON CONFLICT (topic) DO UPDATE SET watched_until = :until, watched_since = "
        "CASE WHEN live_topics.watched_until < :now THEN :now ELSE live_topics.watched_since END "
        "RETURNING topic, version, watched_since, changed_at"
    )
    return Statement(
        text.bindparams(
            sa.bindparam("topic", type_=sa.Text()),
            sa.bindparam("now", type_=Instant()),
            sa.bindparam("until", type_=Instant()),
        ).columns(_t.topic, _t.version, _t.watched_since, _t.changed_at)
    )


_t = live_topics.c
_these = any_text_of(_t.topic, "topics")
_WATCH = _watch()
_END = Statement(sa.delete(live_topics).where(_t.watched_until < sa.bindparam("before", type_=Instant())))
_VERSIONS = Statement(sa.select(_t.topic, _t.version).where(_these))
_WATCHED = Statement(
    sa.select(_t.topic).where(_these, _t.watched_until > sa.bindparam("now", type_=Instant()))
)
_LOCK = Statement(sa.select(_t.topic).where(_these).order_by(_t.topic).with_for_update())
_CHANGE = Statement(
    sa.update(live_topics)
    .where(_these)
    .values(version=_t.version + 1, changed_at=sa.bindparam("now", type_=Instant()))
    .returning(_t.topic, _t.version)
)
