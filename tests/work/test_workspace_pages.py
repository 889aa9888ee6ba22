"""Pages of the workspace, and what nesting, archiving, locking and changing does at both levels."""

from typing import Any

import pytest

from airside.db.base import Row, new_id
from airside.work.pages import tree
from tests.support.api import Client
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

WIKI = "workspaces/acme/pages"


def path_of(workshop: Workshop, level: str) -> str:
    return WIKI if level == "workspace" else workshop.path("pages")


at_both_levels = pytest.mark.parametrize("level", ["workspace", "project"])


async def write(client: Client, path: str = WIKI, **fields: Any) -> Row:
    body = {"name": unique("Page"), "description_html": "<p>Turn it on.</p>"} | fields
    made = await client.post(path, body)
    assert made.status_code == 201, made.json
    return made.json


async def test_a_workspace_page_is_read_by_members_and_by_nobody_else(workshop: Workshop) -> None:
    page = await write(workshop.ben)
    path = f"{WIKI}/{page['id']}"
    assert (await workshop.ana.get(path)).json == page
    assert (page["projects"], page["collection_id"], page["owned_by"]) == ([], None, workshop.cast.ben["id"])
    assert (await workshop.gil.get(path)).status_code == 404
    assert (await workshop.gil.get(WIKI)).json["results"] == []
    assert (await workshop.zoe.get(path)).status_code == 403
    assert (await workshop.gil.post(WIKI, {"name": "x", "description_html": ""})).status_code == 403
    (event,) = await workshop.events_of(page["id"])
    assert (event["name"], event["project_id"], event["is_private"]) == ("page.created", None, False)


async def test_pages_of_the_two_levels_are_apart(workshop: Workshop) -> None:
    of_workspace, of_project = await write(workshop.ana), await write(workshop.ana, workshop.path("pages"))
    for path, inside, outside in (
        (WIKI, of_workspace, of_project),
        (workshop.path("pages"), of_project, of_workspace),
    ):
        ids = [one["id"] for one in (await workshop.ana.get(path, per_page=100)).json["results"]]
        assert inside["id"] in ids
        assert outside["id"] not in ids
        assert (await workshop.ana.get(f"{path}/{outside['id']}")).status_code == 404
        below = {"name": "x", "description_html": "", "parent_id": outside["id"]}
        refused = await workshop.ana.post(path, below)
        assert (refused.status_code, list(refused.json)) == (400, ["parent_id"])


