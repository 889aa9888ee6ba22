"""What records name: only what is there, never themselves, never what is gone; what is shown may be sent back."""

import asyncio
import re
from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest

from airside.db.base import Row, new_id
from airside.rest.ancestry import own_references
from airside.rest.face import Face
from airside.rest.route import Route
from airside.rest.routes import verb_route
from airside.work.pages.tables import pages
from tests.contract.world import BODIES, ROUTES, World, maker_of, name_of, unique
from tests.support.api import Client

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Each field of a body that takes an id → what stands for the kind of record it names, in another workspace.
KINDS = {
    "state": "state_id", "state_id": "state_id", "label_ids": "label_id", "assignee_ids": "person",
    "labels": "label_id", "parent": "", "parent_id": "", "default_state": "state_id",
    "assignees": "person", "project_lead": "person", "default_assignee": "person", "member": "person",
    "member_id": "person", "user_id": "person", "project": "project_id", "issue": "work_item_id",
    "project_ids": "project_id", "work_item_types": "workspace type_id",
    "work_item_type_ids": "workspace type_id", "properties": "property_id", "property_id": "property_id",
    "new_cycle_id": "cycle_id",
    "comment": "comment_id", "source_comment": "comment_id",
    "issues": "work_item_id", "work_item_ids": "work_item_id", "related_issue": "work_item_id",
    "relation_definition_id": "definition_id", "intake": "project_id", "duplicate_to": "work_item_id",
    # of families that aren't served yet, so no id is right
    "type": "anything", "type_id": "anything", "estimate_point": "anything", "estimate": "anything",
    "module": "module_id", "lead": "person", "members": "person", "cover_image_asset": "anything",
    "collection_id": "collection_id", "collection": "collection_id", "page_id": "page_id",
    "page_ids": "workspace page_id",
    "owned_by": "person", "project_id": "project_id", "session": None,  # names no record
    "deliveries": None,  # of those that are there, a choice
}  # fmt: skip
NOT_REFUSED = {
    ("search_work_items_advanced", "project_id"),  # narrows what is found, to nothing
    ("create_agent_run_activity", "project"),  # sent by the SDK and not read: its run says where it is
}
# What may be named from all of the workspace, where the URL has a project.
BEYOND_THE_PROJECT = {
    *(("update_project", field) for field in ("project_lead", "default_assignee")),
    ("create_project_member", "member"),
    *(("import_work_item_types", field) for field in ("work_item_types", "work_item_type_ids")),
    *((f"{verb}_cycle", "owned_by") for verb in ("create", "update")),
    *((f"{verb}_module", field) for verb in ("create", "update") for field in ("lead", "members")),
    *((f"{verb}_issue", "parent") for verb in ("create", "update")),
    *((f"{verb}_epic", "parent_id") for verb in ("create", "update")),
    ("create_relation", "issues"),
    ("create_work_item_page", "page_id"),
    *((f"{verb}_intake_work_item", "duplicate_to") for verb in ("create", "update", "decide_on")),
    ("create_dependency", "work_item_ids"),
    *(("create_custom_relation", field) for field in ("work_item_ids", "relation_definition_id")),
}


def takes_ids(declared: Any) -> bool:
    return declared is UUID or any(takes_ids(part) for part in get_args(declared))


def is_list(declared: Any) -> bool:
    return "list" in str(declared)


FIELDS = [
    (route, field.encode_name, is_list(field.type))
    for route in ROUTES
    if route.body is not None
    for field in msgspec.structs.fields(route.body)
    if takes_ids(field.type)
]
CASES = [
    pytest.param(*case, id=f"{name_of(case[0])} {case[1]}")
    for case in FIELDS
    if KINDS.get(case[1]) is not None and (case[0].name, case[1]) not in NOT_REFUSED
]


async def test_every_field_that_takes_an_id_says_what_it_names() -> None:
    assert {field for _, field, _ in FIELDS} == set(KINDS)


