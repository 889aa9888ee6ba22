"""From a row of the source to one of this workspace: other ids, and values of their column's type."""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from airside.db.base import Id, Instant, Json, Row, is_uuid
from airside.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from airside.moving.families import PEOPLE, STAMP_FIELDS, Family
from airside.moving.stored import ids_in
from airside.rest.body import MAX_INT32
from airside.system.clock import read_instant

MAX_TEXT, MAX_JSON_BYTES = 100_000, 512 * 1024

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TAG = re.compile(r"<[a-z][^<>]*>", re.IGNORECASE)

# With what a record is refused for itself; an outage ends the run, which goes on later.
REFUSALS = (Invalid, Refused, NotFound, Forbidden, Conflict)

Known = Mapping[str, str]  # id there → id here


class NotHere(Refused):
    """What the record belongs to didn't come."""

    def __init__(self, field: str) -> None:
        super().__init__(f"What it belongs to didn't come: {field.removesuffix('_id').replace('_', ' ')}.")


def list_ids(family: Family, row: Row) -> Iterable[str]:
    """Every id that the row has: its own, of other records, and in its texts."""
    yield row["id"]
    for name in family.refers:
        yield from (one.lower() for one in ids_in(row.get(name)) if is_uuid(one))
    for name in family.html:
        yield from find_html_ids(row.get(name))


def find_html_ids(html: Any) -> set[str]:
    """The ids in the tags of a text: who is mentioned, which file is shown."""
    if not isinstance(html, str):
        return set()
    return {one.lower() for tag in _TAG.findall(html) for one in _UUID.findall(tag)}


def translate_html(html: Any, known: Known) -> Any:
    """The text with the known ids in its tags replaced; it isn't sanitized yet."""
    if not isinstance(html, str):
        return html

    def replace(tag: re.Match[str]) -> str:
        return _UUID.sub(lambda one: known.get(one.group().lower(), one.group()), tag.group())

    return _TAG.sub(replace, html)


def translate_row(family: Family, row: Row, known: Known, members: set[str]) -> tuple[Row, list[str]]:
    """The row with ids of here, and the fields that lost one. Raises NotHere."""
    found, lost = dict(row), list[str]()
    for name, target in family.refers.items():
        needs_member = target == PEOPLE and name in family.members
        here = [known.get(one.lower()) for one in ids_in(row.get(name))]
        kept = [one for one in here if one and (not needs_member or one in members)]
        if len(kept) < len(here):
            if name in family.needs:
                raise NotHere(name)
            lost.append(name)
        found[name] = kept if isinstance(row.get(name), list) else kept[0] if kept else None
    for name in family.html:
        found[name] = translate_html(row.get(name), known)
    return found, lost


def read_kept(family: Family, row: Row) -> Row:
    """The columns that stay as they were there. Raises Invalid."""
    fields = [name for name in (*STAMP_FIELDS, *family.keeps) if name in family.columns and name in row]
    return read_columns(family, row, fields)


def read_columns(family: Family, row: Row, fields: Iterable[str]) -> Row:
    """The fields by column; a null that the column can't have is left out. Raises Invalid."""
    found: Row = {}
    for name in fields:
        column = family.table.c[family.columns[name]]
        value = row.get(name)
        if value is not None or column.nullable:
            found[column.name] = None if value is None else read_value(column, value, name)
    return found


def read_value(column: sa.Column[Any], value: Any, field: str) -> Any:
    """The value as the column has it. Raises Invalid."""
    try:
        read = _read(column.type, value)
    except (ValueError, TypeError, OverflowError):
        read = None
    if read is None:
        raise Invalid({field: [f"Not a valid value: {str(value)[:100]}"]})
    return read


def _read(kind: Any, value: Any) -> Any:
    match kind:
        case Id():
            return value if isinstance(value, str) and is_uuid(value) else None
        case Instant():
            return _read_moment(value)
        case Json():
            return _read_json(value)
        case sa.Boolean():
            return value if isinstance(value, bool) else None
        case sa.Integer():
            return value if type(value) is int and abs(value) <= MAX_INT32 else None
        case sa.Float():
            number = float(value) if type(value) in (int, float) else math.nan
            return number if math.isfinite(number) else None
        case sa.Date():
            return date.fromisoformat(value[:10])
        case _:
            return (
                value if isinstance(value, str) and len(value) <= MAX_TEXT and "\x00" not in value else None
            )


def _read_moment(value: Any) -> datetime | None:
    return read_instant(value) if isinstance(value, str) else None


def _read_json(value: Any) -> Any:
    written = msgspec.json.encode(value)
    return value if len(written) <= MAX_JSON_BYTES and b"\\u0000" not in written else None
