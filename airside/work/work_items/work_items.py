"""Work items: create, read, update, delete, archive."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Literal

import sqlalchemy as sa
from msgspec import UNSET, UnsetType

from airside.assets.files import delete_files_of
from airside.db.base import Id, Row, is_uuid
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import Forbidden, Invalid, NotFound, Refused
from airside.events.outbox import Change
from airside.pql.values import parse_key
from airside.rest.archive import archive_routes
from airside.rest.body import Body, Html, Int32, Key, Name, Number, Text, Uuid
from airside.rest.call import Call
from airside.rest.face import Face, Shown
from airside.rest.record import EVERYTHING, GUEST, Narrowing, Record, Reference
from airside.rest.route import Route
from airside.rest.verbs import show_record
from airside.rest.wires.v1.paths import WORKSPACE
from airside.rest.wires.v1.query_parameters import shape_query
from airside.rest.wires.v1.wire import V1
from airside.rich_text.html import EMPTY, clean_html
from airside.work.access import in_visible_projects
from airside.work.expansions import expand_project, expand_rows, expand_user, expand_workspace
from airside.work.identifiers import find_work_item_id
from airside.work.intake.items import remove_from_intake
from airside.work.ownership import check_owner
from airside.work.planning.estimate_tables import estimate_points
from airside.work.planning.memberships import end_memberships
from airside.work.planning.module_links import add_to_module
from airside.work.planning.tables import modules
from airside.work.projects.labels import labels
from airside.work.projects.states import states
from airside.work.projects.tables import projects
from airside.work.state_catalog import find_own_state
from airside.work.types.item_types import (
    check_item_type,
    fill_defaults,
    follow_type,
    hold_default_type,
    split_values,
)
from airside.work.types.tables import work_item_types
from airside.work.types.values import CUSTOM_FIELDS
from airside.work.work_items.activities import record_work_item_change
from airside.work.work_items.assignees_and_labels import (
    COMPUTED,
    check_assignees,
    link_assignees,
    link_labels,
    replace_assignees,
    replace_labels,
)
from airside.work.work_items.filters import FILTERS, QUERY, narrow_by_query
from airside.work.work_items.parents import check_parent, expand_parent
from airside.work.work_items.sorts import SORTS
from airside.work.work_items.tables import LISTED, work_items
from airside.work.work_items.visible_items import is_visible, narrow_to_visible
from airside.work.workspace_flags import STATES_OWNED
from airside.workspaces.tables import workspace_members

Priority = Literal["urgent", "high", "medium", "low", "none"]

SORT_STEP = 10_000.0  # after the last one in its state
DONE = "completed"  # state group that completes a work item

_NEXT_SEQUENCE = Statement(
    sa.update(projects)
    .where(
        tenant(projects, "key_workspace_id"),
        projects.c.id == sa.bindparam("key_id", type_=Id()),
    )
    .values(last_sequence=projects.c.last_sequence + 1)
    .returning(projects.c.last_sequence)
)
_LAST_SORT = Statement(
    sa.select(sa.func.max(work_items.c.sort_order).label("last")).where(
        tenant(work_items),
        work_items.c.project_id == sa.bindparam("project_id", type_=Id()),
        work_items.c.state_id == sa.bindparam("state_id", type_=Id()),
        live(work_items),
    )
)
_DEFAULT_STATE = Statement(
    sa.select(states.c.id, states.c.group)
    .where(
        tenant(states),
        states.c.project_id == sa.bindparam("project_id", type_=Id()),
        states.c.is_triage.is_(sa.false()),
        live(states),
    )
    .order_by(states.c.default.desc(), states.c.sequence)
    .limit(1)
)
_BY_ID = Statement(
    sa.select(work_items).where(
        tenant(work_items),
        work_items.c.id == sa.bindparam("id", type_=Id()),
        live(work_items),
    )
)
UNARCHIVED = Narrowing(LISTED)
_ARCHIVED = Narrowing((work_items.c.archived_at.is_not(None),))


class WorkItemIn(Body):
    example = {"name": "Fix the wheel", "priority": "high"}

    name: Name
    description_html: Html = EMPTY
    description_binary: Text | None = None
    priority: Priority = "none"
    state: Uuid | None = None
    parent: Uuid | None = None
    type: Uuid | None = None
    type_id: Uuid | None = None
    estimate_point: Uuid | None = None
    point: Int32 | None = None
    module: Uuid | None = None
    start_date: date | None = None
    target_date: date | None = None
    sort_order: Number | None = None
    is_draft: bool = False
    assignees: list[Uuid] | None = None
    labels: list[Uuid] | None = None
    external_source: Key | None = None
    external_id: Key | None = None


class WorkItemOut(Shown):
    id: str
    type_id: str | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    point: int | None
    name: str
    description_html: str
    description_stripped: str
    description_binary: str | None
    priority: Priority
    start_date: date | None
    target_date: date | None
    sequence_id: int
    sort_order: float
    completed_at: datetime | None
    archived_at: datetime | None
    is_draft: bool
    external_source: str | None
    external_id: str | None
    created_by: Any
    updated_by: Any
    project: Any
    workspace: Any
    parent: Any
    state: Any
    estimate_point: str | None
    type: Any
    assignees: list[Any]
    labels: list[Any]
    custom_fields: dict[str, Any] | UnsetType = UNSET  # property → value, where it is asked for


class WorkItems(Record):
    noun = "Issue"
    table = work_items
    event = "workitem"
    has_history = False
    unlisted = ("description_html", "description_stripped", "description_binary", "in_intake")
    defaults = {"in_intake": False}
    computed = {**COMPUTED, "custom_fields": CUSTOM_FIELDS}
    references = {
        "state_id": Reference(states, "project_id"),
        "parent_id": Reference(work_items),
        "labels": Reference(labels, "project_id"),
        "assignees": Reference(workspace_members, column="user_id"),
        "estimate_point_id": Reference(estimate_points, "project_id"),
        "module": Reference(modules, "project_id"),
    }

    def is_private(self, row: Row, /) -> bool:
        """One that waits in the intake: the intake has events of its own."""
        return row["in_intake"]

    async def identify(self, call: Call, identifier: str, /) -> str | None:
        return await find_work_item_id(call, identifier)

    async def narrow(self, call: Call, /) -> Narrowing:
        """Of the one in the URL; lists have no waiting ones at all."""
        return narrow_to_visible(call) if call.path.keys() & {"work_item_id", "epic_id"} else EVERYTHING

    async def prepare(self, call: Call, sent: Row, /) -> None:
        if "description_html" in sent:
            call.prepared["text"] = await clean_html(sent["description_html"], "description_html")

    async def resolve(self, call: Call, sent: Row, /) -> None:
        """A state of the workspace stands for the project's own copy of it."""
        if sent.get("state_id") and call.workspace["features"].get(STATES_OWNED):
            sent["state_id"] = await find_own_state(call, sent["state_id"])

    async def before_create(self, call: Call, row: Row, /) -> None:
        await check_item_type(call, row["type_id"])
        if row["type_id"] is None:
            row["type_id"] = await hold_default_type(call)
        await check_parent(call, row["parent_id"])
        await check_assignees(call, row["assignees"] or [], [])
        _check_dates(row["start_date"], row["target_date"])
        row["description_html"], row["description_stripped"] = call.prepared["text"]
        row["description_json"] = {}
        group = await _choose_state(call, row)
        row["completed_at"] = call.now if group == DONE else None
        row["archived_at"] = None
        row["last_activity_at"] = call.now
        if row["sort_order"] is None:
            last = await call.reader.fetch_value(_LAST_SORT, **_project(call), state_id=row["state_id"])
            row["sort_order"] = 65535.0 if last is None else last + SORT_STEP
        row["sequence_id"] = await call.writer.fetch_value(
            _NEXT_SEQUENCE, key_workspace_id=call.workspace_id, key_id=call.project_id
        )

    async def after_create(self, call: Call, row: Row, /) -> None:
        await link_assignees(call, row["id"], row["assignees"] or [])
        await link_labels(call, row["id"], row["labels"] or [])
        await fill_defaults(call, row, {})
        if row.get("module"):
            await add_to_module(call, row["id"], row["module"])

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        if row["archived_at"]:
            raise Refused("Archived work item cannot be updated")
        if changes.get("type_id", row["type_id"]) != row["type_id"]:
            await check_item_type(call, changes["type_id"])
            kept, left = await split_values(call, row["custom_fields"], changes["type_id"])
            call.prepared["left"] = left
            changes["custom_fields"] = kept
        _check_accepted(row, changes)
        if changes.get("parent_id") != row["parent_id"]:
            await check_parent(call, changes.get("parent_id"))
        _check_dates(
            changes.get("start_date", row["start_date"]), changes.get("target_date", row["target_date"])
        )
        if "description_html" in changes:
            changes["description_html"], changes["description_stripped"] = call.prepared["text"]
        for name in ("assignees", "labels"):
            if name in changes:
                changes[name] = list(dict.fromkeys(changes[name] or []))
        await check_assignees(call, changes.get("assignees", []), row["assignees"])
        if changes.get("state_id") not in (None, row["state_id"]):
            group = await _choose_state(call, changes)
            changes["completed_at"] = (row["completed_at"] or call.now) if group == DONE else None
        if changes.get("sort_order", 0) is None:
            del changes["sort_order"]
        if any(row.get(name) != value for name, value in changes.items()):
            changes["last_activity_at"] = call.now

    async def after_update(self, call: Call, row: Row, changes: Row, /) -> None:
        if "assignees" in changes:
            await replace_assignees(call, row["id"], changes["assignees"])
        if "labels" in changes:
            await replace_labels(call, row["id"], changes["labels"])
        if "custom_fields" in changes:
            await follow_type(call, row, changes["custom_fields"], call.prepared["left"])
        if changes.get("module"):
            await add_to_module(call, row["id"], changes["module"])

    async def before_delete(self, call: Call, row: Row, /) -> None:
        check_owner(call, row, "work item")
        await delete_files_of(call, row["id"])
        await end_memberships(call, row["id"])
        await remove_from_intake(call, row["id"])

    async def before_archive(self, call: Call, row: Row, /) -> None:
        if row["archived_at"] is None and await _group_of(call, row["state_id"]) not in (DONE, "cancelled"):
            raise Refused("Can only archive completed or cancelled state group work items")

    async def after_event(self, call: Call, action: str, row: Row, changes: Sequence[Change], /) -> None:
        await record_work_item_change(call, action, row, changes)


