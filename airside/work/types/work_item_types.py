"""Types of work items, at both levels: a project's own ones, and those of the workspace, which projects import."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.errors import Invalid, Refused
from airside.rest.body import Body, Int32, Key, Name, Properties, Text, Uuid
from airside.rest.call import Call
from airside.rest.computed import Computed
from airside.rest.face import Face, Shown
from airside.rest.record import ADMIN, Level, Record, Reference
from airside.rest.references import unknown_ids
from airside.rest.wires.v1.bare_list import bare_list_route
from airside.rest.wires.v1.wire import V1
from airside.work.expansions import expand_project, expand_user, expand_workspace
from airside.work.projects.tables import projects
from airside.work.types.levels import check_definable, check_own
from airside.work.types.tables import type_projects, type_properties, work_item_types
from airside.work.work_items.tables import work_items

_PROJECTS = Statement(
    sa.select(type_projects.c.type_id, type_projects.c.project_id)
    .join(
        projects,
        sa.and_(
            projects.c.workspace_id == type_projects.c.workspace_id,
            projects.c.id == type_projects.c.project_id,
            live(projects),
        ),
    )
    .where(tenant(type_projects), any_of(type_projects.c.type_id, "ids"))
    .order_by(type_projects.c.created_at, type_projects.c.project_id)
)
_DELETE_LINKS = Statement(
    sa.update(type_properties)
    .where(
        tenant(type_properties),
        type_properties.c.type_id == sa.bindparam("type_id", type_=Id()),
        live(type_properties),
    )
    .values(deleted_at=sa.bindparam("now", type_=type_properties.c.deleted_at.type))
)
_IN_USE = Statement(
    sa.select(work_items.c.project_id)
    .where(
        tenant(work_items),
        work_items.c.type_id == sa.bindparam("type_id", type_=Id()),
        live(work_items),
    )
    .limit(1)
)
_IN_USE_THERE = Statement(
    sa.select(work_items.c.project_id)
    .where(
        tenant(work_items),
        work_items.c.type_id == sa.bindparam("type_id", type_=Id()),
        any_of(work_items.c.project_id, "project_ids"),
        live(work_items),
    )
    .limit(1)
)


def _end_default(condition: sa.ColumnElement[bool]) -> Statement:
    return Statement(
        sa.update(work_item_types)
        .where(tenant(work_item_types), condition, work_item_types.c.is_default)
        .values(is_default=False)
    )


_END_DEFAULT = _end_default(work_item_types.c.project_id == sa.bindparam("project_id", type_=Id()))
_END_WORKSPACE_DEFAULT = _end_default(work_item_types.c.project_id.is_(None))


class WorkItemTypeIn(Body):
    example = {"name": "Bug", "description": "Something that doesn't work", "is_active": True}

    name: Name
    description: Text = ""
    logo_props: Properties = {}
    is_epic: bool = False
    is_default: bool = False
    is_active: bool = True
    level: Int32 = 0
    project_ids: list[Uuid] | None = None
    external_source: Key | None = None
    external_id: Key | None = None


class WorkItemTypeOut(Shown):
    id: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    name: str
    description: str
    logo_props: Any
    is_epic: bool
    is_default: bool
    is_active: bool
    level: int
    external_source: str | None
    external_id: str | None
    created_by: Any
    updated_by: Any
    workspace: Any
    project: Any
    project_ids: list[str]


async def _load_projects(call: Call, rows: Sequence[Row]) -> Mapping[str, Any]:
    """A project's own type is in that project alone."""
    found = {row["id"]: [row["project_id"]] for row in rows if row["project_id"]}
    ids = [row["id"] for row in rows if not row["project_id"]]
    if ids:
        for link in await call.reader.fetch_all(_PROJECTS, workspace_id=call.workspace_id, ids=ids):
            found.setdefault(link["type_id"], []).append(link["project_id"])
    return found


