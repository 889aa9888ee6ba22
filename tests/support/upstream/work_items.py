"""Work items: their rules, which both APIs share, and API v1."""

from collections.abc import Iterable
from typing import Any

from tests.support.upstream.access import (
    ADMIN,
    GUEST,
    MEMBER,
    item_of,
    project_membership,
    project_of,
    role_in,
)
from tests.support.upstream.announcements import Activity, announce, announce_changes, record
from tests.support.upstream.expansion import expand
from tests.support.upstream.external_ids import find_external, refuse_external
from tests.support.upstream.fields import (
    Choice,
    Day,
    Field,
    Moment,
    Number,
    Reference,
    References,
    Text,
    check,
    plain,
    refuse_together,
)
from tests.support.upstream.html import stored, stripped
from tests.support.upstream.notifications import newly_mentioned, notify_mentioned, subscribe
from tests.support.upstream.pagination import one, page_of
from tests.support.upstream.payloads import V1_ITEM
from tests.support.upstream.routing import Credential, Routes, v1_project
from tests.support.upstream.site import Site
from tests.support.upstream.store import Row, copied, next_order, pick
from tests.support.upstream.wire import Answer, Call, Refusal, broken, forbidden, missing, no_content
from tests.support.upstream.work_changes import COLUMNS, activities_of, column

v1 = v1_project()
v1_workspace = Routes("/api/v1/workspaces/<slug>/{items}/", Credential.KEY)
PRIORITIES = ("urgent", "high", "medium", "low", "none")
EXPANDABLE = ("state", "assignees", "labels", "project", "workspace", "parent", "created_by")
GROUP_ORDER = ("backlog", "unstarted", "started", "completed", "cancelled")


def item_fields(site: Site) -> dict[str, Field]:
    store = site.store
    return {
        "name": Text(required=True, longest=255),
        "description_html": Field(),
        "priority": Choice(choices=PRIORITIES),
        "state": Reference(table=store.states),
        "assignees": References(table=store.users),
        "labels": References(table=store.labels),
        "parent": Reference(table=store.issues),
        "start_date": Day(),
        "target_date": Day(),
        "sort_order": Number(),
        "sequence_id": Number(),
        "created_at": Moment(),
        "created_by": Reference(table=store.users),
        **plain("external_id", "external_source", "is_draft", "estimate_point"),
    }


def checked_item(call: Call, project: Row, item: Row | None = None) -> Row:
    """The values of the body by column. People who may not be assigned are dropped in silence."""
    body = {
        column(name): value for name, value in call.body.items() if call.is_v1 or name not in COLUMNS.values()
    }
    values = check(body, item_fields(call.site), partial=item is not None)
    dates = [values.get(name, item[name] if item else None) for name in ("start_date", "target_date")]
    if all(dates) and dates[0] > dates[1]:
        raise refuse_together("Start date cannot exceed target date")
    if "assignees" in values:
        values["assignees"] = [
            row_id for row_id in values["assignees"] if _is_assignable(call, project, row_id)
        ]
    if "description_html" in values:
        values["description_html"] = stored(values["description_html"])
        values["description_stripped"] = stripped(values["description_html"])
    refuse_external(call.site.store.issues.all(project=project["id"]), values, "Issue", own=item)
    return values


def _is_assignable(call: Call, project: Row, user: str) -> bool:
    return role_in(project_membership(call, project["id"], user)) >= MEMBER


def create_item(call: Call, project: Row, values: Row, state: Row | None = None) -> Row:
    store, site = call.site.store, call.site
    state = state or store.states.first(project=project["id"], default=True) or {}
    state = store.states.rows[values.get("state") or state["id"]]
    project["sequence"] += 1
    none = (
        "type_id type point description_binary start_date target_date archived_at external_source "
        "external_id parent estimate_point"
    )
    blank: Row = {
        "description_html": "<p></p>",
        "description_stripped": "",
        "priority": "none",
        "is_draft": False,
    }
    derived = {
        "sequence_id": project["sequence"],
        "sort_order": next_order(store.issues.all(state=state["id"])),
        "completed_at": site.clock.now() if state["group"] == "completed" else None,
        "assignees": [],
        "labels": [],
    }
    own = {"project": project["id"], "workspace": project["workspace"], "state": state["id"]}
    blank |= dict.fromkeys(none.split())
    item = store.issues.insert(**{"by": call.user["id"]} | blank | derived | values | own)
    _link_entries(site, item, {"assignees": [], "labels": []})
    return item