async def _list_unarchived(call: Call) -> Narrowing:
    return UNARCHIVED.also(await narrow_by_query(call))


async def _list_archived(call: Call) -> Narrowing:
    return _ARCHIVED.also(await narrow_by_query(call))


async def _list_everywhere(call: Call) -> Narrowing:
    return (await _list_unarchived(call)).also(in_visible_projects(call, work_items.c.project_id))


WORK_ITEMS = WorkItems()
WORK_ITEMS_V1 = Face(
    WORK_ITEMS,
    wire=V1,
    path="projects/{project_id}/work-items",
    aliases=("projects/{project_id}/issues",),
    key="work_item_id",
    body=WorkItemIn,
    shown=WorkItemOut,
    scope="projects.work_items",
    expands={
        "state": expand_rows(states, "name", "color", "group"),
        "assignees": expand_user,
        "labels": expand_rows(labels, "name", "color"),
        "type": expand_rows(work_item_types, "name", "description", "logo_props", "is_epic", "level"),
        "project": expand_project,
        "workspace": expand_workspace,
        "parent": expand_parent,
        "created_by": expand_user,
        "updated_by": expand_user,
    },
    on_request=("custom_fields",),
    event_expands=("state", "assignees", "labels", "custom_fields"),
    event_also={"description": "description_json", "description_json": "description_json"},
    listed=_list_unarchived,
    sorts=SORTS,
    filters=FILTERS,
    queries=QUERY,
    summaries={
        "list": "List the work items of a project",
        "create": "Create a work item",
        "retrieve": "Retrieve a work item",
        "update": "Update a work item",
        "delete": "Delete a work item",
    },
)


