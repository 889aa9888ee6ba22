"""THE TABLE: every resource and route of /api/v1, in one list; and how it is described."""

from typing import Any

from airside import __version__
from airside.agents.activities import ACTIVITY_ROUTES
from airside.agents.resources import ACTIVITIES_V1, RUNS_V1
from airside.agents.runs import RUN_ROUTES
from airside.assets.user_assets import USER_ASSET_ROUTES
from airside.audit.routes import AUDIT_ROUTES
from airside.developer.listener_routes import LISTENER_ROUTES
from airside.developer.webhook_routes import APP_WEBHOOK_ROUTES
from airside.identity.me import ME_ROUTES
from airside.oauth.metadata import describe_flows
from airside.rest.openapi import Tag, describe_api, record_tags
from airside.rest.routes import Table, declare
from airside.rest.wires.v1.wire import V1
from airside.work.intake.items import INTAKE_V1
from airside.work.intake.routes import INTAKE_ROUTES
from airside.work.pages.collection_lists import COLLECTION_LIST_ROUTES
from airside.work.pages.collection_members import COLLECTION_MEMBER_ROUTES, COLLECTION_MEMBERS_V1
from airside.work.pages.collection_pages import COLLECTION_PAGE_ROUTES
from airside.work.pages.collections import COLLECTION_ROUTES, COLLECTIONS_V1
from airside.work.pages.pages import PAGES_V1, WORKSPACE_PAGES_V1
from airside.work.pages.routes import PAGE_ROUTES, WORKSPACE_PAGE_ROUTES
from airside.work.pages.work_item_pages import WORK_ITEM_PAGES_V1
from airside.work.planning.cycle_transfer import TRANSFER_ROUTES
from airside.work.planning.cycle_work_items import CYCLE_WORK_ITEM_ROUTES
from airside.work.planning.cycles import ARCHIVED_CYCLES_V1, CYCLE_ROUTES, CYCLES_LITE_V1, CYCLES_V1
from airside.work.planning.epic_work_items import EPIC_WORK_ITEM_ROUTES
from airside.work.planning.epics import EPICS_V1
from airside.work.planning.estimate_points import POINT_ROUTES, POINTS_V1
from airside.work.planning.estimates import ESTIMATE_ROUTES
from airside.work.planning.milestone_work_items import MILESTONE_WORK_ITEM_ROUTES
from airside.work.planning.milestones import MILESTONES_V1
from airside.work.planning.module_work_items import MODULE_WORK_ITEM_ROUTES
from airside.work.planning.modules import ARCHIVED_MODULES_V1, MODULE_ROUTES, MODULES_LITE_V1, MODULES_V1
from airside.work.project_labels import PROJECT_LABEL_ROUTES, PROJECT_LABELS_V1
from airside.work.project_states import PROJECT_STATE_ROUTES, PROJECT_STATES_V1
from airside.work.projects.features import PROJECT_FEATURE_ROUTES
from airside.work.projects.labels import LABELS_V1
from airside.work.projects.members import PROJECT_MEMBER_ROUTES
from airside.work.projects.projects import PROJECT_ROUTES, PROJECTS_LITE_V1, PROJECTS_V1
from airside.work.projects.role_distribution import ROLE_DISTRIBUTION_ROUTES
from airside.work.projects.states import STATES_V1
from airside.work.stickies import STICKIES_V1
from airside.work.types.options import OPTION_LISTS, OPTIONS_V1, WORKSPACE_OPTIONS_V1
from airside.work.types.properties import (
    PROPERTIES_V1,
    PROPERTY_LISTS,
    TYPE_PROPERTIES_V1,
    WORKSPACE_PROPERTIES_V1,
)
from airside.work.types.routes import TYPE_ROUTES
from airside.work.types.schema import SCHEMA_ROUTE
from airside.work.types.work_item_types import (
    WORK_ITEM_TYPE_LISTS,
    WORK_ITEM_TYPES_V1,
    WORKSPACE_WORK_ITEM_TYPES_V1,
)
from airside.work.types.work_item_values import VALUE_ROUTES
from airside.work.work_items.activities import WORK_ITEM_ACTIVITIES_V1
from airside.work.work_items.attachments import ATTACHMENT_ROUTES
from airside.work.work_items.comments import COMMENTS_V1
from airside.work.work_items.count import COUNT_ROUTES
from airside.work.work_items.links import LINKS_V1
from airside.work.work_items.relation_definitions import RELATION_DEFINITIONS_V1
from airside.work.work_items.relation_routes import RELATION_ROUTES
from airside.work.work_items.search import SEARCH_ROUTES
from airside.work.work_items.work_items import (
    ARCHIVED_WORK_ITEMS_V1,
    WORK_ITEM_ROUTES,
    WORK_ITEMS_V1,
    WORKSPACE_WORK_ITEMS_V1,
)
from airside.work.work_items.worklogs import WORKLOG_ROUTES, WORKLOGS_V1
from airside.work.workspace_files import WORKSPACE_FILE_ROUTES
from airside.work.workspace_states import WORKSPACE_STATE_ROUTES
from airside.workspaces.departures import DEPARTURE_ROUTES
from airside.workspaces.features import FEATURE_ROUTES
from airside.workspaces.invitation_routes import INVITATION_ROUTES
from airside.workspaces.people import PEOPLE_ROUTES
from airside.workspaces.role_definitions import ROLE_ROUTES
from airside.workspaces.webhook_routes import WEBHOOK_ROUTES

