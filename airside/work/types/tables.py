"""Types of work items, their custom properties with options, and the values that work items have of them.

A type or property without a project is the workspace's: projects import its types, and see the properties of those.
"""

from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, Instant, Json, metadata, stamps, tenant_key
from airside.db.conditions import live, share_in_projects
from airside.work.rows import external_columns, index_parents, live_unique, two_level_row

work_item_types = sa.Table(
    "work_item_types",
    metadata,
    *two_level_row(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("logo_props", Json, nullable=False),
    sa.Column("is_epic", sa.Boolean, nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False),  # of new work items; at most one at each level
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("level", sa.Integer, nullable=False),
)
# Which projects have imported a type of the workspace.
type_projects = sa.Table(
    "work_item_type_projects",
    metadata,
    sa.Column("workspace_id", Id, nullable=False),
    sa.Column("project_id", Id, nullable=False),
    sa.Column("type_id", Id, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.PrimaryKeyConstraint("workspace_id", "project_id", "type_id"),
)
sa.Index("ix_work_item_type_projects_type", type_projects.c.workspace_id, type_projects.c.type_id)

work_item_properties = sa.Table(
    "work_item_properties",
    metadata,
    *two_level_row(),
    sa.Column("name", sa.Text, nullable=False),  # for programs: made of display_name
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("logo_props", Json, nullable=False),
    sa.Column("sort_order", sa.Float, nullable=False),
    sa.Column("property_type", sa.Text, nullable=False),  # TEXT, DATETIME, DECIMAL, BOOLEAN, OPTION …
    sa.Column("relation_type", sa.Text),  # of RELATION: ISSUE, USER, RELEASE, RICH_TEXT
    sa.Column("is_required", sa.Boolean, nullable=False),
    sa.Column("default_value", Json, nullable=False),  # list of texts
    sa.Column("settings", Json, nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("is_multi", sa.Boolean, nullable=False),
    sa.Column("validation_rules", Json, nullable=False),
    sa.Column("formula_config", Json),
)
type_properties = sa.Table(
    "work_item_type_properties",
    metadata,
    *tenant_key(),
    sa.Column("project_id", Id),  # the type's
    sa.Column("type_id", Id, nullable=False),
    sa.Column("property_id", Id, nullable=False),
    *stamps(),
)
live_unique(
    "uq_work_item_type_properties",
    type_properties.c.workspace_id,
    type_properties.c.type_id,
    type_properties.c.property_id,
)
sa.Index(
    "ix_work_item_type_properties_property",
    type_properties.c.workspace_id,
    type_properties.c.property_id,
    type_properties.c.type_id,
)

property_options = sa.Table(
    "work_item_property_options",
    metadata,
    *two_level_row(),
    sa.Column("property_id", Id, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("logo_props", Json, nullable=False),
    sa.Column("sort_order", sa.Float, nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("parent_id", Id),
)
index_parents(property_options)

# One row for each value, in the column of its property's type: several for a property with several values. Rows are
# deleted with the value. Those of a deleted property, option or work item stay: they are read together with it.
property_values = sa.Table(
    "work_item_property_values",
    metadata,
    *tenant_key(),
    sa.Column("project_id", Id, nullable=False),
    sa.Column("work_item_id", Id, nullable=False),
    sa.Column("property_id", Id, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),  # from 0, in the given order
    sa.Column("value_text", sa.Text),  # TEXT, URL, EMAIL, FILE, and the HTML of RICH_TEXT
    sa.Column("text_key", sa.Text),  # its start in lower case, by which it is found and ordered
    sa.Column("value_decimal", sa.Float),
    sa.Column("value_boolean", sa.Boolean),
    sa.Column("value_datetime", Instant),
    sa.Column("value_id", Id),  # OPTION, CASCADING, and what a RELATION names
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Column("created_by_id", Id),
    sa.Column("updated_by_id", Id),
    *external_columns(),
)
sa.Index(
    "uq_work_item_property_values",
    property_values.c.workspace_id,
    property_values.c.work_item_id,
    property_values.c.property_id,
    property_values.c.position,
    unique=True,
)
VALUE_COLUMNS = ("text_key", "value_decimal", "value_boolean", "value_datetime", "value_id")
# Work items by their value of one property, and in its order.
for _name in VALUE_COLUMNS:
    _given = property_values.c[_name].is_not(None)
    sa.Index(
        f"ix_work_item_property_values_{_name}",
        property_values.c.workspace_id,
        property_values.c.property_id,
        property_values.c.project_id,
        property_values.c[_name],
        property_values.c.work_item_id,
        sqlite_where=_given,
        postgresql_where=_given,
    )


def _index(table: sa.Table, *order: str, lead: str = "") -> None:
    """The indexes of a list in this order, at the level of the workspace and of a project, and by external id."""
    columns = table.c
    under = [columns.workspace_id, columns[lead] if lead else columns.project_id]
    sa.Index(f"ix_{table.name}_order", *under, *(columns[name] for name in (*order, "id")))
    given = columns.external_id.is_not(None)
    by_external = (*under, columns.external_source, columns.external_id)
    sa.Index(f"ix_{table.name}_external", *by_external, sqlite_where=given, postgresql_where=given)


def _index_all(table: sa.Table, order: str) -> None:
    """The index of a list in this order that isn't of one project's own alone: PostgreSQL reads no order from one
    with `project_id` before it where that is null."""
    is_live = live(table)
    columns = (table.c.workspace_id, table.c[order], table.c.id)
    sa.Index(f"ix_{table.name}_all", *columns, sqlite_where=is_live, postgresql_where=is_live)


_index(work_item_types, "created_at")
_index_all(work_item_types, "created_at")
# What new work items and epics get: few of all types.
for _flag in (work_item_types.c.is_default, work_item_types.c.is_epic):
    _chosen = sa.and_(_flag, live(work_item_types))
    sa.Index(
        f"ix_work_item_types_{_flag.name}",
        work_item_types.c.workspace_id,
        work_item_types.c.project_id,
        work_item_types.c.created_at,
        work_item_types.c.id,
        sqlite_where=_chosen,
        postgresql_where=_chosen,
    )
_index(work_item_properties, "sort_order")
_index_all(work_item_properties, "sort_order")
_index(property_options, "sort_order", lead="property_id")


def _is_imported(project: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Of the types: those that the project has imported."""
    return (
        sa.exists()
        .where(
            type_projects.c.workspace_id == work_item_types.c.workspace_id,
            type_projects.c.project_id == project,
            type_projects.c.type_id == work_item_types.c.id,
        )
        .correlate_except(type_projects)
    )


def _is_of_imported_type(project: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Of the properties: the workspace's that a type has which the project has imported."""
    both = sa.and_(
        type_properties.c.workspace_id == type_projects.c.workspace_id,
        type_properties.c.type_id == type_projects.c.type_id,
    )
    found = (
        sa.exists()
        .select_from(sa.join(type_properties, type_projects, both))
        .where(
            type_properties.c.workspace_id == work_item_properties.c.workspace_id,
            type_properties.c.property_id == work_item_properties.c.id,
            type_projects.c.project_id == project,
            live(type_properties),
        )
        .correlate_except(type_properties, type_projects)
    )
    return sa.and_(work_item_properties.c.project_id.is_(None), found)


share_in_projects(work_item_types, _is_imported)
share_in_projects(work_item_properties, _is_of_imported_type)
# An option is found below its property, which the project has.
share_in_projects(property_options, lambda _: property_options.c.project_id.is_(None))
