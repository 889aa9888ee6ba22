"""What a value of a property may be, by the property's type, and in which column it is stored."""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

from airside.db.base import Row, is_uuid
from airside.errors import Invalid
from airside.system.clock import read_instant

MAX_TEXT = 100_000  # characters
MAX_LINE = 2_000  # of a URL, an address, a file
KEY_LENGTH = 200  # characters by which a text is found and ordered; an index entry has room for no more
MAX_NUMBER = 1e15

_is_url = re.compile(r"https?://[^\s/$.?#][^\s]*", re.IGNORECASE).fullmatch
_is_email = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}\.[^@\s.]{2,63}").fullmatch
_DATE_LENGTH = len("2026-01-31")


class _Wrong(Exception):
    """Not a value of the type; the message says what is."""


def read_value(owner: Row, value: Any) -> Row:
    """The columns of one value of this property. Raises Invalid under `value`. Whether an id names a record is
    checked elsewhere."""
    read = _RICH if owner["relation_type"] == "RICH_TEXT" else _READ.get(owner["property_type"])
    if read is None:
        raise Invalid({"value": [f"Values of {owner['property_type']} properties are computed."]})
    try:
        return {**NOTHING, **read(value)}
    except _Wrong as error:
        raise Invalid({"value": [str(error)]}) from None


def show_value(owner: Row, row: Row) -> Any:
    """The value as the API shows it. `owner` has the property's types, `row` the value's columns."""
    if owner["relation_type"] == "RICH_TEXT":
        return row["id"]  # of the stored text, which value_detail has
    match owner["property_type"]:
        case "DECIMAL":
            return row["value_decimal"]
        case "BOOLEAN":
            return row["value_boolean"]
        case "DATETIME":
            return _show_moment(row["value_datetime"])
        case "OPTION" | "CASCADING" | "RELATION":
            return row["value_id"]
        case _:
            return row["value_text"]


NOTHING: Row = {
    "value_text": None,
    "text_key": None,
    "value_decimal": None,
    "value_boolean": None,
    "value_datetime": None,
    "value_id": None,
}


def text_key(text: str) -> str:
    """By what a text is found and ordered."""
    return text[:KEY_LENGTH].lower()


def _read_text(value: Any, most: int = MAX_TEXT) -> Row:
    if not isinstance(value, str):
        raise _Wrong("Not a valid string.")
    if "\x00" in value:
        raise _Wrong("Null characters are not allowed.")
    if not value.strip():
        raise _Wrong("This field may not be blank.")
    if len(value) > most:
        raise _Wrong(f"Ensure this field has no more than {most} characters.")
    return {"value_text": value, "text_key": text_key(value)}


def _read_line(value: Any) -> Row:
    return _read_text(value, MAX_LINE)


def _read_matching(matches: Callable[[str], Any], sentence: str) -> Callable[[Any], Row]:
    def read(value: Any) -> Row:
        found = _read_line(value)
        if not matches(found["value_text"]):
            raise _Wrong(sentence)
        return found

    return read


def _read_decimal(value: Any) -> Row:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or abs(number) > MAX_NUMBER:
        raise _Wrong("A valid number is required.")
    return {"value_decimal": number}


def _read_boolean(value: Any) -> Row:
    known = {True: True, False: False, "true": True, "false": False}
    word = value.lower() if isinstance(value, str) else value
    if not isinstance(word, bool | str) or word not in known:
        raise _Wrong("Must be a valid boolean.")
    return {"value_boolean": known[word]}


def _read_moment(value: Any) -> Row:
    try:
        if not isinstance(value, str):
            raise ValueError
        if len(value) == _DATE_LENGTH:
            return {"value_datetime": datetime.combine(date.fromisoformat(value), time(), UTC)}
        found = read_instant(value.replace(" ", "T", 1))
        if found is None:
            raise ValueError
        return {"value_datetime": found}
    except (ValueError, OverflowError):
        raise _Wrong("Datetime has wrong format. Use YYYY-MM-DD or YYYY-MM-DD HH:MM:SS.") from None


def _read_id(value: Any) -> Row:
    if not isinstance(value, str) or not is_uuid(value):
        raise _Wrong("Must be a valid UUID.")
    return {"value_id": value.lower()}


def _read_html(value: Any) -> Row:
    """Rich text, which was sanitized before."""
    html = value.get("description_html") if isinstance(value, dict) else None  # type: ignore[reportUnknownMemberType]
    return _read_text(html)


def _show_moment(moment: datetime) -> str:
    """A day where it has no time."""
    if moment.timetz().replace(tzinfo=None) == time():
        return moment.date().isoformat()
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


_RICH = _read_html
_READ: dict[str, Callable[[Any], Row]] = {
    "TEXT": _read_text,
    "URL": _read_matching(_is_url, "Enter a valid URL."),
    "EMAIL": _read_matching(_is_email, "Enter a valid email address."),
    "FILE": _read_line,
    "DECIMAL": _read_decimal,
    "BOOLEAN": _read_boolean,
    "DATETIME": _read_moment,
    "OPTION": _read_id,
    "CASCADING": _read_id,
    "RELATION": _read_id,
}
