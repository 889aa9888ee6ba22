"""A list of v2: a page of records under `data`, by offset or by position."""

from collections.abc import Mapping
from typing import Any

from airside.db.base import Row
from airside.rest.call import Call
from airside.rest.face import Face, column_of
from airside.rest.selection import list_records, list_uncounted
from airside.rest.shaping import shape_rows
from airside.rest.wire import Shape
from airside.rest.wires.v2.fields import read_list_shape
from airside.rest.wires.v2.paging import (
    check_eligible,
    is_by_cursor,
    read_cursor,
    read_page,
    read_size,
    wrap_cursor_page,
    wrap_page,
    write_cursor,
)

MAX_ORDERS = 3  # names in one `order_by`


async def list_page(face: Face, call: Call) -> Any:
    """Raises Invalid, and NotCursorEligible for an order without positions."""
    shape, order = read_list_shape(face, call.query), read_order(face, call.query)
    if is_by_cursor(call.query):
        return await _list_by_cursor(face, call, order, shape)
    page = read_page(call.query)
    if page.is_counted:
        rows, total = await list_records(face, call, order, page.offset, page.size)
        has_more = page.offset + len(rows) < total
        return wrap_page(page, await shape_rows(call, face, rows, shape), total, has_more=has_more)
    rows, has_more = _split(await list_uncounted(face, call, order, page.offset, page.size + 1), page.size)
    return wrap_page(page, await shape_rows(call, face, rows, shape), None, has_more=has_more)


async def _list_by_cursor(face: Face, call: Call, order: tuple[str, ...], shape: Shape) -> Any:
    chosen, size = check_eligible(order), read_size(call.query)
    after = read_cursor(face, chosen, call.query.get("cursor"))
    rows, has_more = _split(await list_uncounted(face, call, order, 0, size + 1, after), size)
    cursor = write_cursor(chosen, rows[-1]) if has_more else None
    return wrap_cursor_page(await shape_rows(call, face, rows, shape), cursor)


def read_order(face: Face, query: Mapping[str, str]) -> tuple[str, ...]:
    """The columns to order by; the face's own order where a name isn't among its orders, as Plane does."""
    names = [name.strip() for name in query.get("order_by", "").split(",", MAX_ORDERS)]
    if len(names) > MAX_ORDERS or any(name.removeprefix("-") not in face.order_names for name in names):
        return face.order_by
    return tuple(("-" if name[0] == "-" else "") + column_of(face, name.removeprefix("-")) for name in names)


def _split(rows: list[Row], size: int) -> tuple[list[Row], bool]:
    """The page, and whether there was more than that."""
    return rows[:size], len(rows) > size
