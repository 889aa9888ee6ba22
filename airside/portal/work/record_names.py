"""What the ids in the fields of records stand for, as far as the person sees it: people, and records with pages."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, cast

import sqlalchemy as sa

from airside.db.base import Id, Row, is_uuid
from airside.db.conditions import tenant
from airside.db.statements import Statement, any_of
from airside.portal.work.acting import Work
from airside.portal.work.people import find_people
from airside.portal.work.record_kinds import Kind, find_main
from airside.portal.work.related import name_items
from airside.rest.call import Call
from airside.rest.face import Face
from airside.rest.record import Narrowing
from airside.work.access import in_visible_projects
from airside.work.intake.items import intake_items
from airside.work.pages.tables import collections, pages
from airside.work.pages.visibility import in_project, in_workspace, of_collections
from airside.work.projects.tables import projects
from airside.work.types.tables import work_item_properties, work_item_types
from airside.work.work_items.tables import work_items

# The first that a record has is its title.
TITLES = ("display_name", "name", "title", "value", "key", "email")
# Further tables whose records the fields name, beside the declared references.
_NAMED_TOO: Mapping[sa.Table, tuple[sa.Table, ...]] = {
    intake_items: (work_items,),
    work_item_properties: (work_item_types,),
    pages: (collections,),
}


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


async def find_names(work: Work, call: Call, face: Face, rows: Sequence[Row], *more: str | None) -> Names:
    """The people and records that these rows name, and the people in `more`."""
    ids = {one for row in rows for name, value in row.items() if is_named(name) for one in ids_in(value)}
    people = await find_people(work.site.db, {*ids, *more})
    records: dict[str, Named] = {}
    tables = (reference.table for reference in face.record.references.values())
    for table in dict.fromkeys((*tables, *_NAMED_TOO.get(face.table, ()))) if ids else ():
        records |= await _name_records(work, call, table, ids)
    return Names(people, records | _name_waiting(work, rows))


def _name_waiting(work: Work, rows: Iterable[Row]) -> dict[str, Named]:
    """The work items of intake work items, which are in no list while they wait."""
    return {
        row["issue"]: Named(row["issue_detail"]["name"], f"{work.here}/browse/{row['issue']}/")
        for row in rows
        if row.get("issue_detail")
    }


def is_named(field: str) -> bool:
    """Whether a field holds ids of records, and not texts that may look like one."""
    return field not in TITLES and not field.startswith(("external_", "description"))


async def _name_records(work: Work, call: Call, table: sa.Table, ids: Iterable[str]) -> dict[str, Named]:
    if table is work_items:
        items = await name_items(call, work.here, ids)
        return {one: Named(item["name"], item["href"]) for one, item in items.items()}
    column = _title_column(table)
    if column is None:
        return {}
    seen = _narrow(call, table)
    keys = {"workspace_id": call.workspace_id, "ids": sorted(ids), **seen.params}
    rows = await call.reader.fetch_all(_titles_of(table, column, seen.clauses), **keys)
    return {row["id"]: Named(row["title"], _href_of(work, call, table, row["id"])) for row in rows}


def _narrow(call: Call, table: sa.Table) -> Narrowing:
    """The records of a table that the person sees from here."""
    if table is projects:
        return in_visible_projects(call, projects.c.id)
    if table is pages and not call.project:
        return in_workspace(call)
    if table is collections:
        return of_collections(call)
    if "project_id" not in table.c:
        return Narrowing(())
    of_workspace = table.c.project_id.is_(None)
    if not call.project:
        return Narrowing((of_workspace,))
    is_here = table.c.project_id == sa.bindparam("here", type_=Id())
    here = {"here": call.project_id}
    if table is pages:
        return Narrowing((is_here,), here).also(in_project(call))
    return Narrowing((sa.or_(of_workspace, is_here),), here)


def _href_of(work: Work, call: Call, table: sa.Table, record_id: str) -> str:
    if table is projects:
        return f"{work.here}/projects/{record_id}/"
    kind = find_main(table, in_project=bool(call.project) and "project_id" in table.c)
    return f"{list_href(work, call, kind)}{record_id}/" if kind else ""


def list_href(work: Work, call: Call, kind: Kind) -> str:
    """The page of a kind that stands below the call's project or workspace."""
    path = {"project_id": call.project_id} if call.project else {}
    return f"{work.here}/{kind.path.format(**path)}/"


def ids_in(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if is_uuid(value) else []
    if isinstance(value, list):
        return [one for one in cast("list[Any]", value) if isinstance(one, str) and is_uuid(one)]
    return []


def _title_column(table: sa.Table) -> sa.ColumnElement[Any] | None:
    return next((table.c[name] for name in TITLES if name in table.c and "id" in table.c), None)


@cache
def _titles_of(
    table: sa.Table, column: sa.ColumnElement[Any], seen: tuple[sa.ColumnElement[bool], ...]
) -> Statement:
    found = sa.select(table.c.id, column.label("title"))
    return Statement(found.where(tenant(table), any_of(table.c.id, "ids"), *seen))
