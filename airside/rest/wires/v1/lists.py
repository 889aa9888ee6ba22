"""A list of v1: a page of records, or the one that has an external id; and what `fields` and `expand` ask for."""

from collections.abc import Mapping
from typing import Any

from airside.errors import BadRequest, NotFound
from airside.rest.call import Call
from airside.rest.face import Face
from airside.rest.selection import find_external, list_records, sortable_columns
from airside.rest.shaping import shape_rows
from airside.rest.verbs import show_record
from airside.rest.wire import Shape
from airside.rest.wires.v1.paging import read_page, wrap_page

MAX_NAMES = 100  # of `fields` or `expand`; more than any record has


async def list_page(face: Face, call: Call) -> Any:
    """A page of records; with `external_id` and `external_source` the one record that has them, or 404."""
    query = call.query
    if query.get("external_id") and query.get("external_source") and "external_id" in face.table.c:
        row = await find_external(face, call, query["external_source"], query["external_id"], listed=True)
        if row is None:
            raise NotFound
        return await show_record(call, face, row)
    page = read_page(query, face.page_size, face.page_limit)
    rows, total = await list_records(face, call, read_order(face, query), page.offset, page.size)
    shaped = await shape_rows(call, face, rows, read_shape(face, query))
    return shaped if face.is_bare and face.is_bare(query) else wrap_page(page, total, shaped)


def read_shape(face: Face, query: Mapping[str, str]) -> Shape:
    """Unknown names are ignored, as Plane does."""
    fields = query.get("fields")
    return Shape(split_names(fields) if fields else None, split_names(query.get("expand", "")))


def split_names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",", MAX_NAMES)][:MAX_NAMES] if text else []


def read_order(face: Face, query: Mapping[str, str]) -> tuple[str, ...]:
    """The columns to order by. Raises BadRequest for an unknown one."""
    asked = query.get("order_by")
    if not asked:
        return face.order_by
    name = asked.removeprefix("-")
    if name in face.orders:
        return (asked,)
    column = sortable_columns(face).get(name)
    if column is None:
        raise BadRequest("Invalid order_by parameter.")
    return (f"-{column}" if asked[0] == "-" else column,)