def _link_entries(site: Site, item: Row, before: Row) -> None:
    """A list is replaced as a whole: its rows are deleted and made again."""
    for name, key, table in (
        ("assignees", "assignee", site.store.issue_assignees),
        ("labels", "label", site.store.issue_labels),
    ):
        if item[name] == before[name]:
            continue
        table.delete(*table.all(issue=item["id"]))
        for row_id in item[name]:
            own = {"project": item["project"], "workspace": item["workspace"]}
            table.insert(by=item["created_by"], issue=item["id"], **{key: row_id}, **own)


def announce_item(call: Call, item: Row) -> None:
    """Made in the web application it is followed by its author and its assignees, who are told."""
    activities = [Activity("created", "created the issue", notifies=False)]
    if not call.is_v1:
        site, mentioned = call.site, newly_mentioned(call.site, item, item["description_html"])
        subscribe(site, item, call.user["id"], *item["assignees"], *mentioned)
        add_mentions(site, item, mentioned)
        add_description_version(call, item)
        activities += activities_of(site, item | {"assignees": []}, item, ["assignees"])
    record(call, item, *activities)
    announce(call, "issue", "created", item)


def add_description_version(call: Call, item: Row) -> None:
    """Unless the same person made the last one."""
    versions = call.site.store.issue_description_versions.newest(issue=item["id"])
    if versions and versions[0]["created_by"] == call.user["id"]:
        return
    own = {"issue": item["id"], "project": item["project"], "workspace": item["workspace"]}
    call.site.store.issue_description_versions.insert(by=call.user["id"], **own)


def add_mentions(site: Site, item: Row, users: list[str]) -> None:
    for user in users:
        own = {"issue": item["id"], "project": item["project"], "workspace": item["workspace"]}
        site.store.issue_mentions.insert(mention=user, **own)


def change_item(call: Call, item: Row) -> None:
    site, project = call.site, call.site.store.projects.rows[item["project"]]
    before = copied(item)
    values = checked_item(call, project, item)
    if "state" in values and values["state"] != item["state"]:
        done = site.store.states.rows[values["state"]]["group"] == "completed"
        values["completed_at"] = site.clock.now() if done else None
    site.store.issues.update(item, by=call.user["id"], **values)
    _link_entries(site, item, before)
    subscribe(site, item, *[row_id for row_id in item["assignees"] if row_id not in before["assignees"]])
    record_change(call, item, before)
    aliases = {alias: before[name] for alias, name in COLUMNS.items()}
    announce_changes(call, "issue", item, before if call.is_v1 else before | aliases, call.body)


def record_change(call: Call, item: Row, before: Row) -> None:
    """Including the mentions in a new description, which only the web application tells of; a change without one
    forgets them."""
    activities = activities_of(call.site, before, item, list(call.body))
    if activities:
        record(call, item, *activities)
    if call.is_v1:
        return
    if item["description_html"] == before["description_html"]:
        call.site.store.issue_mentions.delete(*call.site.store.issue_mentions.all(issue=item["id"]))
        return
    add_description_version(call, item)
    mentioned = newly_mentioned(call.site, item, item["description_html"], before["description_html"])
    add_mentions(call.site, item, mentioned)
    actor = call.user["id"]
    call.site.worker.add(lambda: _tell_mentioned(call.site, item, actor, mentioned))


def _tell_mentioned(site: Site, item: Row, actor: str, users: list[str]) -> None:
    rows = site.store.issue_activities.all(issue=item["id"], field="description")
    for user in users:
        row = rows[-1]
        about = pick(row, "id verb actor field new_value old_value new_identifier old_identifier")
        message = f"You have been mentioned in the issue {item['name']}"
        notify_mentioned(site, item, actor, user, message, about)


def delete_items(site: Site, *items: Row) -> None:
    store = site.store
    for item in items:
        for name in ("issue_assignees", "issue_labels", "issue_subscribers", "issue_description_versions"):
            table = getattr(store, name)
            table.delete(*table.all(issue=item["id"]))
        store.issues.delete(item)


def visible_items(site: Site, project: str) -> list[Row]:
    """Without drafts, archived ones, and what waits in the intake."""
    triage = {state["id"] for state in site.store.states.all(project=project, group="triage")}
    rows = site.store.issues.newest(project=project)
    return [
        row for row in rows if not row["is_draft"] and not row["archived_at"] and row["state"] not in triage
    ]


