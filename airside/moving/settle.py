"""Sets what could not be set before everything was there: what forbids changes, and what names later records.

A record that is archived at its creation could take no comment; a text may show a file that came after it.
"""

from collections.abc import Sequence
from functools import cache

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.errors import Invalid
from airside.moving.families import STAMP_FIELDS, Family
from airside.moving.stored import ids_in
from airside.moving.translate import Known, find_html_ids, read_columns, translate_html
from airside.rest.call import Call
from airside.rest.computed import compute
from airside.rest.gate import record_updated
from airside.rest.verbs import store_changes
from airside.rich_text.html import clean_html


def settles(family: Family) -> bool:
    return bool(family.settles or family.html)


async def find_rows(call: Call, family: Family, ids: Sequence[str]) -> dict[str, Row]:
    """The records that are still there, by id."""
    rows = await call.reader.fetch_all(_by_ids(family.table), workspace_id=call.workspace_id, ids=list(ids))
    return {row["id"]: row for row in rows}


async def settle_row(family: Family, call: Call, stored: Row, row: Row, there: Row, known: Known) -> None:
    """`row` has the ids of here, `there` is the source's. Its times and authors are the source's again."""
    changes = await _list_changes(family, stored, row, there, known)
    face = family.face_of(row)
    if changes:
        await compute(face.record.computed, call, [stored])
        after = await store_changes(face, call, stored, changes)
        action = "archived" if changes.get("archived_at") else "updated"
        await record_updated(call, face, stored, after, set(changes), action)
    fields = [
        name for name in (*STAMP_FIELDS, "last_activity_at") if name in family.columns and name in there
    ]
    keys = {"workspace_id": call.workspace_id, "id": stored["id"]}
    await call.writer.update(family.table, read_columns(family, row, fields), **keys)


async def _list_changes(family: Family, stored: Row, row: Row, there: Row, known: Known) -> Row:
    try:
        found = read_columns(family, row, [name for name in family.settles if name in there])
    except Invalid:
        found = Row()
    if "last_sequence" in found:
        found["last_sequence"] = max(found["last_sequence"], stored["last_sequence"])
    if "default_value" in found:
        found["default_value"] = [known.get(one, one) for one in ids_in(found["default_value"])]
    for name in family.html:
        if find_html_ids(there.get(name)):
            found |= await _clean(name, translate_html(there[name], known))
    return {name: value for name, value in found.items() if stored[name] != value}


async def _clean(name: str, html: str) -> Row:
    try:
        cleaned = await clean_html(html, name)
    except Invalid:
        return {}
    return {name: cleaned.html}


@cache
def _by_ids(table: sa.Table) -> Statement:
    found = sa.select(table).where(tenant(table), any_of(table.c.id, "ids"), live(table))
    return Statement(found.with_for_update())
