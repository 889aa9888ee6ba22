"""Cycles and modules, and which work items they hold.

Apart from their records, since lists and queries of work items filter by these links.
"""

from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, Instant, Json, metadata, stamps, tenant_key
from airside.db.conditions import live
from airside.rest.parameters import Link
from airside.work.rows import index_archived, index_records, live_unique, project_row

cycles = sa.Table(
    "cycles",
    metadata,
    *project_row(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("start_date", Instant),  # both or none
    sa.Column("end_date", Instant),
    sa.Column("timezone", sa.Text, nullable=False),  # in which its days begin and end
    sa.Column("owned_by_id", Id, nullable=False),
    sa.Column("sort_order", sa.Float, nullable=False),
    sa.Column("progress_snapshot", Json, nullable=False),  # as of the transfer of its unfinished work items
    sa.Column("logo_props", Json, nullable=False),
    sa.Column("archived_at", Instant),
)
index_records(cycles)
index_archived(cycles)
_live = live(cycles)
for _name in ("end_date", "sort_order"):  # which one overlaps, and where a new one goes
    sa.Index(
        f"ix_cycles_{_name}",
        cycles.c.workspace_id,
        cycles.c.project_id,
        cycles.c[_name],
        sqlite_where=_live,
        postgresql_where=_live,
    )


def _link_row() -> list[Any]:
    """A project's row without external ids, which belong to what is linked."""
    return [*tenant_key(), sa.Column("project_id", Id, nullable=False), *stamps()]


cycle_work_items = sa.Table(
    "cycle_work_items",
    metadata,
    *_link_row(),
    sa.Column("cycle_id", Id, nullable=False),
    sa.Column("issue_id", Id, nullable=False),
)
live_unique("uq_cycle_work_items_issue", cycle_work_items.c.workspace_id, cycle_work_items.c.issue_id)
_live = live(cycle_work_items)
sa.Index(
    "ix_cycle_work_items_cycle",
    cycle_work_items.c.workspace_id,
    cycle_work_items.c.cycle_id,
    cycle_work_items.c.issue_id,
    sqlite_where=_live,
    postgresql_where=_live,
)

IN_CYCLES = Link(cycle_work_items, "issue_id", "cycle_id", (_live,))  # the cycle of each work item

modules = sa.Table(
    "modules",
    metadata,
    *project_row(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("start_date", sa.Date),
    sa.Column("target_date", sa.Date),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("lead_id", Id),
    sa.Column("sort_order", sa.Float, nullable=False),
    sa.Column("logo_props", Json, nullable=False),
    sa.Column("archived_at", Instant),
)
index_records(modules)
index_archived(modules)
live_unique("uq_modules_name", modules.c.workspace_id, modules.c.project_id, modules.c.name)
_live = live(modules)
sa.Index(
    "ix_modules_sort_order",
    modules.c.workspace_id,
    modules.c.project_id,
    modules.c.sort_order,
    sqlite_where=_live,
    postgresql_where=_live,
)

module_members = sa.Table(
    "module_members",
    metadata,
    sa.Column("workspace_id", Id, nullable=False),
    sa.Column("module_id", Id, nullable=False),
    sa.Column("member_id", Id, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),  # in the given order
    sa.PrimaryKeyConstraint("workspace_id", "module_id", "member_id"),
)
sa.Index(
    "ix_module_members_member",
    module_members.c.workspace_id,
    module_members.c.member_id,
    module_members.c.module_id,
)

module_work_items = sa.Table(
    "module_work_items",
    metadata,
    *_link_row(),
    sa.Column("module_id", Id, nullable=False),
    sa.Column("issue_id", Id, nullable=False),
)
live_unique(
    "uq_module_work_items",
    module_work_items.c.workspace_id,
    module_work_items.c.module_id,
    module_work_items.c.issue_id,
)
_live = live(module_work_items)
sa.Index(
    "ix_module_work_items_issue",
    module_work_items.c.workspace_id,
    module_work_items.c.issue_id,
    module_work_items.c.module_id,
    sqlite_where=_live,
    postgresql_where=_live,
)

IN_MODULES = Link(module_work_items, "issue_id", "module_id", (_live,))  # the modules of each work item
