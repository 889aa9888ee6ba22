"""The feature flags of a project, for GET and PATCH …/features/.

Flags that the project's own response shows are columns; the others share one JSON column.
"""

from typing import Any

from airside.db.base import Row
from airside.errors import Refused
from airside.events.outbox import compare
from airside.rest.body import Body
from airside.rest.call import Call
from airside.rest.computed import compute
from airside.rest.face import Shown
from airside.rest.gate import record_act, record_updated
from airside.rest.record import ADMIN
from airside.rest.route import Route
from airside.rest.selection import find_record
from airside.rest.verbs import in_transaction, store_changes
from airside.rest.wires.v1.paths import WORKSPACE
from airside.work.projects.projects import PROJECTS_V1

COLUMNS = {
    "modules": "module_view",
    "cycles": "cycle_view",
    "views": "issue_views_view",
    "pages": "page_view",
    "intakes": "intake_view",
    "work_item_types": "is_issue_type_enabled",
}
EXTRA_FLAGS = ("epics", "workflows", "parallel_cycles", "project_updates")


class ProjectFeaturesIn(Body):
    epics: bool = False
    modules: bool = False
    cycles: bool = False
    views: bool = False
    pages: bool = False
    intakes: bool = False
    work_item_types: bool = False
    workflows: bool = False
    parallel_cycles: bool = False
    project_updates: bool = False


class ProjectFeaturesOut(Shown):
    epics: bool
    modules: bool
    cycles: bool
    views: bool
    pages: bool
    intakes: bool
    work_item_types: bool
    workflows: bool
    parallel_cycles: bool
    project_updates: bool


async def show_features(call: Call) -> Any:
    """Return every flag."""
    return _show(call.project)


async def update_features(call: Call) -> Any:
    """Set the flags that were sent. Raises Refused for an archived project."""

    async def work() -> Row:
        before = await find_record(PROJECTS_V1, call, call.project_id, lock=True)
        if before["archived_at"]:
            raise Refused("Archived project cannot be updated")
        await compute(PROJECTS_V1.record.computed, call, [before])
        changes: Row = {COLUMNS[name]: value for name, value in call.body.items() if name in COLUMNS}
        more = {name: value for name, value in call.body.items() if name in EXTRA_FLAGS}
        if more:
            changes["more_features"] = before["more_features"] | more
        after = await store_changes(PROJECTS_V1, call, before, changes)
        await record_updated(call, PROJECTS_V1, before, after, changes)
        await _record_more(call, _show(before), _show(after))
        return _show(after)

    return await in_transaction(call, work)


async def _record_more(call: Call, before: Row, after: Row) -> None:
    """Record the event of flags that aren't in the project's response, and so not in project.updated."""
    previous, changes = compare(before, {name: after[name] for name in EXTRA_FLAGS})
    if not changes:
        return
    shown = {"id": call.project_id, **after}
    await record_act(
        call,
        "project.features.updated",
        call.project_id,
        project_id=call.project_id,
        data=shown,
        data_v2=shown,
        previous=previous,
        changes=changes,
    )


def _show(project: Row) -> Row:
    more = project["more_features"]
    return {
        name: project[COLUMNS[name]] if name in COLUMNS else bool(more.get(name, False))
        for name in ProjectFeaturesOut.__struct_fields__
    }


PROJECT_FEATURE_ROUTES = [
    Route(
        method="GET",
        path=WORKSPACE + "projects/{project_id}/features",
        handler=show_features,
        scope="projects.features:read",
        name="retrieve_project_features",
        summary="Show which features a project uses",
        shown=ProjectFeaturesOut,
    ),
    Route(
        method="PATCH",
        path=WORKSPACE + "projects/{project_id}/features",
        handler=update_features,
        scope="projects.features:write",
        name="update_project_features",
        summary="Turn features of a project on and off",
        role=ADMIN,
        body=ProjectFeaturesIn,
        partial=True,
        shown=ProjectFeaturesOut,
        event="project.updated",
    ),
]
