"""The points of an estimate, in the order of their keys; a work item has one of them or none."""

import math
from datetime import datetime
from typing import Annotated

import sqlalchemy as sa
from msgspec import Meta

from airside.db.base import Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import Refused
from airside.rest.body import Body, Int32, Key, Text
from airside.rest.call import Call
from airside.rest.face import Face, Shown, to_columns, wire_names
from airside.rest.followups import clearing, follow_up
from airside.rest.record import Parent, Record
from airside.rest.route import Route
from airside.rest.routes import place_of
from airside.rest.selection import check_parents
from airside.rest.shaping import shape_rows
from airside.rest.verbs import create_record, in_transaction
from airside.rest.wires.v1.wire import V1
from airside.work.planning.estimate_tables import estimate_points, estimates
from airside.work.work_items.work_items import WORK_ITEMS_V1

MAX_POINTS = 100  # of an estimate; they are listed without pages

Value = Annotated[str, Meta(min_length=1, max_length=20, extra={"trims": True})]

_POINTS = Statement(
    sa.select(estimate_points)
    .where(
        tenant(estimate_points),
        estimate_points.c.estimate_id == sa.bindparam("estimate_id", type_=estimates.c.id.type),
        live(estimate_points),
    )
    .order_by(estimate_points.c.key, estimate_points.c.id)
)
# Work items lose the point that is deleted.
LOST_POINTS = clearing(WORK_ITEMS_V1, "estimate_point_id", "last_activity_at")


class EstimatePointIn(Body):
    example = {"value": "5", "key": 3}

    value: Value
    key: Int32 | None = None
    description: Text | None = ""
    external_source: Key | None = None
    external_id: Key | None = None


class EstimatePointsIn(Body):
    example = {"estimate_points": [{"value": "5", "key": 3}]}

    estimate_points: list[EstimatePointIn]


class EstimatePointOut(Shown):
    id: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    estimate: str
    key: int
    value: str
    description: str
    external_source: str | None
    external_id: str | None
    created_by: str | None
    updated_by: str | None
    project: str
    workspace: str


class EstimatePoints(Record):
    noun = "Estimate point"
    table = estimate_points
    event = "estimate.point"
    parents = (Parent("estimate_id", estimates, "estimate_id"),)

    async def before_create(self, call: Call, row: Row, /) -> None:
        points = await list_points(call, row["estimate_id"])
        if len(points) >= MAX_POINTS:
            raise Refused(f"An estimate has at most {MAX_POINTS} points")
        if row["key"] is None:
            row["key"] = max((point["key"] for point in points), default=-1) + 1
        row["number"] = _read_number(row["value"])

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        if "value" in changes:
            changes["number"] = _read_number(changes["value"])

    async def before_delete(self, call: Call, row: Row, /) -> None:
        await follow_up(call, LOST_POINTS, row["id"])


POINTS_V1 = Face(
    EstimatePoints(),
    wire=V1,
    path="projects/{project_id}/estimates/{estimate_id}/estimate-points",
    key="estimate_point_id",
    body=EstimatePointIn,
    shown=EstimatePointOut,
    nulls={"description": ""},
    scope="projects.estimates",
    order_by=("key",),
    verbs=("update", "delete"),
)


async def list_all_points(call: Call) -> list[Row]:
    """Every point of the estimate, in order. Raises NotFound for an unknown estimate."""
    await check_parents(POINTS_V1, call)
    return await _show(call, await list_points(call, call.path["estimate_id"]))


async def create_points(call: Call) -> list[Row]:
    """Create the points in order, each with its event, or none. Raises NotFound, Invalid, Refused, Conflict."""

    async def work() -> list[Row]:
        sent = [to_columns(POINTS_V1, one) for one in call.body["estimate_points"]]
        return await _show(call, [await create_record(POINTS_V1, call, one) for one in sent])

    with wire_names(POINTS_V1):
        return await in_transaction(call, work)


async def list_points(call: Call, estimate_id: str) -> list[Row]:
    return await call.reader.fetch_all(_POINTS, workspace_id=call.workspace_id, estimate_id=estimate_id)


async def _show(call: Call, rows: list[Row]) -> list[Row]:
    return await shape_rows(call, POINTS_V1, rows, V1.read_shape(POINTS_V1, call.query))


def _read_number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


POINT_ROUTES = [
    Route(
        **place_of(POINTS_V1),
        face=POINTS_V1,
        method="GET",
        handler=list_all_points,
        scope="projects.estimates:read",
        name="list_estimate_points",
        summary="List the points of an estimate",
        shown=list[EstimatePointOut],
        query=V1.query(POINTS_V1, "retrieve"),
    ),
    Route(
        **place_of(POINTS_V1),
        face=POINTS_V1,
        method="POST",
        handler=create_points,
        scope="projects.estimates:write",
        name="create_estimate_points",
        summary="Add points to an estimate",
        role=POINTS_V1.record.write_role,
        status=201,
        body=EstimatePointsIn,
        bare="estimate_points",
        shown=list[EstimatePointOut],
        may_conflict=True,
        event="estimate.point.created",
    ),
]
