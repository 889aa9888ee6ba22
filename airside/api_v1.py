"""THE TABLE: every resource and route of /api/v1, in one list."""

from airside.identity.me import ME_ROUTES
from airside.rest.routes import Table
from airside.work.projects.labels import Labels
from airside.work.projects.projects import PROJECT_ROUTES, PROJECTS, ProjectsLite
from airside.work.projects.states import States
from airside.work.work_items.comments import Comments
from airside.work.work_items.count import COUNT_ROUTES
from airside.work.work_items.search import SEARCH_ROUTES
from airside.work.work_items.work_items import (
    WORK_ITEM_ROUTES,
    WORK_ITEMS,
    ArchivedWorkItems,
    WorkspaceWorkItems,
)

TABLE: Table = (
    # people
    *ME_ROUTES,
    # projects
    PROJECTS,
    ProjectsLite(),
    *PROJECT_ROUTES,
    States(),
    Labels(),
    # work items
    WORK_ITEMS,
    ArchivedWorkItems(),
    WorkspaceWorkItems(),
    *SEARCH_ROUTES,
    *COUNT_ROUTES,
    *WORK_ITEM_ROUTES,
    Comments(),
)
