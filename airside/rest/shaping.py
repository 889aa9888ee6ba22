"""From a row to the object on the wire: the declared fields in order, then `fields` and `expand`."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa

from airside.db.base import Row
from airside.rest.call import Call
from airside.rest.resource import Resource, Shown

ROWS_AT_ONCE = 200  # more would block the event loop
MAX_NAMES = 100  # of `fields` or `expand`; more than any resource has


@cache
def wire_columns(table: sa.Table, names: tuple[str, ...]) -> dict[str, str]:
    """Wire name → key of the row. Reference columns are `state_id` in the table and `state` on the wire."""
    return {name: f"{name}_id" if name not in table.c and f"{name}_id" in table.c else name for name in names}


@cache
def shown_names(shown: type[Shown]) -> tuple[str, ...]:
    return tuple(info.encode_name for info in msgspec.structs.fields(shown))


def column_of(resource: Resource, name: str) -> str:
    """The column behind a wire name."""
    return wire_columns(resource.table, (name,))[name]


async def shape_rows(
    call: Call, resource: Resource, rows: list[Row], *, wanted: str = "", expand: str = ""
) -> list[Row]:
    """The rows as the wire shows them. `wanted` and `expand` are the query's comma-separated names."""
    if not rows:
        return []
    await resource.decorate(call, rows)
    names = shown_names(resource.shown)
    if wanted:
        asked = set(split_names(wanted))
        names = tuple(name for name in names if name in asked)
    columns = wire_columns(resource.table, names)
    shaped: list[Row] = []
    for at in range(0, len(rows), ROWS_AT_ONCE):
        if at:
            await asyncio.sleep(0)  # yield to other tasks
        shaped += [{name: row[columns[name]] for name in names} for row in rows[at : at + ROWS_AT_ONCE]]
    for name in split_names(expand):
        if name in resource.expands and name in columns:
            await _expand(call, resource, shaped, name)
    return shaped


async def shape_row(call: Call, resource: Resource, row: Row, *, wanted: str = "", expand: str = "") -> Row:
    return (await shape_rows(call, resource, [row], wanted=wanted, expand=expand))[0]


def split_names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",", MAX_NAMES)][:MAX_NAMES] if text else []


async def _expand(call: Call, resource: Resource, shaped: Sequence[Row], name: str) -> None:
    ids = {one for row in shaped for one in _ids(row[name])}
    found = await resource.expands[name](call, sorted(ids)) if ids else {}
    for row in shaped:
        row[name] = _replace(row[name], found)


def _ids(value: Any) -> Iterable[str]:
    if isinstance(value, list):
        return [one for one in value if isinstance(one, str)]
    return [value] if isinstance(value, str) else []


def _replace(value: Any, found: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [found[one] for one in value if one in found]
    return found.get(value) if isinstance(value, str) else value
