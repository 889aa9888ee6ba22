"""Checks a condition: whether its field supports the operator, and each value against the field's type."""

import math
import re
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any, NoReturn

from airside.db.base import is_uuid
from airside.pql.expression import Argument, Condition, Count, Function, Key, Predicate, QueryError, Value
from airside.pql.fields import OPERATORS, Field, Kind, Operator
from airside.pql.functions import (
    CYCLE_FUNCTIONS,
    DATE_FUNCTIONS,
    FIRST_DAY,
    GROUP_FUNCTIONS,
    LAST_DAY,
    MAX_AMOUNT,
    PERSON_FUNCTIONS,
    PREDICATES,
    RELATIONS,
    SHIFTS,
    TAKING,
    get_function,
)
from airside.system.clock import read_instant

MAX_TEXT = 1000  # of one value; SQLite refuses LIKE patterns past 50,000
MAX_NUMBER = 2**31 - 1  # maximum of an integer column
MAX_DECIMAL = 1e15  # maximum of a number in a property

_KEY = re.compile(r"([^-]{1,30})-([0-9]{1,9})")  # an identifier may contain spaces, never a hyphen

_FUNCTIONS_OF: dict[Kind, Collection[str]] = {
    "instant": {*DATE_FUNCTIONS, *SHIFTS},
    "person": PERSON_FUNCTIONS,
}
_COUNT = re.compile(r"\s*(=|!=|<=|>=|<|>)?\s*([0-9]{1,9})\s*")
_ARGUMENT_KINDS: dict[str, Kind] = {"day": "instant", "text": "text", "person": "person"}
_SPELLED: dict[str, str] = {"null": "IS NULL", "not null": "IS NOT NULL"}


class Written:
    """A function as it was written, not checked yet."""

    __slots__ = ("arguments", "name")

    def __init__(self, name: str, arguments: Sequence[Any]) -> None:
        self.name = name
        self.arguments = arguments


def make_condition(field: Field, operator: Operator, values: Sequence[Any]) -> Condition:
    """The condition, its values converted. Raises QueryError."""
    if field.kind == "absent":
        raise QueryError(f"{field.name} is not available in this workspace yet.")
    allowed = OPERATORS[field.kind]
    if operator not in allowed:
        names = ", ".join(_SPELLED.get(one, one.upper()) for one in allowed)
        raise QueryError(
            f"{_SPELLED.get(operator, operator.upper())} can't be used with {field.name}; use {names}."
        )
    taken: list[Value] = []
    for value in values:
        if isinstance(value, Written):
            taken += _take_any(value) if field.kind == "custom" else _take_function(field, value)
        else:
            taken.append(_CHECKS[field.kind](field, value))
    if operator == "~" and isinstance(taken[0], str) and not taken[0].strip():
        raise QueryError(f"{field.name} ~ needs some text.")
    if field.kind == "key" and operator != "~":
        _check_items(operator, taken)
    return Condition(field, operator, tuple(taken))


def type_condition(field: Field, condition: Condition) -> Condition:
    """The condition on a custom property, whose type `field` has. Raises QueryError for an operator or a value that
    doesn't fit it."""
    values = [_written(one) if isinstance(one, Function) else one for one in condition.values]
    return make_condition(field, condition.operator, values)


def make_predicate(written: Written) -> Predicate:
    """A predicate function. Raises QueryError."""
    name = get_function(written.name)
    if name in PREDICATES:
        _check_count(name, written, 0)
        return Predicate(name)
    if name in RELATIONS:
        if not written.arguments:
            raise QueryError(f'{name}() needs a work item, such as {name}("WEB-5").')
        return Predicate(name, tuple(_take_item(name, one) for one in written.arguments))
    if name in TAKING:
        return Predicate(name, _take_arguments(name, written.arguments))
    raise QueryError(f"{name}() is a value, not a condition; compare a field with it.")


