"""Saved views and estimates, as far as they were seen: they are made."""

from tests.support.upstream.access import MEMBER, project_of
from tests.support.upstream.props import DISPLAY_FILTERS, DISPLAY_PROPERTIES
from tests.support.upstream.routing import web_project
from tests.support.upstream.store import Row, pick
from tests.support.upstream.wire import Answer, Call

routes = web_project()
POINT = (
    "id created_at updated_at deleted_at key description value created_by updated_by project "
    "workspace estimate"
)
ESTIMATE = (
    "id created_at updated_at deleted_at name description type last_used created_by updated_by "
    "project workspace"
)


@routes("POST", "views/")
def create_view(call: Call) -> Answer:
    project = project_of(call, MEMBER)
    view = call.site.store.issue_views.insert(
        by=call.user["id"],
        name=call.body.get("name", ""),
        description="",
        query={},
        filters=call.body.get("filters", {}),
        display_filters=DISPLAY_FILTERS,
        display_properties=DISPLAY_PROPERTIES,
        rich_filters={},
        access=1,
        sort_order=65535.0,
        logo_props={},
        is_locked=False,
        archived_at=None,
        workspace=project["workspace"],
        project=project["id"],
        owned_by=call.user["id"],
    )
    return Answer(view, 201)


@routes("POST", "estimates/")
def create_estimate(call: Call) -> Row:
    project, store, user = project_of(call, MEMBER), call.site.store, call.user["id"]
    own = {"project": project["id"], "workspace": project["workspace"]}
    asked = call.body.get("estimate", {})
    values = {name: asked.get(name) for name in ("name", "type", "last_used")}
    estimate = store.estimates.insert(by=user, **values, description="", **own)
    points = [
        store.estimate_points.insert(
            by=user, key=point["key"], value=point["value"], description="", estimate=estimate["id"], **own
        )
        for point in call.body.get("estimate_points", [])
    ]
    shown = [pick(point, POINT) | {"updated_by": user} for point in points]
    return {**pick(estimate, ESTIMATE), "points": shown}
