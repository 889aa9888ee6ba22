"""Cursor paging as Plane's API v1 does it: a cursor is `per_page:page:is_prev`, an envelope has twelve keys.

Plane's SDK for Node.js types `limit` and `offset` instead: the size of a page, and how many results are before it.
"""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from msgspec import Meta

from airside.errors import BadRequest
from airside.rest.parameters import Query, described
from airside.rest.wire import Json

MAX_OFFSET = 2**31 - 1  # longer than any list; no database's OFFSET overflows

_Cursor = Annotated[
    str,
    Meta(
        pattern=r"^[^:]+:[^:]+:[01]$",
        description="Which page: `next_cursor` or `prev_cursor` of the page before. Absent: the first one.",
        examples=["100:1:0"],
    ),
]
PAGE_SCHEMA: Json = {
    "type": "object",
    "description": "One page of a list. Both cursors are always there; the booleans say whether they lead on.",
    "properties": {
        "grouped_by": {"type": ["string", "null"], "examples": [None]},
        "sub_grouped_by": {"type": ["string", "null"], "examples": [None]},
        "total_count": {"type": "integer", "minimum": 0},
        "next_cursor": {"type": "string", "examples": ["100:1:0"]},
        "prev_cursor": {"type": "string", "examples": ["100:-1:1"]},
        "next_page_results": {"type": "boolean", "examples": [False]},
        "prev_page_results": {"type": "boolean", "examples": [False]},
        "count": {"type": "integer", "minimum": 0, "description": "How many results this page has."},
        "total_pages": {"type": "integer", "minimum": 0},
        "total_results": {"type": "integer", "minimum": 0},
        "extra_stats": {"type": "null"},
        "results": {"type": "array"},
    },
}
PAGE_SCHEMA["required"] = list(PAGE_SCHEMA["properties"])


class Page(NamedTuple):
    """The requested part of a list."""

    size: int
    number: int  # from 0

    @property
    def offset(self) -> int:
        return self.size * self.number


def read_page(query: Mapping[str, str], default: int, maximum: int) -> Page:
    """The page that `per_page` and `cursor`, or `limit` and `offset`, request. Raises BadRequest with the wire's
    message."""
    name = "limit" if query.get("limit") and not query.get("per_page") else "per_page"
    size = _read_size(name, query.get(name), default, maximum)
    if query.get("offset") and not query.get("cursor"):
        return Page(size, _read_offset(query["offset"], size))
    return Page(size, _read_number(query.get("cursor")))


def wrap_page(page: Page, total: int, results: list[Any]) -> dict[str, Any]:
    """The envelope around one page; both cursors are always present, the booleans say whether their page exists."""
    pages = -(-total // page.size)
    return {
        "grouped_by": None,
        "sub_grouped_by": None,
        "total_count": total,
        "next_cursor": f"{page.size}:{page.number + 1}:0",
        "prev_cursor": f"{page.size}:{page.number - 1}:1",
        "next_page_results": page.number + 1 < pages,
        "prev_page_results": page.number > 0,
        "count": len(results),
        "total_pages": pages,
        "total_results": total,
        "extra_stats": None,
        "results": results,
    }


def page_query(default: int, maximum: int) -> Query:
    """What `read_page` reads."""
    bounded = Annotated[int, Meta(ge=1, le=maximum)]
    size = described(bounded, "How many results a page has at most.", default=default)
    before = Annotated[int, Meta(ge=0, le=MAX_OFFSET // 1000)]
    return {
        "cursor": _Cursor,
        "per_page": size,
        "limit": described(bounded, "The same as `per_page`."),
        "offset": described(before, "How many results are before the page: a multiple of its size."),
    }


def page_schema(item: Json) -> Json:
    """Of a page of these items, for OpenAPI."""
    results = {"type": "object", "properties": {"results": {"type": "array", "items": item}}}
    return {"allOf": [{"$ref": "#/components/schemas/Page"}, results]}


def _read_size(name: str, text: str | None, default: int, maximum: int) -> int:
    if not text:
        return default
    size = _read_int(name, text)
    if size > maximum:
        raise BadRequest(f"Invalid {name} value. Cannot exceed {maximum}.")
    if size < 1:
        raise BadRequest(f"Invalid {name} value. Must be at least 1.")
    return size


def _read_offset(text: str, size: int) -> int:
    """The number of the page that begins there."""
    offset = _read_int("offset", text)
    if not 0 <= offset <= MAX_OFFSET // 1000:
        raise BadRequest("Invalid offset value.")
    number, rest = divmod(offset, size)
    if rest:
        raise BadRequest(f"Invalid offset value. Must be a multiple of the page's size, {size}.")
    return number


def _read_int(name: str, text: str) -> int:
    try:
        return int(text[:20])
    except ValueError:
        raise BadRequest(f"Invalid {name} parameter.") from None


def _read_number(text: str | None) -> int:
    if not text:
        return 0
    parts = text.split(":")
    try:
        _, number, is_previous = (int(float(part[:20])) for part in parts)
    except (ValueError, OverflowError):
        raise BadRequest("Invalid cursor parameter.") from None
    if is_previous not in (0, 1) or number > MAX_OFFSET // 1000:
        raise BadRequest("Invalid cursor parameter.")
    if number < 0:
        raise BadRequest("Error in parsing")
    return number