class WorkItemTypes(Record):
    noun = "Work item type"
    table = work_item_types
    level = Level.BOTH
    event = "work_item_type"
    references = {"project_ids": Reference(projects)}
    computed = {
        "project_ids": Computed(load=_load_projects, empty=[], is_list=True, event_name="project_ids")
    }
    write_role = ADMIN

    async def before_create(self, call: Call, row: Row, /) -> None:
        await check_definable(call)
        _check_projects(row, row["project_ids"])
        if row["is_default"]:
            await _end_default_of(call, row)

    async def after_create(self, call: Call, row: Row, /) -> None:
        await _import(call, row, row["project_ids"] or [])

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        check_own(call, row)
        if "project_ids" in changes:
            changes["project_ids"] = list(dict.fromkeys(changes["project_ids"] or []))
            _check_projects(row, changes["project_ids"])
            await _check_left(call, row, changes["project_ids"])
        if changes.get("is_default") and not row["is_default"]:
            await _end_default_of(call, row)
        if not {**row, **changes}["is_active"] and {**row, **changes}["is_default"]:
            raise Refused("The default work item type can't be inactive")

    async def after_update(self, call: Call, row: Row, changes: Row, /) -> None:
        if row["project_id"] is None and "project_ids" in changes:
            await call.writer.delete(type_projects, workspace_id=call.workspace_id, type_id=row["id"])
            await _import(call, row, changes["project_ids"])

    async def before_delete(self, call: Call, row: Row, /) -> None:
        check_own(call, row)
        if row["is_default"]:
            raise Refused("The default work item type cannot be deleted")
        keys = {"workspace_id": call.workspace_id, "type_id": row["id"]}
        if await call.reader.fetch_value(_IN_USE, **keys) is not None:
            raise Refused("The work item type is in use, only unused types can be deleted")
        await call.writer.execute(_DELETE_LINKS, **keys, now=call.now)
        await call.writer.delete(type_projects, **keys)


TYPES = WorkItemTypes()
WORK_ITEM_TYPES_V1 = Face(
    TYPES,
    wire=V1,
    path="projects/{project_id}/work-item-types",
    aliases=("projects/{project_id}/issue-types",),
    key="type_id",
    body=WorkItemTypeIn,
    shown=WorkItemTypeOut,
    scope="projects.work_item_types",
    verbs=("create", "retrieve", "update", "delete"),
    order_by=("created_at",),
    page_size=1000,  # a bare array: a client sees no next page
    expands={
        "project": expand_project,
        "project_ids": expand_project,
        "workspace": expand_workspace,
        "created_by": expand_user,
        "updated_by": expand_user,
    },
)
WORKSPACE_WORK_ITEM_TYPES_V1 = replace(
    WORK_ITEM_TYPES_V1,
    path="work-item-types",
    aliases=(),
    scope="workspaces.work_item_types",
    noun="Workspace work item type",
)
WORK_ITEM_TYPE_LISTS = (bare_list_route(WORKSPACE_WORK_ITEM_TYPES_V1), bare_list_route(WORK_ITEM_TYPES_V1))


async def import_type(call: Call, row: Row, project_ids: Sequence[str]) -> None:
    """Make a type of the workspace one of these projects, which don't have it yet."""
    links = [
        {
            "workspace_id": call.workspace_id,
            "project_id": project_id,
            "type_id": row["id"],
            "created_at": call.now,
        }
        for project_id in dict.fromkeys(project_ids)
    ]
    await call.writer.insert_all(type_projects, links)


async def _import(call: Call, row: Row, project_ids: Sequence[str]) -> None:
    if row["project_id"] is None:
        await import_type(call, row, project_ids)


def _check_projects(row: Row, project_ids: Sequence[str] | None) -> None:
    """Raises Invalid for a project's own type that names another project."""
    home = row["project_id"]
    if home is None or project_ids is None or list(project_ids) == [home]:
        return
    others = [one for one in project_ids if one != home]
    wrong = unknown_ids(project_ids, others) if others else ["A project's own type is in that project."]
    raise Invalid({"project_ids": wrong})


async def _check_left(call: Call, row: Row, project_ids: Sequence[str]) -> None:
    """Raises Refused if a project would lose a type that its work items have."""
    left = [one for one in row["project_ids"] if one not in project_ids]
    keys = {"workspace_id": call.workspace_id, "type_id": row["id"], "project_ids": left}
    if left and await call.reader.fetch_value(_IN_USE_THERE, **keys) is not None:
        raise Refused("The work item type is in use in a project that would lose it")


async def _end_default_of(call: Call, row: Row) -> None:
    """The type of this level that is the default until now isn't any more."""
    if row["project_id"] is None:
        await call.writer.execute(_END_WORKSPACE_DEFAULT, workspace_id=call.workspace_id)
    else:
        keys = {"workspace_id": call.workspace_id, "project_id": row["project_id"]}
        await call.writer.execute(_END_DEFAULT, **keys)
