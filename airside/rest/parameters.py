"""Kinds of query parameters: each checks its text, compares a column with it, and describes itself to clients.

Filters of a list are parameters with a column, see filters.py. Error messages are the wire's own.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal, NamedTuple, cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Meta

from airside.db.base import Id as IdType
from airside.db.base import IdList, Row, TextList, is_uuid
from airside.db.statements import any_of
from airside.errors import Invalid
from airside.rest.body import MAX_INT32, MAX_ITEMS, WRONG_DAY
from airside.system.clock import read_instant

MAX_ECHOED = 200  # characters of a value in an error message

Query = Mapping[str, Any]  # parameter → its type, annotated with a description
Condition = sa.ColumnElement[bool]


class WrongValue(Exception):
    """The text isn't a value of this kind. `code` is that of Invalid."""

    def __init__(self, message: str, code: str = "invalid") -> None:
        super().__init__(message)
        self.code = code


def one_of(names: Iterable[str]) -> Any:
    """The type of a parameter that takes one of these words."""
    return cast(Any, Literal)[tuple(names)]


def described(declared: Any, sentence: str, **schema: Any) -> Any:
    """The type with what it says to a client; `schema` has further words of JSON Schema, such as `default`."""
    return Annotated[declared, Meta(description=sentence, extra_json_schema=schema or None)]


class Link(NamedTuple):
    """A table that links records with several values each, by the columns with a record's id and with a value."""

    table: sa.Table
    record: str
    value: str
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, eq=False)
class Parameter:
    """One parameter. `column` is what it compares, by name or as an expression; None: that of its own name."""

    column: str | sa.ColumnElement[Any] | None = None
    sentence: str = ""  # what it says to a client; "": that it compares a field
    link: Link | None = None

    @property
    def type(self) -> Any:
        """Its type in OpenAPI."""
        return str

    def read(self, text: str) -> Any:
        """The value. Raises WrongValue."""
        return text

    def compare(self, column: sa.ColumnElement[Any], name: str, several: bool) -> Condition:
        """The condition; its values are parameters of the statement, see `values`."""
        return column == sa.bindparam(name, type_=column.type)

    def values(self, name: str, value: Any) -> Row:
        """The values of the condition's parameters."""
        return {name: value}

    def describe(self, name: str, **schema: Any) -> Any:
        return described(self.type, self.sentence or f"Only those with this `{name}`.", **schema)


class Text(Parameter):
    """The whole text, with upper and lower case distinct."""


class Contains(Parameter):
    """A part of the text, whatever its case."""

    def read(self, text: str) -> str:
        return text.strip()

    def compare(self, column: sa.ColumnElement[Any], name: str, several: bool) -> Condition:
        return column.ilike(sa.bindparam(name, type_=sa.Text()), escape="\\")

    def values(self, name: str, value: str) -> Row:
        escaped = value.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        return {name: f"%{escaped}%"}

    def describe(self, name: str, **schema: Any) -> Any:
        return described(str, self.sentence or f"Only those whose `{name}` contains this.", **schema)


class Id(Parameter):
    """A UUID."""

    @property
    def type(self) -> Any:
        return UUID

    def read(self, text: str) -> str:
        if not is_uuid(text):
            raise WrongValue(f"“{_cut(text)}” is not a valid UUID.")
        return text.lower()


@dataclass(frozen=True, eq=False)
class Choice(Parameter):
    """One of these words; `choices` has what is stored for each."""

    choices: Mapping[str, Any] | tuple[str, ...] = ()

    @property
    def type(self) -> Any:
        return one_of(self.choices)

    def read(self, text: str) -> Any:
        if text not in self.choices:
            raise WrongValue(f'"{_cut(text)}" is not a valid choice.', "invalid_choice")
        return self.choices[text] if isinstance(self.choices, Mapping) else text


class Flag(Parameter):
    """true or false."""

    @property
    def type(self) -> Any:
        return bool

    def read(self, text: str) -> bool:
        if text.lower() not in ("true", "false"):
            raise WrongValue("Must be a valid boolean.")
        return text.lower() == "true"


