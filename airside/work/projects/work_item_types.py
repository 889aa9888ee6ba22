"""The lists of work item types of a project and of the workspace: empty until types are supported, for clients that
read them first.
"""

from typing import Any

from airside.rest.call import Call
from airside.rest.face import Shown
from airside.rest.route import Route
from airside.rest.wires.v1.paths import WORKSPACE


class WorkItemTypeOut(Shown):
    id: str
    name: str
    description: str
    logo_props: dict[str, Any]
    is_epic: bool
    is_default: bool
    is_active: bool
    level: float
    workspace: str
    project_ids: list[str]
    external_source: str | None
    external_id: str | None


async def list_work_item_types(call: Call) -> list[Any]:
    return []


WORK_ITEM_TYPE_ROUTES = [
    Route(
        method="GET",
        path=WORKSPACE + "projects/{project_id}/work-item-types",
        aliases=(WORKSPACE + "projects/{project_id}/issue-types",),
        handler=list_work_item_types,
        scope="projects.work_item_types:read",
        name="list_work_item_types",
        summary="List the types of work items in a project (always empty)",
        shown=list[WorkItemTypeOut],
        is_placeholder=True,
    ),
    Route(
        method="GET",
        path=WORKSPACE + "work-item-types",
        handler=list_work_item_types,
        scope="projects.work_item_types:read",
        name="list_workspace_work_item_types",
        summary="List the types of work items in a workspace (always empty)",
        shown=list[WorkItemTypeOut],
        is_placeholder=True,
    ),
]
