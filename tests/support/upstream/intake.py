"""The intake: work items that wait in a hidden state until somebody accepts them. No webhook tells of them."""

from tests.support.upstream.access import MEMBER, project_of
from tests.support.upstream.announcements import Activity, record
from tests.support.upstream.fields import Choice, check
from tests.support.upstream.payloads import whole_item
from tests.support.upstream.routing import v1_project
from tests.support.upstream.site import Site
from tests.support.upstream.store import Row, pick
from tests.support.upstream.wire import Answer, Call, Refusal, missing
from tests.support.upstream.work_items import create_item

routes = v1_project()
PENDING, ACCEPTED = -2, 1
NAMES = {-2: "Pending", -1: "Rejected", 0: "Snoozed", 1: "Accepted", 2: "Duplicate"}
SHOWN = (
    "id created_at updated_at deleted_at status snoozed_till source source_email external_source "
    "external_id extra created_by updated_by project workspace intake issue duplicate_to"
)


def _intake(site: Site, project: Row) -> Row:
    found = site.store.intakes.first(project=project["id"])
    return found or site.store.intakes.insert(project=project["id"], workspace=project["workspace"])


def _shown(call: Call, row: Row) -> Row:
    item = call.site.store.issues.rows[row["issue"]]
    return {**pick(row, SHOWN), "issue_detail": whole_item(call.site, item), "inbox": row["intake"]}


@routes("POST", "intake-issues/")
def create(call: Call) -> Answer:
    project, store = project_of(call), call.site.store
    name = (call.body.get("issue") or {}).get("name")
    if not name:
        raise Refusal(400, {"error": "Name is required"})
    triage = store.states.first(project=project["id"], group="triage")
    values = {key: call.body["issue"][key] for key in ("name", "priority") if key in call.body["issue"]}
    item = create_item(call, project, values, state=triage)
    none = dict.fromkeys(["snoozed_till", "source_email", "external_source", "external_id", "duplicate_to"])
    row = store.intake_issues.insert(
        by=call.user["id"],
        **none,
        status=PENDING,
        source="IN_APP",
        extra={},
        project=project["id"],
        workspace=project["workspace"],
        intake=_intake(call.site, project)["id"],
        issue=item["id"],
    )
    record(call, item, Activity("created", "created the issue", notifies=False))
    return Answer(_shown(call, row), 201)


@routes("PATCH", "intake-issues/<item>/")
def decide(call: Call) -> Row:
    project, store, user = project_of(call, MEMBER), call.site.store, call.user["id"]
    row = store.intake_issues.first(project=project["id"], issue=call.params["item"])
    if row is None:
        raise missing()
    status = check(call.body, {"status": Choice(choices=tuple(NAMES))}).get("status", row["status"])
    old, item = row["status"], store.issues.rows[row["issue"]]
    store.intake_issues.update(row, by=user, status=status)
    if status == ACCEPTED and old != ACCEPTED:
        default = store.states.first(project=project["id"], default=True) or {}
        store.issues.update(item, by=user, state=default["id"])
    words = "updated the intake status"
    record(call, item, Activity(str(status), words, "intake", NAMES[old], NAMES[status], notifies=False))
    return _shown(call, row)
