"""Labels of a project's work items."""

from datetime import datetime

import sqlalchemy as sa

from airside.db.base import Id, Row, metadata
from airside.rest.body import Body, Key, Name, Number, Short, Text, Uuid
from airside.rest.call import Call
from airside.rest.face import Face, Shown
from airside.rest.parameters import Contains
from airside.rest.parameters import Id as OneId
from airside.rest.parameters import Text as WholeText
from airside.rest.record import Record, Reference
from airside.rest.wires.v1.wire import V1
from airside.rest.wires.v2.filters import Named, forms
from airside.rest.wires.v2.wire import V2
from airside.work.expansions import expand_project, expand_rows, expand_user, expand_workspace
from airside.work.rows import index_parents, index_records, live_unique, project_row
from airside.work.unique_names import check_name

FIRST_SORT = 65_535.0

labels = sa.Table(
    "labels",
    metadata,
    *project_row(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("color", sa.Text, nullable=False),
    sa.Column("sort_order", sa.Float, nullable=False),
    sa.Column("parent_id", Id),
)
index_records(labels)
sa.Index("ix_labels_order", labels.c.workspace_id, labels.c.project_id, labels.c.sort_order, labels.c.id)
index_parents(labels)
live_unique("uq_labels_name", labels.c.workspace_id, labels.c.project_id, labels.c.name)


class LabelIn(Body):
    example = {"name": "bug", "color": "#e5484d"}

    name: Name
    color: Short = ""
    description: Text = ""
    sort_order: Number = FIRST_SORT
    parent: Uuid | None = None
    external_source: Key | None = None
    external_id: Key | None = None


class LabelOut(Shown):
    id: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    name: str
    description: str
    color: str
    sort_order: float
    external_source: str | None
    external_id: str | None
    created_by: str | None
    updated_by: str | None
    workspace: str
    project: str
    parent: str | None


class Labels(Record):
    noun = "Label"
    about = "A project's labels."
    table = labels
    event = "label"
    references = {"parent_id": Reference(labels, "project_id")}

    async def before_create(self, call: Call, row: Row, /) -> None:
        await check_name(self, call, row["name"])

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        if changes.get("name", row["name"]) != row["name"]:
            await check_name(self, call, changes["name"])


LABELS = Labels()
LABELS_V1 = Face(
    LABELS,
    wire=V1,
    path="projects/{project_id}/labels",
    key="label_id",
    body=LabelIn,
    shown=LabelOut,
    scope="projects.labels",
    order_by=("-created_at",),
    expands={
        "project": expand_project,
        "workspace": expand_workspace,
        "created_by": expand_user,
        "parent": expand_rows(labels, "name", "color"),
    },
)


class LabelInV2(Body):
    example = {"name": "bug", "color": "#e5484d"}

    name: Name
    color: Short | None = ""
    description: Text | None = ""
    parent_id: Uuid | None = None
    sort_order: Number | None = FIRST_SORT
    external_id: Key | None = None
    external_source: Key | None = None


class LabelOutV2(Shown):
    id: str
    name: str
    color: str
    description: str
    parent_id: str | None
    sort_order: float
    external_id: str | None
    external_source: str | None
    created_at: datetime
    created_by_id: str | None


LABELS_V2 = Face(
    LABELS,
    wire=V2,
    path="projects/{project_id}/labels",
    key="label_id",
    body=LabelInV2,
    shown=LabelOutV2,
    nulls={"color": "", "description": "", "sort_order": FIRST_SORT},
    scope="projects.labels",
    order_by=("sort_order",),
    order_names=("created_at", "id", "sort_order"),
    filters={
        "external_id": WholeText(),
        "external_source": WholeText(),
        "name": Named(),
        **forms("parent_id", OneId(), "isnull"),
        "search": Contains("name"),
    },
    identifiers=True,
    webhooks=LABELS_V1,
)