async def list_wrong(world: World, route: Route, field: str) -> list[str]:
    """Ids that name nothing here: unknown, of a deleted record, of another workspace, of another project."""
    kind = maker_of(route.path, KINDS[field] or (route.face.key if route.face else ""))
    wrong = [new_id()]
    if kind == "anything":
        return wrong
    if kind == "person":
        wrong.append(world.cast.zoe["id"])
    else:
        wrong += [await world.make_deleted(kind), await world.foreign(kind)]
    if "{project_id}" in route.path and (route.name, field) not in BEYOND_THE_PROJECT:
        wrong.append(await world.in_other_project("person_in_project" if kind == "person" else kind))
    return wrong


async def get(client: Client, path: str) -> Row:
    answer = await client.get(path)
    assert answer.status_code == 200, (path, answer.text)
    return answer.json


def shown_as(shown: Row, field: str) -> Any:
    """The value of a body's field, which an epic's calls `parent_id` and its answer `parent`."""
    return shown[field] if field in shown else shown[field.removesuffix("_id")]


def has_get(route: Route) -> bool:
    return any(other.method == "GET" and other.path == route.path for other in ROUTES)


@pytest.mark.parametrize(("route", "field", "many"), CASES)
async def test_an_id_that_is_not_there_is_refused_in_the_words_of_a_foreign_one_and_changes_nothing(
    world: World, route: Route, field: str, many: bool
) -> None:
    wrong_ids = await list_wrong(world, route, field)
    path = route.path.format(**(await world.params(route)))
    before = await get(world.admin, path) if route.method != "POST" and has_get(route) else None
    whole = route.method == "POST" and route.name != "remove_workspace_member"
    right = await world.body(route) if whole else {}
    texts: list[str] = []
    for wrong in wrong_ids:
        body = right | {field: [wrong] if many else wrong}
        events = await world.count_changes()
        answer = await world.admin.send(route.method, path, body)
        assert await world.count_changes() == events
        assert answer.status_code == (404 if not whole and route.method == "POST" else 400), answer.text
        texts.append(answer.text.replace(wrong, "…"))
    assert len(set(texts)) == 1
    if before is not None:
        assert await get(world.admin, path) == before


OF_FILES = ("update_attachment", "update_workspace_asset")  # whose GET leads to the file
CHANGING = [
    route
    for route in ROUTES
    if route.method in ("PATCH", "PUT")
    and has_get(route)
    and route.body is not None
    and route.name not in OF_FILES
]


@pytest.mark.parametrize("route", CHANGING, ids=name_of)
async def test_what_a_get_shows_may_be_sent_back(world: World, route: Route) -> None:
    """Importers, Terraform and people in a hurry read a record, change a field and write all of it."""
    path = route.path.format(**(await world.params(route)))
    shown, events = await get(world.admin, path), await world.count_events()
    answer = await world.admin.send(route.method, path, shown)
    assert answer.status_code == 200, answer.text
    assert await get(world.admin, path) == shown
    assert await world.count_events() == events, "nothing has changed"


SELF_REFERRING = {
    route.face.path: route.face
    for route in ROUTES
    if route.face is not None and own_references(route.face.record) and "create" in route.face.verbs
}


async def make_chain(world: World, face: Face, length: int) -> tuple[str, str, list[Row]]:
    """Records each below the one before: the path of the collection, the field, and the records."""
    names = re.findall(r"{(\w+)}", face.path)
    params = {name: await world.known_id(maker_of(face.path, name)) for name in names}
    path = f"workspaces/acme/{face.path.format(**params)}"
    [field] = [face.wire_names[column] for column in own_references(face.record)]
    body = BODIES[verb_route(face, "create").name]
    made: list[Row] = []
    for _ in range(length):
        above = {field: made[-1]["id"]} if made else {}
        answer = await world.admin.post(path, body() | above)
        assert answer.status_code in (200, 201), answer.text
        made.append(answer.json)
    return path, field, made


