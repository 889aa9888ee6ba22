"""Ids under a parent, such as a cycle's work items: list the linked records, add ids, remove ids.

A link is a row of a table of its own, declared as a Record whose rules are its hooks; each that is added or removed
records its event, `<event>.created` or `<event>.deleted`. Adding an id that is linked already changes nothing; of
ids that have one parent at a time, adding it to another moves the link, with the event `<event>.updated`.
"""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property, partial
from typing import Any, cast

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import live, tenant
from airside.db.remembered import Remembered
from airside.db.statements import Statement, any_of
from airside.errors import Invalid, NotFound
from airside.rest.body import Body, with_defaults
from airside.rest.call import Call
from airside.rest.face import Face, to_columns, wire_names
from airside.rest.record import Narrowing
from airside.rest.references import find_missing, unknown_ids
from airside.rest.route import Route
from airside.rest.routes import place_of
from airside.rest.selection import find_among, find_record, require_unarchived
from airside.rest.shaping import shape_rows
from airside.rest.totals import LARGE_SECONDS
from airside.rest.verbs import (
    change_record,
    in_transaction,
    list_all,
    remove_record,
    show_record,
    store_record,
)

_WORKSPACE_ID, _PARENT_ID, _IDS = "links_workspace_id", "links_parent_id", "linked_ids"  # of the statements
FEW = 5_000  # links; so many records are looked up by their ids, of more the list is walked in its order
_many = Remembered[bool](LARGE_SECONDS, until_commit=False)  # parents with more, whose ids needn't be read


@dataclass(frozen=True, eq=False)
class Links:
    """A set of links on one wire.

    `face` is that of the links: their path, scope and body, and as `key` the parameter of DELETE …/{key}, which is
    the linked record's id. The last of the record's `parents` is the one that they are under."""

    face: Face
    _: KW_ONLY
    under: Face  # the parent; while it is archived, nothing is added or removed
    column: str  # of the links' table, with the linked record's id
    ids: str  # the field of the body with one id, or a list of them; other fields are columns of each link
    shows: Face | None = None  # the linked records, which are then listed and answered; None: the links
    answers_links: bool = False  # whether POST answers the links in any case
    removal: type[Body] | None = (
        None  # the body of a DELETE with ids, with the same field; None: there is none
    )
    removes_one: bool = True  # whether there is DELETE …/{key}
    retrieves_one: bool = False  # whether there is GET …/{key}, which answers the link
    moves: bool = False  # whether an id has one parent at a time
    check_parent: Callable[[Call, Row], None] | None = None  # raises where nothing may be added
    add_status: int = 200  # 204: without a body

    @cached_property
    def listed(self) -> Face:
        """What the list shows: the links, or of the linked records those that are linked."""
        if self.shows is None:
            return self.face
        own = {"path": self.face.path, "aliases": self.face.aliases, "identifiers": self.face.identifiers}
        return replace(self.shows, **own, verbs=("list",), listed=partial(_narrow_to_linked, self))

    @cached_property
    def answered(self) -> Face:
        """What POST answers."""
        return self.face if self.shows is None or self.answers_links else self.shows

    @property
    def parent_column(self) -> str:
        return self.face.record.parents[-1].column

    @cached_property
    def elsewhere(self) -> Statement:
        """The links of some ids under other parents, locked."""
        columns = self.face.table.c
        parent = columns[self.parent_column]
        return Statement(
            sa.select(self.face.table)
            .where(
                tenant(self.face.table),
                any_of(columns[self.column], "ids"),
                parent != sa.bindparam("parent_id", type_=parent.type),
                live(self.face.table),
            )
            .with_for_update()
        )

    @cached_property
    def under_parent(self) -> sa.Select[Any]:
        """The ids of the linked records under the parent."""
        columns, parent = self.face.table.c, self.parent_column
        return sa.select(columns[self.column]).where(
            tenant(self.face.table, _WORKSPACE_ID),
            columns[parent] == sa.bindparam(_PARENT_ID, type_=columns[parent].type),
            live(self.face.table),
        )

    @cached_property
    def first_ids(self) -> Statement:
        """One id more than a few."""
        return Statement(self.under_parent.limit(FEW + 1))

    @cached_property
    def is_linked(self) -> sa.ColumnElement[bool]:
        """Whether a record is one of the linked ones, looked up for each."""
        assert self.shows is not None
        same = self.face.table.c[self.column] == self.shows.table.c.id
        return self.under_parent.where(same).correlate(self.shows.table).exists()

    @cached_property
    def is_among(self) -> sa.ColumnElement[bool]:
        """Whether a record has one of some ids."""
        assert self.shows is not None
        return any_of(self.shows.table.c.id, _IDS)


