"""Labels of work items."""

from tests.support.upstream.access import MEMBER, project_of, workspace_of
from tests.support.upstream.external_ids import refuse_external
from tests.support.upstream.fields import Field, Reference, Text, check, plain
from tests.support.upstream.pagination import one, page_of
from tests.support.upstream.routing import v1_project, web_project
from tests.support.upstream.store import Row, next_order, pick
from tests.support.upstream.wire import Answer, Call, Refusal, missing, no_content

v1 = v1_project()
web = web_project()
V1_SHOWN = (
    "id created_at updated_at deleted_at name description color sort_order external_source "
    "external_id created_by updated_by workspace project parent"
)
WEB_SHOWN = "parent name color id project_id workspace_id sort_order"


def _fields(call: Call) -> dict[str, Field]:
    return {
        "name": Text(required=True, longest=255),
        "color": Text(blank=True, longest=255),
        "description": Text(blank=True),
        "parent": Reference(table=call.site.store.labels),
        **plain("external_id", "external_source", "sort_order"),
    }


def _create(call: Call) -> Row:
    workspace, store = workspace_of(call), call.site.store
    if store.projects.find(call.params["project"], workspace=workspace["id"]) is None:
        raise missing()
    project = project_of(call, MEMBER)
    values = check(call.body, _fields(call))
    rows = store.labels.all(project=project["id"])
    refuse_external(rows, values, "Label")
    for row in rows:
        if row["name"] == values["name"]:
            error = "Label with the same name already exists in the project"
            raise Refusal(409, {"error": error, "id": row["id"]})
    defaults = {
        "description": "",
        "color": "",
        "sort_order": next_order(rows),
        "parent": None,
        "external_id": None,
        "external_source": None,
    }
    own = {"project": project["id"], "workspace": workspace["id"]}
    return store.labels.insert(by=call.user["id"], **defaults | values, **own)


def _label(call: Call, least: int = 5) -> Row:
    project = project_of(call, least)
    row = call.site.store.labels.find(call.params["label"], project=project["id"])
    if row is None:
        raise missing()
    return row


def _change(call: Call) -> Row:
    row = _label(call, MEMBER)
    values = check(call.body, _fields(call), partial=True)
    rows = call.site.store.labels.all(project=row["project"])
    refuse_external(rows, values, "Label", own=row)
    return call.site.store.labels.update(row, by=call.user["id"], **values)


@v1("GET", "labels/")
def list_labels(call: Call) -> Row:
    rows = call.site.store.labels.newest(project=project_of(call)["id"])
    return page_of(call, rows, lambda row: pick(row, V1_SHOWN))


@v1("POST", "labels/")
def create_label_by_key(call: Call) -> Answer:
    return Answer(pick(_create(call), V1_SHOWN), 201)


@v1("GET", "labels/<label>/")
def show_label(call: Call) -> Row:
    return one(call, pick(_label(call), V1_SHOWN))


@v1("PATCH", "labels/<label>/")
def change_label_by_key(call: Call) -> Row:
    return pick(_change(call), V1_SHOWN)


@v1("DELETE", "labels/<label>/")
@web("DELETE", "issue-labels/<label>/")
def delete_label(call: Call) -> Answer:
    call.site.store.labels.delete(_label(call, MEMBER))
    return no_content()


@web("POST", "issue-labels/")
def create_label(call: Call) -> Answer:
    return Answer(pick(_create(call), WEB_SHOWN), 201)


@web("PATCH", "issue-labels/<label>/")
def change_label(call: Call) -> Row:
    return pick(_change(call), WEB_SHOWN)
