"""The table of apps' usage."""

import sqlalchemy as sa

from airside.db.base import Id, Instant, metadata

app_usage = sa.Table(
    "app_usage",  # API requests per hour, counted in memory and flushed every few seconds
    metadata,
    sa.Column("workspace_id", Id, primary_key=True),  # whose API it called
    sa.Column("app_id", Id, primary_key=True),
    sa.Column("hour", Instant, primary_key=True),  # its start
    sa.Column("requests", sa.BigInteger, nullable=False),
    sa.Column("errors", sa.BigInteger, nullable=False),  # of these, those with an error response
)
sa.Index("ix_app_usage_hour", app_usage.c.hour)
