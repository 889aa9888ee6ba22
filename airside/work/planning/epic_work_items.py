"""The work items of an epic: those whose parent it is."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.errors import Invalid, Refused
from airside.rest.ancestry import lock_ancestry
from airside.rest.body import Body, Uuid
from airside.rest.call import Call
from airside.rest.face import wire_names
from airside.rest.record import Narrowing
from airside.rest.references import unknown_ids
from airside.rest.route import Route
from airside.rest.routes import place_of
from airside.rest.selection import find_among, find_record
from airside.rest.shaping import shape_rows
from airside.rest.verbs import change_record, in_transaction, list_all
from airside.work.planning.epic_types import list_epic_types
from airside.work.planning.epics import EPICS_V1
from airside.work.work_items.filters import narrow_by_query
from airside.work.work_items.tables import work_items
from airside.work.work_items.work_items import UNARCHIVED, WORK_ITEMS_V1, WorkItemOut

_EPIC = "epic_id"  # the parameter of the URL and of the statement

_BELOW = (work_items.c.parent_id == sa.bindparam(_EPIC, type_=Id()),)


class EpicWorkItemsIn(Body):
    work_item_ids: list[Uuid]


class EpicWorkItemOut(WorkItemOut, kw_only=True):
    last_activity_at: datetime | None


async def _list_below(call: Call) -> Narrowing:
    return UNARCHIVED.also(await narrow_by_query(call)).also(Narrowing(_BELOW, {_EPIC: call.path[_EPIC]}))


EPIC_WORK_ITEMS_V1 = replace(
    WORK_ITEMS_V1,
    path="projects/{project_id}/epics/{epic_id}/issues",
    aliases=(),
    noun="Epic work item",
    shown=EpicWorkItemOut,
    webhooks=WORK_ITEMS_V1,
    scope="projects.epics",
    verbs=(),
    listed=_list_below,
    summaries={},
)


async def list_work_items(call: Call) -> Any:
    """A page of the work items right below the epic. Raises the epic's NotFound."""
    await find_record(EPICS_V1, call, call.path[_EPIC])
    return await list_all(EPIC_WORK_ITEMS_V1, call)


async def add_work_items(call: Call) -> list[Row]:
    """Make the epic the parent of each, and answer them. Raises NotFound, Refused for an archived epic, and Invalid
    by the position of an unknown id, of another epic and of a work item that the epic is below."""
    ids = list(dict.fromkeys(call.body["work_item_ids"]))
    return await in_transaction(call, partial(_add, call, ids))


async def _add(call: Call, ids: list[str]) -> list[Row]:
    sent: Row = {"parent_id": call.path[_EPIC]}
    await lock_ancestry(WORK_ITEMS_V1, call, sent)
    epic = await find_record(EPICS_V1, call, call.path[_EPIC], lock=True)
    if epic["archived_at"] is not None:
        raise Refused("Archived epic cannot be updated")
    rows = await find_among(WORK_ITEMS_V1, call, "id", ids, listed=True, lock=True)
    await _check(call, ids, rows)
    changed: list[Row] = []
    for row in rows:
        try:
            with wire_names(WORK_ITEMS_V1):
                changed.append(await change_record(WORK_ITEMS_V1, call, row, sent))
        except Invalid as error:
            place = str(call.body["work_item_ids"].index(row["id"]))
            raise Invalid({"work_item_ids": {place: next(iter(error.fields.values()))}}) from error
    return await shape_rows(call, EPIC_WORK_ITEMS_V1, changed)


async def _check(call: Call, ids: list[str], rows: list[Row]) -> None:
    given: list[str] = call.body["work_item_ids"]
    missing = [one for one in ids if one not in {row["id"] for row in rows}]
    if missing:
        raise Invalid({"work_item_ids": unknown_ids(given, missing)})
    types = await list_epic_types(call, call.project_id)
    epics = [row["id"] for row in rows if row["type_id"] in types]
    if epics:
        said = {str(given.index(one)): ["An epic cannot be below another epic."] for one in epics}
        raise Invalid({"work_item_ids": said})


EPIC_WORK_ITEM_ROUTES = [
    Route(
        **place_of(EPIC_WORK_ITEMS_V1),
        face=EPIC_WORK_ITEMS_V1,
        method="GET",
        handler=list_work_items,
        scope="projects.epics:read",
        name="list_epic_work_items",
        summary="List the work items of an epic",
        shown=EpicWorkItemOut,
        paged=True,
        query=EPIC_WORK_ITEMS_V1.wire.query(EPIC_WORK_ITEMS_V1, "list"),
    ),
    Route(
        **place_of(EPIC_WORK_ITEMS_V1),
        face=WORK_ITEMS_V1,
        method="POST",
        handler=add_work_items,
        scope="projects.epics:write",
        name="add_epic_work_items",
        summary="Add work items to an epic, which becomes their parent",
        role=EPICS_V1.record.write_role,
        body=EpicWorkItemsIn,
        shown=list[EpicWorkItemOut],
        event="workitem.updated",
        needs="epics",
    ),
]
