"""What a work item of a type consists of: its fields with their choices, and the custom properties of the type.

For programs that fill in a work item, such as agents, and so need to know what may be sent."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from airside.db.base import Id as IdType
from airside.db.base import Row
from airside.db.conditions import in_project, live, tenant
from airside.db.statements import Statement
from airside.errors import NotFound
from airside.identity.tables import users
from airside.rest.call import Call
from airside.rest.face import Shown
from airside.rest.parameters import Id, described, read_parameter
from airside.rest.route import Route
from airside.rest.wires.v1.lists import split_names
from airside.rest.wires.v1.paths import WORKSPACE
from airside.work.projects.labels import labels
from airside.work.projects.states import states
from airside.work.projects.tables import project_members
from airside.work.types.inline_options import find_options
from airside.work.types.item_types import find_default_type, list_properties
from airside.work.types.tables import work_item_types

MAX_CHOICES = 1000  # of one field

PRIORITIES = ("urgent", "high", "medium", "low", "none")


def _choices_of(table: sa.Table, order: sa.ColumnElement[Any], *columns: sa.ColumnElement[Any]) -> Statement:
    clause = sa.select(table.c.id, *columns).where(
        tenant(table), table.c.project_id == sa.bindparam("project_id", type_=IdType()), live(table)
    )
    return Statement(clause.order_by(order, table.c.id).limit(MAX_CHOICES))


_STATES = _choices_of(states, states.c.sequence, states.c.name, states.c.group)
_LABELS = _choices_of(labels, labels.c.sort_order, labels.c.name, labels.c.color)
_MEMBERS = Statement(
    sa.select(users.c.id, users.c.display_name)
    .join(project_members, project_members.c.member_id == users.c.id)
    .where(
        tenant(project_members),
        project_members.c.project_id == sa.bindparam("project_id", type_=IdType()),
        live(project_members),
    )
    .order_by(users.c.display_name, users.c.id)
    .limit(MAX_CHOICES)
)
_TYPE = Statement(
    sa.select(work_item_types).where(
        tenant(work_item_types),
        in_project(work_item_types),
        work_item_types.c.id == sa.bindparam("type_id", type_=IdType()),
        live(work_item_types),
    )
)


class TypeSchemaOut(Shown):
    """Fields and custom fields by their name."""

    type_id: str | None
    type_name: str | None
    type_description: str | None
    type_logo_props: Any
    fields: dict[str, Any]
    custom_fields: dict[str, Any]


async def retrieve_schema(call: Call) -> Row:
    """Of the type in `type_id`, or the default one. Raises NotFound for a type that the project doesn't have."""
    type_id = read_parameter(Id(), "type_id", call.query) or await find_default_type(call)
    found = await call.reader.fetch_one(_TYPE, **_project(call), type_id=type_id) if type_id else None
    if type_id and found is None:
        raise NotFound
    return {
        "type_id": type_id,
        "type_name": found and found["name"],
        "type_description": found and found["description"],
        "type_logo_props": found and found["logo_props"],
        "fields": await _describe_fields(call, split_names(call.query.get("include", ""))),
        "custom_fields": await _describe_properties(call, type_id) if type_id else {},
    }


async def _describe_fields(call: Call, include: Sequence[str]) -> Row:
    fields: dict[str, Row] = {
        "name": {"type": "string", "required": True, "max_length": 255},
        "description_html": {"type": "html", "required": False},
        "priority": {
            "type": "option",
            "required": False,
            "options": [{"value": one, "label": one.capitalize()} for one in PRIORITIES],
        },
        "state_id": {"type": "uuid", "required": False, "options": await _choose(call, _STATES)},
        "assignee_ids": {"type": "uuid", "required": False, "is_multi": True},
        "label_ids": {"type": "uuid", "required": False, "is_multi": True},
        "start_date": {"type": "date", "required": False},
        "target_date": {"type": "date", "required": False},
        "parent_id": {"type": "uuid", "required": False},
    }
    if "members" in include:
        fields["assignee_ids"]["options"] = await _choose(call, _MEMBERS)
    if "labels" in include:
        fields["label_ids"]["options"] = await _choose(call, _LABELS)
    return fields


async def _describe_properties(call: Call, type_id: str) -> Row:
    owners = [one for one in await list_properties(call, type_id) if one["is_active"]]
    options = await find_options(call, owners)
    fields: Row = {}
    for one in owners:
        field = {name: one[name] for name in ("id", "name", "display_name", "is_multi", "relation_type")}
        field |= {"type": one["property_type"], "required": one["is_required"]}
        if one["id"] in options:
            active = [option for option in options[one["id"]] if option["is_active"]]
            field["options"] = [{name: option[name] for name in ("id", "name")} for option in active]
        fields[f"custom_field_{one['name']}"] = field
    return fields


async def _choose(call: Call, statement: Statement) -> Sequence[Row]:
    return await call.reader.fetch_all(statement, **_project(call))


def _project(call: Call) -> Row:
    return {"workspace_id": call.workspace_id, "project_id": call.project_id}


SCHEMA_ROUTE = Route(
    method="GET",
    path=WORKSPACE + "projects/{project_id}/work-item-types/schema",
    handler=retrieve_schema,
    scope="projects.work_item_types:read",
    name="retrieve_work_item_type_schema",
    summary="Describe what a work item of a type consists of",
    shown=TypeSchemaOut,
    query={
        "type_id": Id(sentence="The type; absent: the default one, if the project uses types.").describe(
            "type_id"
        ),
        "include": described(
            str, "Choices that are answered on request, separated by commas: members, labels."
        ),
    },
)
