"""Estimates and their points. Separate from their rules, since projects and work items refer to them."""

import sqlalchemy as sa

from airside.db.base import Id, metadata
from airside.work.rows import live_unique, project_row

estimates = sa.Table(
    "estimates",
    metadata,
    *project_row(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),  # categories, points, time
    sa.Column("last_used", sa.Boolean, nullable=False),
)
is_numeric = estimates.c.type != "categories"  # whether its points are summed; time is in minutes
live_unique("uq_estimates_project", estimates.c.workspace_id, estimates.c.project_id)

estimate_points = sa.Table(
    "estimate_points",
    metadata,
    *project_row(),
    sa.Column("estimate_id", Id, nullable=False),
    sa.Column("key", sa.Integer, nullable=False),  # its place
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("number", sa.Float),  # the value; None where it isn't one
    sa.Column("description", sa.Text, nullable=False),
)
sa.Index(
    "ix_estimate_points_key",
    estimate_points.c.workspace_id,
    estimate_points.c.estimate_id,
    estimate_points.c.key,
    estimate_points.c.id,
)
