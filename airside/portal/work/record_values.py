"""The fields of any record as a page shows them: names for ids, days for dates, prose for HTML."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache, partial
from typing import Any, NamedTuple, cast

import sqlalchemy as sa

from airside.db.base import Row, is_uuid
from airside.db.conditions import tenant
from airside.db.statements import Statement, any_of
from airside.portal.work.acting import Work
from airside.portal.work.people import find_people
from airside.portal.work.progress_bar import FIELDS
from airside.portal.work.record_kinds import Kind, find_main
from airside.portal.work.record_words import is_hidden, meaning_of, words_for
from airside.portal.work.writing import show_html
from airside.rest.call import Call
from airside.rest.face import Face
from airside.rich_text.html import off_loop, weigh
from airside.work.intake.items import intake_items
from airside.work.pages.tables import collections, pages
from airside.work.types.tables import work_item_properties, work_item_types
from airside.work.work_items.tables import work_items

TITLES = (
    "display_name",
    "name",
    "title",
    "value",
    "key",
    "email",
)  # the first that a record has is its title
SHORT = ("text", "links", "day", "time", "flag")  # kinds of fields that a list shows
MAX_FACTS = 4
MAX_TEXT = 80  # characters of a fact in a list


class Field(NamedTuple):
    """One field: `kind` is text, links, prose, written, day, time, flag, json or none."""

    words: str
    kind: str
    value: Any


class Named(NamedTuple):
    """A record that an id names, with its page, if it has one."""

    words: str
    href: str = ""


class Names(NamedTuple):
    """What ids stand for."""

    people: Mapping[str, Any]
    records: Mapping[str, Named]

    def of(self, one: str) -> Named:
        person = self.people.get(one)
        return Named(person.name) if person else self.records.get(one) or Named(one)


def title_of(row: Row) -> str:
    """What the record is called."""
    name = _title_field(row)
    if name:
        return row[name]
    detail: Row = row.get("issue_detail") or {}
    return detail.get("name") or str(row.get("id", ""))


def _title_field(row: Row) -> str:
    return next((name for name in TITLES if row.get(name) and isinstance(row[name], str)), "")


async def find_names(work: Work, call: Call, face: Face, rows: Sequence[Row], *more: str | None) -> Names:
    """The people and records that these rows name, and the people in `more`."""
    ids = {one for row in rows for value in row.values() for one in _ids_in(value)}
    people = await find_people(work.site.db, {*ids, *more})
    records: dict[str, Named] = {}
    tables = (reference.table for reference in face.record.references.values())
    for table in dict.fromkeys((*tables, *_NAMED_TOO.get(face.table, ()))):
        column = _title_column(table)
        if column is None or not ids:
            continue
        keys = {"workspace_id": work.visit.workspace_id, "ids": sorted(ids)}
        for row in await work.site.db.fetch_all(_titles_of(table, column), **keys):
            # A private page has a title that few may read.
            words = row["title"] if "access" not in table.c else "Another page"
            records[row["id"]] = Named(words, _href_of(work, call, table, row["id"]))
    return Names(people, records)


# Further tables whose records the fields name, beside the declared references.
_NAMED_TOO: Mapping[sa.Table, tuple[sa.Table, ...]] = {
    intake_items: (work_items,),
    work_item_properties: (work_item_types,),
    pages: (collections,),
}


def _href_of(work: Work, call: Call, table: sa.Table, record_id: str) -> str:
    if table is work_items:
        return f"{work.here}/browse/{record_id}/"
    kind = find_main(table, in_project=bool(call.project))
    return f"{list_href(work, call, kind)}{record_id}/" if kind else ""


def list_href(work: Work, call: Call, kind: Kind) -> str:
    """The page of a kind that stands below the call's project or workspace."""
    path = {"project_id": call.project_id} if call.project else {}
    return f"{work.here}/{kind.path.format(**path)}/"


def show_facts(face: Face, row: Row, names: Names) -> list[Field]:
    """The few fields that tell a record of a list from the others."""
    shown = [_show(face, name, value, names) for name, value in row.items() if _is_told(face, row, name)]
    return [one for one in shown if one.kind in ("text", "links", "day", "flag") and _is_short(one)][
        :MAX_FACTS
    ]


async def show_fields(face: Face, row: Row, names: Names, elsewhere: Collection[str]) -> list[Field]:
    """Every field of a record, but its title and those that stand `elsewhere` on its page."""
    fields: list[Field] = []
    left = {_title_field(row), *elsewhere, *(FIELDS if "total_issues" in row else ())}
    for name, value in row.items():
        if name in left or is_hidden(face.table, name):
            continue
        if name == "description" and ("description_html" in row or not isinstance(value, str | None)):
            continue
        if name.endswith("_html"):
            fields.append(await _show_prose(words_for(name.removesuffix("_html")), value or "", names))
        else:
            fields.append(_show(face, name, value, names))
    detail: Row = row.get("issue_detail") or {}
    if detail.get("description_html"):
        fields.append(await _show_prose("Description", detail["description_html"], names))
    return fields


async def _show_prose(words: str, html: str, names: Names) -> Field:
    prose = await off_loop(weigh(html), partial(show_html, html, names.people))
    return Field(words, "prose" if prose else "none", prose)


def show_changes(face: Face, changes: Iterable[Sequence[Any]], names: Names) -> list[tuple[str, str, str]]:
    """Field, old and new value of each change, as texts."""

    def text(name: str, value: Any) -> str:
        return _text(meaning_of(face.table, name, value), names)

    return [(words_for(name), text(name, old), text(name, new)) for name, old, new in changes]


def _show(face: Face, name: str, value: Any, names: Names) -> Field:
    words, value = words_for(name), meaning_of(face.table, name, value)
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
    named = [names.of(one) for one in _ids_in(value)]
    if named and any(one.href for one in named):
        return Field(words, "links", named)
    text = _text(value, names)
    return Field(words, "written" if "\n" in text else "text", text)


def _text(value: Any, names: Names) -> str:
    if value is None or value == "" or value == []:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(_text(one, names) for one in cast("list[Any]", value))
    return names.of(value).words if isinstance(value, str) else str(value)


def _is_text(value: Any) -> bool:
    return all(isinstance(one, str) for one in cast("list[Any]", value)) if isinstance(value, list) else True


def _is_told(face: Face, row: Row, name: str) -> bool:
    if is_hidden(face.table, name) or name in TITLES or name in FIELDS or name == "issue":
        return False
    if name.startswith(("external_", "logo", "description")):
        return False
    return row[name] is not False and row[name] not in (None, "", [], {})


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
