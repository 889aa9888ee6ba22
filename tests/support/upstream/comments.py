"""Comments on work items."""

from typing import Any
from uuid import uuid4

from tests.support.upstream.access import item_of, project_of
from tests.support.upstream.announcements import Activity, announce, announce_changes, record
from tests.support.upstream.expansion import expand
from tests.support.upstream.external_ids import refuse_external
from tests.support.upstream.feed import shown_comment
from tests.support.upstream.fields import Choice, Field, Moment, Reference, Text, check, plain
from tests.support.upstream.html import stored, stripped
from tests.support.upstream.notifications import newly_mentioned, notify_mentioned, subscribe
from tests.support.upstream.pagination import one, page_of
from tests.support.upstream.payloads import COMMENT
from tests.support.upstream.routing import v1_project, web_project
from tests.support.upstream.site import Site
from tests.support.upstream.store import Row, copied, pick
from tests.support.upstream.wire import Answer, Call, invalid_payload, missing, no_content

v1 = v1_project()
web = web_project()
KIND = "Work item comment"


def _fields(site: Site) -> dict[str, Field]:
    return {
        "comment_html": Text(blank=True),
        "access": Choice(choices=("INTERNAL", "EXTERNAL")),
        "created_by": Reference(table=site.store.users),
        "created_at": Moment(),
        **plain("external_id", "external_source", "parent"),
    }


def _checked(call: Call, project: str, own: Row | None = None) -> Row:
    values = check(call.body, _fields(call.site), partial=own is not None)
    if own is None or "comment_html" in values:
        values["comment_html"] = stored(values.get("comment_html", "<p></p>"))
        values["comment_stripped"] = stripped(values["comment_html"])
    refuse_external(call.site.store.issue_comments.all(project=project), values, KIND, own=own)
    return values


def _create(call: Call, item: Row) -> Row:
    values = _checked(call, item["project"])
    defaults: dict[str, Any] = {
        "attachments": [],
        "access": "INTERNAL",
        "external_source": None,
        "external_id": None,
        "edited_at": None,
        "description": str(uuid4()),
        "parent": None,
    }
    own = {"project": item["project"], "workspace": item["workspace"], "issue": item["id"]}
    row = call.site.store.issue_comments.insert(
        by=call.user["id"], **defaults | {"actor": call.user["id"]} | values | own
    )
    actor = values.get("created_by") or call.user["id"]
    _record_created(call, item, row, actor)
    announce(call, "issue_comment", "created", row, by=actor)
    return row


def _record_created(call: Call, item: Row, row: Row, actor: str) -> None:
    """From the web application it is followed by its author and those it mentions."""
    site, mentioned = call.site, []
    ids = {} if call.is_v1 else {"new_id": row["id"], "issue_comment": row["id"]}
    if not call.is_v1:
        mentioned = newly_mentioned(site, item, row["comment_html"])
        subscribe(site, item, actor, *mentioned)
    activity = Activity("created", "created a comment", "comment", None, row["comment_html"], **ids)
    record(call, item, activity, but=tuple(mentioned), by=actor)
    site.worker.add(lambda: _tell_mentioned(site, item, actor, row, mentioned))


def _tell_mentioned(site: Site, item: Row, actor: str, row: Row, users: list[str]) -> None:
    name = site.store.users.rows[actor]["display_name"]
    for user in users:
        activity = site.store.issue_activities.first(issue_comment=row["id"], verb="created") or {
            "id": row["id"]
        }
        about = {
            "id": activity["id"],
            "verb": "created",
            "actor": "None",
            "field": "comment",
            "new_value": row["comment_html"],
            "old_value": "None",
            "new_identifier": row["id"],
            "old_identifier": None,
        }
        message = f"{name} has mentioned you in a comment in issue {item['name']}"
        notify_mentioned(site, item, actor, user, message, about)


def _comment(call: Call) -> Row:
    """Of any author: everybody in the project may change it, as seen."""
    item = item_of(call)
    row = call.site.store.issue_comments.find(call.params["comment"], issue=item["id"])
    if row is None:
        raise missing()
    return row


def _change(call: Call) -> Row:
    row = _comment(call)
    before, values = copied(row), _checked(call, row["project"], own=row)
    if not call.is_v1 and values.get("comment_html", row["comment_html"]) != row["comment_html"]:
        values["edited_at"] = call.site.clock.now()
    call.site.store.issue_comments.update(row, by=call.user["id"], **values)
    if row["comment_html"] != before["comment_html"]:
        both = {"old_id": row["id"], "new_id": row["id"], "issue_comment": row["id"]}
        texts = (before["comment_html"], row["comment_html"])
        activity = Activity("updated", "updated a comment", "comment", *texts, **both)
        record(call, call.site.store.issues.rows[row["issue"]], activity)
    announce_changes(call, "issue_comment", row, before, call.body)
    return row


@v1("GET", "{items}/<item>/comments/")
def list_comments(call: Call) -> Row:
    rows = call.site.store.issue_comments.newest(issue=item_of(call)["id"])
    return page_of(call, rows, lambda row: _read(call, row))


def _read(call: Call, row: Row) -> Row:
    return expand(call, pick(row, COMMENT) | {"is_member": True}, "actor", "issue")


@v1("POST", "{items}/<item>/comments/")
def create_comment_by_key(call: Call) -> Answer:
    """Its answer says `updated_by`, and `created_by` as the actor, which isn't what is stored."""
    project = project_of(call)
    item = call.site.store.issues.find(call.params["item"], project=project["id"])
    if item is None:
        raise invalid_payload()
    row = _create(call, item)
    return Answer(pick(row, COMMENT) | {"updated_by": call.user["id"], "actor": row["created_by"]}, 201)


@v1("GET", "{items}/<item>/comments/<comment>/")
def show_comment(call: Call) -> Row:
    return one(call, _read(call, _comment(call)))


@v1("PATCH", "{items}/<item>/comments/<comment>/")
def change_comment_by_key(call: Call) -> Row:
    return pick(_change(call), COMMENT)


@v1("DELETE", "{items}/<item>/comments/<comment>/")
@web("DELETE", "issues/<item>/comments/<comment>/")
def delete_comment(call: Call) -> Answer:
    row = _comment(call)
    call.site.store.issue_comments.delete(row)
    activity = Activity("deleted", "deleted the comment", "comment", issue_comment=row["id"])
    record(call, call.site.store.issues.rows[row["issue"]], activity)
    return no_content()


@web("POST", "issues/<item>/comments/")
def create_comment(call: Call) -> Answer:
    row = _create(call, item_of(call))
    return Answer(shown_comment(call, row) | {"updated_by": call.user["id"]}, 201)


@web("PATCH", "issues/<item>/comments/<comment>/")
def change_comment(call: Call) -> Row:
    return shown_comment(call, _change(call))
