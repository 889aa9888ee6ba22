"""Milestones, and which work items they hold. Apart from their records, since queries of work items use them."""

import sqlalchemy as sa

from airside.db.base import Id, metadata
from airside.db.conditions import live
from airside.rest.parameters import Link
from airside.work.rows import index_records, live_unique, project_row

milestones = sa.Table(
    "milestones",
    metadata,
    *project_row(),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("target_date", sa.Date),
)
index_records(milestones)

milestone_work_items = sa.Table(
    "milestone_work_items",
    metadata,
    *project_row(),
    sa.Column("milestone_id", Id, nullable=False),
    sa.Column("issue_id", Id, nullable=False),
)
live_unique(
    "uq_milestone_work_items_issue", milestone_work_items.c.workspace_id, milestone_work_items.c.issue_id
)
_live = live(milestone_work_items)
sa.Index(
    "ix_milestone_work_items_milestone",
    milestone_work_items.c.workspace_id,
    milestone_work_items.c.milestone_id,
    milestone_work_items.c.created_at.desc(),
    milestone_work_items.c.id.desc(),
    milestone_work_items.c.issue_id,
    sqlite_where=_live,
    postgresql_where=_live,
)
sa.Index(
    "ix_milestone_work_items_held",  # for the progress, which SQLite would otherwise read from all work items
    milestone_work_items.c.workspace_id,
    milestone_work_items.c.milestone_id,
    milestone_work_items.c.issue_id,
    sqlite_where=_live,
    postgresql_where=_live,
)

IN_MILESTONES = Link(
    milestone_work_items, "issue_id", "milestone_id", (_live,)
)  # the milestone of each work item
