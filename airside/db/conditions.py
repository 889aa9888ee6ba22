"""Two conditions that nearly every statement has: the records of one workspace, and those that aren't deleted."""

import sqlalchemy as sa


def tenant(table: sa.FromClause, parameter: str = "workspace_id") -> sa.ColumnElement[bool]:
    """The table's rows of the workspace in this parameter."""
    column = table.c.workspace_id
    return column == sa.bindparam(parameter, type_=column.type)


def live(table: sa.FromClause) -> sa.ColumnElement[bool]:
    """The table's rows that aren't soft-deleted."""
    return table.c.deleted_at.is_(None)
