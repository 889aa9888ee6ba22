"""THE TABLE of what moves: one line a family of records, in the order in which they are brought in.

A row is the record as API v1 shows it, without what is computed, and with the columns that API v1 doesn't show.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from airside.assets.tables import files
from airside.rest.face import Face, columns_of
from airside.rest.shaping import shown_names
from airside.work.intake.items import INTAKE_V1
from airside.work.pages.collection_members import COLLECTION_MEMBERS_V1
from airside.work.pages.collection_pages import COLLECTION_PAGES_V1
from airside.work.pages.collections import COLLECTIONS_V1
from airside.work.pages.pages import PAGES_V1, WORKSPACE_PAGES_V1
from airside.work.pages.tables import PRIVATE
from airside.work.pages.work_item_pages import WORK_ITEM_PAGES_V1
from airside.work.planning.cycle_work_items import CYCLE_WORK_ITEMS_V1
from airside.work.planning.cycles import CYCLES_V1
from airside.work.planning.estimate_points import POINTS_V1
from airside.work.planning.estimates import ESTIMATE_V1
from airside.work.planning.milestone_work_items import MILESTONE_WORK_ITEMS
from airside.work.planning.milestones import MILESTONES_V1
from airside.work.planning.module_links import MODULE_LINKS_V1
from airside.work.planning.modules import MODULES_V1
from airside.work.project_labels import PROJECT_LABELS_V1
from airside.work.project_states import PROJECT_STATES_V1
from airside.work.projects.labels import LABELS_V1
from airside.work.projects.members import PROJECT_MEMBERS_V1
from airside.work.projects.projects import PROJECTS_V1
from airside.work.projects.states import STATES_V1
from airside.work.stickies import STICKIES_V1
from airside.work.types.options import OPTIONS_V1, WORKSPACE_OPTIONS_V1
from airside.work.types.properties import PROPERTIES_V1, WORKSPACE_PROPERTIES_V1
from airside.work.types.type_properties import TYPE_PROPERTIES, WORKSPACE_TYPE_PROPERTIES
from airside.work.types.work_item_types import WORK_ITEM_TYPES_V1, WORKSPACE_WORK_ITEM_TYPES_V1
from airside.work.work_items.attachments import ATTACHMENTS_V1
from airside.work.work_items.comments import COMMENTS_V1
from airside.work.work_items.links import LINKS_V1
from airside.work.work_items.relation_definitions import RELATION_DEFINITIONS_V1
from airside.work.work_items.relations import RELATIONS_V1
from airside.work.work_items.work_items import WORK_ITEMS_V1
from airside.work.work_items.worklogs import WORKLOGS_V1
from airside.work.workspace_files import WORKSPACE_FILES_V1

PEOPLE, VALUES = "people", "property_values"
WITH_FILES = ("attachments", "workspace_files")
STAMPS = ("created_at", "updated_at", "created_by_id", "updated_by_id")
STAMP_FIELDS = (*STAMPS, "created_by", "updated_by")  # by their names in columns, and in the API
EXTERNAL = ("external_source", "external_id")


@dataclass(frozen=True, kw_only=True, eq=False)
class Family:
    """One kind of record. `needs` and `names` are its fields with ids: the family that they are of, or PEOPLE."""

    name: str  # of its file
    face: Face
    workspace_face: Face | None = None  # of those without a project, where there are both
    needs: Mapping[str, str] = field(default_factory=dict[str, str])  # without them it can't be there
    names: Mapping[str, str] = field(
        default_factory=dict[str, str]
    )  # one id, or a list of them; may be missing
    computed: tuple[str, ...] = ()  # fields that aren't columns, and are moved
    also: tuple[str, ...] = ()  # columns that API v1 doesn't show
    keeps: tuple[str, ...] = ()  # fields that stay as they were, whatever the rules for new records say
    settles: tuple[str, ...] = ()  # fields that are set when everything is there, since they forbid changes
    html: tuple[str, ...] = ()
    author: str = "created_by"  # the field with who made it
    is_private: Callable[[Mapping[str, Any]], bool] = lambda _: False  # whether its author alone sees it
    members: tuple[str, ...] = ()  # fields with people, of whom only members can be named
    above: Mapping[str, str] = field(default_factory=dict[str, str])  # parameter of the URL → field
    only: sa.ColumnElement[bool] | None = None  # which rows of its table are of this family

    @property
    def table(self) -> sa.Table:
        return self.face.table

    @cached_property
    def columns(self) -> Mapping[str, str]:
        """Field → key of the row, of all that is moved."""
        shown = columns_of(self.face, shown_names(self.face.shown))
        stored = {
            name: column
            for name, column in shown.items()
            if (column in self.table.c and column not in _UNMOVED and (name == column or column not in shown))
            or name in self.computed
        }
        return {**stored, **{name: name for name in self.also}}

    @cached_property
    def refers(self) -> Mapping[str, str]:
        return {**self.needs, **self.names}

    def face_of(self, row: Mapping[str, Any]) -> Face:
        """That of the row's level."""
        if self.workspace_face is None or project_of(row):
            return self.face
        return self.workspace_face


