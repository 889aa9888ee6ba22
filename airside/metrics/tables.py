"""The totals of all processes' counters since the instance was created."""

import sqlalchemy as sa

from airside.db.base import metadata

metric_counts = sa.Table(
    "metric_counts",
    metadata,
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),  # the one label's value; "" for none
    sa.Column("value", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("name", "label"),
)
