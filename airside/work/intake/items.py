"""Intake work items: who filed which work item from where, and what was decided on it.

While `status` is anything but accepted, its work item waits: it is in the project's triage state, and in no list,
count or search of work items. In URLs an intake work item is named by its work item's id.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal

import sqlalchemy as sa

from airside.db.base import Id, Instant, Json, Row, metadata
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.errors import Forbidden, Invalid
from airside.rest.call import Call
from airside.rest.computed import Computed
from airside.rest.face import Face, Shown
from airside.rest.record import EVERYTHING, GUEST, MEMBER, Narrowing, Record, Reference
from airside.rest.references import unknown_ids
from airside.rest.selection import find_among
from airside.rest.shaping import shape_rows
from airside.rest.verbs import remove_record
from airside.rest.wire import Shape
from airside.rest.wires.v1.wire import V1
from airside.work.expansions import expand_project, expand_rows, expand_user, expand_workspace
from airside.work.intake.bodies import IntakeIn
from airside.work.projects.states import states
from airside.work.rows import index_records, live_unique, project_row
from airside.work.work_items.assignees_and_labels import COMPUTED
from airside.work.work_items.related_items import find_items
from airside.work.work_items.tables import work_items

PENDING, REJECTED, SNOOZED, ACCEPTED, DUPLICATE = -2, -1, 0, 1, 2
IN_APP = "IN_APP"  # Plane's name of the source where none is said

intake_items = sa.Table(
    "intake_items",
    metadata,
    *project_row(),
    sa.Column("issue_id", Id, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("snoozed_till", Instant),
    sa.Column("duplicate_to_id", Id),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("source_email", sa.Text),
    sa.Column("extra", Json, nullable=False),
)
index_records(intake_items)
live_unique("uq_intake_items_work_item", intake_items.c.workspace_id, intake_items.c.issue_id)
# Newest first of one status, and of one guest's own.
for _name, _column in (("status", intake_items.c.status), ("filed", intake_items.c.created_by_id)):
    sa.Index(
        f"ix_intake_items_{_name}",
        intake_items.c.workspace_id,
        intake_items.c.project_id,
        _column,
        intake_items.c.created_at.desc(),
        intake_items.c.id.desc(),
    )
is_snoozed = sa.and_(live(intake_items), intake_items.c.status == sa.literal_column("0", sa.Integer))
sa.Index(
    "ix_intake_items_snoozed",
    intake_items.c.snoozed_till,
    sqlite_where=is_snoozed,
    postgresql_where=is_snoozed,
)

_DETAILS = Statement(sa.select(work_items).where(tenant(work_items), any_of(work_items.c.id, "ids")))
_OWN = (intake_items.c.created_by_id == sa.bindparam("viewer_id", type_=Id()),)


class IssueDetail(Shown):
    """The work item of an intake work item."""

    id: str
    name: str
    description_html: str
    description_stripped: str
    priority: str
    state: Any
    assignees: list[str]
    labels: list[str]
    start_date: date | None
    target_date: date | None
    sequence_id: int
    sort_order: float
    completed_at: datetime | None
    archived_at: datetime | None
    is_draft: bool
    external_source: str | None
    external_id: str | None
    created_at: datetime
    updated_at: datetime
    created_by: str | None
    updated_by: str | None
    project: str
    workspace: str
    parent: str | None


class _Details(Record):
    noun = "Intake work item's detail"
    table = work_items
    event = None
    eventless = "a view of a work item"
    computed = COMPUTED


_DETAILS_V1 = Face(
    _Details(),
    wire=V1,
    path="projects/{project_id}/intake-issues",
    key="intake_work_item_id",
    verbs=(),
    shown=IssueDetail,
    scope="projects.intakes",
    expands={"state": expand_rows(states, "name", "color", "group")},
)


class IntakeOut(Shown):
    id: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    status: Literal[-2, -1, 0, 1, 2]
    snoozed_till: datetime | None
    source: str
    source_email: str | None
    external_source: str | None
    external_id: str | None
    extra: dict[str, Any]
    created_by: Any
    updated_by: Any
    project: Any
    workspace: Any
    intake: str
    inbox: str  # its former name
    issue: str
    duplicate_to: str | None
    issue_detail: IssueDetail


async def _load_details(call: Call, rows: Sequence[Row]) -> Mapping[str, Row]:
    ids = [row["issue_id"] for row in rows]
    items = await call.reader.fetch_all(_DETAILS, workspace_id=call.workspace_id, ids=ids)
    shown = await shape_rows(call, _DETAILS_V1, items, Shape(expand=("state",)))
    by_id = {one["id"]: one for one in shown}
    return {row["id"]: by_id[row["issue_id"]] for row in rows}


class IntakeItems(Record):
    noun = "Intake work item"
    about = "Requests that wait in a project's intake until somebody decides on them."
    table = intake_items
    event = "intake.workitem"
    feature = "intakes"
    create_role = GUEST
    write_role = GUEST  # of what a guest filed, its text; see `before_update`
    references = {"duplicate_to_id": Reference(work_items)}
    computed = {
        "intake_id": Computed(of=lambda row: row["project_id"]),  # a project has one, which has its id
        "issue_detail": Computed(load=_load_details),
    }

    async def narrow(self, call: Call, /) -> Narrowing:
        """A guest sees what they filed, and all where the project says so."""
        if call.project_role >= MEMBER or call.project["guest_view_all_features"]:
            return EVERYTHING
        return Narrowing(_OWN, {"viewer_id": call.caller.user_id})

    async def before_create(self, call: Call, row: Row, /) -> None:
        row |= {"extra": {}, "external_source": None, "external_id": None}
        row["source"] = row["source"] or IN_APP

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        changed = {name for name, value in changes.items() if value != row[name]}
        if changed and call.project_role < MEMBER:
            raise Forbidden
        if changed & {"status", "snoozed_till", "duplicate_to_id"}:
            await _check_decision(call, row, changes)


async def _check_decision(call: Call, row: Row, changes: Row) -> None:
    """Raises Invalid for a decision without what it needs; clears what belonged to the one before."""
    status = changes.get("status", row["status"])
    if row["status"] == ACCEPTED and status != ACCEPTED:
        raise Invalid({"status": ["This work item is accepted already."]})
    _check_snooze(call, status, row, changes)
    await _check_duplicate(call, status, row, changes)


def _check_snooze(call: Call, status: int, row: Row, changes: Row) -> None:
    till = changes.get("snoozed_till", row["snoozed_till"])
    if status == SNOOZED:
        if till is None or till <= call.now:
            raise Invalid({"snoozed_till": ["A snoozed work item needs a time in the future."]})
    elif changes.get("snoozed_till") not in (None, row["snoozed_till"]):
        raise Invalid({"snoozed_till": ["Only a snoozed work item has this time."]})
    else:
        changes["snoozed_till"] = None


async def _check_duplicate(call: Call, status: int, row: Row, changes: Row) -> None:
    other = changes.get("duplicate_to_id", row["duplicate_to_id"])
    if status == DUPLICATE:
        if other is None:
            raise Invalid({"duplicate_to_id": ["This field is required."]})
        if other == row["issue_id"] or other not in await find_items(call, [other]):
            raise Invalid({"duplicate_to_id": unknown_ids(other, [other])})
    elif changes.get("duplicate_to_id") not in (None, row["duplicate_to_id"]):
        raise Invalid({"duplicate_to_id": ["Only a duplicate names another work item."]})
    else:
        changes["duplicate_to_id"] = None


INTAKE_V1 = Face(
    IntakeItems(),
    wire=V1,
    path="projects/{project_id}/intake-issues",
    aliases=("projects/{project_id}/inbox-issues",),
    key="intake_work_item_id",
    verbs=("list",),
    body=IntakeIn,
    shown=IntakeOut,
    names={"intake": "intake_id", "inbox": "intake_id"},
    scope="projects.intakes",
    expands={
        "project": expand_project,
        "workspace": expand_workspace,
        "created_by": expand_user,
        "updated_by": expand_user,
    },
)


async def find_intake_item(call: Call, work_item_id: str, *, lock: bool = False) -> Row | None:
    """That of this work item, if the caller sees it."""
    rows = await find_among(INTAKE_V1, call, "issue_id", [work_item_id], lock=lock)
    return rows[0] if rows else None


async def remove_from_intake(call: Call, work_item_id: str) -> None:
    """Delete that of a work item that is being deleted, if it has one."""
    row = await find_intake_item(call, work_item_id, lock=True)
    if row is not None:
        await remove_record(INTAKE_V1, call, row)
