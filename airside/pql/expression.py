"""The expression of a parsed query: conditions joined by and, or, not. Independent of text, JSON and databases, so
that anything with a work item's values can evaluate it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from airside.pql.fields import Field, Operator

MAX_DEPTH = 20  # of nested not, and, or
MAX_CONDITIONS = 50  # Plane's reference advises 5 and documents no refusal, so this only bounds the work
MAX_VALUES = 1000  # in one query; far below the parameters that either database takes


class QueryError(Exception):
    """A query that can't be parsed or run; the message is for its author."""


class Key(NamedTuple):
    """A work item's key: WEB-11."""

    project: str  # upper case
    sequence: int


class Function(NamedTuple):
    """A value that depends on when and by whom the query is run: daysAgo(7), currentUser()."""

    name: str
    argument: str | int | None = None


class Count(NamedTuple):
    """How many of something: ">= 2"."""

    operator: str
    number: int


Value = str | int | float | bool | date | datetime | Key | Function
Argument = Value | Count


@dataclass(frozen=True, slots=True)
class Condition:
    """A field compared with values: none for `null`, two for `between`, any number for `in`, else one."""

    field: Field
    operator: Operator
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Predicate:
    """A predicate function: isOverdue(), childOf("WEB-5"), hasLinks(">= 2")."""

    name: str
    arguments: "tuple[Argument, ...]" = ()


@dataclass(frozen=True, slots=True)
class Every:
    parts: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Either:
    parts: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Negation:
    part: "Expression"


Expression = Condition | Predicate | Every | Either | Negation


def parts_of(expression: Expression) -> "tuple[Expression, ...]":
    match expression:
        case Every(parts) | Either(parts):
            return parts
        case Negation(part):
            return (part,)
        case _:
            return ()


def check_size(expression: Expression) -> None:
    """Raises QueryError above the limits of a query. check_depth, called while building, bounds the recursion."""
    leaves = list(_leaves(expression))
    if len(leaves) > MAX_CONDITIONS:
        raise QueryError(f"A query has at most {MAX_CONDITIONS} conditions; this one has {len(leaves)}.")
    values = sum(len(leaf.values) if isinstance(leaf, Condition) else len(leaf.arguments) for leaf in leaves)
    if values > MAX_VALUES:
        raise QueryError(f"A query has at most {MAX_VALUES} values; this one has {values}.")


def check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise QueryError(f"Conditions are nested more than {MAX_DEPTH} deep.")


def depth_of(expression: Expression) -> int:
    return 1 + max((depth_of(part) for part in parts_of(expression)), default=0)


def _leaves(expression: Expression) -> Iterator[Condition | Predicate]:
    if isinstance(expression, Condition | Predicate):
        yield expression
    for part in parts_of(expression):
        yield from _leaves(part)