@pytest.mark.parametrize("path", SELF_REFERRING)
async def test_no_record_becomes_its_own_ancestor_at_any_depth(world: World, path: str) -> None:
    where, field, chain = await make_chain(world, SELF_REFERRING[path], 4)
    first = f"{where}/{chain[0]['id']}"
    for below in chain:
        answer = await world.admin.patch(first, {field: below["id"]})
        assert (answer.status_code, answer.json) == (400, {field: ["It cannot be below itself."]})
    assert shown_as(await get(world.admin, first), field) is None
    assert (await world.admin.patch(f"{where}/{chain[3]['id']}", {field: chain[0]["id"]})).status_code == 200


@pytest.mark.parametrize("path", SELF_REFERRING)
async def test_two_records_cannot_be_put_below_each_other_at_once(world: World, path: str) -> None:
    where, field, _ = await make_chain(world, SELF_REFERRING[path], 0)
    one, other = [(await make_chain(world, SELF_REFERRING[path], 1))[2][0]["id"] for _ in range(2)]
    answers = await asyncio.gather(
        world.admin.patch(f"{where}/{one}", {field: other}),
        world.admin.patch(f"{where}/{other}", {field: one}),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 400]


@pytest.mark.parametrize("path", SELF_REFERRING)
async def test_the_children_of_a_deleted_record_name_none(world: World, path: str) -> None:
    face = SELF_REFERRING[path]
    where, field, (above, child, grandchild) = await make_chain(world, face, 3)
    if face.table is pages:
        assert (await world.admin.post(f"{where}/{above['id']}/archive")).status_code == 204
    assert (await world.admin.delete(f"{where}/{above['id']}")).status_code == 204
    shown = await get(world.admin, f"{where}/{child['id']}")
    assert shown_as(shown, field) is None
    assert shown_as(await get(world.admin, f"{where}/{grandchild['id']}"), field) == child["id"]
    assert (await world.admin.patch(f"{where}/{child['id']}", shown)).status_code == 200
    assert (await world.admin.patch(f"{where}/{child['id']}", {field: above["id"]})).status_code == 400
    recorded = [row for row in await world.events_of(child["id"]) if row["name"].endswith("updated")]
    assert [(row["previous"], row["data_v2"][f"{field.removesuffix('_id')}_id"]) for row in recorded] == [
        ({f"{field.removesuffix('_id')}_id": above["id"]}, None)
    ]


async def test_every_reference_to_the_own_kind_is_declared(world: World) -> None:
    """A column parent_id without its reference would be checked by nobody."""
    for route in ROUTES:
        if route.face is not None and "parent_id" in route.face.table.c and route.body is not None:
            assert "parent_id" in own_references(route.face.record), name_of(route)
    assert len(SELF_REFERRING) == 8


async def test_who_has_left_may_stay_assigned_but_nobody_who_cannot_be_is_added(world: World) -> None:
    path = f"projects/{await world.known_id('project_id')}"
    members = f"workspaces/acme/{path}/members"
    people = [await world.make("person_in_project") for _ in range(2)]
    item = await world.post(f"{path}/work-items", {"name": unique("Item"), "assignees": people})
    where = f"workspaces/acme/{path}/work-items/{item['id']}"
    for person in people:
        assert (await world.admin.delete(f"{members}/{person}")).status_code == 204
    shown = await get(world.admin, where)
    assert shown["assignees"] == people
    assert (await world.admin.patch(where, shown)).status_code == 200
    kept = await world.admin.patch(where, {"assignees": people[:1]})
    assert kept.json["assignees"] == people[:1]
    for others in (people, [world.cast.gil["id"]], [people[0], world.cast.zoe["id"], people[1]]):
        refused = await world.admin.patch(where, {"assignees": others})
        assert refused.status_code == 400
        [(position, sentences)] = list(refused.json["assignees"].items())[:1]
        assert sentences == [f'Invalid pk "{others[int(position)]}" - object does not exist.']
    assert (await get(world.admin, where))["assignees"] == people[:1]
