"""Stickies: a person's own notes in a workspace, which nobody else sees."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, Json, Row, metadata
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.identity.describe import find_users
from airside.rest.body import Body, Html, Label, Number, Properties, Short
from airside.rest.call import Call
from airside.rest.computed import constants
from airside.rest.face import Face, Shown
from airside.rest.parameters import Contains, Text
from airside.rest.parameters import Id as OneId
from airside.rest.record import GUEST, Level, Narrowing, Record
from airside.rest.wires.v1.wire import V1
from airside.rest.wires.v2.wire import V2
from airside.rich_text.html import EMPTY, clean_html
from airside.work.expansions import expand_workspace
from airside.work.rows import workspace_row

FIRST_SORT, SORT_STEP = 65_535.0, 10_000.0

stickies = sa.Table(
    "stickies",
    metadata,
    *workspace_row(),
    sa.Column("owner_id", Id, nullable=False),
    sa.Column("name", sa.Text),
    sa.Column("description", Json, nullable=False),
    sa.Column("description_html", sa.Text, nullable=False),
    sa.Column("description_stripped", sa.Text, nullable=False),
    sa.Column("logo_props", Json, nullable=False),
    sa.Column("color", sa.Text),
    sa.Column("background_color", sa.Text),
    sa.Column("sort_order", sa.Float, nullable=False),
)
sa.Index("ix_stickies_owner", stickies.c.workspace_id, stickies.c.owner_id, stickies.c.sort_order.desc())

_OWN = (stickies.c.owner_id == sa.bindparam("viewer_id", type_=Id()),)
_LAST_SORT = Statement(
    sa.select(sa.func.max(stickies.c.sort_order).label("last")).where(tenant(stickies), *_OWN, live(stickies))
)


class StickyIn(Body):
    example = {"name": "Remember", "description_html": "<p>Oil the wheel.</p>"}

    name: Label | None = None
    description: Properties | None = None
    description_html: Html | None = None
    logo_props: Properties | None = None
    color: Short | None = None
    background_color: Short | None = None
    sort_order: Number | None = None


class StickyOut(Shown):
    id: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    name: str | None
    description: dict[str, Any]
    description_html: str
    description_stripped: str
    description_binary: str | None
    logo_props: dict[str, Any]
    color: str | None
    background_color: str | None
    sort_order: float
    created_by: str | None
    updated_by: str | None
    workspace: str
    owner: str


class Stickies(Record):
    noun = "Sticky"
    about = "A person's own notes in a workspace."
    table = stickies
    level = Level.WORKSPACE
    event = None
    eventless = "a person's own note, which no webhook may read"
    write_role = GUEST
    computed = constants(description_binary=None)
    defaults = {"description": {}}

    async def narrow(self, call: Call, /) -> Narrowing:
        return Narrowing(_OWN, {"viewer_id": call.caller.user_id})

    async def prepare(self, call: Call, sent: Row, /) -> None:
        if "description_html" in sent:
            html = sent["description_html"] or EMPTY
            call.prepared["text"] = await clean_html(html, "description_html")

    async def before_create(self, call: Call, row: Row, /) -> None:
        row["owner_id"] = call.caller.user_id
        _complete(call, row)
        if row["sort_order"] is None:
            keys = {"workspace_id": call.workspace_id, "viewer_id": call.caller.user_id}
            last = await call.reader.fetch_value(_LAST_SORT, **keys)
            row["sort_order"] = FIRST_SORT if last is None else last + SORT_STEP

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        _complete(call, changes)


def _complete(call: Call, columns: Row) -> None:
    if "description_html" in columns:
        columns["description_html"], columns["description_stripped"] = call.prepared["text"]
    for name in ("description", "logo_props"):
        if name in columns:
            columns[name] = columns[name] or {}


STICKIES = Stickies()
STICKIES_V1 = Face(
    STICKIES,
    wire=V1,
    path="stickies",
    key="sticky_id",
    body=StickyIn,
    shown=StickyOut,
    scope="stickies",
    order_by=("-sort_order",),
    filters={"query": Contains("description_stripped", "Only those whose text contains this.")},
    expands={"owner": find_users, "created_by": find_users, "workspace": expand_workspace},
    page_size=20,
    page_limit=100,
)


class StickyInV2(Body):
    example = {"name": "Remember", "description_html": "<p>Oil the wheel.</p>"}

    name: Label | None = None
    description_html: Html | None = None
    color: Short | None = None
    background_color: Short | None = None
    logo_props: Properties | None = None
    sort_order: Number | None = None


class StickyOutV2(Shown):
    id: str
    name: str | None
    description_html: str
    description_stripped: str
    color: str | None
    background_color: str | None
    logo_props: dict[str, Any]
    owner_id: str
    sort_order: float
    created_at: datetime
    created_by_id: str | None


STICKIES_V2 = Face(
    STICKIES,
    wire=V2,
    path="stickies",
    key="sticky_id",
    body=StickyInV2,
    shown=StickyOutV2,
    deferred=("description_html",),
    scope="stickies",
    order_by=("-sort_order",),
    order_names=("created_at", "id", "sort_order"),
    filters={"color": Text(), "owner_id": OneId(), "search": Contains("description_stripped")},
    identifiers=True,
    webhooks=STICKIES_V1,
)
