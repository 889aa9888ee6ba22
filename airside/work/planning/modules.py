"""Modules: parts of a project with people of their own; a work item may be in several."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any, Literal

from airside.db.base import Row
from airside.errors import Invalid, Refused
from airside.rest.archive import archive_routes
from airside.rest.body import Body, Key, Name, Text, Uuid
from airside.rest.call import Call
from airside.rest.computed import constants
from airside.rest.face import Face, Shown
from airside.rest.record import Narrowing, Record, Reference
from airside.rest.wires.v1.wire import V1
from airside.work.expansions import expand_project, expand_user, expand_workspace
from airside.work.ownership import check_owner
from airside.work.planning.first_sort import choose_sort_order
from airside.work.planning.module_members import MEMBERS, replace_members
from airside.work.planning.progress import count_fields, estimate_fields
from airside.work.planning.tables import IN_MODULES, modules
from airside.work.planning.unlinking import empty_plan
from airside.work.unique_names import check_name
from airside.workspaces.tables import workspace_members

Status = Literal["backlog", "planned", "in-progress", "paused", "completed", "cancelled"]
FINISHED = ("completed", "cancelled")


class ModuleIn(Body):
    example = {"name": "Wheels", "status": "in-progress"}

    name: Name
    description: Text | None = ""
    start_date: date | None = None
    target_date: date | None = None
    status: Status | None = "planned"
    lead: Uuid | None = None
    members: list[Uuid] | None = None
    external_source: Key | None = None
    external_id: Key | None = None


class ModuleLite(Shown):
    id: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    name: str
    description: str
    description_text: str | None
    description_html: str | None
    start_date: date | None
    target_date: date | None
    status: Status
    view_props: dict[str, Any]
    sort_order: float
    external_source: str | None
    external_id: str | None
    archived_at: datetime | None
    logo_props: dict[str, Any]
    created_by: str | None
    updated_by: str | None
    project: str
    workspace: str
    lead: str | None
    members: list[str]


class ModuleOut(ModuleLite):
    total_issues: int
    cancelled_issues: int
    completed_issues: int
    started_issues: int
    unstarted_issues: int
    backlog_issues: int
    total_estimates: int | None
    completed_estimates: int | None
    started_estimates: int | None


class LiteModules(Record):
    """Modules without their progress."""

    noun = "Module"
    about = "Parts of a project with people of their own, and their progress."
    table = modules
    event = "module"
    feature = "modules"
    references = {
        "lead_id": Reference(workspace_members, column="user_id"),
        "members": Reference(workspace_members, column="user_id"),
    }
    computed = {"members": MEMBERS, **constants(view_props={}, description_text=None, description_html=None)}

    async def before_create(self, call: Call, row: Row, /) -> None:
        await check_name(self, call, row["name"])
        _check_dates(row["start_date"], row["target_date"])
        row["members"] = list(dict.fromkeys(row["members"] or []))
        row |= {"archived_at": None, "logo_props": {}, "sort_order": await choose_sort_order(call, modules)}

    async def after_create(self, call: Call, row: Row, /) -> None:
        await replace_members(call, row["id"], row["members"])

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        if row["archived_at"]:
            raise Refused("Archived module cannot be edited")
        if changes.get("name", row["name"]) != row["name"]:
            await check_name(self, call, changes["name"])
        _check_dates(*(changes.get(name, row[name]) for name in ("start_date", "target_date")))
        if "members" in changes:
            changes["members"] = list(dict.fromkeys(changes["members"] or []))

    async def after_update(self, call: Call, row: Row, changes: Row, /) -> None:
        if "members" in changes:
            await replace_members(call, row["id"], row["members"])

    async def before_delete(self, call: Call, row: Row, /) -> None:
        check_owner(call, row, "module")
        await empty_plan(call, "module", row)

    async def before_archive(self, call: Call, row: Row, /) -> None:
        if row["status"] not in FINISHED:
            raise Refused("Only completed or cancelled modules can be archived")


class Modules(LiteModules):
    computed = {**LiteModules.computed, **count_fields(IN_MODULES, modules), **estimate_fields(IN_MODULES)}


_UNARCHIVED = Narrowing((modules.c.archived_at.is_(None),))
_ARCHIVED = Narrowing((modules.c.archived_at.is_not(None),))


async def _list_unarchived(_: Call) -> Narrowing:
    return _UNARCHIVED


async def _list_archived(_: Call) -> Narrowing:
    return _ARCHIVED


MODULES = Modules()
MODULES_V1 = Face(
    MODULES,
    wire=V1,
    path="projects/{project_id}/modules",
    key="module_id",
    body=ModuleIn,
    shown=ModuleOut,
    nulls={"description": "", "status": "planned"},
    scope="projects.modules",
    expands={
        "lead": expand_user,
        "members": expand_user,
        "created_by": expand_user,
        "updated_by": expand_user,
        "project": expand_project,
        "workspace": expand_workspace,
    },
    listed=_list_unarchived,
    summaries={"list": "List the modules of a project"},
)
ARCHIVED_MODULES_V1 = replace(
    MODULES_V1,
    path="projects/{project_id}/archived-modules",
    noun="Archived module",
    verbs=("list",),
    listed=_list_archived,
    summaries={},
)
# The short list for clients' pickers.
MODULES_LITE_V1 = replace(
    MODULES_V1,
    record=LiteModules(),
    path="projects/{project_id}/modules-lite",
    noun="Module lite",
    verbs=("list",),
    shown=ModuleLite,
    page_size=1000,
    summaries={"list": "List modules in short"},
)
MODULE_ROUTES = archive_routes(
    MODULES_V1, "module", which="finished", unarchive_at="unarchive", archived=ARCHIVED_MODULES_V1
)


def _check_dates(start: date | None, target: date | None) -> None:
    if start and target and start > target:
        raise Invalid.whole("Start date cannot exceed target date")
