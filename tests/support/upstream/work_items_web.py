"""Work items on the internal API: lists, changes in bulk, archive, sub-items, and the feeds of a person."""

from datetime import date, datetime
from typing import Any

from tests.support.upstream.access import ADMIN, MEMBER, item_of, project_of, workspace_of
from tests.support.upstream.announcements import Activity, record
from tests.support.upstream.feed import shown_activity
from tests.support.upstream.notifications import subscribe
from tests.support.upstream.pagination import page_of
from tests.support.upstream.routing import Credential, Routes, web_project
from tests.support.upstream.store import Row, copied, pick
from tests.support.upstream.wire import Answer, Call, Refusal, no_content
from tests.support.upstream.work_changes import activities_of
from tests.support.upstream.work_items import (
    announce_item,
    change_item,
    checked_item,
    create_item,
    remove_item,
    visible_items,
)

routes = web_project()
workspace = Routes("/api/workspaces/<slug>/", Credential.SESSION)
BASE = (
    "id name state_id sort_order completed_at estimate_point priority start_date target_date "
    "sequence_id project_id parent_id created_at updated_at created_by updated_by is_draft "
    "archived_at"
)


def _shown(call: Call, item: Row, counted: bool = False) -> Row:
    count = (lambda rows: len(rows)) if counted else (lambda rows: len(rows) or None)
    store, row_id = call.site.store, item["id"]
    cycle = store.cycle_issues.first(issue=row_id)
    return {
        **pick(item, BASE),
        "cycle_id": cycle["cycle"] if cycle else None,
        "link_count": count(store.issue_links.all(issue=row_id)),
        "attachment_count": count(store.file_assets.all(issue=row_id, is_uploaded=True)),
        "sub_issues_count": count(store.issues.all(parent=row_id)),
        "assignee_ids": item["assignees"],
        "label_ids": item["labels"],
        "module_ids": [row["module"] for row in store.module_issues.all(issue=row_id)],
    }


def _listed(call: Call, item: Row, counted: bool = False) -> Row:
    group = call.site.store.states.rows[item["state"]]["group"]
    return _shown(call, item, counted) | {"state__group": group}


@routes("GET", "issues/")
def list_items(call: Call) -> Row:
    items = visible_items(call.site, project_of(call)["id"])
    return page_of(call, items, lambda item: _listed(call, item))


@routes("POST", "issues/")
def create(call: Call) -> Answer:
    project = project_of(call, MEMBER)
    item = create_item(call, project, checked_item(call, project))
    announce_item(call, item)
    return Answer(_shown(call, item) | {"deleted_at": None}, 201)


@routes("PATCH", "issues/<item>/")
def change(call: Call) -> Answer:
    change_item(call, item_of(call, MEMBER))
    return no_content()


@routes("DELETE", "issues/<item>/")
def delete(call: Call) -> Answer:
    remove_item(call, item_of(call, MEMBER))
    return no_content()


@routes("DELETE", "bulk-delete-issues/")
def delete_many(call: Call) -> Row:
    """No activity, no webhook: only the table shows it."""
    project = project_of(call, ADMIN)
    found = [
        call.site.store.issues.find(row_id, project=project["id"])
        for row_id in call.body.get("issue_ids", [])
    ]
    items = [item for item in found if item]
    call.site.store.issues.delete(*items)
    return {"message": f"{len(items)} issues were deleted"}


@routes("POST", "issues/<item>/archive/")
def archive(call: Call) -> Row:
    item = item_of(call, MEMBER)
    if call.site.store.states.rows[item["state"]]["group"] not in ("completed", "cancelled"):
        raise Refusal(400, {"error": "Can only archive completed or cancelled state group issue"})
    today = call.site.clock.now().date()
    call.site.store.issues.update(item, archived_at=today)
    record(
        call, item, Activity("updated", "Actor has archived the issue", "archived_at", None, "manual_archive")
    )
    return {"archived_at": str(today)}


@routes("DELETE", "issues/<item>/archive/")
def unarchive(call: Call) -> Answer:
    item = item_of(call, MEMBER)
    if item["archived_at"] is None:
        raise Refusal(404, {"error": "The required object does not exist."})
    call.site.store.issues.update(item, archived_at=None)
    record(call, item, Activity("updated", "has restored the issue", "archived_at", "archive", "restore"))
    return no_content()


