"""Whether an event's data is the record as it is afterwards: what webhooks v1 and v2 send, beside a GET."""

import re
from typing import Any

from airside.db.base import Row
from airside.events.catalog import DELETED, entity_of, get_kind
from airside.events.envelope import render_v1, render_v2
from airside.rest.face import Face
from airside.rest.route import Route
from airside.rest.wires.v1.paths import WORKSPACE
from tests.contract.world import ROUTES, World

RECORDS = {
    route.face.record.event: route.face
    for route in ROUTES
    if route.face and route.event == f"{getattr(route.face.record, 'event', None)}.created"
}
# What a GET shows otherwise on purpose: its `id` is the person's; a prompted run is in progress, as in Plane.
OTHERWISE = {
    "project.member.created": "id",
    "project.member.updated": "id",
    "agent_run_user_prompt": "status",
}
# No GET shows these rows, only what is at their other end; tests/work/test_relations.py reads their data.
UNREAD = frozenset({"workitem.relation", "workitem.dependency"})

# Links, which no GET shows: their field → the parameter of the URL that it has.
LINKS = {"work_item_type.property": {"type": "type_id"}}


async def check_event_data(
    world: World, route: Route, params: dict[str, str], event: Row, answered: Any = None
) -> None:
    """Compare the payloads of the event that the route recorded with what a GET shows next, or with what it
    answered where that is a list of links."""
    kind, entity = get_kind(event["name"]), entity_of(event["name"])
    is_own = route.face is not None and getattr(route.face.record, "event", None) == entity
    face = route.face.events if is_own and route.face else RECORDS.get(entity)
    stored = {**event, "workspace_slug": "acme"}
    v1, v2 = render_v1(stored, "hook")[0]["data"], render_v2(stored, "hook", "delivery")["data"]
    if kind.v1_action == DELETED:
        assert (v1, v2) == ({"id": event["entity_id"]}, {})
        return
    if entity in LINKS:
        assert {name: v1[name] for name in LINKS[entity]} == {
            name: params[key] for name, key in LINKS[entity].items()
        }
        return
    if entity in UNREAD:
        return
    if kind.is_agents:
        v1 = v1["agent_run"]
    rows: list[Row] = answered if isinstance(answered, list) else []
    links = [one for one in rows if one["id"] == v1["id"] and one.keys() >= v1.keys()]
    shown = links[0] if links else await _show(world, route, face, params, v1)
    also = face.event_also if face else {}
    common = [name for name in v1 if name not in also and name != OTHERWISE.get(event["name"])]
    common = [name for name in common if name in shown or name != "id"]  # what a workspace uses has none
    assert {name: v1[name] for name in common} == {name: shown[name] for name in common}
    if kind.defined_by_plane and not kind.is_agents:
        _check_v2(face, v2, {name: shown[name] for name in common})


def _check_v2(face: Face | None, v2: Row, shown: Row) -> None:
    """v2 calls a reference `state_id` and a list `label_ids`, shows neither as objects, and no rich text."""
    computed = face.record.computed if face else {}
    lists = {name: one.event_name for name, one in computed.items() if one.event_name}
    names = {
        name: next((n for n in (lists.get(name, name), f"{name}_id") if n in v2), None) for name in shown
    }
    left_out = {name for name, key in names.items() if key is None}
    columns = face.table.c.keys() if face else []
    assert left_out <= {*(face.record.unlisted if face else ()), *(shown.keys() - {*columns, *lists})}
    assert {key: v2[key] for key in names.values() if key} == {
        key: _bare(shown[name]) for name, key in names.items() if key
    }


def _bare(value: Any) -> Any:
    """The id of what `expand` shows as an object."""
    if isinstance(value, list):
        return [_bare(one) for one in value]
    return value["id"] if isinstance(value, dict) and "id" in value else value


async def _show(world: World, route: Route, face: Face | None, params: dict[str, str], v1: Row) -> Row:
    """The record by GET, with what webhooks v1 show as objects; from its list where one alone can't be read. A link
    is below the parent that it names, by the id of what it links."""
    at = WORKSPACE + face.path if face else re.sub(r"/{\w+}.*$", "", route.path.replace("{", "\0", 1))
    parents = (
        {one.parameter: v1.get(one.column.removesuffix("_id")) for one in face.record.parents} if face else {}
    )
    known = {name: one for name, one in parents.items() if isinstance(one, str)}
    collection = at.replace("\0", "{").format(**params | known)
    query = {"expand": ",".join(face.event_expands)} if face and face.event_expands else {}
    read: Row | None = None
    for one in (v1["id"], v1.get((face.key if face else "").removesuffix("_id"))):
        answer = await world.admin.get(f"{collection}/{one}", **query)
        if answer.status_code == 200 and answer.json["id"] == v1["id"]:
            return answer.json
        if answer.status_code == 200:
            read = answer.json  # whose `id` is another, see OTHERWISE
    if read is not None:
        return read
    found: Any = (await world.admin.get(collection)).json
    found = found["results"] if isinstance(found, dict) and "results" in found else found
    return next(one for one in found if one["id"] == v1["id"]) if isinstance(found, list) else found
