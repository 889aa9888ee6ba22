"""Ids of other records in a body: each has to name a record of the same workspace, or the project if it says so.

An unknown id, a deleted record's and another tenant's get the same message.
"""

from collections.abc import Sequence
from typing import cast

import sqlalchemy as sa

from airside.db.base import Id, IdList, Row, TextList
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of, unindexed
from airside.errors import Invalid
from airside.rest.call import Call
from airside.rest.face import Face
from airside.rest.record import Reference


async def check_references(face: Face, call: Call, sent: Row, before: Row) -> None:
    """Raises Invalid with the same message for a missing id and for another tenant's. A reference that the record
    has already may be sent again even if its target was deleted, since clients write back what they read."""
    errors: Row = {
        name: [_unknown(sent[name])] for name in face.record.unserved if sent.get(name) is not None
    }
    for name, reference in face.record.references.items():
        value, named = sent.get(name), before.get(name)
        if isinstance(value, list):
            ids = cast(list[str], value)
            missing = await find_missing(call, reference, [one for one in ids if one not in (named or ())])
            if missing:
                errors[name] = unknown_ids(ids, missing)
        elif value not in (None, named) and await find_missing(call, reference, [value]):
            errors[name] = [_unknown(value)]
    if errors:
        raise Invalid(errors, dict.fromkeys(errors, "does_not_exist"))


async def find_missing(call: Call, reference: Reference, ids: Sequence[str]) -> list[str]:
    """Those of the ids that name no record."""
    if not ids:
        return []
    params = {"workspace_id": call.workspace_id, "referred": list(ids)}
    if reference.scope_column:
        params["scope"] = call.project_id
    rows = await call.reader.fetch_all(_reference_statement(reference), **params)
    found = {row["found"] for row in rows}
    return [one for one in dict.fromkeys(ids) if one not in found]


def unknown_ids(value: str | Sequence[str], missing: Sequence[str]) -> list[str] | dict[str, list[str]]:
    """The messages about the missing ones of a field: of a list by their position."""
    if isinstance(value, str):
        return [_unknown(value)]
    return {str(value.index(one)): [_unknown(one)] for one in missing}


def _unknown(value: str) -> str:
    return f'Invalid pk "{value}" - object does not exist.'


_reference_statements: dict[Reference, Statement] = {}


def _reference_statement(reference: Reference) -> Statement:
    found = _reference_statements.get(reference)
    if found is None:
        columns = reference.table.c
        named = columns[reference.column]
        # The time is in no index of other columns that has the ids, too: SQLite would scan that.
        clause = sa.select(named.label("found"), columns.updated_at).where(
            tenant(reference.table),
            any_of(named, "referred", IdList() if isinstance(named.type, Id) else TextList()),
            live(reference.table, names_few=True),
        )
        if reference.scope_column:
            scope = unindexed(columns[reference.scope_column])
            clause = clause.where(scope == sa.bindparam("scope", type_=scope.type))
        found = _reference_statements[reference] = Statement(clause)
    return found