TABLE: Table = (
    # people
    *ME_ROUTES,
    *USER_ASSET_ROUTES,
    # workspaces
    *PEOPLE_ROUTES,
    *INVITATION_ROUTES,
    *DEPARTURE_ROUTES,
    *FEATURE_ROUTES,
    *WORKSPACE_FILE_ROUTES,
    *ROLE_ROUTES,
    *ROLE_DISTRIBUTION_ROUTES,
    *WEBHOOK_ROUTES,
    *APP_WEBHOOK_ROUTES,
    *LISTENER_ROUTES,
    *AUDIT_ROUTES,
    *WORKSPACE_STATE_ROUTES,
    # projects
    *PROJECT_STATE_ROUTES,
    PROJECT_STATES_V1,
    *PROJECT_LABEL_ROUTES,
    PROJECT_LABELS_V1,
    PROJECTS_V1,
    PROJECTS_LITE_V1,
    *PROJECT_ROUTES,
    *PROJECT_MEMBER_ROUTES,
    *PROJECT_FEATURE_ROUTES,
    STATES_V1,
    LABELS_V1,
    PAGES_V1,
    *PAGE_ROUTES,
    *ESTIMATE_ROUTES,
    *POINT_ROUTES,
    POINTS_V1,
    # types of work items; the workspace's first: the scope of the last is that of the events
    *WORK_ITEM_TYPE_LISTS,
    *OPTION_LISTS,
    *PROPERTY_LISTS,
    WORKSPACE_WORK_ITEM_TYPES_V1,
    WORKSPACE_PROPERTIES_V1,
    WORKSPACE_OPTIONS_V1,
    *TYPE_ROUTES,
    SCHEMA_ROUTE,
    WORK_ITEM_TYPES_V1,
    TYPE_PROPERTIES_V1,
    PROPERTIES_V1,
    OPTIONS_V1,
    MILESTONES_V1,
    *MILESTONE_WORK_ITEM_ROUTES,
    EPICS_V1,
    *EPIC_WORK_ITEM_ROUTES,
    *VALUE_ROUTES,
    # work items
    WORK_ITEMS_V1,
    ARCHIVED_WORK_ITEMS_V1,
    WORKSPACE_WORK_ITEMS_V1,
    *SEARCH_ROUTES,
    *COUNT_ROUTES,
    *WORK_ITEM_ROUTES,
    COMMENTS_V1,
    WORK_ITEM_ACTIVITIES_V1,
    LINKS_V1,
    *RELATION_ROUTES,
    RELATION_DEFINITIONS_V1,
    *ATTACHMENT_ROUTES,
    INTAKE_V1,
    *INTAKE_ROUTES,
    WORKLOGS_V1,
    *WORKLOG_ROUTES,
    WORK_ITEM_PAGES_V1,
    # planning
    CYCLES_V1,
    CYCLES_LITE_V1,
    ARCHIVED_CYCLES_V1,
    *CYCLE_ROUTES,
    *CYCLE_WORK_ITEM_ROUTES,
    *TRANSFER_ROUTES,
    MODULES_V1,
    MODULES_LITE_V1,
    ARCHIVED_MODULES_V1,
    *MODULE_ROUTES,
    *MODULE_WORK_ITEM_ROUTES,
    # notes
    WORKSPACE_PAGES_V1,
    *WORKSPACE_PAGE_ROUTES,
    *COLLECTION_ROUTES,
    COLLECTIONS_V1,
    *COLLECTION_MEMBER_ROUTES,
    COLLECTION_MEMBERS_V1,
    *COLLECTION_LIST_ROUTES,
    *COLLECTION_PAGE_ROUTES,
    STICKIES_V1,
    # agents
    RUNS_V1,
    *RUN_ROUTES,
    ACTIVITIES_V1,
    *ACTIVITY_ROUTES,
)

