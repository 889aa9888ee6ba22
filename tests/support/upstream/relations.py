"""Relations between work items, stored once and read from both ends."""

from dataclasses import replace

from tests.support.upstream.access import MEMBER, item_of
from tests.support.upstream.announcements import Activity, record
from tests.support.upstream.fields import Choice, References, check
from tests.support.upstream.routing import v1_project, web_project
from tests.support.upstream.store import Row, pick
from tests.support.upstream.wire import Answer, Call, Refusal, invalid_payload, missing, no_content
from tests.support.upstream.work_changes import item_name

v1 = v1_project()
web = web_project()
# Stored as the second of a pair, with the ends swapped.
INVERSE = {"blocking": "blocked_by", "start_after": "start_before", "finish_after": "finish_before"}
OTHER_END = INVERSE | {stored: asked for asked, stored in INVERSE.items()}
TYPES = [
    "blocking",
    "blocked_by",
    "duplicate",
    "relates_to",
    "start_after",
    "start_before",
    "finish_after",
    "finish_before",
]
SHOWN = "id project_id sequence_id relation_type name state_id priority created_by created_at updated_by updated_at"


@v1("POST", "{items}/<item>/relations/")
@web("POST", "issues/<item>/issue-relation/")
def create_relations(call: Call) -> Answer:
    item, store = item_of(call, MEMBER), call.site.store
    fields = {
        "relation_type": Choice(required=True, choices=tuple(TYPES)),
        "issues": References(required=True),
    }
    values = check(call.body, fields)
    if not values["issues"]:
        raise Refusal(400, {"issues": ["Ensure this field has at least 1 elements."]})
    others = [store.issues.find(row_id, workspace=item["workspace"]) for row_id in values["issues"]]
    if not all(others):
        raise invalid_payload()
    return Answer([_create(call, item, other or {}, values["relation_type"]) for other in others], 201)


def _create(call: Call, item: Row, other: Row, kind: str) -> Row:
    ends = (other, item) if kind in INVERSE else (item, other)
    relation = call.site.store.issue_relations.insert(
        by=call.user["id"],
        relation_type=INVERSE.get(kind, kind),
        issue=ends[0]["id"],
        related_issue=ends[1]["id"],
        project=item["project"],
        workspace=item["workspace"],
    )
    _record(call, item, other, kind, added=True)
    names = "project_id sequence_id name state_id priority"
    user = call.user["id"]
    stamps = {"created_by": user, "updated_by": user, **pick(relation, "created_at updated_at relation_type")}
    return {"id": other["id"], **pick(other, names), **stamps}


def _record(call: Call, item: Row, other: Row, kind: str, added: bool) -> None:
    """Each end names the other; on a removal both have the kind that was asked for, and the id of the other end."""
    opposite = OTHER_END.get(kind, kind)
    for at, named, field in ((item, other, kind), (other, item, opposite)):
        name = item_name(call.site, named["id"])
        if added:
            words, texts = f"added {field} relation", ("", name)
        else:
            words, texts = f"deleted {kind} relation", (name, "")
        verb = "updated" if added else "deleted"
        activity = Activity(
            verb, words, field, *texts, old_id=(named if added else other)["id"], notifies=True
        )
        record(call, at, replace(activity, touches_item=at is item))


@v1("GET", "{items}/<item>/relations/")
def list_relations(call: Call) -> Row:
    item, store = item_of(call), call.site.store
    found: dict[str, list[Row]] = {kind: [] for kind in TYPES}
    for row in store.issue_relations.all(workspace=item["workspace"]):
        if item["id"] == row["issue"]:
            kind, other = row["relation_type"], row["related_issue"]
        elif item["id"] == row["related_issue"]:
            kind, other = OTHER_END.get(row["relation_type"], row["relation_type"]), row["issue"]
        else:
            continue
        found[kind].append({"project_id": store.issues.rows[other]["project"], "issue_id": other})
    return found


@web("POST", "issues/<item>/remove-relation/")
def remove_relation(call: Call) -> Answer:
    item, store = item_of(call, MEMBER), call.site.store
    kind, other = call.body.get("relation_type", ""), store.issues.find(call.body.get("related_issue"))
    if other is None:
        raise missing()
    ends = (other, item) if kind in INVERSE else (item, other)
    row = store.issue_relations.first(issue=ends[0]["id"], related_issue=ends[1]["id"])
    if row is None:
        raise missing()
    store.issue_relations.delete(row)
    _record(call, item, other, kind, added=False)
    return no_content()
