"""Collections of pages: who sees them, what moves with a page, and what their deletion leaves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from airside.db.base import Row, new_id
from airside.workspaces.members import add_member, remove_member, set_member_role
from airside.workspaces.roles import ADMIN, MEMBER
from tests.support.api import Client
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGES, SHELVES = "workspaces/acme/pages", "workspaces/acme/collections"


async def write(client: Client, **fields: Any) -> Row:
    made = await client.post(PAGES, {"name": unique("Page"), "description_html": "<p>x</p>"} | fields)
    assert made.status_code == 201, made.json
    return made.json


async def make_shelf(client: Client, **fields: Any) -> Row:
    made = await client.post(SHELVES, {"name": unique("Shelf")} | fields)
    assert made.status_code == 201, made.json
    return made.json


async def read(client: Client, page: Row) -> Row:
    return (await client.get(f"{PAGES}/{page['id']}")).json


async def list_names(client: Client, shelf: Row, **query: str) -> list[str]:
    answer = await client.get(f"{SHELVES}/{shelf['id']}/pages", **query)
    assert answer.status_code == 200, answer.json
    return [row["page"]["name"] for row in answer.json["results"]]


async def add(client: Client, shelf: Row, *pages: Row, **fields: Any) -> list[Row]:
    body = {"page_ids": [page["id"] for page in pages]} | fields
    added = await client.post(f"{SHELVES}/{shelf['id']}/pages", body)
    assert added.status_code == 201, added.json
    return added.json


async def share(workshop: Workshop, shelf: Row, person: Row, access: int) -> Row:
    body = {"member": person["id"], "access": access}
    made = await workshop.ana.post(f"{SHELVES}/{shelf['id']}/members", body)
    assert made.status_code == 201, made.json
    return made.json


async def test_a_public_collection_is_seen_by_members_and_changed_by_its_owner(workshop: Workshop) -> None:
    shelf = await make_shelf(workshop.ben, logo_props={"emoji": "📚"})
    assert (shelf["access"], shelf["current_user_access"], shelf["has_pages"]) == (0, None, False)
    path = f"{SHELVES}/{shelf['id']}"
    assert (await workshop.ana.get(path)).json == shelf
    assert shelf["id"] in [one["id"] for one in (await workshop.ana.get(SHELVES)).json]
    assert (await workshop.gil.get(path)).status_code == 404
    assert (await workshop.gil.get(SHELVES)).json == []
    of_ana = await make_shelf(workshop.ana)
    assert (await workshop.ben.patch(f"{SHELVES}/{of_ana['id']}", {"name": "Mine"})).status_code == 403
    assert (await workshop.ben.delete(f"{SHELVES}/{of_ana['id']}")).status_code == 403
    changed = await workshop.ana.patch(path, {"name": unique("Renamed"), "sort_order": 25_000})
    assert (changed.status_code, changed.json["sort_order"]) == (200, 25_000)
    names = [event["name"] for event in await workshop.events_of(shelf["id"])]
    assert names == ["collection.created", "collection.updated"]


async def test_the_access_of_a_collection_stays(workshop: Workshop) -> None:
    shelf = await make_shelf(workshop.ana)
    refused = await workshop.ana.patch(f"{SHELVES}/{shelf['id']}", {"access": 1})
    assert (refused.status_code, list(refused.json)) == (400, ["access"])
    assert (await workshop.ana.patch(f"{SHELVES}/{shelf['id']}", {"access": 0})).status_code == 200


async def test_admins_make_private_collections_which_are_hidden_from_others(workshop: Workshop) -> None:
    assert (await workshop.ben.post(SHELVES, {"name": "x", "access": 1})).status_code == 403
    shelf = await make_shelf(workshop.ana, access=1)
    assert shelf["current_user_access"] == 2
    path = f"{SHELVES}/{shelf['id']}"
    (own,) = (await workshop.ana.get(f"{path}/members")).json
    assert (own["member"], own["access"]) == (workshop.cast.ana["id"], 2)
    page = await write(workshop.ana, collection_id=shelf["id"])
    assert page["access"] == 1
    one = f"{PAGES}/{page['id']}"
    hidden = [
        await workshop.ben.get(path),
        await workshop.ben.patch(path, {"name": "x"}),
        await workshop.ben.delete(path),
        await workshop.ben.get(f"{path}/pages"),
        await workshop.ben.get(f"{path}/pages-search"),
        await workshop.ben.post(f"{path}/pages", {"page_ids": [page["id"]]}),
        await workshop.ben.patch(f"{path}/pages/{page['page_collection_id']}", {"sort_order": 1}),
        await workshop.ben.delete(f"{path}/pages/{page['page_collection_id']}"),
        await workshop.ben.get(f"{path}/members"),
        await workshop.ben.post(f"{path}/members", {"member": new_id(), "access": 0}),
        await workshop.ben.delete(f"{path}/members/{own['id']}"),
        await workshop.ben.get(one),
        await workshop.ben.put(one, {"name": "x"}),
    ]
    assert [answer.status_code for answer in hidden] == [404] * len(hidden)
    assert (await workshop.ben.get(PAGES, search=page["name"])).json["results"] == []
    into = await workshop.ben.post(PAGES, {"name": "x", "description_html": "", "collection_id": shelf["id"]})
    assert (into.status_code, list(into.json)) == (400, ["collection_id"])
    recorded = [*await workshop.events_of(page["id"]), *await workshop.events_of(shelf["id"])]
    assert {event["is_private"] for event in recorded} == {True}


async def test_members_of_a_private_collection_read_comment_or_edit(workshop: Workshop) -> None:
    shelf = await make_shelf(workshop.ana, access=1)
    page = await write(workshop.ana, collection_id=shelf["id"])
    one, path = f"{PAGES}/{page['id']}", f"{SHELVES}/{shelf['id']}"
    member = await share(workshop, shelf, workshop.cast.ben, 0)
    assert (await workshop.ben.get(path)).json["current_user_access"] == 0
    assert (await read(workshop.ben, page))["name"] == page["name"]
    shared = (await workshop.ben.get(PAGES, type="shared", per_page=100)).json["results"]
    assert page["id"] in [found["id"] for found in shared]
    for attempt in (
        workshop.ben.put(one, {"name": "x"}),
        workshop.ben.post(f"{one}/archive"),
        workshop.ben.post(f"{path}/pages", {"page_ids": [page["id"]]}),
        workshop.ben.post(f"{path}/members", {"member": workshop.cast.gil["id"], "access": 0}),
        workshop.ben.patch(path, {"name": "x"}),
    ):
        assert (await attempt).status_code == 403
    changed = await workshop.ana.patch(f"{path}/members/{member['id']}", {"access": 2})
    assert (changed.status_code, changed.json["access"]) == (200, 2)
    assert (await workshop.ben.put(one, {"name": "By Ben"})).json["name"] == "By Ben"
    below = await write(workshop.ben, parent_id=page["id"])
    assert (below["collection_id"], below["access"]) == (shelf["id"], 1)
    public = await workshop.ana.put(one, {"access": 0})
    assert public.status_code == 400
    assert (await workshop.ana.delete(f"{path}/members/{member['id']}")).status_code == 204
    assert (await workshop.ben.get(one)).status_code == 404
    assert (await workshop.ben.get(f"{PAGES}/{below['id']}")).status_code == 404


async def test_a_member_is_in_a_collection_once_and_is_of_the_workspace(workshop: Workshop) -> None:
    shelf = await make_shelf(workshop.ana, access=1)
    member = await share(workshop, shelf, workshop.cast.gil, 1)
    path = f"{SHELVES}/{shelf['id']}/members"
    again = await workshop.ana.post(path, {"member": workshop.cast.gil["id"], "access": 0})
    assert (again.status_code, again.json["id"]) == (409, member["id"])
    foreign = await workshop.ana.post(path, {"member": workshop.cast.zoe["id"], "access": 0})
    assert (foreign.status_code, list(foreign.json)) == (400, ["member"])
    other = await workshop.ana.patch(f"{path}/{member['id']}", {"member": workshop.cast.ben["id"]})
    assert (other.status_code, list(other.json)) == (400, ["member"])
    page = await write(workshop.ana, collection_id=shelf["id"])
    assert (await read(workshop.gil, page))["id"] == page["id"]  # a guest sees what is shared with them


async def test_who_leaves_the_workspace_leaves_its_collections(workshop: Workshop) -> None:
    shelf = await make_shelf(workshop.ana, access=1)
    site, acme, ana = workshop.site, workshop.cast.acme["id"], workshop.cast.ana["id"]
    zoe = workshop.cast.zoe
    await add_member(site, acme, zoe["id"], MEMBER, by_user_id=ana)
    await share(workshop, shelf, zoe, 2)
    assert (await workshop.zoe.get(f"{SHELVES}/{shelf['id']}")).status_code == 200
    await remove_member(site, acme, zoe["id"], by_user_id=ana)
    await add_member(site, acme, zoe["id"], MEMBER, by_user_id=ana)
    assert (await workshop.zoe.get(f"{SHELVES}/{shelf['id']}")).status_code == 404
    await remove_member(site, acme, zoe["id"], by_user_id=ana)


async def test_a_page_moves_with_what_is_below_it(workshop: Workshop) -> None:
    first, second = await make_shelf(workshop.ana), await make_shelf(workshop.ana)
    top = await write(workshop.ben, name=unique("Top"))
    below = await write(workshop.ben, parent_id=top["id"], name=unique("Below"))
    hidden = await write(workshop.ana, parent_id=top["id"], access=1)
    (row,) = await add(workshop.ben, first, top)
    assert (row["page"], row["collection"]) == (top["id"], first["id"])
    assert await list_names(workshop.ana, first) == [top["name"]]
    assert await list_names(workshop.ana, first, parent_id=top["id"]) == [below["name"]]
    assert await list_names(workshop.ana, first, search="below") == [below["name"]]
    assert (await read(workshop.ana, hidden))["collection_id"] is None
    path = f"{SHELVES}/{first['id']}/pages/{row['id']}"
    moved = await workshop.ben.patch(path, {"collection": second["id"]})
    assert (moved.json["id"], moved.json["collection"]) == (row["id"], second["id"])
    assert (await read(workshop.ana, below))["collection_id"] == second["id"]
    assert await list_names(workshop.ana, first) == []
    assert (await workshop.ana.get(f"{SHELVES}/{second['id']}")).json["has_pages"] is True
    gone = await workshop.ben.delete(f"{SHELVES}/{second['id']}/pages/{row['id']}")
    assert gone.status_code == 204
    for page in (top, below):
        shown = await read(workshop.ana, page)
        assert (shown["collection_id"], shown["page_collection_id"], shown["access"]) == (None, None, 0)
    changes = [
        [change["field"] for change in event["changes"]] for event in await workshop.events_of(below["id"])
    ]
    assert changes == [[], ["collection_id"], ["collection_id"], ["collection_id"]]


async def test_pages_have_their_order_in_a_collection(workshop: Workshop) -> None:
    shelf = await make_shelf(workshop.ana)
    first, second, third, fourth = [await write(workshop.ana) for _ in range(4)]
    await add(workshop.ana, shelf, first, third)
    await add(workshop.ana, shelf, second, placement={"type": "before", "target_page_id": third["id"]})
    await add(workshop.ana, shelf, fourth, sort_orders={fourth["id"]: -5})
    names = [page["name"] for page in (fourth, first, second, third)]
    assert await list_names(workshop.ana, shelf) == names
    place = (await read(workshop.ana, fourth))["page_collection_id"]
    path = f"{SHELVES}/{shelf['id']}/pages/{place}"
    after = {"placement": {"type": "after", "target_page_id": third["id"]}}
    assert (await workshop.ana.patch(path, after)).status_code == 200
    assert await list_names(workshop.ana, shelf) == [*names[1:], names[0]]
    below = {"placement": {"type": "append", "parent_id": first["id"]}}
    await workshop.ana.patch(path, below)
    assert await list_names(workshop.ana, shelf, parent_id=first["id"]) == [fourth["name"]]
    assert (await read(workshop.ana, fourth))["parent_id"] == first["id"]
    page = (await workshop.ana.get(f"{SHELVES}/{shelf['id']}/pages", per_page=1, cursor="1:1:0")).json
    assert (page["results"][0]["page"]["name"], page["total_count"]) == (names[2], 3)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"page_ids": []}, "page_ids"),
        ({"page_ids": ["x"]}, "page_ids"),
        ({"page_ids": None}, "page_ids"),
        ({"sort_orders": {"x": 1}}, "sort_orders"),
        ({"sort_orders": {"x": "first"}}, "sort_orders"),
        ({"placement": {"type": "beside"}}, "placement"),
        ({"placement": {}}, "placement"),
        ({"placement": {"type": "before"}}, "placement"),
        ({"placement": {"type": "append", "parent_id": new_id()}}, "placement"),
        ({"placement": {"type": "after", "target_page_id": 5}}, "placement"),
    ],
)
async def test_what_does_not_fit_is_named(workshop: Workshop, body: Row, field: str) -> None:
    shelf, page = await make_shelf(workshop.ana), await write(workshop.ana)
    sent = {"page_ids": [page["id"]]} | body
    refused = await workshop.ana.post(f"{SHELVES}/{shelf['id']}/pages", sent)
    assert (refused.status_code, list(refused.json)) == (400, [field])
    unseen = await write(workshop.ben, access=1)
    both = {"page_ids": [page["id"], unseen["id"]]}
    refused = await workshop.ana.post(f"{SHELVES}/{shelf['id']}/pages", both)
    assert (refused.status_code, list(refused.json["page_ids"])) == (400, ["1"])


async def test_the_search_finds_root_pages_that_are_not_there_yet(workshop: Workshop) -> None:
    shelf, word = await make_shelf(workshop.ana), unique("Needle")
    outside = await write(workshop.ana, name=f"{word} out")
    await write(workshop.ana, name=f"{word} in", collection_id=shelf["id"])
    await write(workshop.ana, name=f"{word} below", parent_id=outside["id"])
    await write(workshop.ben, name=f"{word} hidden", access=1)
    path = f"{SHELVES}/{shelf['id']}/pages-search"
    found = await workshop.ana.get(path, search=word.lower())
    assert found.json == [{"id": outside["id"], "name": f"{word} out", "logo_props": {}}]
    assert len((await workshop.ana.get(path)).json) <= 10


async def test_a_private_page_is_shared_by_moving_it(workshop: Workshop) -> None:
    private, public = await make_shelf(workshop.ana, access=1), await make_shelf(workshop.ana)
    await share(workshop, private, workshop.cast.ben, 2)
    own = await write(workshop.ana, access=1)
    await add(workshop.ana, private, own)
    assert (await read(workshop.ben, own))["access"] == 1
    place = (await read(workshop.ana, own))["page_collection_id"]
    path = f"{SHELVES}/{private['id']}/pages/{place}"
    assert (await workshop.ben.patch(path, {"collection": public["id"]})).status_code == 403
    assert (await workshop.ben.delete(path)).status_code == 403
    assert (await workshop.ana.patch(path, {"collection": public["id"]})).status_code == 200
    assert (await read(workshop.ben, own))["access"] == 0
    secret = await write(workshop.ana, access=1)
    refused = await workshop.ana.post(
        PAGES, {"name": "x", "description_html": "", "access": 1, "collection_id": public["id"]}
    )
    assert (refused.status_code, list(refused.json)) == (400, ["access"])
    await add(workshop.ana, public, secret)
    assert (await read(workshop.ben, secret))["access"] == 0


async def test_nobody_hides_the_pages_of_others_in_a_private_collection(workshop: Workshop) -> None:
    shelf = await make_shelf(workshop.ana, access=1)
    await share(workshop, shelf, workshop.cast.ben, 2)
    of_ana = await write(workshop.ana)
    path = f"{SHELVES}/{shelf['id']}/pages"
    assert (await workshop.ben.post(path, {"page_ids": [of_ana["id"]]})).status_code == 400
    assert (await workshop.ben.get(f"{path}-search", search=of_ana["name"])).json == []
    of_ben = await write(workshop.ben)
    below = await write(workshop.ben, parent_id=of_ben["id"])
    assert (await workshop.ben.post(path, {"page_ids": [below["id"]]})).status_code == 400  # only root pages
    assert (await workshop.ben.post(path, {"page_ids": [of_ben["id"]]})).status_code == 201
    place = (await read(workshop.ben, below))["page_collection_id"]
    assert (await workshop.ben.delete(f"{path}/{place}")).status_code == 400  # it goes with its root
    root = (await read(workshop.ben, of_ben))["page_collection_id"]
    assert (await workshop.ben.delete(f"{path}/{root}")).status_code == 204
    assert (await workshop.ana.get(f"{PAGES}/{below['id']}")).status_code == 404  # private, and Ben's alone
    assert (await read(workshop.ben, below))["collection_id"] is None


async def test_a_deleted_collection_archives_its_pages_unless_told_otherwise(workshop: Workshop) -> None:
    for query, archived in (
        ({}, True),
        ({"archive_pages": "true"}, True),
        ({"archive_pages": "false"}, False),
    ):
        shelf = await make_shelf(workshop.ana)
        page = await write(workshop.ben, collection_id=shelf["id"])
        path = f"{SHELVES}/{shelf['id']}"
        assert (await workshop.ana.send("DELETE", path, archive_pages="perhaps")).status_code == 400
        assert (await workshop.ana.send("DELETE", path, **query)).status_code == 204
        assert (await workshop.ana.get(path)).status_code == 404
        shown = await read(workshop.ben, page)
        assert (shown["archived_at"] is not None, shown["collection_id"]) == (archived, None)
        last = (await workshop.events_of(page["id"]))[-1]
        assert last["name"] == ("page.archived" if archived else "page.updated")


async def test_the_pages_of_a_deleted_private_collection_are_their_owners(workshop: Workshop) -> None:
    shelf = await make_shelf(workshop.ana, access=1)
    await share(workshop, shelf, workshop.cast.ben, 2)
    by_ben = await write(workshop.ben, collection_id=shelf["id"])
    by_ana = await write(workshop.ana, collection_id=shelf["id"])
    deleted = await workshop.ana.send("DELETE", f"{SHELVES}/{shelf['id']}", archive_pages="false")
    assert deleted.status_code == 204
    assert (await read(workshop.ben, by_ben))["archived_at"] is not None
    assert (await workshop.ben.get(f"{PAGES}/{by_ana['id']}")).status_code == 404
    assert (await workshop.ana.get(f"{PAGES}/{by_ben['id']}")).status_code == 404


async def test_a_sub_page_is_in_the_collection_of_its_parent(workshop: Workshop) -> None:
    first, second = await make_shelf(workshop.ana), await make_shelf(workshop.ana)
    top = await write(workshop.ana, collection_id=first["id"])
    assert (await write(workshop.ana, parent_id=top["id"]))["collection_id"] == first["id"]
    body = {"name": "x", "description_html": "", "parent_id": top["id"], "collection_id": second["id"]}
    refused = await workshop.ana.post(PAGES, body)
    assert (refused.status_code, list(refused.json)) == (400, ["collection_id"])
    joined = await write(workshop.ana, collection_id=second["id"])
    moved = await workshop.ana.put(f"{PAGES}/{joined['id']}", {"parent_id": top["id"]})
    assert moved.json["collection_id"] == first["id"]
    back = await workshop.ana.put(f"{PAGES}/{joined['id']}", {"collection_id": second["id"]})
    assert (back.json["collection_id"], back.json["parent_id"]) == (second["id"], None)
    await workshop.ana.post(f"{PAGES}/{joined['id']}/archive")
    deleted = await workshop.ana.delete(f"{PAGES}/{joined['id']}")
    assert deleted.status_code == 204
    assert await list_names(workshop.ana, second) == []


@asynccontextmanager
async def as_admin(workshop: Workshop, person: Row) -> AsyncIterator[None]:
    site, acme, ana = workshop.site, workshop.cast.acme["id"], workshop.cast.ana["id"]
    await set_member_role(site, acme, person["id"], ADMIN, by_user_id=ana)
    yield
    await set_member_role(site, acme, person["id"], MEMBER, by_user_id=ana)


async def test_not_even_an_admin_sees_a_private_collection_of_others(workshop: Workshop) -> None:
    shelf = await make_shelf(workshop.ana, access=1)
    page = await write(workshop.ana, collection_id=shelf["id"])
    async with as_admin(workshop, workshop.cast.ben):
        workshop.clock.advance(seconds=5)
        assert (await workshop.ben.get(f"{SHELVES}/{shelf['id']}")).status_code == 404
        assert (await workshop.ben.get(f"{PAGES}/{page['id']}")).status_code == 404
