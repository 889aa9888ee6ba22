"""THE TABLE: every resource and route of /api/v1, in one list."""

from airside.agents.activities import ACTIVITY_ROUTES
from airside.agents.resources import ACTIVITIES, RUNS
from airside.agents.runs import RUN_ROUTES
from airside.apps.listener_routes import LISTENER_ROUTES
from airside.apps.webhook_routes import APP_WEBHOOK_ROUTES
from airside.assets.user_assets import USER_ASSET_ROUTES
from airside.audit.routes import AUDIT_ROUTES
from airside.identity.me import ME_ROUTES
from airside.rest.routes import Table
from airside.work.projects.features import PROJECT_FEATURE_ROUTES
from airside.work.projects.labels import Labels
from airside.work.projects.members import PROJECT_MEMBER_ROUTES
from airside.work.projects.pages import PAGE_ROUTES, PAGES
from airside.work.projects.projects import PROJECT_ROUTES, PROJECTS, ProjectsLite
from airside.work.projects.role_distribution import ROLE_DISTRIBUTION_ROUTES
from airside.work.projects.states import States
from airside.work.projects.work_item_types import WORK_ITEM_TYPE_ROUTES
from airside.work.work_items.activities import WORK_ITEM_ACTIVITIES
from airside.work.work_items.comments import COMMENTS
from airside.work.work_items.count import COUNT_ROUTES
from airside.work.work_items.links import LINKS
from airside.work.work_items.search import SEARCH_ROUTES
from airside.work.work_items.work_items import (
    WORK_ITEM_ROUTES,
    WORK_ITEMS,
    ArchivedWorkItems,
    WorkspaceWorkItems,
)
from airside.work.work_items.worklogs import WORKLOG_ROUTES, WORKLOGS
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
    *ROLE_ROUTES,
    *ROLE_DISTRIBUTION_ROUTES,
    *WEBHOOK_ROUTES,
    *APP_WEBHOOK_ROUTES,
    *LISTENER_ROUTES,
    *AUDIT_ROUTES,
    # projects
    PROJECTS,
    ProjectsLite(),
    *PROJECT_ROUTES,
    *PROJECT_MEMBER_ROUTES,
    *PROJECT_FEATURE_ROUTES,
    States(),
    Labels(),
    PAGES,
    *PAGE_ROUTES,
    *WORK_ITEM_TYPE_ROUTES,
    # work items
    WORK_ITEMS,
    ArchivedWorkItems(),
    WorkspaceWorkItems(),
    *SEARCH_ROUTES,
    *COUNT_ROUTES,
    *WORK_ITEM_ROUTES,
    COMMENTS,
    WORK_ITEM_ACTIVITIES,
    LINKS,
    WORKLOGS,
    *WORKLOG_ROUTES,
    # agents
    RUNS,
    *RUN_ROUTES,
    ACTIVITIES,
    *ACTIVITY_ROUTES,
)
