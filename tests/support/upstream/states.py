"""States of work items."""

from tests.support.upstream.access import MEMBER, project_of
from tests.support.upstream.expansion import expand
from tests.support.upstream.external_ids import refuse_external
from tests.support.upstream.fields import Choice, Text, check, plain
from tests.support.upstream.pagination import one, page_of
from tests.support.upstream.routing import v1_project, web_project
from tests.support.upstream.site import Site
from tests.support.upstream.store import Row, pick
from tests.support.upstream.wire import Answer, Call, Refusal, missing, no_content

v1 = v1_project()
web = web_project()
GROUPS = ("backlog", "unstarted", "started", "completed", "cancelled", "triage")
DEFAULTS = (
    ("Backlog", "#60646C", "backlog"),
    ("Todo", "#60646C", "unstarted"),
    ("In Progress", "#F59E0B", "started"),
    ("Done", "#46A758", "completed"),
    ("Cancelled", "#9AA4BC", "cancelled"),
)
V1_SHOWN = (
    "id created_at updated_at deleted_at name description color slug sequence group is_triage "
    "default external_source external_id created_by updated_by project workspace"
)
WEB_SHOWN = "id project_id workspace_id name color group default description sequence"
FIELDS = {
    "name": Text(required=True, longest=255),
    "color": Text(required=True, longest=255),
    "group": Choice(choices=GROUPS),
    "description": Text(blank=True),
    **plain("external_id", "external_source", "default", "sequence"),
}


def _new(project: Row, **values: object) -> Row:
    defaults = {
        "description": "",
        "slug": "",
        "group": "backlog",
        "is_triage": False,
        "default": False,
        "external_source": None,
        "external_id": None,
        "project": project["id"],
        "workspace": project["workspace"],
    }
    return defaults | values


def create_default_states(site: Site, project: Row, by: str) -> None:
    """Five that are shown, and the hidden one of the intake."""
    for place, (name, color, group) in enumerate(DEFAULTS):
        row = _new(
            project, name=name, color=color, group=group, sequence=15000.0 + 10000 * place, default=place == 0
        )
        site.store.states.insert(by=by, **row)
    triage = _new(project, name="Triage", color="#4E5355", group="triage", sequence=65000.0, is_triage=True)
    site.store.states.insert(by=by, **triage)


def visible_states(site: Site, project: str) -> list[Row]:
    rows = [row for row in site.store.states.all(project=project) if row["group"] != "triage"]
    return sorted(rows, key=lambda row: row["sequence"])


def _refuse_name(rows: list[Row], values: Row, own: Row | None = None) -> None:
    for row in rows:
        if row["name"] == values.get("name") and row is not own:
            error = "State with the same name already exists in the project"
            raise Refusal(409, {"error": error, "id": row["id"]})


def _create(call: Call) -> Row:
    project = project_of(call, MEMBER)
    values = check(call.body, dict(FIELDS))
    rows = visible_states(call.site, project["id"])
    refuse_external(rows, values, "State")
    _refuse_name(rows, values)
    sequence = max(row["sequence"] for row in rows) + 15000
    slug = values["name"].lower().replace(" ", "-")
    row = _new(project, **{"sequence": sequence, "slug": slug} | values)
    return call.site.store.states.insert(by=call.user["id"], **row)


def _state(call: Call, least: int = 5) -> Row:
    project = project_of(call, least)
    row = call.site.store.states.find(call.params["state"], project=project["id"])
    if row is None:
        raise missing()
    return row


def _change(call: Call) -> Row:
    row = _state(call, MEMBER)
    values = check(call.body, dict(FIELDS), partial=True)
    refuse_external(visible_states(call.site, row["project"]), values, "State", own=row)
    if "name" in values:
        values["slug"] = values["name"].lower().replace(" ", "-")
    return call.site.store.states.update(row, by=call.user["id"], **values)


def _expanded(call: Call, row: Row) -> Row:
    return expand(call, pick(row, V1_SHOWN), "project", "workspace")


@v1("GET", "states/")
def list_states_by_key(call: Call) -> Row:
    rows = visible_states(call.site, project_of(call)["id"])
    return page_of(call, rows, lambda row: _expanded(call, row))


@v1("POST", "states/")
def create_state_by_key(call: Call) -> Row:
    return pick(_create(call), V1_SHOWN)


@v1("GET", "states/<state>/")
def show_state_by_key(call: Call) -> Row:
    return one(call, _expanded(call, _state(call)))


@v1("PATCH", "states/<state>/")
def change_state_by_key(call: Call) -> Row:
    return pick(_change(call), V1_SHOWN)


@v1("DELETE", "states/<state>/")
@web("DELETE", "states/<state>/")
def delete_state(call: Call) -> Answer:
    row = _state(call, MEMBER)
    if row["default"]:
        raise Refusal(400, {"error": "Default state cannot be deleted"})
    if call.site.store.issues.first(state=row["id"]):
        raise Refusal(400, {"error": "The state is not empty, only empty states can be deleted"})
    call.site.store.states.delete(row)
    return no_content()


@web("GET", "states/")
def list_states(call: Call) -> list[Row]:
    """`order` counts within the group."""
    rows, counts = visible_states(call.site, project_of(call)["id"]), dict.fromkeys(GROUPS, 0)
    shown = []
    for row in rows:
        counts[row["group"]] += 1
        shown.append(pick(row, WEB_SHOWN) | {"order": float(counts[row["group"]])})
    return shown


@web("POST", "states/")
def create_state(call: Call) -> Row:
    return pick(_create(call), WEB_SHOWN)


@web("PATCH", "states/<state>/")
def change_state(call: Call) -> Row:
    return pick(_change(call), WEB_SHOWN)