ARCHIVED_WORK_ITEMS_V1 = replace(
    WORK_ITEMS_V1,
    path="projects/{project_id}/archived-work-items",
    aliases=(),
    noun="Archived work item",
    verbs=("list",),
    listed=_list_archived,
    summaries={"list": "List the archived work items of a project"},
)
# Those of every project that the caller belongs to.
WORKSPACE_WORK_ITEMS_V1 = replace(
    WORK_ITEMS_V1,
    path="work-items",
    aliases=(),
    noun="Workspace work item",
    verbs=("list",),
    listed=_list_everywhere,
    summaries={"list": "List the work items of every project that the caller belongs to"},
)


async def _group_of(call: Call, state_id: str) -> str | None:
    state = await call.reader.find(states, workspace_id=call.workspace_id, id=state_id)
    return state["group"] if state else None


def _check_accepted(row: Row, changes: Row) -> None:
    """Raises Refused for what a work item that waits in the intake doesn't have yet."""
    if not row["in_intake"] or not changes.get("in_intake", True):
        return
    if changes.get("state_id") not in (None, row["state_id"]):
        raise Refused("A work item in the intake gets a state when it is accepted there")
    if changes.get("module"):
        raise Refused("A work item in the intake can be in a module once it is accepted there")


async def _choose_state(call: Call, columns: Row) -> str | None:
    """Set the project's default state if none was given; returns the state's group."""
    if columns.get("state_id"):
        return await _group_of(call, columns["state_id"])
    state = await get_default_state(call)
    columns["state_id"] = state["id"]
    return state["group"]


