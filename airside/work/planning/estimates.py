"""The estimate of a project: the scale by which its work items are estimated. A project has at most one, which its
URL names without an id.
"""

from datetime import datetime
from functools import partial
from typing import Any, Literal

import sqlalchemy as sa

from airside.db.base import Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import Conflict, NotFound
from airside.rest.body import Body, Key, Name, Text
from airside.rest.call import Call
from airside.rest.computed import compute
from airside.rest.face import Face, Shown, to_columns, wire_names
from airside.rest.gate import record_updated
from airside.rest.record import Record
from airside.rest.route import Route
from airside.rest.routes import place_of
from airside.rest.selection import find_only
from airside.rest.verbs import change_record, create, in_transaction, remove_record, show_record
from airside.rest.wires.v1.wire import V1
from airside.work.planning.estimate_points import POINTS_V1, list_points
from airside.work.planning.estimate_tables import estimates
from airside.work.projects.projects import PROJECTS_V1
from airside.work.projects.tables import projects

Type = Literal["categories", "points", "time"]

_PROJECT = Statement(
    sa.select(projects)
    .where(
        tenant(projects),
        projects.c.id == sa.bindparam("project_id", type_=projects.c.id.type),
        live(projects),
    )
    .with_for_update()
)


class EstimateIn(Body):
    example = {"name": "Story points", "type": "points"}

    name: Name
    description: Text | None = ""
    type: Type | None = "categories"
    last_used: bool = True
    external_source: Key | None = None
    external_id: Key | None = None


class EstimateOut(Shown):
    id: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    name: str
    description: str
    type: Type
    last_used: bool
    external_source: str | None
    external_id: str | None
    created_by: str | None
    updated_by: str | None
    project: str
    workspace: str


class Estimates(Record):
    noun = "Estimate"
    table = estimates
    event = "estimate"

    async def before_create(self, call: Call, row: Row, /) -> None:
        row["type"] = row["type"] or "categories"
        present = await find_only(ESTIMATE_V1, call)
        if present is not None:
            raise Conflict("An estimate already exists for this project", existing=present["id"])

    async def before_delete(self, call: Call, row: Row, /) -> None:
        for point in await list_points(call, row["id"]):
            await remove_record(POINTS_V1, call, point)
        await _leave_project(call, row["id"])


ESTIMATE_V1 = Face(
    Estimates(),
    wire=V1,
    path="projects/{project_id}/estimates",
    key="estimate_id",
    body=EstimateIn,
    shown=EstimateOut,
    nulls={"description": ""},
    scope="projects.estimates",
    verbs=(),
)


async def retrieve_estimate(call: Call) -> Row:
    """Raises NotFound while the project has none."""
    return await show_record(call, ESTIMATE_V1, await _get(call))


async def update_estimate(call: Call) -> Row:
    """Raises NotFound, Invalid, Conflict."""
    sent = to_columns(ESTIMATE_V1, call.body)

    async def work() -> Row:
        before = await _get(call, lock=True)
        return await show_record(call, ESTIMATE_V1, await change_record(ESTIMATE_V1, call, before, sent))

    with wire_names(ESTIMATE_V1):
        return await in_transaction(call, work)


async def delete_estimate(call: Call) -> None:
    """Delete it with its points; the work items that have one lose it."""

    async def work() -> None:
        await remove_record(ESTIMATE_V1, call, await _get(call, lock=True))

    await in_transaction(call, work)


async def _get(call: Call, *, lock: bool = False) -> Row:
    row = await find_only(ESTIMATE_V1, call, lock=lock)
    if row is None:
        raise NotFound
    return row


async def _leave_project(call: Call, estimate_id: str) -> None:
    """The project's own `estimate` is cleared with its event."""
    before = await call.reader.fetch_one(_PROJECT, workspace_id=call.workspace_id, project_id=call.project_id)
    if before is None or before["estimate_id"] != estimate_id:
        return
    await compute(PROJECTS_V1.record.computed, call, [before])
    changes: Row = {"estimate_id": None, "updated_at": call.now, "updated_by_id": call.caller.user_id}
    await call.writer.update(projects, changes, workspace_id=call.workspace_id, id=before["id"])
    await record_updated(call, PROJECTS_V1, before, before | changes, ("estimate_id",))


def _route(method: str, verb: str, handler: Any, summary: str, **fields: Any) -> Route:
    is_read = method == "GET"
    return Route(
        **place_of(ESTIMATE_V1),
        **fields,
        face=ESTIMATE_V1,
        method=method,
        handler=handler,
        scope=f"{ESTIMATE_V1.scope}:{'read' if is_read else 'write'}",
        name=f"{verb}_estimate",
        summary=summary,
        role=ESTIMATE_V1.record.read_role if is_read else ESTIMATE_V1.record.write_role,
        event=None if is_read else f"estimate.{verb.rstrip('e')}ed",
    )


ESTIMATE_ROUTES = [
    _route(
        "GET",
        "retrieve",
        retrieve_estimate,
        "Retrieve the estimate of a project",
        shown=EstimateOut,
        query=V1.query(ESTIMATE_V1, "retrieve"),
    ),
    _route(
        "POST",
        "create",
        partial(create, ESTIMATE_V1),
        "Create the estimate of a project, which has at most one",
        shown=EstimateOut,
        body=EstimateIn,
        status=201,
        may_conflict=True,
    ),
    _route(
        "PATCH",
        "update",
        update_estimate,
        "Update the estimate of a project",
        shown=EstimateOut,
        body=EstimateIn,
        partial=True,
        may_conflict=True,
    ),
    _route("DELETE", "delete", delete_estimate, "Delete the estimate of a project", status=204),
]
