"""The feature flags of a project, for GET and PATCH …/features/.

A change of a flag that the project's own response shows is one of the project.
"""

from dataclasses import replace
from functools import partial

from airside.db.base import Row
from airside.errors import Refused
from airside.rest.body import Body
from airside.rest.call import Call
from airside.rest.computed import Computed, compute
from airside.rest.face import Face, Shown
from airside.rest.gate import record_updated
from airside.rest.record import ADMIN, Record
from airside.rest.singleton import singleton_routes
from airside.rest.wires.v1.wire import V1
from airside.work.planning.epic_types import ensure_epic_type
from airside.work.projects.feature_flags import COLUMNS, is_on
from airside.work.projects.projects import PROJECTS_V1
from airside.work.projects.tables import projects


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


class ExtraFlags(Shown):
    """The flags that aren't in the project's response, and so not in project.updated."""

    epics: bool
    workflows: bool
    parallel_cycles: bool
    project_updates: bool


EXTRA_FLAGS = ExtraFlags.__struct_fields__


class ProjectFeatures(Record):
    noun = "Project feature"
    table = projects
    event = "project.features"
    event_project = "id"
    unlisted = tuple(name for name in projects.c.keys() if name != "id")  # noqa: SIM118 - columns, not a dict
    computed = {
        name: Computed(of=partial(is_on, name=name), event_name=name) for name in (*COLUMNS, *EXTRA_FLAGS)
    }
    write_role = ADMIN

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        if row["archived_at"]:
            raise Refused("Archived project cannot be updated")
        more = {name: changes[name] for name in EXTRA_FLAGS if changes.get(name, row[name]) != row[name]}
        if more:
            changes["more_features"] = row["more_features"] | more
        call.prepared["before"] = dict(row)

    async def after_update(self, call: Call, row: Row, changes: Row, /) -> None:
        before = call.prepared["before"]
        if row["epics"] and not before["epics"]:
            await ensure_epic_type(call, row["id"])
        await compute(PROJECTS_V1.record.computed, call, [before])
        await record_updated(call, PROJECTS_V1, before, dict(row), changes)


PROJECT_FEATURES_V1 = Face(
    ProjectFeatures(),
    wire=V1,
    path="projects/{project_id}/features",
    key="project_id",
    body=ProjectFeaturesIn,
    shown=ProjectFeaturesOut,
    names=COLUMNS,
    scope="projects.features",
    verbs=(),
    summaries={
        "retrieve": "Show which features a project uses",
        "update": "Turn features of a project on and off",
    },
)
_EVENTS = replace(
    PROJECT_FEATURES_V1, shown=ExtraFlags, event_also={"id": "id", **{name: name for name in COLUMNS}}
)
PROJECT_FEATURE_ROUTES = singleton_routes(
    replace(PROJECT_FEATURES_V1, webhooks=_EVENTS), "project features", event="project.updated"
)
