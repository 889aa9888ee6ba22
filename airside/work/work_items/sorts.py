"""Orders of work item lists besides their own columns, such as `order_by=assignees__first_name`.

Of several labels or assignees the first in that order is used; work items without any come last.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from airside.db.conditions import live
from airside.identity.tables import users
from airside.work.planning.estimate_tables import estimate_points
from airside.work.planning.tables import module_work_items, modules
from airside.work.projects.labels import labels
from airside.work.projects.states import states
from airside.work.projects.tables import projects
from airside.work.work_items.tables import work_item_assignees, work_item_labels, work_items

_PRIORITIES = {"urgent": 0, "high": 1, "medium": 2, "low": 3}
_GROUPS = {"backlog": 0, "unstarted": 1, "started": 2, "completed": 3}


def _of_state(term: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return (
        sa.select(term)
        .where(states.c.workspace_id == work_items.c.workspace_id, states.c.id == work_items.c.state_id)
        .scalar_subquery()
    )


def _of_project(term: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return (
        sa.select(term)
        .where(projects.c.workspace_id == work_items.c.workspace_id, projects.c.id == work_items.c.project_id)
        .scalar_subquery()
    )


def first_label(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    linked = work_item_labels.c
    return (
        sa.select(sa.func.min(column))
        .join(
            work_item_labels,
            sa.and_(linked.workspace_id == labels.c.workspace_id, linked.label_id == labels.c.id),
        )
        .where(
            linked.workspace_id == work_items.c.workspace_id,
            linked.work_item_id == work_items.c.id,
            live(labels),
        )
        .scalar_subquery()
    )


def first_assignee(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    linked = work_item_assignees.c
    return (
        sa.select(sa.func.min(column))
        .join(work_item_assignees, linked.user_id == users.c.id)
        .where(linked.workspace_id == work_items.c.workspace_id, linked.work_item_id == work_items.c.id)
        .scalar_subquery()
    )


def _of_point(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    same = (
        estimate_points.c.workspace_id == work_items.c.workspace_id,
        estimate_points.c.id == work_items.c.estimate_point_id,
    )
    return sa.select(column).where(*same, live(estimate_points)).scalar_subquery()


def _first_module(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    linked = module_work_items.c
    return (
        sa.select(sa.func.min(column))
        .join(
            module_work_items,
            sa.and_(linked.workspace_id == modules.c.workspace_id, linked.module_id == modules.c.id),
        )
        .where(
            linked.workspace_id == work_items.c.workspace_id,
            linked.issue_id == work_items.c.id,
            live(module_work_items),
        )
        .scalar_subquery()
    )


def _of_creator(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    return sa.select(column).where(users.c.id == work_items.c.created_by_id).scalar_subquery()


_PERSON = ("first_name", "last_name", "display_name")
SORTS: Mapping[str, sa.ColumnElement[Any]] = {
    "priority": sa.case(_PRIORITIES, value=work_items.c.priority, else_=4),
    "state__group": _of_state(sa.case(_GROUPS, value=states.c.group, else_=4)),
    "state__name": _of_state(states.c.name),
    "state__sequence": _of_state(states.c.sequence),
    **{f"created_by__{name}": _of_creator(users.c[name]) for name in _PERSON},
    "project__name": _of_project(projects.c.name),
    "project__identifier": _of_project(projects.c.identifier),
    "estimate_point__key": _of_point(estimate_points.c.key),
    "estimate_point__value": _of_point(estimate_points.c.value),
    "issue_module__module__name": _first_module(modules.c.name),
}
