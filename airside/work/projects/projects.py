"""Projects: create with default states and members, archive, delete."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

import sqlalchemy as sa
from msgspec import Meta

from airside.assets.files import delete_files_of_project
from airside.db.base import Id, Row
from airside.db.conditions import live, tenant
from airside.db.statements import Statement, any_of
from airside.errors import Conflict, Invalid, Refused
from airside.events.outbox import Change
from airside.installations.project_choice import add_to_choice
from airside.rest.archive import archive_routes
from airside.rest.body import AnyProperties, Body, Html, Key, Name, Short, Text, Uuid
from airside.rest.call import Call
from airside.rest.computed import Computed, constants
from airside.rest.face import Face, Shown
from airside.rest.gate import record_created
from airside.rest.parameters import Flag, read_parameter
from airside.rest.record import ADMIN, EVERYTHING, MEMBER, Narrowing, Record
from airside.rest.totals import count_for_each
from airside.rest.wires.v1.wire import V1
from airside.rich_text.html import clean_html
from airside.system.time_zones import is_time_zone
from airside.work.access import PUBLIC, in_listed_projects
from airside.work.expansions import expand_user, expand_workspace
from airside.work.identifiers import find_project_id
from airside.work.planning.estimate_tables import estimates
from airside.work.planning.totals import load_totals
from airside.work.projects.members import (
    check_lead_scope,
    lead_role,
    make_lead,
    new_membership,
)
from airside.work.projects.states import STATES_V1, states
from airside.work.projects.tables import project_members, projects
from airside.work.state_catalog import start_states
from airside.workspaces.tables import workspace_members

Months = Annotated[int, Meta(ge=0, le=12)]
IDENTIFIER_LENGTH = 12
Identifier = Annotated[str, Meta(min_length=1, max_length=IDENTIFIER_LENGTH)]

# Characters that Plane refuses in an identifier. Any other printable character is valid, including inner spaces.
_FORBIDDEN = re.compile("[&+,:;$^}{*=?@#|'<>.()%!-]")


class NameTaken(Conflict):
    """Another project has the name, or the identifier."""

    code = "project_name_taken"

    def __init__(self) -> None:
        super().__init__("The project name is already taken")


_MEMBERS = Statement(
    sa.select(project_members.c.project_id, sa.func.count().label("total"))
    .where(
        tenant(project_members),
        any_of(project_members.c.project_id, "ids"),
        live(project_members),
    )
    .group_by(project_members.c.project_id)
)
_ROLES = Statement(
    sa.select(project_members.c.project_id, project_members.c.role).where(
        tenant(project_members),
        any_of(project_members.c.project_id, "ids"),
        project_members.c.member_id == sa.bindparam("user_id", type_=Id()),
        live(project_members),
    )
)


def _taken(name: str) -> sa.Select[*tuple[Any, ...]]:
    """Projects with the same name or identifier, each found by its own index."""
    return sa.select(projects.c.id, projects.c.name, projects.c.identifier).where(
        tenant(projects),
        projects.c[name] == sa.bindparam(name),
        projects.c.id != sa.bindparam("own_id", type_=Id()),
        live(projects),
    )


_TAKEN = Statement(sa.union_all(_taken("name"), _taken("identifier")))


class ProjectIn(Body):
    example = {"name": "Apollo", "identifier": "APO"}

    name: Name
    identifier: Identifier
    description: Text = ""
    description_text: Text | None = None
    description_html: Html | None = None
    network: Annotated[int, Meta(ge=0, le=2)] = PUBLIC
    project_lead: Uuid | None = None
    default_assignee: Uuid | None = None
    default_state: Uuid | None = None
    emoji: Short | None = None
    icon_prop: AnyProperties = None
    logo_props: AnyProperties = None
    cover_image: Text | None = None
    module_view: bool = False
    cycle_view: bool = False
    issue_views_view: bool = False
    page_view: bool = True
    intake_view: bool = False
    is_time_tracking_enabled: bool = False
    is_issue_type_enabled: bool = False
    guest_view_all_features: bool = False
    archive_in: Months = 0
    close_in: Months = 0
    timezone: Short = "UTC"
    estimate: Uuid | None = None
    cover_image_asset: Uuid | None = None
    external_source: Key | None = None
    external_id: Key | None = None


class ProjectOut(Shown):
    id: str
    total_members: int
    total_cycles: int
    total_modules: int
    is_member: bool
    sort_order: float
    member_role: int | None
    is_deployed: bool
    cover_image_url: str | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    name: str
    description: str
    description_text: str | None
    description_html: str | None
    network: int
    identifier: str
    emoji: str | None
    icon_prop: Any
    module_view: bool
    cycle_view: bool
    issue_views_view: bool
    page_view: bool
    intake_view: bool
    is_time_tracking_enabled: bool
    is_issue_type_enabled: bool
    guest_view_all_features: bool
    cover_image: str | None
    archive_in: int
    close_in: int
    logo_props: Any
    archived_at: datetime | None
    timezone: str
    external_source: str | None
    external_id: str | None
    created_by: str | None
    updated_by: str | None
    workspace: str
    default_assignee: str | None
    project_lead: str | None
    cover_image_asset: str | None
    estimate: str | None
    default_state: str | None


async def _load_members(call: Call, rows: Sequence[Row]) -> Mapping[str, Row]:
    async def count(ids: list[str]) -> Mapping[str, Row]:
        found = await call.reader.fetch_all(_MEMBERS, workspace_id=call.workspace_id, ids=ids)
        return {row["project_id"]: row for row in found}

    return await count_for_each(call, _MEMBERS, [row["id"] for row in rows], "total", count)


async def _load_roles(call: Call, rows: Sequence[Row]) -> Mapping[str, int]:
    keys = {"workspace_id": call.workspace_id, "user_id": call.caller.user_id}
    found = await call.reader.fetch_all(_ROLES, **keys, ids=[row["id"] for row in rows])
    return {row["project_id"]: row["role"] for row in found}


class Projects(Record):
    noun = "Project"
    table = projects
    event = "project"
    event_project = "id"
    unlisted = ("last_sequence", "more_features")
    unserved = ("cover_image_asset",)
    computed = {
        "total_members": Computed(load=_load_members, part="total", empty=0),
        "total_cycles": Computed(load=load_totals, part="cycles", empty=0),
        "total_modules": Computed(load=load_totals, part="modules", empty=0),
        "member_role": Computed(load=_load_roles),
        "is_member": Computed(of=lambda row: row["member_role"] is not None),
        "cover_image_url": Computed(of=lambda row: row["cover_image"]),
        **constants(  # of resources that aren't supported yet; Plane shows these values when they are unused
            sort_order=65535.0,
            is_deployed=False,
            cover_image_asset=None,
        ),
    }
    read_role = 0  # anybody whom the guard admits to a public project may read it
    create_role = MEMBER
    write_role = ADMIN

    async def identify(self, call: Call, identifier: str, /) -> str | None:
        return await find_project_id(call, identifier)

    async def narrow(self, call: Call, /) -> Narrowing:
        return EVERYTHING if call.project else in_listed_projects(call)

    async def prepare(self, call: Call, sent: Row, /) -> None:
        if sent.get("description_html"):
            cleaned = await clean_html(sent["description_html"], "description_html")
            call.prepared["description_html"] = cleaned.html

    async def before_create(self, call: Call, row: Row, /) -> None:
        row |= call.prepared
        row["identifier"] = _clean_identifier(row["identifier"])
        _check_timezone(row["timezone"])
        if row["default_state_id"]:
            raise Invalid({"default_state": ["A project that is being created has no states yet."]})
        if row["estimate_id"]:
            raise Invalid({"estimate": ["A project that is being created has no estimate yet."]})
        await _check_people(call, row)
        await _check_taken(call, row["name"], row["identifier"], row["id"])
        row |= {"archived_at": None, "last_sequence": 0, "more_features": {}}

    async def after_create(self, call: Call, row: Row, /) -> None:
        if call.is_import:  # its members and states come with it
            return
        creator, lead = call.caller.user_id, row["project_lead_id"]
        roles = {creator: ADMIN}
        if lead and lead != creator:
            check_lead_scope(call)
            roles[lead] = await lead_role(call, lead)
        for user_id, role in roles.items():
            await call.writer.insert(project_members, new_membership(call, row["id"], user_id, role))
        await start_states(call, row["id"])
        if call.caller.installation_id is not None:
            await add_to_choice(call.writer, call.site, call.caller.installation_id, row["id"])

    async def after_event(self, call: Call, action: str, row: Row, changes: Sequence[Change], /) -> None:
        """The states that a new project begins with have their events after the project's own."""
        if action == "created":
            keys = {"workspace_id": call.workspace_id, "project_id": row["id"]}
            for state in await call.reader.find_all(states, **keys):
                await record_created(call, STATES_V1, state)

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        changes |= call.prepared
        if row["archived_at"]:
            raise Refused("Archived project cannot be updated")
        if "identifier" in changes:
            changes["identifier"] = _clean_identifier(changes["identifier"])
        _check_timezone(changes.get("timezone", "UTC"))
        changed = {name: value for name, value in changes.items() if value != row[name]}
        await _check_people(call, changed)
        await _check_own(call, states, changed, "default_state_id")
        await _check_own(call, estimates, changed, "estimate_id")
        await _check_taken(
            call, changes.get("name", row["name"]), changes.get("identifier", row["identifier"]), row["id"]
        )

    async def after_update(self, call: Call, row: Row, changes: Row, /) -> None:
        if changes.get("project_lead_id"):
            await make_lead(call, changes["project_lead_id"])

    async def before_delete(self, call: Call, row: Row, /) -> None:
        await delete_files_of_project(call, row["id"])


