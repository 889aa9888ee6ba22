"""Checks of body fields, with the messages of a Community Edition. `check` collects all of them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tests.support.upstream.store import Table, is_uuid
from tests.support.upstream.wire import Refusal

Problem = list[str] | dict[str, list[str]]


class Invalid(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass
class Field:
    required: bool = False
    nullable: bool = False

    def read(self, value: Any) -> Any:
        return value


@dataclass
class Text(Field):
    longest: int | None = None
    blank: bool = False

    def read(self, value: Any) -> Any:
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise Invalid(["Not a valid string."])
        text = str(value)
        if not text and not self.blank:
            raise Invalid(["This field may not be blank."])
        if self.longest and len(text) > self.longest:
            raise Invalid([f"Ensure this field has no more than {self.longest} characters."])
        return text


@dataclass
class Choice(Field):
    choices: tuple[Any, ...] = ()

    def read(self, value: Any) -> Any:
        if value not in self.choices:
            raise Invalid([f'"{value}" is not a valid choice.'])
        return value


@dataclass
class Number(Field):
    most: int | None = None

    def read(self, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Invalid(["A valid number is required."])
        if self.most is not None and value > self.most:
            raise Invalid([f"Ensure this value is less than or equal to {self.most}."])
        return value


@dataclass
class Day(Field):
    nullable: bool = True

    def read(self, value: Any) -> Any:
        if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            raise Invalid(["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."])
        return date.fromisoformat(value)


@dataclass
class Moment(Field):
    nullable: bool = True

    def read(self, value: Any) -> Any:
        try:
            return datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise Invalid(["Datetime has wrong format."]) from None


@dataclass
class Reference(Field):
    table: Table | None = None
    nullable: bool = True

    def read(self, value: Any) -> Any:
        if not is_uuid(value):
            raise Invalid([f"“{value}” is not a valid UUID."])
        if self.table is not None and self.table.find(value) is None:
            raise Invalid([f'Invalid pk "{value}" - object does not exist.'])
        return value


@dataclass
class References(Field):
    table: Table | None = None

    def read(self, value: Any) -> Any:
        if not isinstance(value, list):
            raise Invalid([f'Expected a list of items but got type "{type(value).__name__}".'])
        problems: dict[str, list[str]] = {}
        for place, item in enumerate(value):
            try:
                Reference(table=self.table).read(item)
            except Invalid as invalid:
                problems[str(place)] = invalid.problem  # type: ignore[assignment]
        if problems:
            raise Invalid(problems)
        return list(value)


def check(body: dict[str, Any], fields: dict[str, Field], partial: bool = False) -> dict[str, Any]:
    """The values of known fields; unknown ones are dropped. Raises Refusal 400 with every problem."""
    values: dict[str, Any] = {}
    problems: dict[str, Problem] = {}
    for name, field in fields.items():
        if name not in body:
            if field.required and not partial:
                problems[name] = ["This field is required."]
            continue
        try:
            values[name] = _read(field, body[name])
        except Invalid as invalid:
            problems[name] = invalid.problem
    if problems:
        raise Refusal(400, problems)
    return values


def _read(field: Field, value: Any) -> Any:
    if value is None:
        if field.nullable:
            return None
        raise Invalid(["This field may not be null."])
    return field.read(value)


def refuse_together(problem: str) -> Refusal:
    """What is wrong with several fields together."""
    return Refusal(400, {"non_field_errors": [problem]})


def plain(*names: str) -> dict[str, Field]:
    """Fields that are taken as they are."""
    return {name: Field(nullable=True) for name in names}


Check = Callable[[dict[str, Any]], None]