def _ordered(call: Call, items: list[Row]) -> list[Row]:
    order = call.query.get("order_by", "-created_at")
    name, store = order.removeprefix("-"), call.site.store
    keys: dict[str, Any] = {
        "priority": lambda item: PRIORITIES.index(item["priority"]),
        "state__group": lambda item: GROUP_ORDER.index(store.states.rows[item["state"]]["group"]),
        "state__name": lambda item: store.states.rows[item["state"]]["name"],
        "labels__name": lambda item: _least(store.labels.rows[row_id]["name"] for row_id in item["labels"]),
        "assignees__first_name": lambda item: _least(
            store.users.rows[row_id]["first_name"] for row_id in item["assignees"]
        ),
    }
    columns = "created_at updated_at sequence_id sort_order name start_date target_date completed_at"
    keys |= {key: lambda item, k=key: (item[k] is None, item[k]) for key in columns.split()}
    if name not in keys:
        raise broken()
    by_age = sorted(items, key=lambda item: item["created_at"])
    return sorted(by_age, key=keys[name], reverse=order.startswith("-"))


def _least(names: Iterable[str]) -> tuple[bool, str]:
    found = sorted(names)
    return (not found, found[0] if found else "")


def _shown(call: Call, item: Row) -> Row:
    return expand(call, pick(item, V1_ITEM), *EXPANDABLE)


@v1("GET", "{items}/")
def list_items(call: Call) -> Row:
    items = visible_items(call.site, project_of(call)["id"])
    found = find_external(call, items)
    if found:
        return _shown(call, found)
    return page_of(call, _ordered(call, items), lambda item: _shown(call, item))


@v1("POST", "{items}/")
def create_item_by_key(call: Call) -> Answer:
    project = project_of(call, MEMBER)
    item = create_item(call, project, checked_item(call, project))
    announce_item(call, item)
    return Answer(pick(item, V1_ITEM) | {"created_by": call.user["id"]}, 201)


@v1("GET", "{items}/<item>/")
def show_item(call: Call) -> Row:
    return one(call, _shown(call, item_of(call)))


@v1("PATCH", "{items}/<item>/")
def change_item_by_key(call: Call) -> Row:
    item = item_of(call, MEMBER)
    change_item(call, item)
    return pick(item, V1_ITEM)


@v1("DELETE", "{items}/<item>/")
def delete_item_by_key(call: Call) -> Answer:
    item = item_of(call, MEMBER)
    role = role_in(project_membership(call, item["project"]))
    if role < ADMIN and item["created_by"] != call.user["id"]:
        raise Refusal(403, {"error": "Only admin or creator can delete the work item"})
    remove_item(call, item)
    return no_content()


def remove_item(call: Call, item: Row) -> None:
    delete_items(call.site, item)
    record(call, item, Activity("deleted", "deleted the issue", "issue", notifies=False))


@v1_workspace("GET", "<identifier>-<sequence>/")
def show_item_by_identifier(call: Call) -> Row:
    store, params = call.site.store, call.params
    if not params["sequence"].isdigit():
        raise broken()
    workspace = store.workspaces.first(slug=params["slug"]) or {"id": None}
    project = store.projects.first(workspace=workspace["id"], identifier=params["identifier"])
    if project is None or project_membership(call, project["id"]) is None:
        raise forbidden()
    item = store.issues.first(project=project["id"], sequence_id=int(params["sequence"]))
    if item is None:
        raise missing()
    return one(call, _shown(call, item))


@v1_workspace("GET", "search/")
def search_items(call: Call) -> Row:
    """In the projects that the caller is in; of a stranger in none."""
    words, store = call.query.get("search", "").lower(), call.site.store
    try:
        most = int(call.query.get("limit", 10))
    except ValueError:
        raise broken() from None
    workspace = store.workspaces.first(slug=call.params["slug"]) or {"id": None}
    found = [item for item in store.issues.newest(workspace=workspace["id"]) if words in item["name"].lower()]
    readable = [item for item in found if role_in(project_membership(call, item["project"])) >= GUEST]
    if call.query.get("workspace_search") == "false" and call.query.get("project_id"):
        readable = [item for item in readable if item["project"] == call.query["project_id"]]
    return {"issues": [_found(call, item) for item in readable[:most]] if words else []}


def _found(call: Call, item: Row) -> Row:
    project = call.site.store.projects.rows[item["project"]]
    return {
        **pick(item, "name id sequence_id"),
        "project__identifier": project["identifier"],
        "project_id": item["project"],
        "workspace__slug": call.params["slug"],
    }
