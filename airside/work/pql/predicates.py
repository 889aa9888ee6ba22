"""Predicates of a query: what a work item is or has."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from airside.db.conditions import live
from airside.pql.expression import Key, Value
from airside.pql.fields import OPEN_GROUPS
from airside.work.pql.below import BELOW
from airside.work.pql.comparisons import is_item
from airside.work.pql.linked import LINKS, compile_link
from airside.work.pql.related import RELATED
from airside.work.pql.scope import Clause, Scope, one_of
from airside.work.projects.states import states
from airside.work.types.tables import work_item_types
from airside.work.work_items.tables import work_items

Arguments = Sequence[Any]

# Aliases, so that the enclosing statement can use the tables as well.
_states = states.alias("pql_states")
_types = work_item_types.alias("pql_types")
_others = work_items.alias("pql_work_items")


def compile_predicate(name: str, arguments: Arguments, scope: Scope) -> Clause:
    return _PREDICATES[name](arguments, scope)


def in_groups(groups: Sequence[Value], scope: Scope) -> Clause:
    found = sa.select(_states.c.id).where(
        _states.c.workspace_id == scope.workspace_id, one_of(_states.c.group, groups)
    )
    return work_items.c.state_id.in_(found)


def _item_relation(inner: str, outer: str) -> Callable[[Sequence[Key | str], Scope], Clause]:
    """Whether the work item's column `outer` equals `inner` of one of the named work items."""

    def compile_relation(arguments: Sequence[Key | str], scope: Scope) -> Clause:
        found = sa.select(_others.c[inner]).where(
            _others.c.workspace_id == scope.workspace_id,
            live(_others),
            _others.c[inner].is_not(None),
            is_item(_others.c, arguments, scope),
        )
        return work_items.c[outer].in_(found)

    return compile_relation


def _has_children(_: Any, scope: Scope) -> Clause:
    found = sa.select(_others.c.id).where(
        _others.c.workspace_id == scope.workspace_id,
        _others.c.parent_id == work_items.c.id,
        live(_others),
    )
    return found.correlate(work_items).exists()


def _is_overdue(_: Any, scope: Scope) -> Clause:
    return sa.and_(work_items.c.target_date < scope.today, in_groups(OPEN_GROUPS, scope))


def _is_epic(_: Any, scope: Scope) -> Clause:
    found = sa.select(_types.c.id).where(_types.c.workspace_id == scope.workspace_id, _types.c.is_epic)
    return work_items.c.type_id.in_(found)


_PREDICATES: dict[str, Callable[[Sequence[Key | str], Scope], Clause]] = {
    "isOverdue": _is_overdue,
    "hasNoAssignee": lambda _, scope: compile_link(LINKS["assignee"], "null", (), scope),
    "hasNoLabel": lambda _, scope: compile_link(LINKS["label"], "null", (), scope),
    "isTopLevel": lambda _, scope: work_items.c.parent_id.is_(None),
    "isSubWorkItem": lambda _, scope: work_items.c.parent_id.is_not(None),
    "hasChildren": _has_children,
    "hasStartAndDueDates": lambda _, scope: sa.and_(
        work_items.c.start_date.is_not(None), work_items.c.target_date.is_not(None)
    ),
    "isDraft": lambda _, scope: work_items.c.is_draft,
    "isEpic": _is_epic,
    "isArchived": lambda _, scope: work_items.c.archived_at.is_not(None),
    "childOf": _item_relation("id", "parent_id"),
    "parentOf": _item_relation("parent_id", "id"),
    **BELOW,
    **RELATED,
}
