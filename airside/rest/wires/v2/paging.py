"""The two ways in which v2 pages a list: by offset, and by a cursor that stands for a position.

A cursor is opaque to clients: the base64 of the last record's values in the order, of which the last is its id.
Filters, order and page size are read again for each page.
"""

import base64
import binascii
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple, cast

import msgspec
import sqlalchemy as sa
from msgspec import Meta

from airside.db.base import Instant, Row, is_uuid
from airside.errors import BadRequest, Invalid
from airside.rest.face import Face
from airside.rest.parameters import Flag, Query, described, read_parameter
from airside.rest.record import Narrowing
from airside.rest.wire import Json
from airside.system.clock import read_instant

PER_PAGE, MAX_PER_PAGE, MAX_OFFSET = 50, 200, 10_000
MAX_CURSOR = 200  # characters
CURSOR_ORDERS = ("created_at", "updated_at", "sequence_id", "id")  # of which a page can start at a position

_Offset = Annotated[int, Meta(ge=0, le=MAX_OFFSET)]
PAGE_QUERY: Query = {
    "per_page": described(
        Annotated[int, Meta(ge=1)],
        f"How many records a page has at most; more than {MAX_PER_PAGE} are {MAX_PER_PAGE}.",
        default=PER_PAGE,
    ),
    "offset": described(
        _Offset, "How many records to skip. Read longer lists with `paginate=cursor`.", default=0
    ),
    "paginate": described(Literal["offset", "cursor"], "Pages by number, or by position.", default="offset"),
    "cursor": described(str, "`next_cursor` of the page before."),
    "count": described(bool, "Whether a page by offset has `total_count`.", default=True),
}
PAGE_SCHEMA: Json = {
    "type": "object",
    "description": "One page of a list, by offset or with `paginate=cursor` by position.",
    "properties": {
        "data": {"type": "array"},
        "pagination": {
            "type": "object",
            "properties": {"style": {"type": "string", "enum": ["offset", "cursor"]}},
            "required": ["style"],
        },
        "next": {
            "type": ["integer", "null"],
            "description": "By offset: that of the next page.",
            "examples": [50],
        },
        "previous": {
            "type": ["integer", "null"],
            "description": "By offset: that before.",
            "examples": [None],
        },
        "total_count": {"type": "integer", "minimum": 0, "description": "By offset, unless `count=false`."},
        "next_cursor": {"type": ["string", "null"], "description": "By position.", "examples": [None]},
        "has_more": {"type": "boolean", "description": "By position.", "examples": [False]},
    },
    "required": ["data", "pagination"],
}


class BadCursor(Invalid):
    """It wasn't given by a list in this order."""

    def __init__(self) -> None:
        super().__init__({"cursor": ["Invalid cursor."]})


class NotCursorEligible(BadRequest):
    """The order has no positions at which a page could start."""

    code = "ordering_not_cursor_eligible"


class Page(NamedTuple):
    """The requested page by offset."""

    size: int
    offset: int
    is_counted: bool


def page_schema(item: Json) -> Json:
    """Of a page of these items, for OpenAPI."""
    data = {"type": "object", "properties": {"data": {"type": "array", "items": item}}}
    return {"allOf": [{"$ref": "#/components/schemas/Page"}, data]}


def is_by_cursor(query: Mapping[str, str]) -> bool:
    """Raises Invalid for another way of paging."""
    style = query.get("paginate") or ""
    if style not in ("", "offset", "cursor"):
        raise Invalid({"paginate": ['Must be "offset" or "cursor".']}, {"paginate": "invalid_choice"})
    return style == "cursor" or bool(query.get("cursor"))


def read_size(query: Mapping[str, str]) -> int:
    """Raises Invalid for what isn't a number from 1; more than the maximum are the maximum."""
    return min(_read_whole(query, "per_page", PER_PAGE, least=1), MAX_PER_PAGE)


def read_page(query: Mapping[str, str]) -> Page:
    """Raises Invalid."""
    offset = _read_whole(query, "offset", 0, least=0)
    if offset > MAX_OFFSET:
        raise Invalid({"offset": [f"Must be at most {MAX_OFFSET}; use paginate=cursor to read on."]})
    return Page(read_size(query), offset, read_parameter(Flag(), "count", query) is not False)


def wrap_page(page: Page, data: list[Any], total: int | None, *, has_more: bool) -> Json:
    """`total` is None where nobody counted."""
    counted = {} if total is None else {"total_count": total}
    return {
        "data": data,
        "next": page.offset + page.size if has_more else None,
        "previous": max(0, page.offset - page.size) if page.offset else None,
        **counted,
        "pagination": {"style": "offset"},
    }


def wrap_cursor_page(data: list[Any], next_cursor: str | None) -> Json:
    return {
        "data": data,
        "next_cursor": next_cursor,
        "has_more": next_cursor is not None,
        "pagination": {"style": "cursor"},
    }


def check_eligible(order: tuple[str, ...]) -> str:
    """The one column of the order, with its minus. Raises NotCursorEligible."""
    if len(order) != 1 or order[0].removeprefix("-") not in CURSOR_ORDERS:
        eligible = ", ".join(CURSOR_ORDERS)
        raise NotCursorEligible(f"Pages by position need one order_by of {eligible}.")
    return order[0]


def write_cursor(order: str, row: Row) -> str:
    """The position of a record."""
    values = [row[name] for name in _columns(order)]
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def read_cursor(face: Face, order: str, text: str | None) -> Narrowing:
    """The records after the position. Raises BadCursor."""
    if not text:
        return Narrowing()
    names, values = _columns(order), _decode(text)
    if len(values) != len(names):
        raise BadCursor
    read = [_read_value(face.table.c[name], value) for name, value in zip(names, values, strict=True)]
    return Narrowing(
        _after(face, order), {f"after_{name}": value for name, value in zip(names, read, strict=True)}
    )


def _columns(order: str) -> tuple[str, ...]:
    name = order.removeprefix("-")
    return ("id",) if name == "id" else (name, "id")


def _decode(text: str) -> list[Any]:
    try:
        values = msgspec.json.decode(base64.urlsafe_b64decode(text[:MAX_CURSOR] + "=" * (-len(text) % 4)))
    except (binascii.Error, msgspec.DecodeError, ValueError):
        raise BadCursor from None
    return cast(list[Any], values) if isinstance(values, list) else []


def _read_value(column: sa.Column[Any], value: Any) -> Any:
    if isinstance(column.type, Instant):
        found = read_instant(value) if isinstance(value, str) else None
    elif isinstance(column.type, sa.Integer):
        found = value if isinstance(value, int) and abs(value) < 2**31 else None
    else:
        found = value if isinstance(value, str) and is_uuid(value) else None
    if found is None:
        raise BadCursor
    return found


@lru_cache(256)
def _after(face: Face, order: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Rows are compared as a whole, which an index with these columns can answer."""
    columns = [face.table.c[name] for name in _columns(order)]
    limits = [sa.bindparam(f"after_{column.name}", type_=column.type) for column in columns]
    rows, position = sa.tuple_(*columns), sa.tuple_(*limits)
    return (rows < position if order[0] == "-" else rows > position,)


def _read_whole(query: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    text = query.get(name)
    if not text:
        return default
    try:
        number = int(text[:20])
    except ValueError:
        raise Invalid({name: ["A valid integer is required."]}) from None
    if number < least:
        raise Invalid({name: [f"Must be at least {least}."]})
    return number
