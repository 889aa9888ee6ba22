"""What is being watched somewhere, so that processes can tell each other that it has changed."""

import sqlalchemy as sa

from airside.db.base import Instant, metadata

# Only what somebody watches has a row, and its version counts changes. A row without a watcher ends by itself.
live_topics = sa.Table(
    "live_topics",
    metadata,
    sa.Column("topic", sa.Text, primary_key=True),  # <what>:<id>, as in portal/live.py
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("watched_since", Instant, nullable=False),  # without a gap
    sa.Column("watched_until", Instant, nullable=False, index=True),
    sa.Column("changed_at", Instant, nullable=False),
)
