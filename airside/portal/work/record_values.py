"""The fields of any record as a page shows them: names for ids, days for dates, prose for HTML."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache, partial
from typing import Any, NamedTuple, cast

import sqlalchemy as sa

from airside.db.base import Row, is_uuid
from airside.db.conditions import tenant
from airside.db.statements import Statement, any_of
from airside.portal.work.acting import Work
from airside.portal.work.people import find_people
from airside.portal.work.writing import show_html
from airside.rest.face import Face
from airside.rich_text.html import off_loop, weigh

TITLES = (
    "name",
    "title",
    "display_name",
    "value",
    "key",
    "email",
)  # the first that a record has is its title
# Fields of every record that say nothing about it, or that stand elsewhere on its page.
# fmt: off
HIDDEN = frozenset((
    "id", "workspace", "project", "workspace_id", "project_id", "created_at", "updated_at", "deleted_at",
    "created_by", "updated_by", "description_stripped", "description_binary", "description_json", "description",
    "sort_order", "logo_props", "view_props", "sequence_id",
))
# fmt: on
MAX_FACTS = 4
MAX_TEXT = 80  # characters of a fact in a list


class Field(NamedTuple):
    """One field: `kind` is text, prose, day, time, flag, json or none."""

    words: str
    kind: str
    value: Any


class Names(NamedTuple):
    """What ids stand for."""

    people: Mapping[str, Any]
    records: Mapping[str, str]

    def of(self, one: str) -> str:
        person = self.people.get(one)
        return person.name if person else self.records.get(one, one)


def title_of(row: Row) -> str:
    """What the record is called."""
    detail: Row = row.get("issue_detail") or {}
    for name in TITLES:
        text = row.get(name) or detail.get(name)
        if text and isinstance(text, str):
            return text
    return str(row.get("id", ""))


async def find_names(work: Work, face: Face, rows: Sequence[Row], *more: str | None) -> Names:
    """The people and records that these rows name, and the people in `more`."""
    ids = {one for row in rows for value in row.values() for one in _ids_in(value)}
    people = await find_people(work.site.db, {*ids, *more})
    records: dict[str, str] = {}
    for table in dict.fromkeys(reference.table for reference in face.record.references.values()):
        column = _title_column(table)
        if column is None or not ids or "access" in table.c:  # a private page has a title that few may read
            continue
        found = await work.site.db.fetch_all(
            _titles_of(table, column), workspace_id=work.visit.workspace_id, ids=sorted(ids)
        )
        records |= {row["id"]: row["title"] for row in found}
    return Names(people, records)


def show_facts(row: Row, names: Names) -> list[Field]:
    """The few fields that tell a record of a list from the others."""
    shown = [_show(name, value, names) for name, value in row.items() if _is_told(name, value)]
    return [one for one in shown if one.kind in ("text", "day", "flag") and _is_short(one)][:MAX_FACTS]


async def show_fields(row: Row, names: Names) -> list[Field]:
    """Every field of a record."""
    fields: list[Field] = []
    for name, value in row.items():
        if name in HIDDEN or name in TITLES[:2]:
            continue
        if name.endswith("_html"):
            html = value or ""
            prose = await off_loop(weigh(html), partial(show_html, html, names.people))
            fields.append(Field(words_for(name.removesuffix("_html")), "prose" if prose else "none", prose))
        else:
            fields.append(_show(name, value, names))
    return fields


def show_changes(changes: Iterable[Sequence[Any]], names: Names) -> list[tuple[str, str, str]]:
    """Field, old and new value of each change, as texts."""
    return [(words_for(name), _text(old, names), _text(new, names)) for name, old, new in changes]


def words_for(name: str) -> str:
    named = name if name == "external_id" else name.removesuffix("_id")
    return named.replace("_", " ").strip().capitalize()


def _show(name: str, value: Any, names: Names) -> Field:
    words = words_for(name)
    if value is None or value == "" or value == [] or value == {}:
        return Field(words, "none", None)
    if isinstance(value, bool):
        return Field(words, "flag", value)
    if isinstance(value, datetime):
        return Field(words, "time", value)
    if isinstance(value, date):
        return Field(words, "day", value)
    if isinstance(value, Mapping) or not _is_text(value):
        return Field(words, "json", json.dumps(value, indent=2, ensure_ascii=False, default=str))
    return Field(words, "text", _text(value, names))


def _text(value: Any, names: Names) -> str:
    if value is None or value == "" or value == []:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(_text(one, names) for one in cast("list[Any]", value))
    return names.of(value) if isinstance(value, str) else str(value)


def _is_text(value: Any) -> bool:
    return all(isinstance(one, str) for one in cast("list[Any]", value)) if isinstance(value, list) else True


def _is_told(name: str, value: Any) -> bool:
    if name in HIDDEN or name in TITLES or name.startswith(("external_", "logo", "description")):
        return False
    return value not in (None, "", [], {}, False)


def _is_short(field: Field) -> bool:
    return field.kind != "text" or (len(field.value) <= MAX_TEXT and not is_uuid(field.value))


def _ids_in(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if is_uuid(value) else []
    if isinstance(value, list):
        return [one for one in cast("list[Any]", value) if isinstance(one, str) and is_uuid(one)]
    return []


def _title_column(table: sa.Table) -> sa.ColumnElement[Any] | None:
    return next((table.c[name] for name in TITLES if name in table.c and "id" in table.c), None)


@cache
def _titles_of(table: sa.Table, column: sa.ColumnElement[Any]) -> Statement:
    return Statement(
        sa.select(table.c.id, column.label("title")).where(tenant(table), any_of(table.c.id, "ids"))
    )
