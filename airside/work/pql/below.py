"""Predicates about what is below a work item: comments, links, attachments, worklogs, its history, intake record.

Each is looked up by the work item, so that a page of a list reads only what is below those on the way to it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from airside.assets.tables import files
from airside.db.conditions import live
from airside.pql.expression import Count
from airside.work.intake.items import intake_items
from airside.work.pql.comparisons import COUNTS, among, compare_instant
from airside.work.pql.scope import Clause, Scope
from airside.work.pql.text import contains
from airside.work.projects.states import states
from airside.work.work_items.activities import activities
from airside.work.work_items.comments import comments
from airside.work.work_items.links import links
from airside.work.work_items.tables import work_items
from airside.work.work_items.worklogs import worklogs

Compile = Callable[[Sequence[Any], Scope], Clause]

# Aliases, so that the enclosing statement can use the tables as well.
_comments = comments.alias("pql_comments")
_links = links.alias("pql_links")
_files = files.alias("pql_files")
_worklogs = worklogs.alias("pql_worklogs")
_activities = activities.alias("pql_activities")
_intake = intake_items.alias("pql_intake")
_states = states.alias("pql_states_of_activities")

_is_uploaded = _files.c.is_uploaded.is_(sa.true())
_is_of_state = sa.and_(_activities.c.field == "state", _activities.c.verb == "updated")


def _below(table: sa.FromClause, scope: Scope, *conditions: Clause) -> sa.Select[Any]:
    columns = table.c
    item_id = columns.work_item_id if "work_item_id" in columns else columns.issue_id
    kept = [live(table)] if "deleted_at" in columns else []
    return (
        sa.select(columns.id)
        .where(columns.workspace_id == scope.workspace_id, item_id == work_items.c.id, *kept, *conditions)
        .correlate(work_items)
    )


def _has(table: sa.FromClause, *conditions: Clause) -> Compile:
    return lambda _, scope: _below(table, scope, *conditions).exists()


def _count(table: sa.FromClause, *conditions: Clause) -> Compile:
    def compile_count(arguments: Sequence[Count], scope: Scope) -> Clause:
        (wanted,) = arguments
        number = _below(table, scope, *conditions).with_only_columns(sa.func.count()).scalar_subquery()
        return COUNTS[wanted.operator](number, wanted.number)

    return compile_count


def _by(column: sa.ColumnElement[Any], *conditions: Clause) -> Compile:
    """By one of these people."""
    return lambda people, scope: _below(
        column.table, scope, among(column, people, scope), *conditions
    ).exists()


def _at(column: sa.ColumnElement[Any], *orders: str) -> Compile:
    """At a time that stands in each order to the day of the same place."""

    def compile_times(days: Sequence[Any], scope: Scope) -> Clause:
        times = [compare_instant(column, how, [day], scope) for how, day in zip(orders, days, strict=True)]
        return _below(column.table, scope, *times).exists()

    return compile_times


def _contains(*columns: sa.ColumnElement[Any]) -> Compile:
    return lambda texts, scope: _below(
        columns[0].table, scope, sa.or_(*(contains(column, texts[0]) for column in columns))
    ).exists()


def _is_url(texts: Sequence[Any], scope: Scope) -> Clause:
    return _below(_links, scope, _links.c.url == texts[0]).exists()


def _last_comment_by(people: Sequence[Any], scope: Scope) -> Clause:
    newest = (_comments.c.created_at.desc(), _comments.c.id.desc())
    found = _below(_comments, scope).with_only_columns(_comments.c.actor_id).order_by(*newest).limit(1)
    return among(found.scalar_subquery(), people, scope)


def _resolved_by(people: Sequence[Any], scope: Scope) -> Clause:
    completed = sa.select(_states.c.id).where(
        _states.c.workspace_id == scope.workspace_id, _states.c.group == "completed"
    )
    is_resolved = _activities.c.new_identifier.in_(completed)
    return _by(_activities.c.actor_id, _is_of_state, is_resolved)(people, scope)


BELOW: Mapping[str, Compile] = {
    "isIntake": _has(_intake),
    "hasComments": _count(_comments),
    "hasLinks": _count(_links),
    "hasAttachments": _count(_files, _is_uploaded),
    "hasRemoteLinks": _has(_links),
    "hasWorklogs": _has(_worklogs),
    "commentedAfter": _at(_comments.c.created_at, ">="),
    "commentedBefore": _at(_comments.c.created_at, "<="),
    "workLoggedBetween": _at(_worklogs.c.created_at, ">=", "<="),
    "commentContains": _contains(_comments.c.comment_stripped),
    "linkContains": _contains(_links.c.url, _links.c.title),
    "hasLinkUrl": _is_url,
    "commentedBy": _by(_comments.c.actor_id),
    "lastCommentBy": _last_comment_by,
    "attachedBy": _by(_files.c.created_by_id, _is_uploaded),
    "workLoggedBy": _by(_worklogs.c.logged_by_id),
    "stateChangedBy": _by(_activities.c.actor_id, _is_of_state),
    "resolvedBy": _resolved_by,
}
