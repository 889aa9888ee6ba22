"""Lists of v1 without the envelope: an array of records, for kinds of which a workspace has few.

Separate from the pages of lists.py because a client can't see from the array whether it is all: it has up to the
face's maximum at once, and `cursor` and `per_page` still read on.
"""

from dataclasses import replace
from functools import partial
from typing import Any, cast

from airside.db.base import Row
from airside.rest.call import Call
from airside.rest.face import Face
from airside.rest.route import Route
from airside.rest.routes import verb_route
from airside.rest.selection import check_parents, list_uncounted
from airside.rest.shaping import shape_rows
from airside.rest.wires.v1.lists import read_order, read_shape
from airside.rest.wires.v1.paging import read_page


async def list_bare(face: Face, call: Call) -> list[Row]:
    """The records in order. Raises NotFound for a missing parent."""
    await check_parents(face, call)
    page = read_page(call.query, face.page_size, face.page_limit)
    rows = await list_uncounted(face, call, read_order(face, call.query), page.offset, page.size)
    return await shape_rows(call, face, rows, read_shape(face, call.query))


def bare_list_route(face: Face) -> Route:
    """GET of the face's list."""
    shown = cast(Any, face.shown)
    return replace(verb_route(face, "list"), handler=partial(list_bare, face), shown=list[shown], paged=False)