async def _narrow_to_linked(links: Links, call: Call) -> Narrowing:
    assert links.shows is not None
    ids: list[str] | None = call.prepared[_IDS]
    if ids is not None:
        linked = Narrowing((links.is_among,), {_IDS: ids}, names_few=True)
    else:
        linked = Narrowing((links.is_linked,), _scope_of(links, call))
    return (await links.shows.listed(call)).also(linked)


def _scope_of(links: Links, call: Call) -> Row:
    parent_id = call.path[links.face.record.parents[-1].parameter]
    return {_WORKSPACE_ID: call.workspace_id, _PARENT_ID: parent_id}


async def list_links(links: Links, call: Call) -> Any:
    """A page of the linked records. Raises the parent's NotFound."""
    await find_record(links.under, call, call.path[links.under.key])
    if links.shows is not None:
        call.prepared[_IDS] = await _find_few(links, call)
    return await list_all(links.listed, call)


async def _find_few(links: Links, call: Call) -> list[str] | None:
    """The ids of the linked records; None where they are many, which holds for some seconds."""
    db, scope = call.site.db, _scope_of(links, call)
    key = (links, *scope.values())
    if _many.find(db, key):
        return None
    rows = await call.reader.fetch_all(links.first_ids, **scope)
    if len(rows) <= FEW:
        return [row[links.column] for row in rows]
    _many.keep(db, db.commits, key, value=True)
    return None


async def retrieve_link(links: Links, call: Call) -> Row:
    """The link to the id in the URL. Raises NotFound."""
    parent_id, one = call.path[links.under.key], call.path[links.face.key]
    await find_record(links.under, call, parent_id)
    found = await find_among(links.face, call, links.column, [one])
    if not found:
        raise NotFound
    return await show_record(call, links.face, found[0])


async def add_links(links: Links, call: Call) -> list[Row] | None:
    """Link each id, once, and answer those of the body. Raises Invalid by the position of an unknown id, Refused
    under an archived parent."""
    body = with_defaults(links.face.body, call.body)
    ids = _read_ids(body.pop(links.ids))
    sent = to_columns(links.face, body)
    with wire_names(links.face):
        await links.face.record.prepare(call, sent)
        return await in_transaction(call, lambda: _add(links, call, ids, sent))


async def remove_links(links: Links, call: Call) -> None:
    """Remove the links to the ids of the body. Raises Invalid by the position of an id that isn't linked."""
    ids = _read_ids(call.body[links.ids])
    await in_transaction(call, lambda: _remove(links, call, ids))


async def remove_link(links: Links, call: Call) -> None:
    """Remove the link to the id in the URL. Raises NotFound where there is none."""
    await in_transaction(call, lambda: _remove(links, call, [call.path[links.face.key]], NotFound()))


async def _add(links: Links, call: Call, ids: list[str], sent: Row) -> list[Row] | None:
    parent = await _lock_parent(links, call)
    if links.check_parent is not None:
        links.check_parent(call, parent)
    await _check_ids(links, call, ids)
    present = {row[links.column] for row in await find_among(links.face, call, links.column, ids, lock=True)}
    if links.moves:
        present |= await _move(links, call, ids, parent["id"])
    for one in ids:
        if one not in present:
            await store_record(links.face, call, {**sent, links.column: one})
    return None if links.add_status == 204 else await _show(links, call, ids)


async def _move(links: Links, call: Call, ids: list[str], parent_id: str) -> set[str]:
    """Put the links that the ids have elsewhere under this parent; returns those ids."""
    keys = {"workspace_id": call.workspace_id, "parent_id": parent_id}
    rows = await call.reader.fetch_all(links.elsewhere, **keys, ids=ids)
    for row in rows:
        await change_record(links.face, call, row, {links.parent_column: parent_id})
    return {row[links.column] for row in rows}