def project_of(row: Mapping[str, Any]) -> str | None:
    """The project of a row; None for one of the workspace."""
    return row.get("project") or row.get("project_id")


_UNMOVED = ("workspace_id", "deleted_at", "description_stripped", "comment_stripped", "storage_metadata")
_BY = {"created_by": PEOPLE, "updated_by": PEOPLE}
_IN_PROJECT = {"project": "projects"}
_OF_ITEM = {"project": "projects", "issue": "work_items"}

FAMILIES: tuple[Family, ...] = (
    Family(
        name="projects",
        face=PROJECTS_V1,
        names={
            **_BY,
            "project_lead": PEOPLE,
            "default_assignee": PEOPLE,
            "default_state": "states",
            "estimate": "estimates",
        },
        members=("project_lead", "default_assignee"),
        also=("more_features", "last_sequence"),
        keeps=("more_features",),
        settles=("default_state", "estimate", "archived_at", "last_sequence"),
        html=("description_html",),
    ),
    Family(
        name="project_members",
        face=PROJECT_MEMBERS_V1,
        needs={"project_id": "projects", "member": PEOPLE},
        members=("member",),
        names={"created_by_id": PEOPLE, "updated_by_id": PEOPLE},
        also=("project_id", *STAMPS),
        author="created_by_id",
    ),
    Family(name="project_states", face=PROJECT_STATES_V1, names=_BY),
    Family(name="project_labels", face=PROJECT_LABELS_V1, names=_BY),
    Family(name="states", face=STATES_V1, needs=_IN_PROJECT, names=_BY),
    Family(name="labels", face=LABELS_V1, needs=_IN_PROJECT, names={**_BY, "parent": "labels"}),
    Family(name="estimates", face=ESTIMATE_V1, needs=_IN_PROJECT, names=_BY),
    Family(
        name="estimate_points",
        face=POINTS_V1,
        needs={**_IN_PROJECT, "estimate": "estimates"},
        names=_BY,
        above={"estimate_id": "estimate"},
    ),
    Family(
        name="work_item_types",
        face=WORK_ITEM_TYPES_V1,
        workspace_face=WORKSPACE_WORK_ITEM_TYPES_V1,
        needs=_IN_PROJECT,
        names={**_BY, "project_ids": "projects"},
        computed=("project_ids",),
        settles=("is_active",),
    ),
    Family(
        name="work_item_properties",
        face=PROPERTIES_V1,
        workspace_face=WORKSPACE_PROPERTIES_V1,
        needs=_IN_PROJECT,
        names=_BY,
        also=("formula_config",),
        settles=("is_active", "default_value"),
    ),
    Family(
        name="work_item_property_options",
        face=OPTIONS_V1,
        workspace_face=WORKSPACE_OPTIONS_V1,
        needs={**_IN_PROJECT, "property": "work_item_properties"},
        names={**_BY, "parent": "work_item_property_options"},
        above={"property_id": "property"},
    ),
    Family(
        name="work_item_type_properties",
        face=TYPE_PROPERTIES,
        workspace_face=WORKSPACE_TYPE_PROPERTIES,
        needs={"project_id": "projects", "type": "work_item_types", "property": "work_item_properties"},
        names={"created_by_id": PEOPLE, "updated_by_id": PEOPLE},
        also=("project_id", *STAMPS),
        author="created_by_id",
        above={"type_id": "type"},
    ),
    Family(name="relation_definitions", face=RELATION_DEFINITIONS_V1, names=_BY, settles=("is_active",)),
    Family(name="milestones", face=MILESTONES_V1, needs=_IN_PROJECT, names=_BY),
    Family(
        name="cycles",
        face=CYCLES_V1,
        needs=_IN_PROJECT,
        names={**_BY, "owned_by": PEOPLE},
        members=("owned_by",),
        keeps=("start_date", "end_date", "sort_order", "progress_snapshot", "logo_props"),
        settles=("archived_at",),
    ),
    Family(
        name="modules",
        face=MODULES_V1,
        needs=_IN_PROJECT,
        names={**_BY, "lead": PEOPLE, "members": PEOPLE},
        members=("lead", "members"),
        computed=("members",),
        keeps=("sort_order", "logo_props"),
        settles=("archived_at",),
    ),
    Family(
        name="workspace_files",
        face=WORKSPACE_FILES_V1,
        names={"project_id": "projects", "created_by_id": PEOPLE, "updated_by_id": PEOPLE},
        also=("project_id", "name", "content_type", "size", *STAMPS, *EXTERNAL),
        author="created_by_id",
        only=sa.and_(files.c.issue_id.is_(None), files.c.is_uploaded.is_(sa.true())),
    ),
    Family(
        name="work_items",
        face=WORK_ITEMS_V1,
        needs=_IN_PROJECT,
        names={
            **_BY,
            "state": "states",
            "parent": "work_items",
            "type_id": "work_item_types",
            "estimate_point": "estimate_points",
            "assignees": PEOPLE,
            "labels": "labels",
        },
        members=("assignees",),
        computed=("assignees", "labels"),
        also=("in_intake", "last_activity_at"),
        keeps=("sequence_id", "sort_order", "completed_at", "in_intake", "type_id"),
        settles=("archived_at", "last_activity_at"),
        html=("description_html",),
    ),
    Family(
        name="comments",
        face=COMMENTS_V1,
        needs=_OF_ITEM,
        names={**_BY, "actor": PEOPLE, "parent": "comments"},
        keeps=("edited_at",),
        html=("comment_html",),
        author="actor",
        above={"work_item_id": "issue"},
    ),
    Family(
        name="links",
        face=LINKS_V1,
        needs=_OF_ITEM,
        names=_BY,
        keeps=("metadata",),
        above={"work_item_id": "issue"},
    ),
    Family(
        name="attachments",
        face=ATTACHMENTS_V1,
        needs=_OF_ITEM,
        names=_BY,
        also=("content_type",),
        above={"work_item_id": "issue"},
        only=sa.and_(files.c.issue_id.is_not(None), files.c.is_uploaded.is_(sa.true())),
    ),
    Family(
        name="worklogs",
        face=WORKLOGS_V1,
        needs={"project_id": "projects", "work_item_id": "work_items"},
        names={**_BY, "logged_by": PEOPLE},
        also=("work_item_id", *EXTERNAL),
        keeps=EXTERNAL,
        author="logged_by",
        above={"work_item_id": "work_item_id"},
    ),
    Family(
        name="relations",
        face=RELATIONS_V1,
        needs={**_OF_ITEM, "related_issue": "work_items"},
        names={**_BY, "definition": "relation_definitions"},
        above={"work_item_id": "issue"},
    ),
    Family(
        name="intake_items",
        face=INTAKE_V1,
        needs=_OF_ITEM,
        names={**_BY, "duplicate_to": "work_items"},
        keeps=("status", "snoozed_till", "duplicate_to", "extra", *EXTERNAL),
    ),
    Family(
        name="milestone_work_items",
        face=MILESTONE_WORK_ITEMS.face,
        needs={**_OF_ITEM, "milestone": "milestones"},
        names=_BY,
        also=EXTERNAL,
        keeps=EXTERNAL,
        above={"milestone_id": "milestone"},
    ),
    Family(
        name="cycle_work_items",
        face=CYCLE_WORK_ITEMS_V1.face,
        needs={**_OF_ITEM, "cycle": "cycles"},
        names=_BY,
        above={"cycle_id": "cycle"},
    ),
    Family(
        name="module_work_items",
        face=MODULE_LINKS_V1,
        needs={**_OF_ITEM, "module": "modules"},
        names=_BY,
        above={"module_id": "module"},
    ),
    Family(
        name="collections",
        face=COLLECTIONS_V1,
        names={**_BY, "owned_by_id": PEOPLE},
        author="owned_by_id",
    ),
    Family(
        name="collection_members",
        face=COLLECTION_MEMBERS_V1,
        needs={"collection": "collections", "member": PEOPLE},
        members=("member",),
        names=_BY,
        above={"collection_id": "collection"},
    ),
    Family(
        name="pages",
        face=PAGES_V1,
        workspace_face=WORKSPACE_PAGES_V1,
        needs={"project_id": "projects"},
        names={**_BY, "owned_by": PEOPLE, "parent_id": "pages", "collection_id": "collections"},
        also=("project_id",),
        settles=("archived_at",),
        html=("description_html",),
        author="owned_by",
        is_private=lambda row: row.get("access") == PRIVATE and not row.get("collection_id"),
    ),
    Family(
        name="collection_pages",
        face=COLLECTION_PAGES_V1,
        needs={"collection": "collections", "page": "pages"},
        names=_BY,
    ),
    Family(
        name="work_item_pages",
        face=WORK_ITEM_PAGES_V1,
        needs={**_OF_ITEM, "page_id": "pages"},
        names={"created_by": PEOPLE, "updated_by_id": PEOPLE},
        also=("page_id", "updated_by_id"),
        above={"work_item_id": "issue"},
    ),
    Family(
        name="stickies",
        face=STICKIES_V1,
        names={**_BY, "owner": PEOPLE},
        html=("description_html",),
        author="owner",
        is_private=lambda _: True,
    ),
)
BY_NAME: Mapping[str, Family] = {family.name: family for family in FAMILIES}