@routes("POST", "issues/<item>/subscribe/")
def follow(call: Call) -> Answer:
    item, user = item_of(call), call.user["id"]
    if call.site.store.issue_subscribers.first(issue=item["id"], subscriber=user):
        raise Refusal(400, {"message": "User already subscribed to the issue."})
    subscribe(call.site, item, user)
    return Answer({"message": "Subscribed"}, 201)


@routes("POST", "issues/<item>/sub-issues/")
def add_sub_items(call: Call) -> Row:
    parent, store = item_of(call, MEMBER), call.site.store
    children = [
        store.issues.find(row_id, project=parent["project"]) for row_id in call.body.get("sub_issue_ids", [])
    ]
    by_group: dict[str, list[str]] = {}
    shown = []
    for child in filter(None, children):
        before = copied(child)
        store.issues.update(child, parent=parent["id"])
        _record_moved(call, child, before)
        by_group.setdefault(store.states.rows[child["state"]]["group"], []).append(child["id"])
        shown.append(pick(child, BASE))
    return {"sub_issues": shown, "state_distribution": by_group}


def _record_moved(call: Call, child: Row, before: Row) -> None:
    """The feed names the item itself as what it had before, as seen."""
    (activity,) = activities_of(call.site, before | {"parent": child["id"]}, child, ["parent"])
    record(call, child, activity)


@routes("POST", "issue-dates/")
def change_dates(call: Call) -> Row:
    project = project_of(call, MEMBER)
    for update in call.body.get("updates", []):
        item = call.site.store.issues.find(update["id"], project=project["id"])
        if item:
            _change_dates(call, item, update)
    return {"message": "Issues updated successfully"}


def _change_dates(call: Call, item: Row, update: Row) -> None:
    before = copied(item)
    days = {
        name: date.fromisoformat(update[name]) for name in ("start_date", "target_date") if update.get(name)
    }
    call.site.store.issues.update(item, **days)
    comments = {"start_date": "updated the start date to ", "target_date": "updated the target date to"}
    rows = [
        Activity("updated", comments[name], name, _text(before[name]), str(day), notifies=False)
        for name, day in days.items()
    ]
    record(call, item, *rows)


def _text(value: Any) -> str:
    return str(value)


@routes("GET", "deleted-issues/")
def list_deleted(call: Call) -> list[str]:
    project, since = project_of(call), call.query.get("updated_at__gt")
    rows = [
        row
        for row in call.site.store.issues.rows.values()
        if row["project"] == project["id"] and row["deleted_at"] is not None
    ]
    moment = datetime.fromisoformat(since) if since else None
    return [row["id"] for row in reversed(rows) if moment is None or row["updated_at"] > moment]


def _own_projects(call: Call) -> set[str]:
    """Those that the caller is in."""
    rows = call.site.store.project_members.all(member=call.user["id"], is_active=True)
    return {row["project"] for row in rows}


@workspace("GET", "user-activity/<user>/")
def list_activity_of_person(call: Call) -> Row:
    """What the person did in projects that the caller is in."""
    found, store = workspace_of(call), call.site.store
    mine = _own_projects(call)
    rows = store.issue_activities.newest(workspace=found["id"], actor=call.params["user"])
    hidden = {"comment", "vote", "reaction", "draft"}
    shown = [row for row in rows if row["project"] in mine and row["field"] not in hidden]
    return page_of(call, shown, lambda row: shown_activity(call, row))


@workspace("GET", "user-issues/<user>/")
def list_items_of_person(call: Call) -> Row:
    """Those that the person made, follows or is assigned to, in projects that the caller is in."""
    found, user, store = workspace_of(call), call.params["user"], call.site.store
    mine = _own_projects(call)
    followed = {row["issue"] for row in store.issue_subscribers.all(subscriber=user)}
    items = [
        item
        for item in store.issues.newest(workspace=found["id"])
        if (item["created_by"] == user or user in item["assignees"] or item["id"] in followed)
        and item["project"] in mine
        and not item["archived_at"]
    ]
    return page_of(call, items, lambda item: _listed(call, item, counted=True))
