"""From a row to the object on the wire: the declared fields in order, or those of a Shape."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, cast

import msgspec

from airside.db.base import Row
from airside.rest.call import Call
from airside.rest.computed import Computed, compute
from airside.rest.face import Face, Shown, columns_of
from airside.rest.wire import WHOLE, Shape

ROWS_AT_ONCE = 200  # more would block the event loop


@cache
def shown_names(shown: type[Shown]) -> tuple[str, ...]:
    return tuple(info.encode_name for info in msgspec.structs.fields(shown))


async def shape_rows(call: Call, face: Face, rows: list[Row], shape: Shape = WHOLE) -> list[Row]:
    """The rows as the wire shows them."""
    if not rows:
        return []
    await compute(_computed_but(face, _unasked(face, shape)), call, rows)
    names = shown_names(face.shown)
    if shape.fields is not None:
        asked = set(shape.fields)
        names = tuple(name for name in names if name in asked)
    elif face.on_request:
        unasked = _unasked(face, shape)
        names = tuple(name for name in names if name not in unasked)
    columns = columns_of(face, names)
    shaped: list[Row] = []
    for at in range(0, len(rows), ROWS_AT_ONCE):
        if at:
            await asyncio.sleep(0)  # yield to other tasks
        shaped += [{name: row[columns[name]] for name in names} for row in rows[at : at + ROWS_AT_ONCE]]
    for name in shape.expand:
        if name in face.expands and name in columns:
            await _expand(call, face, shaped, name)
    return shaped


def _unasked(face: Face, shape: Shape) -> frozenset[str]:
    """The fields on request that this answer doesn't have, so that nothing is read for them."""
    if not face.on_request:
        return frozenset()
    asked = shape.expand if shape.fields is None else shape.fields
    return frozenset(face.on_request).difference(asked)


@cache
def _computed_but(face: Face, names: frozenset[str]) -> Mapping[str, Computed]:
    columns = set(columns_of(face, tuple(names)).values()) if names else set[str]()
    return {name: one for name, one in face.record.computed.items() if name not in columns}


async def shape_row(call: Call, face: Face, row: Row, shape: Shape = WHOLE) -> Row:
    return (await shape_rows(call, face, [row], shape))[0]


async def _expand(call: Call, face: Face, shaped: Sequence[Row], name: str) -> None:
    ids = {one for row in shaped for one in _ids(row[name])}
    found = await face.expands[name](call, sorted(ids)) if ids else Row()
    for row in shaped:
        row[name] = _replace(row[name], found)


def _ids(value: Any) -> Iterable[str]:
    if isinstance(value, list):
        return [one for one in cast(list[Any], value) if isinstance(one, str)]
    return [value] if isinstance(value, str) else []


def _replace(value: Any, found: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [found[one] for one in cast(list[str], value) if one in found]
    return found.get(value) if isinstance(value, str) else value