def parse_key(text: str) -> Key | None:
    """Split WEB-11 into its parts; None when it is no key."""
    found = _KEY.fullmatch(text)
    return Key(found[1].upper(), int(found[2])) if found else None


def parse_day(text: str) -> date | datetime | None:
    """An ISO 8601 date, or date and time in UTC; None when it is neither."""
    try:
        found = date.fromisoformat(text) if len(text) == 10 else read_instant(text)
    except ValueError:
        return None
    if found is None:
        return None
    day = found.date() if isinstance(found, datetime) else found
    return found if FIRST_DAY <= day <= LAST_DAY else None


def check_text(value: Any) -> str:
    """The value as text that both databases can store. Raises QueryError."""
    if not isinstance(value, str):
        raise QueryError(f"{_shown(value)} should be text in quotes.")
    if len(value) > MAX_TEXT:
        raise QueryError(f"A value has at most {MAX_TEXT} characters.")
    if "\x00" in value or (not value.isascii() and any("\ud800" <= one <= "\udfff" for one in value)):
        raise QueryError("Null characters and broken encodings are not allowed.")
    return value


def _check_items(operator: Operator, values: Sequence[Value]) -> None:
    ordered = operator not in ("=", "!=", "in", "not in")
    for value in values:
        if isinstance(value, str) and (ordered or not is_uuid(value)):
            raise QueryError(f"id is compared with a number or with WEB-11, not {_shown(value)}.")


def _take_function(field: Field, written: Written) -> tuple[Value, ...]:
    name = get_function(written.name)
    if field.name == "state_group" and name in GROUP_FUNCTIONS:
        _check_count(name, written, 0)
        return GROUP_FUNCTIONS[name]
    if field.kind in ("date", "instant") and name in DATE_FUNCTIONS:
        _check_count(name, written, 0)
        return (Function(name),)
    if field.kind in ("date", "instant") and name in SHIFTS:
        _check_count(name, written, 1)
        return (Function(name, _take_amount(name, written.arguments[0])),)
    if field.kind == "person" and name in PERSON_FUNCTIONS:
        _check_count(name, written, 1 if name == "membersOf" else 0)
        return (Function(name, _take_project(written.arguments[0])) if written.arguments else Function(name),)
    if field.kind == "cycle" and name in CYCLE_FUNCTIONS:
        _check_count(name, written, 0)
        return (Function(name),)
    raise QueryError(f"{field.name} can't be compared with {name}().")


def _take_any(written: Written) -> tuple[Value, ...]:
    """A function that some type of property can be compared with."""
    name = get_function(written.name)
    for kind, names in _FUNCTIONS_OF.items():
        if name in names:
            return _take_function(Field("The property", kind), written)
    raise QueryError(f"A property can't be compared with {name}().")


def _written(function: Function) -> Written:
    if function.argument is None:
        return Written(function.name, ())
    argument = f"project:{function.argument}" if function.name == "membersOf" else function.argument
    return Written(function.name, (argument,))


def _check_count(name: str, written: Written, count: int) -> None:
    if len(written.arguments) != count:
        raise QueryError(f"{name}() takes {count or 'no'} argument{'' if count == 1 else 's'}.")