PROJECTS = Projects()
PROJECTS_V1 = Face(
    PROJECTS,
    wire=V1,
    path="projects",
    key="project_id",
    body=ProjectIn,
    shown=ProjectOut,
    scope="projects",
    expands={
        "workspace": expand_workspace,
        "project_lead": expand_user,
        "default_assignee": expand_user,
        "created_by": expand_user,
    },
)


_INCLUDE_ARCHIVED = Flag(sentence="Archived projects, too; `false` by default.")


class ProjectLite(Shown):
    id: str
    identifier: str
    name: str
    cover_image: str | None
    icon_prop: Any
    emoji: str | None
    description: str
    cover_image_url: str | None
    archived_at: datetime | None


_UNARCHIVED = Narrowing((projects.c.archived_at.is_(None),))


async def _list_unarchived(call: Call) -> Narrowing:
    return EVERYTHING if read_parameter(_INCLUDE_ARCHIVED, "include_archived", call.query) else _UNARCHIVED


# The short list for clients' project pickers.
PROJECTS_LITE_V1 = replace(
    PROJECTS_V1,
    path="projects-lite",
    noun="Project Lite",
    verbs=("list",),
    shown=ProjectLite,
    sortable=ProjectOut,  # readable with the same scope at `projects`
    page_size=1000,
    listed=_list_unarchived,
    summaries={"list": "List projects in short"},
    queries={"include_archived": _INCLUDE_ARCHIVED},
)


