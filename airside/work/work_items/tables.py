"""Work items and their assignees and labels."""

import sqlalchemy as sa

from airside.db.base import Id, Instant, Json, metadata
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.work.rows import index_archived, index_records, project_row

work_items = sa.Table(
    "work_items",
    metadata,
    *project_row(),
    sa.Column("sequence_id", sa.Integer, nullable=False),  # the 12 of ENG-12
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description_html", sa.Text, nullable=False),
    sa.Column("description_stripped", sa.Text, nullable=False),
    sa.Column("description_json", Json, nullable=False),
    sa.Column("description_binary", sa.Text),
    sa.Column("priority", sa.Text, nullable=False),  # urgent, high, medium, low, none
    sa.Column("state_id", Id, nullable=False),
    sa.Column("parent_id", Id),
    sa.Column("type_id", Id),
    sa.Column("estimate_point_id", Id),
    sa.Column("point", sa.Integer),
    sa.Column("start_date", sa.Date),
    sa.Column("target_date", sa.Date),
    sa.Column("sort_order", sa.Float, nullable=False),
    sa.Column("is_draft", sa.Boolean, nullable=False),
    sa.Column(  # waits in the intake, and is in no list until it is accepted
        "in_intake", sa.Boolean, nullable=False, server_default=sa.false()
    ),
    sa.Column("completed_at", Instant),
    sa.Column("archived_at", Instant),
    sa.Column("last_activity_at", Instant),
)
index_records(work_items)
index_archived(work_items)
sa.Index(
    "uq_work_items_sequence",
    work_items.c.workspace_id,
    work_items.c.project_id,
    work_items.c.sequence_id,
    unique=True,
)
# By state and newest first, so that a board's column with few work items is found without reading many others.
# Covers the count of a state.
sa.Index(
    "ix_work_items_state",
    work_items.c.workspace_id,
    work_items.c.project_id,
    work_items.c.state_id,
    work_items.c.created_at.desc(),
    work_items.c.id.desc(),
    work_items.c.deleted_at,
    work_items.c.archived_at,
    work_items.c.is_draft,
    work_items.c.in_intake,
)
# For the sort_order of a new one: after the last of its state.
_live = live(work_items)
sa.Index(
    "ix_work_items_sort",
    work_items.c.workspace_id,
    work_items.c.project_id,
    work_items.c.state_id,
    work_items.c.sort_order,
    sqlite_where=_live,
    postgresql_where=_live,
)


def list_conditions(items: sa.FromClause) -> tuple[sa.ColumnElement[bool], ...]:
    """Which work items lists, searches and counts cover. `items` is the table or an alias of it."""
    columns = items.c
    is_whole = (columns.is_draft.is_(sa.false()), columns.in_intake.is_(sa.false()))
    return live(items), columns.archived_at.is_(None), *is_whole


# Listed work items in the two orders that clients use; pages and totals are read from the index.
LISTED = list_conditions(work_items)
listed = sa.and_(*LISTED)
for _column in (work_items.c.created_at, work_items.c.updated_at):
    sa.Index(
        f"ix_work_items_listed_{_column.name}",
        work_items.c.workspace_id,
        work_items.c.project_id,
        _column.desc(),
        work_items.c.id.desc(),
        sqlite_where=listed,
        postgresql_where=listed,
    )
sa.Index(
    "ix_work_items_listed",  # newest first in all projects
    work_items.c.workspace_id,
    work_items.c.created_at.desc(),
    work_items.c.id.desc(),
    sqlite_where=listed,
    postgresql_where=listed,
)
sa.Index(
    "ix_work_items_parent",  # in a list's order, or SQLite would read the whole project in it
    work_items.c.workspace_id,
    work_items.c.parent_id,
    work_items.c.project_id,
    work_items.c.created_at.desc(),
    work_items.c.id.desc(),
)
_estimated = work_items.c.estimate_point_id.is_not(None)
sa.Index(
    "ix_work_items_estimate_point",
    work_items.c.workspace_id,
    work_items.c.estimate_point_id,
    work_items.c.project_id,
    work_items.c.created_at.desc(),
    work_items.c.id.desc(),
    sqlite_where=_estimated,
    postgresql_where=_estimated,
)

# Of a type: whether any work item has it, and a project's newest first.
_typed = work_items.c.type_id.is_not(None)
sa.Index(
    "ix_work_items_type",
    work_items.c.workspace_id,
    work_items.c.type_id,
    work_items.c.project_id,
    work_items.c.created_at.desc(),
    work_items.c.id.desc(),
    sqlite_where=_typed,
    postgresql_where=_typed,
)

work_item_assignees = sa.Table(
    "work_item_assignees",
    metadata,
    sa.Column("workspace_id", Id, nullable=False),
    sa.Column("work_item_id", Id, nullable=False),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),  # in the given order
    sa.PrimaryKeyConstraint("workspace_id", "work_item_id", "user_id"),
)
sa.Index(
    "ix_work_item_assignees_user",
    work_item_assignees.c.workspace_id,
    work_item_assignees.c.user_id,
    work_item_assignees.c.work_item_id,
)

work_item_labels = sa.Table(
    "work_item_labels",
    metadata,
    sa.Column("workspace_id", Id, nullable=False),
    sa.Column("work_item_id", Id, nullable=False),
    sa.Column("label_id", Id, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("workspace_id", "work_item_id", "label_id"),
)
sa.Index(
    "ix_work_item_labels_label",
    work_item_labels.c.workspace_id,
    work_item_labels.c.label_id,
    work_item_labels.c.work_item_id,
)

FIND_IN_STATE = Statement(
    sa.select(work_items.c.id)
    .where(
        tenant(work_items),
        work_items.c.project_id == sa.bindparam("project_id", type_=Id()),
        work_items.c.state_id == sa.bindparam("state_id", type_=Id()),
        live(work_items),
    )
    .limit(1)
)
