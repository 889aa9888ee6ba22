"""The fields of any record as a page shows them: names for ids, days for dates, prose for HTML."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple, cast

from airside.db.base import Row, is_uuid
from airside.portal.work.progress_bar import FIELDS, read_progress
from airside.portal.work.record_names import TITLES, Names, ids_in
from airside.portal.work.record_words import is_hidden, meaning_of, words_for
from airside.portal.work.writing import show_html
from airside.rest.face import Face
from airside.rich_text.html import off_loop, weigh

SHORT = ("text", "links", "day", "time", "flag")  # kinds of fields that a list shows
MAX_FACTS = 4
MAX_TEXT = 80  # characters of a fact in a list


class Field(NamedTuple):
    """One field: `kind` is text, links, prose, written, day, time, flag, json or none."""

    words: str
    kind: str
    value: Any


def title_of(row: Row) -> str:
    """What the record is called."""
    name = _title_field(row)
    if name:
        return row[name]
    detail: Row = row.get("issue_detail") or {}
    return detail.get("name") or str(row.get("id", ""))


def _title_field(row: Row) -> str:
    return next((name for name in TITLES if row.get(name) and isinstance(row[name], str)), "")


def show_facts(face: Face, row: Row, names: Names) -> list[Field]:
    """The few fields by which a list distinguishes its records."""
    shown = [_show(face, name, value, names) for name, value in row.items() if _is_fact(face, row, name)]
    facts = [one for one in shown if one.kind in SHORT and _is_short(one)][:MAX_FACTS]
    progress = read_progress(row)
    if progress and progress.total:
        facts.append(Field("Done", "text", f"{progress.done} of {progress.total}"))
    if row.get("is_active") is False:
        facts.append(Field("Inactive", "flag", value=True))
    return facts


async def show_fields(face: Face, row: Row, names: Names, elsewhere: Collection[str]) -> list[Field]:
    """Every field of a record, but its title and those that stand `elsewhere` on its page."""
    fields: list[Field] = []
    left = {_title_field(row), *elsewhere, *(FIELDS if "total_issues" in row else ())}
    for name, value in row.items():
        if name in left or is_hidden(face.table, name):
            continue
        if name == "description" and (row.get("description_html") or not isinstance(value, str | None)):
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
    named = [names.of(one) for one in ids_in(value)]
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


def _is_fact(face: Face, row: Row, name: str) -> bool:
    if (
        is_hidden(face.table, name)
        or name in TITLES
        or name in FIELDS
        or name in ("issue", "is_active", "timezone")
    ):
        return False
    if name.startswith(("external_", "logo", "description")):
        return False
    return row[name] is not False and row[name] not in (None, "", [], {})


def _is_short(field: Field) -> bool:
    return field.kind != "text" or (len(field.value) <= MAX_TEXT and not is_uuid(field.value))
