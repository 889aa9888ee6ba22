"""Cycles, and the work items in them: an item is in one cycle at most."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from tests.support.upstream.access import ADMIN, MEMBER, project_membership, project_of, role_in
from tests.support.upstream.announcements import Activity, announce, announce_changes, record
from tests.support.upstream.external_ids import refuse_external
from tests.support.upstream.fields import Field, Moment, Reference, Text, check, plain, refuse_together
from tests.support.upstream.pagination import one, page_of
from tests.support.upstream.payloads import CYCLE, V1_ITEM
from tests.support.upstream.routing import v1_project, web_project
from tests.support.upstream.site import Site
from tests.support.upstream.store import Row, copied, next_order, pick
from tests.support.upstream.wire import Answer, Call, Refusal, broken, invalid_payload, missing, no_content

v1 = v1_project()
web = web_project()
GROUPS = ["cancelled", "completed", "started", "unstarted", "backlog"]
LINK = "id created_at updated_at deleted_at created_by updated_by project workspace issue cycle"
WEB_SHOWN = (
    "id workspace_id project_id name description start_date end_date owned_by_id view_props sort_order "
    "external_source external_id progress_snapshot logo_props version created_by"
)
ONE_DATE = "Both start date and end date are either required or are to be null"
COMPLETED = "The Cycle has already been completed so it cannot be edited"


def _fields(site: Site) -> dict[str, Field]:
    return {
        "name": Text(required=True, longest=255),
        "description": Text(blank=True),
        "start_date": Moment(),
        "end_date": Moment(),
        "owned_by": Reference(table=site.store.users),
        **plain("external_id", "external_source", "logo_props", "sort_order"),
    }


def _checked(call: Call, project: Row, own: Row | None = None) -> Row:
    values = check(call.body, _fields(call.site), partial=own is not None)
    start, end = values.get("start_date"), values.get("end_date")
    if (start is None) != (end is None):
        raise Refusal(400, {"error": ONE_DATE})
    if own is None and "project_id" not in call.body:
        raise refuse_together("Project ID is required")
    if start and end:
        if start > end:
            raise refuse_together("Start date cannot exceed end date")
        values |= _whole_days(call, start, end)
    rows = call.site.store.cycles.all(project=project["id"])
    refuse_external(rows, values, "Cycle", own=own)
    return values


def _whole_days(call: Call, start: datetime, end: datetime) -> Row:
    """From the first second of its first day, or from now if that is today, to the last minute of its last."""
    now = call.site.clock.now()
    first = datetime.combine(start.date(), time(0, 0, 1), UTC)
    begin = now if start.date() == now.date() else first
    return {"start_date": begin, "end_date": datetime.combine(end.date(), time(23, 59), UTC)}


def _create(call: Call) -> Row:
    project = project_of(call, MEMBER)
    values = _checked(call, project)
    rows = call.site.store.cycles.all(project=project["id"])
    defaults: dict[str, Any] = {
        "description": "",
        "start_date": None,
        "end_date": None,
        "view_props": {},
        "sort_order": next_order(rows, step=-10000.0),
        "external_source": None,
        "external_id": None,
        "progress_snapshot": {},
        "archived_at": None,
        "logo_props": {},
        "timezone": "UTC",
        "version": 1,
        "owned_by": call.user["id"],
    }
    own = {"project": project["id"], "workspace": project["workspace"]}
    cycle = call.site.store.cycles.insert(by=call.user["id"], **defaults | values | own)
    announce(call, "cycle", "created", cycle)
    return cycle


def _cycle(call: Call, least: int = 5) -> Row:
    project = project_of(call, least)
    row = call.site.store.cycles.find(call.params["cycle"], project=project["id"])
    if row is None:
        raise missing()
    return row


def _is_completed(call: Call, cycle: Row) -> bool:
    return cycle["end_date"] is not None and cycle["end_date"] < call.site.clock.now()


def _change(call: Call) -> Row:
    cycle = _cycle(call, MEMBER)
    if _is_completed(call, cycle):
        raise Refusal(400, {"error": COMPLETED})
    before = copied(cycle)
    values = _checked(call, call.site.store.projects.rows[cycle["project"]], own=cycle)
    call.site.store.cycles.update(cycle, by=call.user["id"], **values)
    announce_changes(call, "cycle", cycle, before, call.body)
    return cycle


def items_of(call: Call, cycle: Row) -> list[Row]:
    rows = call.site.store.cycle_issues.all(cycle=cycle["id"])
    items = [call.site.store.issues.find(row["issue"]) for row in rows]
    return sorted((item for item in items if item), key=lambda item: item["created_at"])


def _counted(call: Call, cycle: Row) -> Row:
    states = call.site.store.states.rows
    groups = [states[item["state"]]["group"] for item in items_of(call, cycle)]
    counts = {f"{group}_issues": groups.count(group) for group in GROUPS}
    return {"total_issues": len(groups), **counts, **pick(cycle, CYCLE)}


@v1("GET", "cycles/")
def list_cycles(call: Call) -> Any:
    """The current ones are a bare list, as seen."""
    project, now = project_of(call), call.site.clock.now()
    rows = [row for row in call.site.store.cycles.newest(project=project["id"]) if not row["archived_at"]]
    views = {
        "current": lambda row: row["start_date"] and row["start_date"] <= now <= row["end_date"],
        "upcoming": lambda row: row["start_date"] and row["start_date"] > now,
        "completed": lambda row: row["end_date"] and row["end_date"] < now,
        "draft": lambda row: row["end_date"] is None and row["start_date"] is None,
        "incomplete": lambda row: row["end_date"] is None or row["end_date"] >= now,
    }
    view = call.query.get("cycle_view", "all")
    rows = [row for row in rows if view not in views or views[view](row)]
    if view == "current":
        return [one(call, _counted(call, row)) for row in rows]
    return page_of(call, rows, lambda row: _counted(call, row))


@v1("POST", "cycles/")
def create_cycle_by_key(call: Call) -> Answer:
    return Answer(pick(_create(call), CYCLE), 201)


@v1("GET", "cycles/<cycle>/")
def show_cycle(call: Call) -> Row:
    return one(call, _counted(call, _cycle(call)))


@v1("PATCH", "cycles/<cycle>/")
def change_cycle_by_key(call: Call) -> Row:
    return pick(_change(call), CYCLE)


@v1("DELETE", "cycles/<cycle>/")
@web("DELETE", "cycles/<cycle>/")
def delete_cycle(call: Call) -> Answer:
    """Its items are told, no webhook is sent."""
    cycle, store = _cycle(call, MEMBER), call.site.store
    is_admin = role_in(project_membership(call, cycle["project"])) >= ADMIN
    if not is_admin and cycle["owned_by"] != call.user["id"]:
        raise Refusal(403, {"error": "Only admin or creator can delete the cycle"})
    for item in items_of(call, cycle):
        record(call, item, _removed(cycle))
    store.cycle_issues.delete(*store.cycle_issues.all(cycle=cycle["id"]))
    store.cycles.delete(cycle)
    return no_content()


def _removed(cycle: Row) -> Activity:
    words = f"removed this issue from {cycle['name']}"
    return Activity("deleted", words, "cycles", cycle["name"], "", old_id=cycle["id"], notifies=False)


def add_to_cycle(call: Call, cycle: Row, items: list[Row]) -> list[Row]:
    """The rows of their membership; an item that was in another cycle is moved."""
    table, rows = call.site.store.cycle_issues, []
    for item in reversed(items):
        earlier = table.first(issue=item["id"])
        own = {"project": item["project"], "workspace": item["workspace"], "issue": item["id"]}
        if earlier:
            rows.append(table.update(earlier, cycle=cycle["id"]))
        else:
            rows.append(table.insert(**own, cycle=cycle["id"]))
    words = f"added cycle {cycle['name']}"
    for item in items:
        activity = Activity("created", words, "cycles", "", cycle["name"], new_id=cycle["id"], notifies=False)
        record(call, item, activity)
    return rows


def named_items(call: Call) -> list[Row]:
    """The work items that the body lists. Raises Refusal 400."""
    found = [
        call.site.store.issues.find(row_id, project=call.params["project"]) for row_id in call.body["issues"]
    ]
    if not all(found):
        raise invalid_payload()
    return [item for item in found if item]


def _to_fill(call: Call) -> Row:
    cycle = _cycle(call, MEMBER)
    if not call.body.get("issues"):
        raise Refusal(400, {"error": "Work items are required", "code": "MISSING_WORK_ITEMS"})
    if _is_completed(call, cycle):
        message = "The Cycle has already been completed so no new issues can be added"
        raise Refusal(400, {"code": "CYCLE_COMPLETED", "message": message})
    return cycle


@v1("POST", "cycles/<cycle>/cycle-issues/")
def add_items_by_key(call: Call) -> list[Row]:
    rows = add_to_cycle(call, _to_fill(call), named_items(call))
    count = call.site.store.issues.all
    return [pick(row, LINK) | {"sub_issues_count": len(count(parent=row["issue"]))} for row in rows]


@v1("GET", "cycles/<cycle>/cycle-issues/")
def list_items_in_cycle(call: Call) -> Row:
    return page_of(call, items_of(call, _cycle(call)), lambda item: pick(item, V1_ITEM))


def _link(call: Call, least: int = 5) -> Row:
    cycle = _cycle(call, least)
    row = call.site.store.cycle_issues.first(cycle=cycle["id"], issue=call.params["item"])
    if row is None:
        raise missing()
    return row


@v1("GET", "cycles/<cycle>/cycle-issues/<item>/")
def show_item_in_cycle(call: Call) -> Row:
    return pick(_link(call), LINK)


@v1("DELETE", "cycles/<cycle>/cycle-issues/<item>/")
@web("DELETE", "cycles/<cycle>/cycle-issues/<item>/")
def remove_item(call: Call) -> Answer:
    row, store = _link(call, MEMBER), call.site.store
    store.cycle_issues.delete(row)
    record(call, store.issues.rows[row["issue"]], _removed(store.cycles.rows[row["cycle"]]))
    return no_content()


@v1("POST", "cycles/<cycle>/transfer-issues/")
def transfer_items(call: Call) -> Row:
    cycle, store = _cycle(call, MEMBER), call.site.store
    if "new_cycle_id" not in call.body:
        raise Refusal(400, {"error": "New Cycle Id is required"})
    if not _is_completed(call, cycle):
        raise Refusal(400, {"error": "The old cycle is not completed yet"})
    target = store.cycles.find(call.body["new_cycle_id"], project=cycle["project"])
    if target is None:
        raise missing()
    open_groups = ("backlog", "unstarted", "started")
    items = [
        item for item in items_of(call, cycle) if store.states.rows[item["state"]]["group"] in open_groups
    ]
    store.cycles.update(cycle, progress_snapshot=_snapshot(call, cycle))
    add_to_cycle(call, target, items)
    return {"message": "Success"}


def _snapshot(call: Call, cycle: Row) -> Row:
    counts = {key: value for key, value in _counted(call, cycle).items() if key.endswith("_issues")}
    first, last = cycle["start_date"].date(), cycle["end_date"].date()
    chart = {
        str(first + timedelta(days=day)): counts["total_issues"] for day in range((last - first).days + 1)
    }
    distribution = {"labels": [], "assignees": [], "completion_chart": chart}
    return {"distribution": distribution, "estimate_distribution": {}, **counts}


@v1("POST", "cycles/<cycle>/archive/")
def archive_cycle(call: Call) -> Answer:
    cycle = _cycle(call, MEMBER)
    if cycle["end_date"] is None:
        raise broken()
    if not _is_completed(call, cycle):
        raise Refusal(400, {"error": "Only completed cycles can be archived"})
    call.site.store.cycles.update(cycle, by=call.user["id"], archived_at=call.site.clock.now())
    return no_content()


@v1("GET", "archived-cycles/")
def list_archived_cycles(call: Call) -> Row:
    rows = call.site.store.cycles.newest(project=project_of(call)["id"])
    estimates = dict.fromkeys(("total_estimates", "completed_estimates", "started_estimates"))
    archived = [row for row in rows if row["archived_at"]]
    return page_of(call, archived, lambda row: _counted(call, row) | estimates)


@v1("DELETE", "archived-cycles/<cycle>/unarchive/")
def unarchive_cycle(call: Call) -> Answer:
    call.site.store.cycles.update(_cycle(call, MEMBER), archived_at=None)
    return no_content()


@web("POST", "cycles/")
def create_cycle(call: Call) -> Answer:
    return Answer(_shown(call, _create(call)), 201)


@web("PATCH", "cycles/<cycle>/")
def change_cycle(call: Call) -> Row:
    return _shown(call, _change(call))


def _shown(call: Call, cycle: Row) -> Row:
    counts = pick(_counted(call, cycle), "total_issues completed_issues")
    return {
        **pick(cycle, WEB_SHOWN),
        "is_favorite": False,
        **counts,
        "status": _status(call, cycle),
        "assignee_ids": [],
    }


def _status(call: Call, cycle: Row) -> str:
    if cycle["start_date"] is None:
        return "DRAFT"
    if _is_completed(call, cycle):
        return "COMPLETED"
    return "CURRENT" if cycle["start_date"] <= call.site.clock.now() else "UPCOMING"


@web("POST", "cycles/<cycle>/cycle-issues/")
def add_items(call: Call) -> Answer:
    add_to_cycle(call, _to_fill(call), named_items(call))
    return Answer({"message": "success"}, 201)
