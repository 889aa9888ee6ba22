"""The topics that some process watches, through which processes notify each other of changes."""

import sqlalchemy as sa

from airside.db.base import Instant, metadata

# Only a watched topic has a row; its version counts changes. The row of an unwatched topic expires.
live_topics = sa.Table(
    "live_topics",
    metadata,
    sa.Column("topic", sa.Text, primary_key=True),  # <what>:<id>, as in portal/live.py
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("watched_since", Instant, nullable=False),  # without a gap
    sa.Column("watched_until", Instant, nullable=False, index=True),
    sa.Column("changed_at", Instant, nullable=False),
)
