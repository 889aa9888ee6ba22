"""Reads the rows of a workspace of this instance for an export: family by family, in the order of their keys, in
chunks."""

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import cache
from typing import Any, cast

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.identity.tables import users
from airside.moving.families import BY_NAME, PEOPLE, Family
from airside.rest.call import Access, Call, Caller
from airside.rest.computed import compute
from airside.runtime.site import Site
from airside.work.types.value_rules import show_value
from airside.work.types.values import find_value_rows
from airside.work.work_items.tables import work_items
from airside.workspaces.tables import workspace_members

CHUNK_ROWS, LONG_ROWS = 500, 20  # at once; the latter of families whose rows have megabytes
BEFORE_ALL = "00000000-0000-0000-0000-000000000000"
VALUE_REFERS = {"project": "projects", "work_item": "work_items", "property": "work_item_properties"}


class StoredRows:
    """Reads the workspace as its operator: every row, whoever may see it."""

    def __init__(self, site: Site, access: Access, workspace: Row, user_id: str) -> None:
        self.site = site
        self.workspace = workspace
        caller = Caller(user_id=user_id, kind="session", budget="", workspace_id=workspace["id"])
        self._call = Call(site, access, caller, site.clock.now(), "GET", {}, {})
        self._call.workspace, self._call.workspace_role = workspace, 20

    async def read_chunks(self, family: Family) -> AsyncIterator[list[Row]]:
        """The rows that aren't deleted, nor below something that is, oldest first."""
        statement, limit = _page(family), LONG_ROWS if family.html else CHUNK_ROWS
        after = BEFORE_ALL
        while True:
            keys = {"workspace_id": self.workspace["id"], "after": after, "limit": limit}
            rows = await self.site.db.fetch_all(statement, **keys)
            if rows:
                after = rows[-1]["id"]
                yield await self._drop_missing(family.refers, family.needs, await self._shape(family, rows))
            if len(rows) < limit:
                return

    async def read_values(self) -> AsyncIterator[list[Row]]:
        """The values of work items, a row for each property of each."""
        after = BEFORE_ALL
        while True:
            keys = {"workspace_id": self.workspace["id"], "after": after, "limit": CHUNK_ROWS}
            items = await self.site.db.fetch_all(_ITEM_IDS, **keys)
            if items:
                after = items[-1]["id"]
                found = await find_value_rows(self._call, [row["id"] for row in items])
                yield await self._drop_missing(VALUE_REFERS, VALUE_REFERS, _group_values(found))
            if len(items) < CHUNK_ROWS:
                return

    async def find_people(self, ids: Sequence[str]) -> list[Row]:
        """Those people and bots, with their role in the workspace; None for who isn't a member."""
        return await self.site.db.fetch_all(_PEOPLE, workspace_id=self.workspace["id"], ids=list(ids))

    async def list_member_ids(self) -> list[str]:
        """People; a bot is a member by an installation, which doesn't move."""
        return [
            row["user_id"]
            for row in await self.site.db.fetch_all(_MEMBERS, workspace_id=self.workspace["id"])
        ]

    async def _shape(self, family: Family, rows: list[Row]) -> list[Row]:
        wanted = {family.columns[name] for name in family.computed}
        computed = family.face.record.computed
        await compute({name: computed[name] for name in wanted}, self._call, rows)
        return [{name: row[key] for name, key in family.columns.items()} for row in rows]

    async def _drop_missing(
        self, refers: Mapping[str, str], needs: Mapping[str, str], rows: list[Row]
    ) -> list[Row]:
        """Without the rows whose parent is deleted, and without the ids of what else is deleted."""
        for target in set(refers.values()) - {PEOPLE}:
            fields = [name for name, family in refers.items() if family == target]
            wanted = {one for row in rows for name in fields for one in ids_in(row[name])}
            there = await self._find_live(BY_NAME[target], wanted) if wanted else set[str]()
            for name in fields:
                rows = [row for row in rows if name not in needs or {*ids_in(row[name])} <= there]
                for row in rows:
                    row[name] = keep_ids(row[name], there)
        return rows

    async def _find_live(self, family: Family, ids: set[str]) -> set[str]:
        keys = {"workspace_id": self.workspace["id"], "ids": sorted(ids)}
        return {row["id"] for row in await self.site.db.fetch_all(_live_ids(family.table), **keys)}


def ids_in(value: Any) -> list[str]:
    """The ids that a field has: one, several or none."""
    if isinstance(value, list):
        return [one for one in cast(list[Any], value) if isinstance(one, str)]
    return [value] if isinstance(value, str) else []


def keep_ids(value: Any, there: set[str]) -> Any:
    """The field's value with none but these ids."""
    if isinstance(value, list):
        return [one for one in cast(list[Any], value) if one in there]
    return value if value in there else None


def _group_values(rows: Sequence[Row]) -> list[Row]:
    """A row for each property of each work item, with its values in their order, and the id of the first."""
    found: dict[tuple[str, str], Row] = {}
    for row in rows:
        shown = row["value_text"] if row["relation_type"] == "RICH_TEXT" else show_value(row, row)
        key = (row["work_item_id"], row["property_id"])
        if key not in found:
            found[key] = {
                "id": row["id"],
                "project": row["project_id"],
                "work_item": row["work_item_id"],
                "property": row["property_id"],
                "values": [],
                **{
                    name: row[name] for name in ("external_source", "external_id", "created_at", "updated_at")
                },
                "created_by": row["created_by_id"],
                "updated_by": row["updated_by_id"],
            }
        found[key]["values"].append(shown)
    return [*found.values()]


@cache
def _page(family: Family) -> Statement:
    return _page_of(family.table, sa.select(family.table), family.only)


def _page_of(
    table: sa.Table, select: sa.Select[Any], only: sa.ColumnElement[bool] | None = None
) -> Statement:
    clause = select.where(tenant(table), table.c.id > sa.bindparam("after", type_=Id()))
    if "deleted_at" in table.c:
        clause = clause.where(live(table))
    if only is not None:
        clause = clause.where(only)
    return Statement(clause.order_by(table.c.id).limit(sa.bindparam("limit", type_=sa.Integer())))


_ITEM_IDS = _page_of(work_items, sa.select(work_items.c.id))


@cache
def _live_ids(table: sa.Table) -> Statement:
    return Statement(sa.select(table.c.id).where(tenant(table), any_of(table.c.id, "ids"), live(table)))


_OWN = sa.and_(
    workspace_members.c.user_id == users.c.id,
    tenant(workspace_members),
    workspace_members.c.is_active,
    live(workspace_members),
)
_PEOPLE = Statement(
    sa.select(
        *(users.c[name] for name in ("id", "email", "first_name", "last_name", "display_name", "is_bot")),
        workspace_members.c.role,
    )
    .join(workspace_members, _OWN, isouter=True)
    .where(any_of(users.c.id, "ids"))
    .order_by(users.c.id)
)
_MEMBERS = Statement(
    sa.select(workspace_members.c.user_id)
    .join(users, users.c.id == workspace_members.c.user_id)
    .where(
        tenant(workspace_members),
        workspace_members.c.is_active,
        live(workspace_members),
        users.c.is_bot.is_(sa.false()),
    )
)
