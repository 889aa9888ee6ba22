"""A changed value in the history of its work item: by the property's name, with the words of what it names."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import sqlalchemy as sa

from airside.db.base import is_uuid
from airside.db.conditions import tenant
from airside.db.statements import Statement, any_of
from airside.identity.describe import find_users
from airside.rest.call import Call
from airside.rich_text.html import off_loop, strip_html, weigh
from airside.work.types.property_rules import WITH_OPTIONS
from airside.work.types.tables import property_options, work_item_properties
from airside.work.work_items.related_items import find_items

_NAMES = Statement(
    sa.select(
        work_item_properties.c.id,
        work_item_properties.c.display_name,
        work_item_properties.c.property_type,
        work_item_properties.c.relation_type,
    ).where(tenant(work_item_properties), any_of(work_item_properties.c.id, "ids"))
)
_OPTIONS = Statement(
    sa.select(property_options.c.id, property_options.c.name).where(
        tenant(property_options), any_of(property_options.c.id, "ids")
    )
)


class ValueChange(NamedTuple):
    """A property's name, and the words of its value before and after; "" for none."""

    name: str
    old: str
    new: str


async def describe_values(call: Call, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[ValueChange]:
    """The properties whose values differ."""
    changed = [one for one in dict.fromkeys((*old, *new)) if old.get(one) != new.get(one)]
    if not changed:
        return []
    rows = await call.reader.fetch_all(_NAMES, workspace_id=call.workspace_id, ids=changed)
    owners = {row["id"]: row for row in rows}
    ids = [
        text for one in changed for values in (old, new) for text in _texts(values.get(one)) if is_uuid(text)
    ]
    words: dict[str, str] = {}
    if any(row["property_type"] in WITH_OPTIONS for row in rows) and ids:
        found = await call.reader.fetch_all(_OPTIONS, workspace_id=call.workspace_id, ids=ids)
        words |= {row["id"]: row["name"] for row in found}
    if any(row["relation_type"] == "USER" for row in rows) and ids:
        words |= {one: user["display_name"] for one, user in (await find_users(call, ids)).items()}
    if any(row["relation_type"] == "ISSUE" for row in rows) and ids:
        words |= {one: item["key"] for one, item in (await find_items(call, ids)).items()}
    rich = [row["id"] for row in rows if row["relation_type"] == "RICH_TEXT"]
    words |= await _strip(text for one in rich for values in (old, new) for text in _texts(values.get(one)))
    return [
        ValueChange(owners[one]["display_name"], _phrase(old.get(one), words), _phrase(new.get(one), words))
        for one in changed
        if one in owners
    ]


async def _strip(texts: Iterable[str]) -> dict[str, str]:
    """HTML → its text."""
    found = list(texts)
    return await off_loop(sum(map(weigh, found)), lambda: {text: strip_html(text) for text in found})


def _texts(value: Any) -> Sequence[str]:
    values = cast(list[Any], value) if isinstance(value, list) else [value]
    return ["" if one is None else str(one).lower() if isinstance(one, bool) else str(one) for one in values]


def _phrase(value: Any, words: Mapping[str, str]) -> str:
    return ", ".join(words.get(text, text) for text in _texts(value))
