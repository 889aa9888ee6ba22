"""THE TABLE: every resource and route of /api/v1, in one list. Literal paths come before parameters."""

from airside.rest.routes import Table
from airside.work.projects.labels import Labels
from airside.work.projects.projects import PROJECT_ROUTES, PROJECTS, ProjectsLite
from airside.work.projects.states import States
from airside.work.work_items.comments import Comments
from airside.work.work_items.work_items import WORK_ITEM_ROUTES, WORK_ITEMS, ArchivedWorkItems

TABLE: Table = (
    # projects
    PROJECTS,
    ProjectsLite(),
    *PROJECT_ROUTES,
    States(),
    Labels(),
    # work items
    WORK_ITEMS,
    ArchivedWorkItems(),
    *WORK_ITEM_ROUTES,
    Comments(),
)