async def _remove(links: Links, call: Call, ids: list[str], missing_one: NotFound | None = None) -> None:
    await _lock_parent(links, call)
    rows = await find_among(links.face, call, links.column, ids, lock=True)
    present = {row[links.column] for row in rows}
    missing = [one for one in ids if one not in present]
    if missing:
        raise missing_one or Invalid({links.ids: unknown_ids(call.body[links.ids], missing)})
    for row in rows:
        await remove_record(links.face, call, row)


async def _lock_parent(links: Links, call: Call) -> Row:
    """The parent: changes of its links wait for each other. Raises NotFound and Refused."""
    parent = await find_record(links.under, call, call.path[links.under.key], lock=True)
    require_unarchived(parent, links.under.record.noun.lower())
    return parent


async def _check_ids(links: Links, call: Call, ids: list[str]) -> None:
    """Raises Invalid for ids that the caller can't see in the list of the linked kind."""
    if links.shows is None:
        missing = await find_missing(call, links.face.record.references[links.column], ids)
    else:
        seen = {row["id"] for row in await find_among(links.shows, call, "id", ids, listed=True)}
        missing = [one for one in ids if one not in seen]
    if missing:
        raise Invalid({links.ids: unknown_ids(call.body[links.ids], missing)})


async def _show(links: Links, call: Call, ids: list[str]) -> list[Row]:
    face = links.answered
    rows = await find_among(face, call, links.column if face is links.face else "id", ids)
    return await shape_rows(call, face, rows, face.wire.read_shape(face, call.query))


def _read_ids(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(dict.fromkeys(value))


def link_routes(links: Links, noun: str, nouns: str) -> list[Route]:
    """GET, POST and DELETE of the set; `noun` and `nouns` name what is linked: cycle label, cycle labels."""
    routes = [_list_route(links, nouns), _add_route(links, nouns)]
    if links.retrieves_one:
        routes.append(_retrieval_route(links, noun))
    if links.removal is not None:
        handler = partial(remove_links, links)
        name, summary = _name("remove", nouns), f"Remove {nouns}"
        routes.append(
            _removal_route(links, "", handler=handler, name=name, summary=summary, body=links.removal)
        )
    if links.removes_one:
        handler, tail = partial(remove_link, links), f"/{{{links.face.key}}}"
        name, summary = _name("remove", noun), f"Remove a {noun}"
        routes.append(_removal_route(links, tail, handler=handler, name=name, summary=summary))
    return routes


def _list_route(links: Links, nouns: str) -> Route:
    return Route(
        **place_of(links.face),
        face=links.listed,
        method="GET",
        handler=partial(list_links, links),
        scope=f"{links.face.scope}:read",
        name=_name("list", nouns),
        summary=f"List {nouns}",
        role=links.face.record.read_role,
        shown=links.listed.shown,
        paged=True,
        query=links.listed.wire.query(links.listed, "list"),
    )


def _retrieval_route(links: Links, noun: str) -> Route:
    face = links.face
    return Route(
        **place_of(face, f"/{{{face.key}}}"),
        face=face,
        method="GET",
        handler=partial(retrieve_link, links),
        scope=f"{face.scope}:read",
        name=_name("retrieve", noun),
        summary=f"Retrieve a {noun}",
        role=face.record.read_role,
        shown=face.shown,
        query=face.wire.query(face, "retrieve"),
    )


def _add_route(links: Links, nouns: str) -> Route:
    face, shown = links.face, cast(Any, links.answered.shown)
    return Route(
        **place_of(face),
        face=face,
        method="POST",
        handler=partial(add_links, links),
        scope=f"{face.scope}:write",
        name=_name("add", nouns),
        summary=f"Add {nouns}",
        role=face.record.write_role,
        status=links.add_status,
        body=face.body,
        shown=None if links.add_status == 204 else list[shown],
        event=face.record.event and f"{face.record.event}.created",
        eventless=face.record.eventless,
        may_conflict=True,
    )


def _removal_route(links: Links, tail: str, **fields: Any) -> Route:
    face = links.face
    return Route(
        **place_of(face, tail),
        **fields,
        face=face,
        method="DELETE",
        scope=f"{face.scope}:write",
        role=face.record.write_role,
        status=204,
        event=face.record.event and f"{face.record.event}.deleted",
        eventless=face.record.eventless,
    )


def _name(verb: str, noun: str) -> str:
    return f"{verb}_{noun.lower().replace(' ', '_')}"
