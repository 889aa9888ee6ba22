"""Collections of the workspace's pages, their members, and the pages in them."""

from typing import Any

from plane.models.collections import (
    AddCollectionPages,
    CreateCollection,
    CreateCollectionMember,
    UpdateCollection,
    UpdateCollectionMember,
    UpdateCollectionPage,
)

from tests.sdk_rows.place import SLUG, Place, unique
from tests.sdk_rows.python.pages import make_workspace_page
from tests.sdk_rows.rows import records, row

records(
    "collections",
    lambda _: CreateCollection(name=unique("Shelf"), logo_props={"emoji": "📚"}),
    lambda _: UpdateCollection(name=unique("Board"), sort_order=25000),
)


def make_collection(place: Place, access: int = 0) -> str:
    return place.client.collections.create(SLUG, CreateCollection(name=unique("Shelf"), access=access)).id


def list_pages(place: Place, collection: str) -> dict[str, Any]:
    """The rows by the ids of their pages."""
    return {one.page["id"]: one for one in place.client.collections.pages.list(SLUG, collection).results}


def put_page(place: Place, collection: str) -> Any:
    """A new page in the collection: its row there."""
    page = make_workspace_page(place)
    (added,) = place.client.collections.pages.add(SLUG, collection, AddCollectionPages(page_ids=[page.id]))
    assert (added.page, added.collection) == (page.id, collection)
    return added


@row("collections.pages.add")
def add_pages(place: Place) -> None:
    collection = make_collection(place)
    added = put_page(place, collection)
    assert list_pages(place, collection)[added.page].page_collection_id == added.id


@row("collections.pages.list")
def list_collection_pages(place: Place) -> None:
    collection = make_collection(place)
    first, second = put_page(place, collection), put_page(place, collection)
    assert list(list_pages(place, collection)) == [first.page, second.page]


@row("collections.pages.search")
def search_pages(place: Place) -> None:
    collection, page = make_collection(place), make_workspace_page(place)
    (found,) = place.client.collections.pages.search(SLUG, collection, page.name.lower())
    assert (found.id, found.name) == (page.id, page.name)
    place.client.collections.pages.add(SLUG, collection, AddCollectionPages(page_ids=[page.id]))
    assert place.client.collections.pages.search(SLUG, collection, page.name) == []


@row("collections.pages.update")
def move_page(place: Place) -> None:
    source, target = make_collection(place), make_collection(place)
    added = put_page(place, source)
    data = UpdateCollectionPage(collection=target, sort_order=5)
    moved = place.client.collections.pages.update(SLUG, source, added.id, data)
    assert (moved.id, moved.collection, moved.sort_order) == (added.id, target, 5)
    assert list_pages(place, source) == {}
    assert added.page in list_pages(place, target)


@row("collections.pages.remove")
def remove_page(place: Place) -> None:
    collection = make_collection(place)
    added = put_page(place, collection)
    place.client.collections.pages.remove(SLUG, collection, added.id)
    assert list_pages(place, collection) == {}
    assert place.client.pages.retrieve_workspace_page(SLUG, added.page).id == added.page


def add_bot(place: Place, collection: str) -> Any:
    data = CreateCollectionMember(member=place.bot.users.get_me().id, access=0)
    return place.client.collections.members.add(SLUG, collection, data)


def list_access(place: Place, collection: str) -> dict[str, int]:
    return {one.id: one.access for one in place.client.collections.members.list(SLUG, collection)}


@row("collections.members.add")
def add_member(place: Place) -> None:
    collection = make_collection(place, 1)
    added = add_bot(place, collection)
    assert list_access(place, collection)[added.id] == 0
    assert place.bot.collections.retrieve(SLUG, collection).current_user_access == 0


@row("collections.members.list")
def list_members(place: Place) -> None:
    (owner,) = place.client.collections.members.list(SLUG, make_collection(place, 1))
    assert (owner.member, owner.access) == (place.me, 2)


@row("collections.members.update")
def update_member(place: Place) -> None:
    collection = make_collection(place, 1)
    added = add_bot(place, collection)
    data = UpdateCollectionMember(access=2)
    assert place.client.collections.members.update(SLUG, collection, added.id, data).access == 2
    assert list_access(place, collection)[added.id] == 2


@row("collections.members.remove")
def remove_member(place: Place) -> None:
    collection = make_collection(place, 1)
    added = add_bot(place, collection)
    place.client.collections.members.remove(SLUG, collection, added.id)
    assert added.id not in list_access(place, collection)
