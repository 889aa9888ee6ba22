"""Importing types of the workspace to a project, and adding properties to types and removing them."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import sqlalchemy as sa

from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import Invalid
from airside.rest.body import Body, Uuid
from airside.rest.call import Call
from airside.rest.computed import compute
from airside.rest.face import Shown
from airside.rest.gate import record_updated
from airside.rest.links import Links, add_links, link_routes, remove_link
from airside.rest.record import ADMIN
from airside.rest.references import unknown_ids
from airside.rest.route import Route
from airside.rest.selection import find_among, find_record
from airside.rest.verbs import in_transaction
from airside.rest.wires.v1.paths import WORKSPACE
from airside.work.types.levels import check_own
from airside.work.types.properties import PROPERTIES_V1, WORKSPACE_PROPERTIES_V1
from airside.work.types.tables import type_properties
from airside.work.types.type_properties import (
    TYPE_PROPERTIES,
    WORKSPACE_TYPE_PROPERTIES,
)
from airside.work.types.work_item_types import (
    WORK_ITEM_TYPES_V1,
    WORKSPACE_WORK_ITEM_TYPES_V1,
    import_type,
)

_PROPERTY_IDS = Statement(
    sa.select(type_properties.c.property_id)
    .where(
        tenant(type_properties),
        type_properties.c.type_id == sa.bindparam("type_id", type_=Id()),
        live(type_properties),
    )
    .order_by(type_properties.c.created_at, type_properties.c.id)
)

_PROJECT_LINKS = Links(
    TYPE_PROPERTIES,
    under=WORK_ITEM_TYPES_V1,
    column="property_id",
    ids="properties",
    shows=PROPERTIES_V1,
    add_status=204,
)
_WORKSPACE_LINKS = Links(
    WORKSPACE_TYPE_PROPERTIES,
    under=WORKSPACE_WORK_ITEM_TYPES_V1,
    column="property_id",
    ids="properties",
    shows=WORKSPACE_PROPERTIES_V1,
    add_status=204,
)


class AttachedOut(Shown):
    properties: list[str]


class ImportIn(Body):
    """The Node SDK names them `work_item_type_ids`."""

    work_item_types: list[Uuid] | None = None
    work_item_type_ids: list[Uuid] | None = None


async def list_property_ids(links: Links, call: Call) -> list[str]:
    """The ids of the type's properties. Raises NotFound."""
    item_type = await find_record(links.under, call, call.path["type_id"])
    rows = await call.reader.fetch_all(_PROPERTY_IDS, workspace_id=call.workspace_id, type_id=item_type["id"])
    return [row["property_id"] for row in rows]


async def attach(links: Links, call: Call) -> None:
    """Add properties to a type. Raises Invalid by the position of an unknown id."""
    check_own(call, await find_record(links.under, call, call.path["type_id"]))
    ids = _read_ids(call, "properties", "property_id")
    if not ids:
        raise Invalid({"properties": ["This field is required."]}, {"properties": "required"})
    call.body = {"properties": ids}
    await add_links(links, call)


async def attach_in_project(call: Call) -> Row:
    """Add properties to a type; returns the ids of all that it has then."""
    await attach(_PROJECT_LINKS, call)
    return {"properties": await list_property_ids(_PROJECT_LINKS, call)}


async def detach(links: Links, call: Call) -> None:
    """Remove a property from a type. Raises NotFound for one that the type doesn't have."""
    check_own(call, await find_record(links.under, call, call.path["type_id"]))
    await remove_link(links, call)


async def import_types(call: Call) -> None:
    """Make types of the workspace the project's, too. Raises Invalid by the position of an unknown id."""
    ids = _read_ids(call, "work_item_types", "work_item_type_ids")
    if not ids:
        raise Invalid({"work_item_types": ["This field is required."]}, {"work_item_types": "required"})
    await in_transaction(call, lambda: _import(call, ids))


def _read_ids(call: Call, *names: str) -> list[str]:
    """The ids of these fields, each once. A field has one, a list or null."""
    found: list[str] = []
    for name in names:
        value: str | list[str] | None = call.body.get(name)
        found += [] if value is None else [value] if isinstance(value, str) else value
    return list(dict.fromkeys(found))


async def _import(call: Call, ids: Sequence[str]) -> None:
    face = WORKSPACE_WORK_ITEM_TYPES_V1
    project, call.project = call.project, {}  # the types are found where they live
    try:
        rows = await find_among(face, call, "id", ids, lock=True)
    finally:
        call.project = project
    missing = [one for one in ids if one not in {row["id"] for row in rows}]
    if missing:
        raise Invalid({"work_item_types": unknown_ids(list(ids), missing)})
    await compute(face.record.computed, call, rows)
    for row in rows:
        if project["id"] not in row["project_ids"]:
            await import_type(call, row, [project["id"]])
            after = {**row, "project_ids": [*row["project_ids"], project["id"]]}
            await record_updated(call, face, row, after, ("project_ids",))


def _attach_routes(links: Links, noun: str, **attached: Any) -> list[Route]:
    _, add, remove = link_routes(links, noun, f"{noun[:-1]}ies")
    return [replace(add, **attached), replace(remove, handler=partial(detach, links))]


_PATH = "projects/{project_id}/"
TYPE_ROUTES = [
    Route(
        method="POST",
        path=f"{WORKSPACE}{_PATH}import-work-item-types",
        aliases=(f"{WORKSPACE}{_PATH}work-item-types/import-work-item-types",),
        handler=import_types,
        scope="projects.work_item_types:write",
        name="import_work_item_types",
        summary="Import types of the workspace into a project",
        role=ADMIN,
        status=204,
        body=ImportIn,
        event="work_item_type.updated",
        face=WORK_ITEM_TYPES_V1,
    ),
    replace(
        link_routes(
            _WORKSPACE_LINKS, "workspace work item type property", "workspace work item type properties"
        )[0],
        handler=partial(list_property_ids, _WORKSPACE_LINKS),
        shown=list[str],
        paged=False,
        query={},
    ),
    *_attach_routes(
        _WORKSPACE_LINKS, "workspace work item type property", handler=partial(attach, _WORKSPACE_LINKS)
    ),
    *_attach_routes(
        _PROJECT_LINKS,
        "work item type property",
        handler=attach_in_project,
        status=201,
        shown=AttachedOut,
    ),
]