@at_both_levels
async def test_a_private_page_is_found_by_nobody_else_on_any_route(workshop: Workshop, level: str) -> None:
    path = path_of(workshop, level)
    page = await write(workshop.ben, path, access=1, name=unique("Diary"))
    one = f"{path}/{page['id']}"
    assert (await workshop.ana.get(path, search=page["name"])).json["results"] == []
    assert (await workshop.ana.get(path, type="private", search=page["name"])).json["results"] == []
    answers = [
        await workshop.ana.get(one),
        await workshop.ana.patch(one, {"access": 0}),
        await workshop.ana.put(one, {"access": 0}),
        await workshop.ana.delete(one),
        await workshop.ana.post(f"{one}/archive"),
        await workshop.ana.delete(f"{one}/archive"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    unknown = new_id()
    for parent in (page["id"], unknown):
        below = {"name": "x", "description_html": "", "parent_id": parent}
        refused = await workshop.ana.post(path, below)
        assert (refused.status_code, refused.json) == (
            400,
            {"parent_id": [f'Invalid pk "{parent}" - object does not exist.']},
        )
    listed = await workshop.ben.get(path, type="private", per_page=100)
    assert page["id"] in [one["id"] for one in listed.json["results"]]
    assert [event["is_private"] for event in await workshop.events_of(page["id"])] == [True]


@at_both_levels
async def test_what_is_below_a_page_is_archived_and_restored_with_it(workshop: Workshop, level: str) -> None:
    path = path_of(workshop, level)
    top = await write(workshop.ben, path)
    middle = await write(workshop.ana, path, parent_id=top["id"])
    bottom = await write(workshop.ana, path, parent_id=middle["id"])
    assert (await workshop.ben.post(f"{path}/{top['id']}/archive")).status_code == 204
    for page in (top, middle, bottom):
        assert (await workshop.ana.get(f"{path}/{page['id']}")).json["archived_at"] == "2026-01-05"
        assert (await workshop.events_of(page["id"]))[-1]["name"] == "page.archived"
    # Restored by itself, the middle leaves the archived top and takes the bottom with it.
    assert (await workshop.ana.delete(f"{path}/{middle['id']}/archive")).status_code == 204
    shown = [(await workshop.ana.get(f"{path}/{page['id']}")).json for page in (top, middle, bottom)]
    assert [one["archived_at"] for one in shown] == ["2026-01-05", None, None]
    assert [one["parent_id"] for one in shown] == [None, None, middle["id"]]


@at_both_levels
async def test_a_page_with_too_many_below_it_is_not_archived_with_them(
    workshop: Workshop, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "MAX_BELOW", 2)
    path = path_of(workshop, level)
    top = await write(workshop.ana, path)
    middle = await write(workshop.ana, path, parent_id=top["id"])
    for _ in range(2):
        await write(workshop.ana, path, parent_id=middle["id"])
    refused = await workshop.ana.post(f"{path}/{top['id']}/archive")
    assert (refused.status_code, "more than 2 pages below it" in refused.text) == (400, True)
    assert (await workshop.ana.get(f"{path}/{top['id']}")).json["archived_at"] is None
    assert (await workshop.ana.post(f"{path}/{middle['id']}/archive")).status_code == 204


@at_both_levels
async def test_archiving_by_a_field_is_archiving(workshop: Workshop, level: str) -> None:
    path = path_of(workshop, level)
    top = await write(workshop.ana, path)
    below = await write(workshop.ana, path, parent_id=top["id"])
    refused = await workshop.ben.put(f"{path}/{top['id']}", {"archived_at": "2026-01-01"})
    assert refused.status_code == 400
    done = await workshop.ana.put(f"{path}/{top['id']}", {"archived_at": "2026-01-01T10:00:00Z"})
    assert done.json["archived_at"] == "2026-01-01"
    assert (await workshop.ana.get(f"{path}/{below['id']}")).json["archived_at"] == "2026-01-01"
    await workshop.ana.put(f"{path}/{top['id']}", {"archived_at": None})
    assert (await workshop.ana.get(f"{path}/{below['id']}")).json["archived_at"] is None


@at_both_levels
async def test_the_pages_below_a_deleted_one_stand_alone(workshop: Workshop, level: str) -> None:
    path = path_of(workshop, level)
    top = await write(workshop.ana, path)
    below = await write(workshop.ana, path, parent_id=top["id"])
    assert (await workshop.ben.delete(f"{path}/{top['id']}")).status_code == 400
    await workshop.ana.post(f"{path}/{top['id']}/archive")
    assert (await workshop.ana.delete(f"{path}/{top['id']}")).status_code == 204
    left = (await workshop.ana.get(f"{path}/{below['id']}")).json
    assert left["parent_id"] is None
    names = [event["name"] for event in await workshop.events_of(below["id"])]
    assert names == ["page.created", "page.archived", "page.updated"]


@at_both_levels
async def test_pages_make_no_circle(workshop: Workshop, level: str) -> None:
    path = path_of(workshop, level)
    top = await write(workshop.ana, path)
    below = await write(workshop.ana, path, parent_id=top["id"])
    refused = await workshop.ana.patch(f"{path}/{top['id']}", {"parent_id": below["id"]})
    assert (refused.status_code, refused.json) == (400, {"parent_id": ["It cannot be below itself."]})


@at_both_levels
async def test_only_the_owner_and_admins_unlock_a_page(workshop: Workshop, level: str) -> None:
    path = path_of(workshop, level)
    page = await write(workshop.ana, path)
    one = f"{path}/{page['id']}"
    assert (await workshop.ben.put(one, {"is_locked": True})).json["is_locked"] is True
    refused = [await workshop.ben.put(one, {"is_locked": False}), await workshop.ben.put(one, {"name": "x"})]
    assert [answer.status_code for answer in refused] == [400, 400]
    assert (await workshop.ana.put(one, {"name": "x"})).json == {"error": "Page is locked"}
    done = await workshop.ana.put(one, {"is_locked": False, "name": "Open"})
    assert (done.json["is_locked"], done.json["name"]) == (False, "Open")


@at_both_levels
async def test_a_page_survives_being_read_changed_and_written_back(workshop: Workshop, level: str) -> None:
    path = path_of(workshop, level)
    text = '<p style="position: fixed; color: red">Hi &amp; <b>bye</b><script>x()</script></p><p>1 &lt; 2</p>'
    editors = {"description": {"type": "doc", "content": []}, "description_binary": "AQID"}
    page = await write(workshop.ana, path, description_html=text, **editors)
    one = f"{path}/{page['id']}"
    read = (await workshop.ana.get(one)).json
    assert read["description_stripped"] == "Hi & bye 1 < 2"
    assert {name: read[name] for name in editors} == editors
    again = await workshop.ana.put(one, read | {"name": "Renamed"})
    assert again.status_code == 200, again.json
    moving = {"name": "Renamed"} | {name: again.json[name] for name in ("updated_at", "updated_by")}
    assert again.json == read | moving
    third = await workshop.ana.put(one, again.json)
    assert third.json["description_html"] == read["description_html"]
    assert third.json["updated_at"] == again.json["updated_at"]


@at_both_levels
async def test_a_new_text_ends_the_editors_document_of_the_former_one(workshop: Workshop, level: str) -> None:
    path = path_of(workshop, level)
    page = await write(workshop.ana, path, description={"type": "doc"}, description_binary="AQID")
    changed = await workshop.ana.put(f"{path}/{page['id']}", {"description_html": "<p>New</p>"})
    assert (changed.json["description"], changed.json["description_binary"]) == ({}, None)
    both = {"description_html": "<p>Newer</p>", "description": {"type": "doc", "version": 2}}
    assert (await workshop.ana.put(f"{path}/{page['id']}", both)).json["description"] == both["description"]


async def test_pages_of_a_project_are_in_no_collection(workshop: Workshop) -> None:
    collection = (await workshop.ana.post("workspaces/acme/collections", {"name": unique("Shelf")})).json
    body = {"name": "x", "description_html": "", "collection_id": collection["id"]}
    refused = await workshop.ana.post(workshop.path("pages"), body)
    assert (refused.status_code, list(refused.json)) == (400, ["collection_id"])
