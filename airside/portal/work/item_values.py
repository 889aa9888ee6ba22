"""The values that a work item has of its type's properties, each shown as what it is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import time
from functools import partial
from typing import Any, NamedTuple, cast
from urllib.parse import quote

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.portal.work.people import NOBODY, Person
from airside.portal.work.presentation import show_color
from airside.portal.work.writing import find_mentioned, show_html
from airside.rest.call import Call
from airside.rich_text.html import off_loop, weigh
from airside.work.types.property_rules import WITH_OPTIONS
from airside.work.types.tables import property_options, property_values, type_properties, work_item_properties
from airside.work.types.values import list_values

LONG = 120  # characters from which a text stands below the description, and not beside it

_PROPERTY = work_item_properties.c
_HELD = sa.union(
    sa.select(type_properties.c.property_id).where(
        tenant(type_properties),
        type_properties.c.type_id == sa.bindparam("type_id", type_=Id()),
        live(type_properties),
    ),
    sa.select(property_values.c.property_id).where(
        tenant(property_values), property_values.c.work_item_id == sa.bindparam("item_id", type_=Id())
    ),
)
# Those of the type that are in use, and others of which there is a value.
_PROPERTIES = Statement(
    sa.select(
        _PROPERTY.id,
        _PROPERTY.display_name,
        _PROPERTY.property_type,
        _PROPERTY.relation_type,
        _PROPERTY.is_active,
    )
    .where(tenant(work_item_properties), _PROPERTY.id.in_(_HELD), live(work_item_properties))
    .order_by(_PROPERTY.sort_order, _PROPERTY.id)
)
_OPTIONS = Statement(
    sa.select(property_options.c.id, property_options.c.name, property_options.c.logo_props).where(
        tenant(property_options), any_of(property_options.c.id, "ids")
    )
)


class Values(NamedTuple):
    """The properties, the values that there are of each, and what their ids name, but people and work items."""

    properties: Sequence[Row]
    values: Mapping[str, Sequence[Row]]
    options: Mapping[str, Row]

    def ids(self, relation: str) -> list[str]:
        """Of the people ("USER") or work items ("ISSUE") in the values."""
        wanted = [one["id"] for one in self.properties if one["relation_type"] == relation]
        return [value["value_id"] for one in wanted for value in self.values.get(one, ())]

    async def mentioned(self) -> set[str]:
        """The people whom the rich texts mention."""
        rich = [one["id"] for one in self.properties if one["relation_type"] == "RICH_TEXT"]
        return await find_mentioned(*(row["value_text"] for one in rich for row in self.values.get(one, ())))


class Shown(NamedTuple):
    """One property: `kind` is text, prose, url, email, day, time, flag, option, person, item or none."""

    words: str
    kind: str
    values: Sequence[Any] = ()

    @property
    def is_long(self) -> bool:
        """Whether it needs the width of the page."""
        is_text = self.kind == "text" and any(len(one) > LONG or "\n" in one for one in self.values)
        return is_text or self.kind == "prose"


async def find_item_values(call: Call, item: Row) -> Values:
    keys = {"workspace_id": call.workspace_id, "item_id": item["id"], "type_id": item["type_id"]}
    properties = await call.reader.fetch_all(_PROPERTIES, **keys)
    values: dict[str, list[Row]] = {}
    for row in await list_values(call, item["id"]) if properties else ():
        values.setdefault(row["property_id"], []).append(row)
    shown = [one for one in properties if one["is_active"] or one["id"] in values]
    ids = [
        row["value_id"]
        for one in shown
        if one["property_type"] in WITH_OPTIONS
        for row in values.get(one["id"], ())
    ]
    found = await call.reader.fetch_all(_OPTIONS, workspace_id=call.workspace_id, ids=ids) if ids else ()
    return Values(shown, values, {row["id"]: row for row in found})


async def show_item_values(
    found: Values, people: Mapping[str, Person], items: Mapping[str, Row]
) -> list[Shown]:
    """Each property with its values, in the properties' order."""
    return [await _show(one, found, people, items) for one in found.properties]


async def _show(owner: Row, found: Values, people: Mapping[str, Person], items: Mapping[str, Row]) -> Shown:
    rows, words = found.values.get(owner["id"], ()), owner["display_name"]
    if not rows:
        return Shown(words, "none")
    if owner["relation_type"] == "RICH_TEXT":
        html = "".join(row["value_text"] for row in rows)
        return Shown(words, "prose", [await off_loop(weigh(html), partial(show_html, html, people))])
    if owner["property_type"] in WITH_OPTIONS:
        return Shown(words, "option", [_show_option(found.options[row["value_id"]]) for row in rows])
    if owner["relation_type"] == "USER":
        return Shown(words, "person", [people.get(row["value_id"], NOBODY) for row in rows])
    if owner["property_type"] == "RELATION":
        return Shown(words, "item", [items.get(row["value_id"]) for row in rows])
    kind, read = _PLAIN.get(owner["property_type"], ("text", _read_text))
    return Shown(words, _kind_of(kind, rows), [read(row) for row in rows])


def _kind_of(kind: str, rows: Iterable[Row]) -> str:
    """A file is a link where it names an address; a time without hours is a day."""
    if kind == "file":
        is_url = all(row["value_text"].lower().startswith(("https://", "http://")) for row in rows)
        return "url" if is_url else "text"
    is_day = kind == "time" and all(
        row["value_datetime"].timetz().replace(tzinfo=None) == time() for row in rows
    )
    return "day" if is_day else kind


def _show_option(option: Row) -> Row:
    return {"name": option["name"], "color": show_color(_color_of(option["logo_props"]))}


def _color_of(logo: Row) -> str | None:
    """That of Plane's icons, or one that was stored directly."""
    icon: Any = logo.get("icon")
    for place in (cast(Row, icon) if isinstance(icon, dict) else {}, logo):
        for name in ("color", "background_color"):
            if isinstance(place.get(name), str):
                return place[name]
    return None


def _read_text(row: Row) -> str:
    return row["value_text"]


def _read_email(row: Row) -> dict[str, str]:
    return {"name": row["value_text"], "address": quote(row["value_text"], safe="@")}


def _read_number(row: Row) -> str:
    number: float = row["value_decimal"]
    return f"{int(number):,}" if number.is_integer() else f"{number:,.10f}".rstrip("0")


_PLAIN: Mapping[str, tuple[str, Callable[[Row], Any]]] = {
    "DECIMAL": ("text", _read_number),
    "BOOLEAN": ("flag", lambda row: row["value_boolean"]),
    "DATETIME": ("time", lambda row: row["value_datetime"]),
    "URL": ("url", _read_text),
    "EMAIL": ("email", _read_email),
    "FILE": ("file", _read_text),
}
