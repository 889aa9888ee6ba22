"""Predicates about relations between work items, by those that are named and that the caller sees."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from airside.db.conditions import live
from airside.work.pql.comparisons import is_item
from airside.work.pql.scope import Clause, Scope, is_visible
from airside.work.work_items.relation_kinds import BLOCKING, relations
from airside.work.work_items.tables import list_conditions, work_items

Compile = Callable[[Sequence[Any], Scope], Clause]

# Aliases, so that the enclosing statement can use the tables as well.
_edges = relations.alias("pql_relations")
_others = work_items.alias("pql_related_items")

_FROM, _TO = (_edges.c.issue_id, _edges.c.related_issue_id), (_edges.c.related_issue_id, _edges.c.issue_id)


def _related(kind: str | None, *directions: tuple[sa.Column[str], sa.Column[str]]) -> Compile:
    """By relations of this stored kind, of which the work item is at the first end of a direction."""

    def compile_relation(named: Sequence[Any], scope: Scope) -> Clause:
        others = _seen(scope).where(is_item(_others.c, named, scope))
        ids = [_list_edges(kind, own, scope).where(other.in_(others)) for own, other in directions]
        return sa.or_(*(work_items.c.id.in_(one.correlate(None)) for one in ids))

    return compile_relation


def _has_relations(_: Any, scope: Scope) -> Clause:
    """Joined and no EXISTS, so that neither database reads more than a work item's own relations."""
    ends = [
        _list_edges(None, own, scope)
        .join(_others, _others.c.id == other)
        .where(own == work_items.c.id, *_is_seen(scope))
        .correlate(work_items)
        for own, other in (_FROM, _TO)
    ]
    return sa.or_(*(one.limit(1).scalar_subquery().is_not(None) for one in ends))


def _list_edges(kind: str | None, own: sa.Column[str], scope: Scope) -> sa.Select[Any]:
    found = sa.select(own).where(_edges.c.workspace_id == scope.workspace_id, live(_edges))
    return found if kind is None else found.where(_edges.c.relation_type == kind)


def _seen(scope: Scope) -> sa.Select[Any]:
    return sa.select(_others.c.id).where(*_is_seen(scope))


def _is_seen(scope: Scope) -> list[Clause]:
    same = _others.c.workspace_id == scope.workspace_id
    return [same, *list_conditions(_others), is_visible(_others.c.project_id, scope)]


RELATED: Mapping[str, Compile] = {
    "blocks": _related(BLOCKING, _FROM),
    "blockedBy": _related(BLOCKING, _TO),
    "linkedTo": _related("relates_to", _FROM, _TO),
    "duplicateOf": _related("duplicate", _FROM, _TO),
    "linkedToAny": _related(None, _FROM, _TO),
    "hasRelations": _has_relations,
}
