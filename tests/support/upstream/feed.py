"""The activity feed of a work item, in API v1 and as the web application shows it."""

from tests.support.upstream.access import item_of
from tests.support.upstream.accounts import lite_user
from tests.support.upstream.pagination import page_of
from tests.support.upstream.routing import v1_project, web_project
from tests.support.upstream.store import Row, pick
from tests.support.upstream.wire import Call, Refusal, broken

v1 = v1_project()
web = web_project()
V1_ACTIVITY = (
    "id created_at updated_at deleted_at verb field old_value new_value comment attachments "
    "old_identifier new_identifier epoch project workspace issue issue_comment actor"
)
WEB_ACTIVITY = V1_ACTIVITY + " created_by updated_by"
ISSUE_DETAIL = "id name description_html priority start_date target_date sequence_id sort_order is_draft"
PROJECT_DETAIL = "id identifier name cover_image cover_image_url logo_props description"
HIDDEN = ("comment", "vote", "reaction", "draft")


def details(call: Call, row: Row) -> Row:
    """The objects that the web application gets beside the ids."""
    store = call.site.store
    return {
        "actor_detail": lite_user(call.site, row["actor"]),
        "issue_detail": pick(store.issues.rows[row["issue"]], ISSUE_DETAIL) | {"description_json": {}},
        "project_detail": pick(store.projects.rows[row["project"]], PROJECT_DETAIL),
        "workspace_detail": pick(store.workspaces.rows[row["workspace"]], "name slug id logo_url"),
    }


def shown_activity(call: Call, row: Row) -> Row:
    return {**pick(row, WEB_ACTIVITY), **details(call, row), "source_data": None}


def shown_comment(call: Call, row: Row) -> Row:
    names = (
        "id created_at updated_at deleted_at comment_stripped comment_html attachments access "
        "external_source external_id edited_at created_by updated_by project workspace "
        "description issue actor parent"
    )
    return {**pick(row, names), **details(call, row), "comment_reactions": [], "comment_json": {}}


def _feed(call: Call, item: Row) -> list[Row]:
    rows = call.site.store.issue_activities.all(issue=item["id"])
    return sorted((row for row in rows if row["field"] not in HIDDEN), key=lambda row: row["created_at"])


@v1("GET", "{items}/<item>/activities/")
def list_activities(call: Call) -> Row:
    rows = _feed(call, item_of(call))
    return page_of(call, rows, lambda row: pick(row, V1_ACTIVITY))


@v1("GET", "{items}/<item>/activities/<activity>/")
def show_activity(call: Call) -> Row:
    rows = _feed(call, item_of(call))
    found = [row for row in rows if row["id"] == call.params["activity"]]
    if not found:
        raise Refusal(404, {"message": "Activity not found.", "code": "NOT_FOUND"})
    return pick(found[0], V1_ACTIVITY)


@web("GET", "issues/<item>/history/")
def show_history(call: Call) -> list[Row]:
    """It fails unless the kind is named."""
    item, kind = item_of(call), call.query.get("activity_type")
    if kind == "issue-property":
        return [shown_activity(call, row) for row in _feed(call, item)]
    if kind == "issue-comment":
        return [shown_comment(call, row) for row in call.site.store.issue_comments.all(issue=item["id"])]
    raise broken()