class Number(Parameter):
    """A whole number of 32 bits."""

    @property
    def type(self) -> Any:
        return Annotated[int, Meta(ge=-MAX_INT32, le=MAX_INT32)]

    def read(self, text: str) -> int:
        try:
            found = int(text[:20])
        except ValueError:
            raise WrongValue("A valid integer is required.") from None
        if found > MAX_INT32:
            raise WrongValue(f"Ensure this value is less than or equal to {MAX_INT32}.")
        if found < -MAX_INT32:
            raise WrongValue(f"Ensure this value is greater than or equal to {-MAX_INT32}.")
        return found


class Decimal(Parameter):
    """A number, which is stored as a float."""

    @property
    def type(self) -> Any:
        return float

    def read(self, text: str) -> float:
        try:
            found = float(text[:40])
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise WrongValue("A valid number is required.")
        return found


class Day(Parameter):
    """A date."""

    @property
    def type(self) -> Any:
        return date

    def read(self, text: str) -> date:
        try:
            return date.fromisoformat(text) if len(text) == 10 else _fail()
        except ValueError:
            raise WrongValue(WRONG_DAY) from None


class Moment(Parameter):
    """A time, or a day in UTC, which is all the times of that day."""

    @property
    def type(self) -> Any:
        return Annotated[str, Meta(examples=["2026-01-31", "2026-01-31T12:00:00.000000Z"])]

    def read(self, text: str) -> tuple[datetime, datetime]:
        try:
            if len(text) == 10:
                start = datetime.combine(date.fromisoformat(text), time(), UTC)
                return start, start + timedelta(days=1)
            start = read_instant(text) or _fail()
            return start, start + timedelta(microseconds=1)
        except (ValueError, OverflowError):
            message = "Datetime has wrong format. Use a date, or a time such as 2026-01-31T12:00:00Z."
            raise WrongValue(message) from None

    def compare(self, column: sa.ColumnElement[Any], name: str, several: bool) -> Condition:
        start = sa.bindparam(f"{name}_from", type_=column.type)
        return sa.and_(column >= start, column < sa.bindparam(f"{name}_until", type_=column.type))

    def values(self, name: str, value: tuple[datetime, datetime]) -> Row:
        return {f"{name}_from": value[0], f"{name}_until": value[1]}


@dataclass(frozen=True, eq=False)
class Many(Parameter):
    """One or more values of another kind, an id or a word, separated by commas."""

    kind: Parameter = field(default_factory=Id)

    @property
    def type(self) -> Any:
        return list[self.kind.type]

    def read(self, text: str) -> Any:
        parts = [part.strip() for part in text.split(",", MAX_ITEMS + 1)]
        if len(parts) > MAX_ITEMS:
            raise WrongValue(f"Ensure this field has no more than {MAX_ITEMS} elements.")
        found = list(dict.fromkeys(self.kind.read(part) for part in parts if part))
        if not found:
            raise WrongValue("This list may not be empty.")
        return found if len(found) > 1 else found[0]

    def compare(self, column: sa.ColumnElement[Any], name: str, several: bool) -> Condition:
        if not several:  # so that an index with this column also orders the list
            return super().compare(column, name, several)
        return any_of(column, name, IdList() if isinstance(column.type, IdType) else TextList())

    def describe(self, name: str, **schema: Any) -> Any:
        sentence = f"Only those with one of these as `{name}`, separated by commas."
        return described(self.type, self.sentence or sentence, **schema)


def read_parameter(kind: Parameter, name: str, query: Mapping[str, str]) -> Any:
    """The value of one parameter; None when it is absent or empty. Raises Invalid under its name."""
    if not query.get(name):
        return None
    try:
        return kind.read(query[name])
    except WrongValue as error:
        raise Invalid({name: [str(error)]}, {name: error.code}) from None


def _cut(text: str) -> str:
    return text if len(text) <= MAX_ECHOED else f"{text[:MAX_ECHOED]}…"


def _fail() -> Any:
    raise ValueError
