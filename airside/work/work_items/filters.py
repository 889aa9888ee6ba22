"""Filters of lists, counts and searches of work items: `pql`, `filters`, and those that aren't columns.

`filters` is JSON with the meaning of a PQL query, so it becomes the same expression and is compiled alike.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, cast

import msgspec
import sqlalchemy as sa

from airside.errors import Invalid
from airside.pql.expression import (
    Condition,
    Either,
    Every,
    Expression,
    Negation,
    QueryError,
    check_depth,
    check_size,
)
from airside.pql.fields import Field, Operator, find_field
from airside.pql.values import check_text, make_condition
from airside.rest.call import Call
from airside.rest.parameters import Many, described
from airside.rest.record import EVERYTHING, Narrowing
from airside.work.planning.milestone_tables import IN_MILESTONES
from airside.work.planning.tables import IN_CYCLES, IN_MODULES
from airside.work.pql.compile import compile_parsed, compile_pql
from airside.work.work_items.assignees_and_labels import ASSIGNEES

QUERY = {
    "pql": described(
        str,
        'A query such as `priority = "high" AND stateGroup != "completed"`. A custom property is the field '
        '`cf["<property id>"]`, with the operators of its type: `cf["<property id>"] >= 5`.',
    ),
    "filters": described(
        str,
        'The same as a JSON object, such as `{"priority__in": ["high", "urgent"]}`. A custom property is the field '
        "`custom_fields__<property id>`.",
    ),
}

# Besides the columns and the computed fields.
FILTERS = {
    "assignee": Many(link=ASSIGNEES, sentence="The same as `assignees`."),
    "milestone": Many(
        link=IN_MILESTONES, sentence="Only those in one of these milestones, separated by commas."
    ),
    "module": Many(link=IN_MODULES, sentence="Only those in one of these modules, separated by commas."),
    "cycle": Many(link=IN_CYCLES, sentence="Only those in one of these cycles, separated by commas."),
}

MAX_LENGTH = 100_000  # characters of JSON

_OPERATORS: dict[str, Operator] = {
    "exact": "=",
    "in": "in",
    "gt": ">",
    "gte": ">=",
    "lt": "<",
    "lte": "<=",
    "range": "between",
    "isnull": "null",
    "contains": "~",
    "icontains": "~",
}


async def narrow_by_query(call: Call) -> Narrowing:
    """Conditions on work_items from the query string. Raises Invalid under the parameter's name."""
    clauses: list[sa.ColumnElement[bool]] = []
    if call.query.get("pql"):
        clauses.append(await compile_pql(call.query["pql"], call))
    if call.query.get("filters"):
        clauses.append(await compile_filters(call.query["filters"], call))
    return Narrowing(tuple(clauses)) if clauses else EVERYTHING


async def compile_filters(text: str, call: Call) -> sa.ColumnElement[bool]:
    """The JSON of the `filters` parameter as a condition on work_items. Raises Invalid under `filters`."""
    return await _compile("filters", parse_filters, (text,), call)


async def compile_filter_object(filters: Mapping[str, Any], call: Call) -> sa.ColumnElement[bool]:
    """The same for filters in a request body."""
    return await _compile("filters", read_filters, (filters,), call)


@lru_cache(256)
def parse_filters(text: str) -> Expression:
    """Parse the JSON to an expression. Raises QueryError."""
    if len(text) > MAX_LENGTH:
        raise QueryError(f"Filters have at most {MAX_LENGTH} characters.")
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise QueryError(f"This is not JSON: {error}.") from None
    return read_filters(value)


def read_filters(value: Any) -> Expression:
    """Convert the decoded JSON; an empty object matches everything. Raises QueryError."""
    if value == {}:
        return Every(())
    found = _read(value, 1)
    check_size(found)
    return found


async def _compile(
    name: str, parse: Callable[..., Expression], given: tuple[Any, ...], call: Call
) -> sa.ColumnElement[bool]:
    try:
        return await compile_parsed(parse(*given), call)
    except QueryError as error:
        raise Invalid({name: [str(error)]}) from None


def _read(value: Any, depth: int) -> Expression:
    """An object: each of its keys is a group or a condition, joined by and."""
    check_depth(depth)
    if not isinstance(value, dict) or not value:
        raise QueryError('A filter is an object such as {"priority": "high"}.')
    parts = [_read_entry(str(name), one, depth) for name, one in cast(dict[Any, Any], value).items()]
    return parts[0] if len(parts) == 1 else Every(tuple(parts))


def _read_entry(name: str, value: Any, depth: int) -> Expression:
    match name.lower():
        case "and":
            return Every(_read_group(name, value, depth))
        case "or":
            return Either(_read_group(name, value, depth))
        case "not":
            # The filters in a list are joined by and.
            return Negation(Every(_read_group(name, value if isinstance(value, list) else [value], depth)))
        case _:
            return _read_condition(name, value)


def _read_group(name: str, value: Any, depth: int) -> tuple[Expression, ...]:
    if not isinstance(value, list) or not value:
        raise QueryError(f'"{name}" takes a list of filters.')
    return tuple(_read(one, depth + 1) for one in cast(list[Any], value))


def _read_condition(name: str, value: Any) -> Expression:
    field, operator = _read_name(check_text(name))
    if operator == "null":
        return _read_null(field, value)
    if value is None:
        return make_condition(field, "null", ())
    if isinstance(value, list) and operator == "=":
        operator = "in"
    values = _read_values(name, operator, value)
    return make_condition(field, operator, values)


def _read_name(name: str) -> tuple[Field, Operator]:
    """assignees__id__in → assignee, in. A suffix that is no operator belongs to the field's name."""
    stem, _, suffix = name.rpartition("__")
    if stem and suffix.lower() in _OPERATORS:
        return _get_field(stem), _OPERATORS[suffix.lower()]
    return _get_field(name), "="


def _get_field(name: str) -> Field:
    found = find_field(name)
    if found is None:
        raise QueryError(f"There is no field {name[:60]}.")
    return found


def _read_null(field: Field, value: Any) -> Condition:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        value = value.lower() == "true"
    if not isinstance(value, bool):
        raise QueryError(f"{field.name}__isnull is true or false.")
    return make_condition(field, "null" if value else "not null", ())


def _read_values(name: str, operator: Operator, value: Any) -> list[Any]:
    if operator in ("in", "between") and isinstance(value, str):
        value = _split(value)
    values: list[Any] = cast(list[Any], value) if isinstance(value, list) else [value]
    if any(one is None or isinstance(one, list | dict) for one in values):
        raise QueryError(f"{name} takes plain values.")
    if operator == "between" and len(values) != 2:
        raise QueryError(f"{name} takes two values.")
    if operator not in ("in", "between") and len(values) != 1:
        raise QueryError(f"{name} takes one value.")
    return values


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
