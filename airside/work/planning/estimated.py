"""The numbers behind work items' estimates: of those in points or time, whose values can be added up."""

import sqlalchemy as sa

from airside.db.conditions import live, tenant
from airside.work.planning.estimate_tables import estimate_points, estimates, is_numeric
from airside.work.work_items.tables import work_items

_all_points = estimate_points.alias("all_points")
_POINT = sa.and_(
    estimate_points.c.workspace_id == work_items.c.workspace_id,
    estimate_points.c.id == work_items.c.estimate_point_id,
)
_NUMERIC = sa.and_(
    estimates.c.workspace_id == estimate_points.c.workspace_id,
    estimates.c.id == estimate_points.c.estimate_id,
    is_numeric,
)

# Null without one; `point` is what an older client sets in place of an estimate's point.
NUMBER = sa.case((estimates.c.id.is_not(None), estimate_points.c.number), else_=work_items.c.point)


def with_numbers(source: sa.FromClause) -> sa.FromClause:
    """The source with what NUMBER needs; it has the work items."""
    return source.outerjoin(estimate_points, _POINT).outerjoin(estimates, _NUMERIC)


def with_numeric_points(source: sa.FromClause) -> sa.FromClause:
    """Of the source's work items those with a point of a numeric estimate, which come with it."""
    return source.join(estimate_points, _POINT).join(estimates, _NUMERIC)


# Whether a work item has a point of its workspace: as a set, so that few of them are read and not every work item.
IS_ESTIMATED = work_items.c.estimate_point_id.in_(
    sa.select(_all_points.c.id).where(tenant(_all_points), live(_all_points))
)