async def get_default_state(call: Call) -> Row:
    """The id and group of the state of a new work item. Raises Invalid for a project without states."""
    state = await call.reader.fetch_one(_DEFAULT_STATE, **_project(call))
    if state is None:
        raise Invalid({"state": ["This project has no states."]})
    return state


def _check_dates(start: date | None, target: date | None) -> None:
    if start and target and start > target:
        raise Invalid.whole("Start date cannot exceed target date")


def _project(call: Call) -> dict[str, Any]:
    return {"workspace_id": call.workspace_id, "project_id": call.project_id}


async def retrieve_by_identifier(call: Call) -> Row:
    """The work item with this key, such as ENG-12, or this id. Raises NotFound, also for a project that the caller
    can't access."""
    name = call.path["identifier"]
    row = await (_find_by_id(call, name.lower()) if is_uuid(name) else _find_by_key(call, name))
    if row is None:
        raise NotFound
    return await show_record(call, WORK_ITEMS_V1, row)


async def _find_by_id(call: Call, item_id: str) -> Row | None:
    row = await call.reader.fetch_one(_BY_ID, workspace_id=call.workspace_id, id=item_id)
    if row is None:
        return None
    await _enter_project(call, row["project_id"])
    return row if is_visible(call, row) else None


async def _find_by_key(call: Call, text: str) -> Row | None:
    key = parse_key(text)
    project_id = await call.access.identify_project(call, key.project) if key else None
    if project_id is None:
        return None
    await _enter_project(call, project_id)
    item_id = await find_work_item_id(call, text)
    return await _find_by_id(call, item_id) if item_id else None


async def _enter_project(call: Call, project_id: str) -> None:
    await call.access.enter_project(call, project_id)
    if call.project_role < GUEST:
        raise Forbidden


WORK_ITEM_ROUTES = [
    Route(
        method="GET",
        path=WORKSPACE + "work-items/{identifier}",
        aliases=(WORKSPACE + "issues/{identifier}",),
        handler=retrieve_by_identifier,
        scope="projects.work_items:read",
        name="retrieve_work_item_by_identifier",
        summary="Retrieve a work item by an identifier such as ENG-12",
        shown=WorkItemOut,
        query=shape_query(WORK_ITEMS_V1),
    ),
    *archive_routes(WORK_ITEMS_V1, "work item", which="finished", unarchive_at="unarchive"),
]
