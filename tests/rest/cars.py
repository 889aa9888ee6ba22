"""A small record of the tests' own, at both levels, with two sets of links: a car, its labels and its drivers."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable

from airside.db.base import Id, Instant, Row, new_id, stamps, tenant_key
from airside.db.conditions import live, tenant
from airside.db.database import Database
from airside.db.postgres import PostgresDatabase
from airside.db.statements import Statement, any_of
from airside.rest.body import Body, Key, Name, Uuid
from airside.rest.call import Call
from airside.rest.computed import Computed, constants
from airside.rest.face import Face, Shown
from airside.rest.links import Links, link_routes
from airside.rest.parameters import Link, Many, Number
from airside.rest.record import Level, Parent, Record, Reference
from airside.rest.routes import Table
from airside.rest.singleton import singleton_routes
from airside.rest.wires.v1.wire import V1
from airside.work.projects.labels import LABELS_V1, labels
from airside.work.rows import external_columns, live_unique
from airside.workspaces.tables import workspace_members

_own = sa.MetaData()  # not the application's: no migration creates these

cars = sa.Table(
    "test_cars",
    _own,
    *tenant_key(),
    sa.Column("project_id", Id),  # None: of the workspace
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("archived_at", Instant),
    *stamps(),
    *external_columns(),
)
car_labels = sa.Table(
    "test_car_labels",
    _own,
    *tenant_key(),
    sa.Column("car_id", Id, nullable=False),
    sa.Column("label_id", Id, nullable=False),
    *stamps(),
)
car_insurances = sa.Table(
    "test_car_insurances",
    _own,
    *tenant_key(),
    sa.Column("project_id", Id, nullable=False),
    sa.Column("car_id", Id, nullable=False),
    sa.Column("insurer", sa.Text),
    sa.Column("is_valid", sa.Boolean, nullable=False),
    *stamps(),
)
car_drivers = sa.Table(
    "test_car_drivers",
    _own,
    *tenant_key(),
    sa.Column("car_id", Id, nullable=False),
    sa.Column("driver_id", Id, nullable=False),
    sa.Column("seat", sa.Text),
    *stamps(),
)
live_unique("uq_test_car_labels", car_labels.c.workspace_id, car_labels.c.car_id, car_labels.c.label_id)


class CarIn(Body):
    name: Name
    labels: list[Uuid] = []
    external_source: Key | None = None
    external_id: Key | None = None


class CarOut(Shown):
    id: str
    name: str
    labels: list[str]
    label_count: int
    wheels: int
    project: str | None
    archived_at: datetime | None
    created_at: datetime
    external_source: str | None
    external_id: str | None


_LABELS_OF = Statement(
    sa.select(car_labels.c.car_id, car_labels.c.label_id)
    .where(tenant(car_labels), any_of(car_labels.c.car_id, "ids"), live(car_labels))
    .order_by(car_labels.c.id)
)
_COUNT_OF = (
    sa.select(sa.func.count())
    .select_from(car_labels)
    .where(
        car_labels.c.workspace_id == cars.c.workspace_id,
        car_labels.c.car_id == cars.c.id,
        live(car_labels),
    )
    .scalar_subquery()
)
loads: list[int] = []  # of how many rows, one for each run


async def _load_labels(call: Call, rows: Sequence[Row]) -> Mapping[str, Any]:
    loads.append(len(rows))
    found: dict[str, list[str]] = {}
    ids = [row["id"] for row in rows]
    for link in await call.reader.fetch_all(_LABELS_OF, workspace_id=call.workspace_id, ids=ids):
        found.setdefault(link["car_id"], []).append(link["label_id"])
    return {car: {"labels": labels, "count": len(labels)} for car, labels in found.items()}


class Cars(Record):
    noun = "Car"
    table = cars
    level = Level.BOTH
    event = "module"  # one that the catalog has and nothing records
    references = {"labels": Reference(labels)}
    computed = {
        "labels": Computed(
            load=_load_labels,
            part="labels",
            empty=[],
            event_name="label_ids",
            is_list=True,
            filter=Many(link=Link(car_labels, "car_id", "label_id", (live(car_labels),))),
        ),
        "label_count": Computed(
            load=_load_labels, part="count", empty=0, sql=_COUNT_OF, filter=Number(), event_name="label_count"
        ),
        **constants(wheels=4),
    }

    async def before_create(self, call: Call, row: Row, /) -> None:
        row["archived_at"] = None

    async def after_create(self, call: Call, row: Row, /) -> None:
        await _link(call, row)

    async def after_update(self, call: Call, row: Row, changes: Row, /) -> None:
        if "labels" in changes:
            await call.writer.delete(car_labels, workspace_id=call.workspace_id, car_id=row["id"])
            await _link(call, row)


async def _link(call: Call, row: Row) -> None:
    stamped = {"created_at": call.now, "updated_at": call.now}
    for one in row["labels"]:
        link = {"workspace_id": call.workspace_id, "id": new_id(), "car_id": row["id"], "label_id": one}
        await call.writer.insert(car_labels, {**link, **stamped})


CARS = Cars()
PROJECT_CARS = Face(
    CARS,
    wire=V1,
    path="projects/{project_id}/cars",
    key="car_id",
    body=CarIn,
    shown=CarOut,
    scope="projects.modules",
)
WORKSPACE_CARS = replace(PROJECT_CARS, path="cars", noun="Workspace car")


class CarLabelsIn(Body):
    label_ids: list[Uuid]


class CarLabels(Record):
    noun = "Car label"
    table = car_labels
    event = "workitem.relation"  # as above
    parents = (Parent("car_id", cars, "car_id"),)
    references = {"label_id": Reference(labels, "project_id")}


class CarLabelOut(Shown):
    id: str
    label: str


CAR_LABELS = Links(
    Face(
        CarLabels(),
        wire=V1,
        path="projects/{project_id}/cars/{car_id}/labels",
        key="label_id",
        body=CarLabelsIn,
        shown=CarLabelOut,
        scope="projects.modules",
    ),
    under=PROJECT_CARS,
    column="label_id",
    ids="label_ids",
    shows=LABELS_V1,
    removal=CarLabelsIn,
)


class InsuranceIn(Body):
    insurer: str | None = None
    is_valid: bool = False


class InsuranceOut(Shown):
    car: str
    insurer: str | None
    is_valid: bool
    updated_at: datetime | None


class Insurances(Record):
    """Of each car one, which nobody makes."""

    noun = "Car insurance"
    table = car_insurances
    event = "cycle"  # as above
    parents = (Parent("car_id", cars, "car_id"),)


CAR_INSURANCE = Face(
    Insurances(),
    wire=V1,
    path="projects/{project_id}/cars/{car_id}/insurance",
    key="insurance_id",
    verbs=(),
    body=InsuranceIn,
    shown=InsuranceOut,
    scope="projects.modules",
)


class DriverIn(Body):
    driver: Uuid
    seat: str | None = None


class DriverOut(Shown):
    driver: str
    seat: str | None


class CarDrivers(Record):
    noun = "Car driver"
    table = car_drivers
    level = Level.WORKSPACE
    event = None
    eventless = "only tests have it"
    parents = (Parent("car_id", cars, "car_id"),)
    references = {"driver_id": Reference(workspace_members, column="user_id")}


CAR_DRIVERS = Links(
    Face(
        CarDrivers(),
        wire=V1,
        path="cars/{car_id}/drivers",
        key="driver_id",
        body=DriverIn,
        shown=DriverOut,
        scope="projects.modules",
    ),
    under=WORKSPACE_CARS,
    column="driver_id",
    ids="driver",
    add_status=204,
)
CAR_TABLE: Table = (
    PROJECT_CARS,
    WORKSPACE_CARS,
    *link_routes(CAR_LABELS, "car label", "car labels"),
    *link_routes(CAR_DRIVERS, "car driver", "car drivers"),
    *singleton_routes(CAR_INSURANCE, "car insurance"),
)


@asynccontextmanager
async def with_own_tables(db: Database) -> AsyncIterator[None]:
    """Create the tables, and drop them in the end: a database is used again."""
    dialect = type(db).dialect
    drops = [f"DROP TABLE IF EXISTS {table.name}" for table in _own.sorted_tables]
    creates = [str(CreateTable(table).compile(dialect=dialect)) for table in _own.sorted_tables]
    indexes = [index for table in _own.sorted_tables for index in table.indexes]
    creates += [str(CreateIndex(index).compile(dialect=dialect)) for index in indexes]
    await _run(db, [*drops, *creates])
    try:
        yield
    finally:
        await _run(db, drops)


async def _run(db: Database, texts: list[str]) -> None:
    async with db.transaction() as tx:
        for text in texts:  # PostgreSQL counts no rows of them
            await (tx.fetch_all if isinstance(db, PostgresDatabase) else tx.execute)(Statement(sa.text(text)))
