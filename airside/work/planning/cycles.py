"""Cycles: spans of time in which a project's work items are done."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta

from airside.db.base import Row
from airside.errors import Invalid, Refused
from airside.rest.archive import archive_routes
from airside.rest.body import Body, Key, Name, Short, Text, Uuid
from airside.rest.call import Call
from airside.rest.computed import Computed, constants
from airside.rest.face import Face, Shown
from airside.rest.parameters import read_parameter
from airside.rest.record import Narrowing, Record, Reference
from airside.rest.wires.v1.wire import V1
from airside.work.expansions import expand_project, expand_user, expand_workspace
from airside.work.ownership import check_owner
from airside.work.planning.cycle_dates import (
    STATUS,
    check_timezone,
    is_completed,
    narrow_to_view,
    set_dates,
    status_of,
)
from airside.work.planning.first_sort import choose_sort_order
from airside.work.planning.progress import count_fields, estimate_fields
from airside.work.planning.tables import IN_CYCLES, cycles
from airside.work.planning.unlinking import empty_plan
from airside.workspaces.tables import workspace_members

# A day, or a time of it.
Moment = Annotated[str, Meta(max_length=64, examples=["2026-01-31", "2026-01-31T12:00:00Z"])]


class CycleIn(Body):
    example = {"name": "Sprint 12", "description": "The wheel turns."}

    name: Name
    description: Text | None = ""
    start_date: Moment | None = None
    end_date: Moment | None = None
    owned_by: Uuid | None = None
    project_id: Uuid | None = None
    timezone: Short | None = None
    external_source: Key | None = None
    external_id: Key | None = None


class CycleLite(Shown):
    id: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    name: str
    description: str
    start_date: datetime | None
    end_date: datetime | None
    view_props: dict[str, Any]
    sort_order: float
    external_source: str | None
    external_id: str | None
    progress_snapshot: dict[str, Any]
    archived_at: datetime | None
    logo_props: dict[str, Any]
    timezone: str
    version: int
    created_by: str | None
    updated_by: str | None
    project: str
    workspace: str
    owned_by: str
    status: str  # current, upcoming, completed, draft


class CycleOut(CycleLite):
    total_issues: int
    cancelled_issues: int
    completed_issues: int
    started_issues: int
    unstarted_issues: int
    backlog_issues: int
    total_estimates: int | None
    completed_estimates: int | None
    started_estimates: int | None


async def _load_status(call: Call, rows: Sequence[Row]) -> Mapping[str, str]:
    return {row["id"]: status_of(row, call.now) for row in rows}


class LiteCycles(Record):
    """Cycles without their progress."""

    noun = "Cycle"
    about = "Spans of time in which a project's work items are done, with their progress."
    table = cycles
    event = "cycle"
    feature = "cycles"
    references = {"owned_by_id": Reference(workspace_members, column="user_id")}
    computed = {"status": Computed(load=_load_status), **constants(view_props={}, version=1)}

    async def prepare(self, call: Call, sent: Row, /) -> None:
        given = sent.get("project_id")
        if given not in (None, call.project_id):
            raise Invalid({"project_id": [f'Invalid pk "{given}" - object does not exist.']})

    async def before_create(self, call: Call, row: Row, /) -> None:
        row["timezone"] = row["timezone"] or call.project["timezone"]
        check_timezone(row["timezone"])
        row["owned_by_id"] = row["owned_by_id"] or call.caller.user_id
        dates = {name: row.pop(name) for name in ("start_date", "end_date")}
        await set_dates(call, dates, row)
        row |= dates | {"archived_at": None, "logo_props": {}, "progress_snapshot": {}}
        row["sort_order"] = await choose_sort_order(call, cycles)

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        if row["archived_at"]:
            raise Refused("Archived cycle cannot be edited")
        if is_completed(row, call.now):
            raise Refused("The Cycle has already been completed so it cannot be edited")
        if changes.get("timezone") is not None:
            check_timezone(changes["timezone"])
        await set_dates(call, changes, row)

    async def before_delete(self, call: Call, row: Row, /) -> None:
        check_owner(call, row, "cycle", "owned_by_id")
        await empty_plan(call, "cycle", row)

    async def before_archive(self, call: Call, row: Row, /) -> None:
        if not is_completed(row, call.now):
            raise Refused("Only completed cycles can be archived")


class Cycles(LiteCycles):
    computed = {**LiteCycles.computed, **count_fields(IN_CYCLES, cycles), **estimate_fields(IN_CYCLES)}


_UNARCHIVED = Narrowing((cycles.c.archived_at.is_(None),))
_ARCHIVED = Narrowing((cycles.c.archived_at.is_not(None),))


def _read_view(query: Mapping[str, str]) -> str | None:
    """What `status` asks for, or else its former name."""
    view, status = (read_parameter(STATUS, name, query) for name in ("cycle_view", "status"))
    return status or view


async def _list_unarchived(call: Call) -> Narrowing:
    return _UNARCHIVED.also(narrow_to_view(call, _read_view(call.query)))


async def _list_archived(_: Call) -> Narrowing:
    return _ARCHIVED


async def _list_lite(call: Call) -> Narrowing:
    return _UNARCHIVED.also(narrow_to_view(call, read_parameter(STATUS, "status", call.query)))


CYCLES = Cycles()
CYCLES_V1 = Face(
    CYCLES,
    wire=V1,
    path="projects/{project_id}/cycles",
    key="cycle_id",
    body=CycleIn,
    shown=CycleOut,
    nulls={"description": ""},
    scope="projects.cycles",
    expands={
        "owned_by": expand_user,
        "created_by": expand_user,
        "updated_by": expand_user,
        "project": expand_project,
        "workspace": expand_workspace,
    },
    listed=_list_unarchived,
    queries={"status": STATUS.describe("status"), "cycle_view": STATUS.describe("cycle_view")},
    is_bare=lambda query: _read_view(query) == "current",  # as in Plane, for these only
    summaries={"list": "List the cycles of a project"},
)
ARCHIVED_CYCLES_V1 = replace(
    CYCLES_V1,
    path="projects/{project_id}/archived-cycles",
    noun="Archived cycle",
    verbs=("list",),
    listed=_list_archived,
    queries={},
    is_bare=None,
    summaries={},
)
# The short list for clients' pickers.
CYCLES_LITE_V1 = replace(
    CYCLES_V1,
    record=LiteCycles(),
    path="projects/{project_id}/cycles-lite",
    noun="Cycle lite",
    verbs=("list",),
    shown=CycleLite,
    page_size=1000,
    listed=_list_lite,
    queries={"status": STATUS.describe("status")},
    is_bare=None,
    summaries={"list": "List cycles in short"},
)
CYCLE_ROUTES = archive_routes(
    CYCLES_V1, "cycle", which="completed", unarchive_at="unarchive", archived=ARCHIVED_CYCLES_V1
)
