"""A webhook's filter on work items: a PQL query, evaluated on the data stored with the event.

Pure. Conditions have the same meaning as in lists (airside/work/pql): a list field equals a value if one of its
elements does, and `!=` is the negation of `=`, so it matches an empty field.
"""

import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, TypedDict, cast

from airside.errors import Invalid
from airside.events.catalog import DELETED, get_kind
from airside.pql.expression import (
    Condition,
    Either,
    Every,
    Expression,
    Function,
    Negation,
    Predicate,
    QueryError,
    Value,
    parts_of,
)
from airside.pql.functions import resolve_day

# A field's name in PQL → its name in the documentation of webhooks.
FIELDS = {
    "type": "type_id",
    "state_group": "state_group",
    "assignee": "assignee_id",
    "label": "label_id",
    "project": "project_id",
    "priority": "priority",
    "start_date": "start_date",
    "target_date": "target_date",
}
_KEYS = {"assignee": "assignee_ids", "label": "label_ids", "type": "type_id", "project": "project_id"}
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class FilteredEvent(TypedDict):
    """What a filter reads of an event."""

    name: str
    data: dict[str, Any]
    data_v2: dict[str, Any]
    previous: dict[str, Any]


def check_filter(text: str) -> str:
    """The filter as it is stored. Raises Invalid under `pql` if it can't be parsed, or isn't allowed here."""
    text = text.strip()
    if text:
        try:
            from airside.pql.parse import parse_pql  # here, since lark would slow down start-up

            _check(parse_pql(text))
        except QueryError as error:
            raise Invalid({"pql": [str(error)]}) from None
    return text


def is_filtered(event_name: str) -> bool:
    """Filters apply to events of work items only; comments, links … don't have the fields."""
    return get_kind(event_name).v1_event == "issue"


def passes_filter(text: str, event: FilteredEvent, today: date) -> bool:
    """Whether the event's work item matches. Raises QueryError for a date out of range, Invalid for a text that
    is not a filter."""
    from airside.pql.parse import parse_pql

    return _holds(parse_pql(text), _facts_of(event), today)


def _facts_of(event: FilteredEvent) -> dict[str, list[Any]]:
    """Each field's values: none, one or more. For a deleted work item, the values before the deletion."""
    is_deleted = get_kind(event["name"]).v1_action == DELETED
    data = event["previous"] if is_deleted else event["data_v2"]
    state: str | dict[str, Any] | None = event["data"].get("state")
    facts = {name: _listed(data.get(_KEYS.get(name, name))) for name in FIELDS}
    facts["state_group"] = _listed(state.get("group") if isinstance(state, dict) else None)
    for name in ("start_date", "target_date"):
        facts[name] = [date.fromisoformat(value[:10]) for value in facts[name]]
    return facts


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return cast(list[Any], value) if isinstance(value, list) else [value]


def _check(expression: Expression) -> None:
    if isinstance(expression, Predicate):
        raise QueryError(f"{expression.name}() can't be used in a webhook's filter; use {_names()}.")
    if isinstance(expression, Condition):
        if expression.field.name not in FIELDS:
            raise QueryError(f"{expression.field.name} can't be used in a webhook's filter; use {_names()}.")
        for value in expression.values:
            if isinstance(value, Function) and expression.field.kind != "date":
                raise QueryError(f"{value.name}() can't be used in a webhook's filter; use ids.")
    for part in parts_of(expression):
        _check(part)


def _names() -> str:
    return ", ".join(FIELDS.values())


def _holds(expression: Expression, facts: Mapping[str, list[Any]], today: date) -> bool:
    match expression:
        case Every(parts):
            return all(_holds(part, facts, today) for part in parts)
        case Either(parts):
            return any(_holds(part, facts, today) for part in parts)
        case Negation(part):
            return not _holds(part, facts, today)
        case Predicate(name):
            raise QueryError(f"{name}() can't be used in a webhook's filter.")
        case Condition(field, how, values):
            wanted = [_resolve(value, today) for value in values]
            return _compare(facts[field.name], how, wanted)


def _resolve(value: Value, today: date) -> Any:
    return resolve_day(value, today) if isinstance(value, Function) else value


def _compare(found: Iterable[Any], how: str, wanted: list[Any]) -> bool:
    found = list(found)
    match how:
        case "=" | "in":
            return any(one in wanted for one in found)
        case "!=" | "not in":
            return not any(one in wanted for one in found)
        case "null" | "not null":
            return (not found) == (how == "null")
        case "between":
            low, high = wanted
            return any(low <= one <= high for one in found)
        case _:
            return any(_ORDERS[how](one, wanted[0]) for one in found)
