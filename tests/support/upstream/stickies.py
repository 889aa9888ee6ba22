"""Stickies: notes of a person in a workspace, without a rate limit."""

from tests.support.upstream.access import workspace_of
from tests.support.upstream.fields import Field, check, plain
from tests.support.upstream.html import stored, stripped
from tests.support.upstream.pagination import page_of
from tests.support.upstream.routing import Credential, Routes
from tests.support.upstream.store import Row, next_order, pick
from tests.support.upstream.wire import Answer, Call, Refusal, no_content

routes = Routes("/api/v1/workspaces/<slug>/stickies/", Credential.KEY, limited=False)
SHOWN = (
    "id created_at updated_at deleted_at name description description_html description_stripped "
    "description_binary logo_props color background_color sort_order created_by updated_by "
    "workspace owner"
)
PAGE_SIZE = 20
FIELDS: dict[str, Field] = plain("name", "description_html", "color", "background_color", "logo_props")


def _values(call: Call) -> Row:
    values = check(call.body, FIELDS)
    if "description_html" in values:
        values["description_html"] = stored(values["description_html"])
        values["description_stripped"] = stripped(values["description_html"])
    return values


@routes("GET", "")
def list_stickies(call: Call) -> Row:
    workspace, words = workspace_of(call), call.query.get("query", "")
    rows = call.site.store.stickies.newest(workspace=workspace["id"], owner=call.user["id"])
    return page_of(call, [row for row in rows if _has(row, words)], lambda row: pick(row, SHOWN), PAGE_SIZE)


def _has(row: Row, words: str) -> bool:
    return words.lower() in f"{row['name'] or ''} {row['description_stripped']}".lower()


@routes("POST", "")
def create_sticky(call: Call) -> Answer:
    workspace, user = workspace_of(call), call.user["id"]
    rows = call.site.store.stickies.all(workspace=workspace["id"], owner=user)
    defaults = {
        "name": None,
        "description": {},
        "description_html": "<p></p>",
        "description_stripped": "",
        "description_binary": None,
        "logo_props": {},
        "color": None,
        "background_color": None,
        "sort_order": next_order(rows),
    }
    own = {"workspace": workspace["id"], "owner": user}
    made = call.site.store.stickies.insert(by=user, **defaults | _values(call) | own)
    return Answer(pick(made, SHOWN), 201)


def _sticky(call: Call) -> Row:
    workspace = workspace_of(call)
    row = call.site.store.stickies.find(
        call.params["sticky"], workspace=workspace["id"], owner=call.user["id"]
    )
    if row is None:
        raise Refusal(404, {"detail": "No Sticky matches the given query."})
    return row


@routes("GET", "<sticky>/")
def show_sticky(call: Call) -> Row:
    return pick(_sticky(call), SHOWN)


@routes("PATCH PUT", "<sticky>/")
def change_sticky(call: Call) -> Row:
    return pick(call.site.store.stickies.update(_sticky(call), by=call.user["id"], **_values(call)), SHOWN)


@routes("DELETE", "<sticky>/")
def delete_sticky(call: Call) -> Answer:
    call.site.store.stickies.delete(_sticky(call))
    return no_content()