# Every other table of a workspace, and why it stays where it is.
STAY: Mapping[str, str] = {
    "access_tokens": "a credential",
    "agent_run_activities": "of an agent's run, which belongs to the installation of its app",
    "agent_runs": "belongs to the installation of an app, which doesn't move",
    "app_policies": "what the admins of a workspace decided about apps on one instance",
    "app_usage": "counts requests to one instance",
    "apps": "registered on one instance, with secrets; `airside app manifest` moves one",
    "assets": "people's own files, such as their picture, belong to their account",
    "audit_log": "says what happened on one instance, and can't be written afterwards",
    "authorization_codes": "a credential",
    "consent_requests": "a sign-in in progress",
    "device_requests": "a sign-in in progress",
    "entity_sequences": "counts the events of one instance",
    "events": "are sent to webhooks, and then deleted",
    "file_endings": "work that the instance has left to do",
    "followups": "work that the instance has left to do",
    "file_usage": "follows from the files",
    "idempotency_keys": "answers that are kept for a day",
    "imported_records": "what an import brought here",
    "imports": "what an import brought here",
    "installations": "an app's access is given by an admin's consent, on each instance",
    "listings": "of an app, see `airside listing`",
    "module_members": "moves with its module",
    "record_history": "what was done on one instance by accounts that may not be here",
    "scope_requests": "of an installation",
    "token_families": "a credential",
    "upstream_accounts": "an app's account in the Community Edition behind one instance, with its password",
    "upstream_tokens": "a credential",
    "verified_publishers": "what the operator of one instance verified",
    "webhook_attempts": "the delivery log of one instance",
    "webhook_deliveries": "the delivery log of one instance",
    "webhook_endpoints": "has a secret, and would send twice",
    "webhook_listeners": "somebody's terminal",
    "work_item_activities": "what was done on one instance by accounts that may not be here",
    "work_item_assignees": "moves with its work item",
    "work_item_labels": "moves with its work item",
    "work_item_property_values": "moves as property_values, a line for each property of a work item",
    "work_item_type_projects": "moves with its type",
    "workspace_invitations": "has a link that is a credential",
    "workspace_members": "moves with the people",
    "workspace_states": "each project's copies move as its own states, which a workspace takes over by its feature",
}