# Groups of operations in OpenAPI; records that say what they are about have their own.
TAGS = (
    Tag("Users", "The caller, and the files of people.", ("users", "user-assets")),
    Tag("Workspaces", "What a workspace as a whole uses.", ("workspaces", "features", "assets")),
    Tag(
        "Members",
        "People and bots in a workspace, invitations and roles.",
        ("members", "members-lite", "invitations", "roles", "project-role-distribution"),
    ),
    Tag("Workspace states", "States that the workspace owns, or those of all its projects.", ("states",)),
    Tag("Webhooks", "Webhooks of a workspace and their deliveries.", ("webhooks",)),
    Tag("Applications", "What an app's developers see of it.", ("applications",)),
    Tag("Audit log", "Who did what of weight in a workspace.", ("audit-log",)),
    Tag("Projects", "Projects and their features.", ("projects", "projects-lite", "projects/features")),
    Tag(
        "Project members",
        "People and bots in a project.",
        ("projects/members", "project-members", "project-members-lite"),
    ),
    Tag(
        "Estimates",
        "The scale by which a project's work items are estimated.",
        ("estimates", "estimate-points"),
    ),
    Tag(
        "Work item types",
        "Types of work items, of a project or of the workspace.",
        ("work-item-types", "import-work-item-types"),
    ),
    Tag(
        "Work item properties",
        "Custom properties of work items and of types, and the options that their values are chosen from.",
        ("work-item-properties", "work-item-types/properties", "work-item-properties/options"),
    ),
    Tag("Work items", "Work items, and finding them.", ("work-items", "archived-work-items")),
    Tag("Comments", "What people and agents say about a work item.", ("work-items/comments",)),
    Tag("Activities", "The history of a work item.", ("work-items/activities",)),
    Tag("Links", "Links of a work item.", ("work-items/links",)),
    Tag(
        "Relations",
        "How work items relate to each other, and which comes before which.",
        ("work-items/relations", "work-items/dependencies", "work-items/work-item-relations"),
    ),
    Tag("Attachments", "Files of a work item.", ("work-items/attachments",)),
    Tag("Worklogs", "Time that was spent on work items.", ("work-items/worklogs", "total-worklogs")),
    Tag("Agent runs", "Runs of agents, and what is said and done in them.", ("runs",)),
)


DECLARED = declare(TABLE)  # for the catalogues of scopes and events, see events/declared.py


def describe_v1(origin: str) -> dict[str, Any]:
    """The OpenAPI document of an instance at this origin."""
    return describe_api(V1, TABLE, origin, __version__, (*TAGS, *record_tags(TABLE)), describe_flows(origin))
