"""Modules, and the work items in them."""

from dataclasses import replace
from typing import Any

from tests.support.upstream.access import MEMBER, item_of, project_of
from tests.support.upstream.announcements import Activity, announce, announce_changes, record
from tests.support.upstream.cycles import named_items
from tests.support.upstream.external_ids import refuse_external
from tests.support.upstream.fields import Choice, Day, Field, Reference, References, Text, check, plain
from tests.support.upstream.payloads import MODULE
from tests.support.upstream.routing import v1_project, web_project
from tests.support.upstream.site import Site
from tests.support.upstream.store import Row, copied, next_order, pick
from tests.support.upstream.wire import Answer, Call, missing, no_content

v1 = v1_project()
web = web_project()
STATUSES = ("backlog", "planned", "in-progress", "paused", "completed", "cancelled")
LINK = "id created_at updated_at deleted_at created_by updated_by project workspace module issue"
CHANGED = "name description start_date target_date status lead external_source external_id"
WEB_SHOWN = (
    "id workspace_id project_id name description description_text description_html start_date "
    "target_date status lead_id view_props sort_order external_source external_id logo_props "
    "created_at updated_at"
)
COUNTS = "completed_issues cancelled_issues started_issues unstarted_issues backlog_issues total_issues"


def _fields(site: Site) -> dict[str, Field]:
    return {
        "name": Text(required=True, longest=255),
        "description": Text(blank=True),
        "status": Choice(choices=STATUSES),
        "start_date": Day(),
        "target_date": Day(),
        "lead": Reference(table=site.store.users),
        "members": References(table=site.store.users),
        **plain("external_id", "external_source", "logo_props", "sort_order"),
    }


def _create(call: Call) -> Row:
    project, store = project_of(call, MEMBER), call.site.store
    values = check(call.body, _fields(call.site))
    rows = store.modules.all(project=project["id"])
    refuse_external(rows, values, "Module")
    none = "description_text description_html start_date target_date external_source external_id archived_at lead"
    defaults: dict[str, Any] = {
        **dict.fromkeys(none.split()),
        "description": "",
        "status": "planned",
        "view_props": {},
        "sort_order": next_order(rows, step=-10000.0),
        "logo_props": {},
        "members": [],
    }
    own = {"project": project["id"], "workspace": project["workspace"]}
    module = store.modules.insert(by=call.user["id"], **defaults | values | own)
    announce(call, "module", "created", module)
    return module


def _module(call: Call, least: int = 5) -> Row:
    project = project_of(call, least)
    row = call.site.store.modules.find(call.params["module"], project=project["id"])
    if row is None:
        raise missing()
    return row


def _change(call: Call) -> Row:
    module = _module(call, MEMBER)
    before = copied(module)
    values = check(call.body, _fields(call.site), partial=True)
    refuse_external(call.site.store.modules.all(project=module["project"]), values, "Module", own=module)
    call.site.store.modules.update(module, by=call.user["id"], **values)
    announce_changes(call, "module", module, before, call.body)
    return module


@v1("POST", "modules/")
def create_module_by_key(call: Call) -> Answer:
    return Answer(pick(_create(call), MODULE), 201)


@v1("PATCH", "modules/<module>/")
def change_module_by_key(call: Call) -> Row:
    return pick(_change(call), CHANGED)


@v1("DELETE", "modules/<module>/")
@web("DELETE", "modules/<module>/")
def delete_module(call: Call) -> Answer:
    """The feed of its items tells of it (by API v1 without naming them), no webhook does."""
    module, store = _module(call, MEMBER), call.site.store
    links = store.module_issues.all(module=module["id"])
    for link in links:
        activity = replace(_removed(module), names_item=not call.is_v1)
        record(call, store.issues.rows[link["issue"]], activity)
    store.module_issues.delete(*links)
    store.modules.delete(module)
    return no_content()


def _removed(module: Row) -> Activity:
    words = f"removed this issue from {module['name']}"
    return Activity("deleted", words, "modules", module["name"], "", old_id=module["id"], notifies=False)


def _added(module: Row) -> Activity:
    words = f"added module {module['name']}"
    return Activity("created", words, "modules", "", module["name"], new_id=module["id"], notifies=False)


def _link(call: Call, module: Row, item: Row) -> Row:
    table = call.site.store.module_issues
    earlier = table.first(module=module["id"], issue=item["id"])
    own = {"project": item["project"], "workspace": item["workspace"]}
    user = call.user["id"]
    return earlier or table.insert(by=user, **own, module=module["id"], issue=item["id"]) | {
        "updated_by": user
    }


@v1("POST", "modules/<module>/module-issues/")
def add_items_by_key(call: Call) -> list[Row]:
    """The feed gets one row, which names neither the module nor an item, as seen."""
    module, items = _module(call, MEMBER), named_items(call)
    links = [_link(call, module, item) for item in items]
    record(
        call,
        items[0],
        Activity("created", "added module ", "modules", "", "", names_item=False, notifies=False),
    )
    count = call.site.store.issues.all
    return [pick(link, LINK) | {"sub_issues_count": len(count(parent=link["issue"]))} for link in links]


@v1("DELETE", "modules/<module>/module-issues/<item>/")
@web("DELETE", "modules/<module>/issues/<item>/")
def remove_item(call: Call) -> Answer:
    module, store = _module(call, MEMBER), call.site.store
    link = store.module_issues.first(module=module["id"], issue=call.params["item"])
    if link is None:
        raise missing()
    store.module_issues.delete(link)
    record(call, store.issues.rows[link["issue"]], _removed(module))
    return no_content()


def _shown(module: Row) -> Row:
    counts = dict.fromkeys(COUNTS.split(), 0)
    points = {"completed_estimate_points": 0.0, "total_estimate_points": 0.0}
    return {
        **pick(module, WEB_SHOWN),
        "is_favorite": False,
        **counts,
        **points,
        "member_ids": module["members"],
    }


@web("POST", "modules/")
def create_module(call: Call) -> Answer:
    return Answer(_shown(_create(call)), 201)


@web("PATCH", "modules/<module>/")
def change_module(call: Call) -> Row:
    return _shown(_change(call))


@web("POST", "modules/<module>/issues/")
def add_items(call: Call) -> Answer:
    module = _module(call, MEMBER)
    for item in named_items(call):
        _link(call, module, item)
        record(call, item, _added(module))
    return Answer({"message": "success"}, 201)


@web("POST", "issues/<item>/modules/")
def change_modules_of_item(call: Call) -> Answer:
    item, store = item_of(call, MEMBER), call.site.store
    for row_id in call.body.get("modules", []):
        module = store.modules.find(row_id, project=item["project"])
        if module is None:
            raise missing()
        _link(call, module, item)
        record(call, item, _added(module))
    for row_id in call.body.get("removed_modules", []):
        links = store.module_issues.all(module=row_id, issue=item["id"])
        store.module_issues.delete(*links)
    return Answer({"message": "success"}, 201)