def _take_amount(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_AMOUNT:
        raise QueryError(f"{name}() takes a whole number from 0 to {MAX_AMOUNT}.")
    return value


def _take_project(value: Any) -> str:
    kind, _, one = check_text(value).partition(":")
    if kind == "teamspace":
        raise QueryError("Teamspaces are not available in this workspace yet.")
    if kind != "project" or not is_uuid(one):
        raise QueryError('membersOf() takes "project:<id>".')
    return one.lower()


def _take_arguments(name: str, given: Sequence[Any]) -> tuple[Argument, ...]:
    kinds = TAKING[name]
    if kinds == ("count",):
        return (_take_comparison(name, given[0] if given else 1),) if len(given) < 2 else _refuse_count(name)
    if len(given) != len(kinds):
        raise QueryError(f"{name}() takes {len(kinds)} argument{'' if len(kinds) == 1 else 's'}.")
    found: list[Argument] = []
    for kind, value in zip(kinds, given, strict=True):
        field = Field(name, _ARGUMENT_KINDS[kind])
        if isinstance(value, Written):
            found += _take_function(field, value)
        else:
            found.append(_CHECKS[field.kind](field, value))
    if kinds == ("text",) and not str(found[0]).strip():
        raise QueryError(f"{name}() needs some text.")
    return tuple(found)


def _refuse_count(name: str) -> NoReturn:
    raise QueryError(f"{name}() takes at most one argument.")


def _take_comparison(name: str, value: Any) -> Count:
    """A number, which is the least, or a comparison such as ">= 2"."""
    match = None if isinstance(value, bool) else _COUNT.fullmatch(str(value))
    if match is None:
        raise QueryError(f'{name}() takes a number or a comparison such as ">= 2", not {_shown(value)}.')
    return Count(match[1] or ">=", int(match[2]))


def _take_item(name: str, value: Any) -> Key | str:
    found = _item(value)
    if found is None:
        raise QueryError(
            f"{name}() takes work items by identifier or id, such as WEB-5, not {_shown(value)}."
        )
    return found


def _item(value: Any) -> Key | str | None:
    if not isinstance(value, str):
        return None
    return value.lower() if is_uuid(value) else parse_key(value)


def _check_choice(field: Field, value: Any) -> Value:
    found = value.lower() if isinstance(value, str) else None
    if found not in field.choices:
        raise QueryError(f"{_shown(value)} is not a {field.name}; use {', '.join(field.choices)}.")
    return found


def _check_flag(field: Field, value: Any) -> Value:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise QueryError(f"{field.name} is true or false, not {_shown(value)}.")
    return value


def _check_text(field: Field, value: Any) -> Value:
    return check_text(value)


def _check_plain(field: Field, value: Any) -> Value:
    """Whatever the type of a property may take."""
    return check_text(value) if isinstance(value, str) else value


def _check_number(field: Field, value: Any) -> Value:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,10}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -MAX_NUMBER <= value <= MAX_NUMBER:
        raise QueryError(f"{field.name} is a whole number, not {_shown(value)}.")
    return value


def _check_decimal(field: Field, value: Any) -> Value:
    number = math.nan
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):
            number = float(value)
    if not math.isfinite(number) or abs(number) > MAX_DECIMAL:
        raise QueryError(f"{field.name} is a number, not {_shown(value)}.")
    return number


def _check_key(field: Field, value: Any) -> Value:
    if isinstance(value, int):
        return _check_number(field, value)
    return _item(value) or check_text(value)


def _check_day(field: Field, value: Any) -> Value:
    found = parse_day(value) if isinstance(value, str) else None
    if found is None:
        raise QueryError(f"{field.name} is a date such as 2026-01-31, not {_shown(value)}.")
    return found.date() if isinstance(found, datetime) and field.kind == "date" else found


def _check_id(field: Field, value: Any) -> Value:
    if not isinstance(value, str) or not is_uuid(value):
        raise QueryError(f"{field.name} is compared by id, and {_shown(value)} is not a UUID.")
    return value.lower()


def _shown(value: Any) -> str:
    if isinstance(value, Written):
        return f"{value.name}()"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"


_CHECKS: dict[str, Callable[[Field, Any], Value]] = {
    "choice": _check_choice,
    "flag": _check_flag,
    "text": _check_text,
    "key": _check_key,
    "date": _check_day,
    "instant": _check_day,
    "number": _check_number,
    "decimal": _check_decimal,
    "boolean": _check_flag,
    "document": _check_text,
    "custom": _check_plain,
    "id": _check_id,
    "cycle": _check_id,
    "person": _check_id,
}