PROJECT_ROUTES = archive_routes(PROJECTS_V1, "project")


def _clean_identifier(text: str) -> str:
    """Strip and convert to upper case. Raises Invalid."""
    identifier = text.strip().upper()
    if not identifier:
        raise Invalid({"identifier": ["This field may not be blank."]})
    if _FORBIDDEN.search(identifier) or not identifier.isprintable():
        raise Invalid.whole("Project identifier cannot contain special characters.")
    if len(identifier) > IDENTIFIER_LENGTH:  # "ß" becomes two letters in upper case
        raise Invalid({"identifier": [f"Ensure this field has no more than {IDENTIFIER_LENGTH} characters."]})
    return identifier


def _check_timezone(name: str) -> None:
    if not is_time_zone(name):
        raise Invalid({"timezone": [f'"{name}" is not a valid choice.']})


async def _check_people(call: Call, columns: Row) -> None:
    for column, name in (("project_lead_id", "project_lead"), ("default_assignee_id", "default_assignee")):
        user_id = columns.get(column)
        if user_id and not await call.reader.find(
            workspace_members, workspace_id=call.workspace_id, user_id=user_id, is_active=True
        ):
            raise Invalid({name: ["The provided user is not a member of this workspace."]})


async def _check_own(call: Call, table: sa.Table, columns: Row, column: str) -> None:
    """Raises Invalid for an id that is none of the project's own records in this table."""
    record_id = columns.get(column)
    keys = {"workspace_id": call.workspace_id, "project_id": call.project_id, "id": record_id}
    found = await call.reader.find(table, **keys) if record_id else None
    if record_id and (found is None or found["deleted_at"] is not None):
        raise Invalid({column: [f'Invalid pk "{record_id}" - object does not exist.']})


async def _check_taken(call: Call, name: str, identifier: str, own_id: str) -> None:
    taken = await call.reader.fetch_value(
        _TAKEN, workspace_id=call.workspace_id, name=name, identifier=identifier, own_id=own_id
    )
    if taken is not None:
        raise NameTaken
