"""Pages and collections: nesting, archiving, locking, who may see; a page's body survives read-change-write."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from plane import PlaneClient
from plane.errors import HttpError
from plane.models.collections import (
    AddCollectionPages,
    CreateCollection,
    CreateCollectionMember,
    UpdateCollectionMember,
)
from plane.models.pages import CreatePage, UpdatePage
from plane.models.query_params import CollectionPageQueryParams
from plane.models.work_item_pages import CreateWorkItemPage
from plane.models.work_items import CreateWorkItem

from tests.journeys.conftest import Stage

TEXT = "<h1>Wheels</h1><p>Turn <strong>left</strong> &amp; <em>right</em>.</p><ul><li><p>Oil</p></li></ul>"


@pytest.fixture(scope="module")
def ben(client_of: Callable[[str], PlaneClient]) -> PlaneClient:
    return client_of("ben")


def write(client: PlaneClient, name: str = "Manual", **fields: Any) -> Any:
    data = CreatePage(name=name, description_html=TEXT, **fields)
    return client.pages.create_workspace_page("acme", data)


def read(client: PlaneClient, page: Any) -> Any:
    return client.pages.retrieve_workspace_page("acme", page.id)


def change(client: PlaneClient, page: Any, **fields: Any) -> Any:
    return client.pages.update_workspace_page("acme", page.id, UpdatePage(**fields))


def status_of(call: Callable[..., Any], *given: Any) -> int | None:
    with pytest.raises(HttpError) as refused:
        call(*given)
    return refused.value.status_code


def events_of(stage: Stage, entity_id: str) -> list[tuple[str, bool]]:
    """Name, and whether it is private, of the recorded events in order."""
    path = stage.instance.folder / "data" / "airside.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        rows = database.execute(
            "SELECT name, is_private FROM events WHERE entity_id = ? ORDER BY sequence", (entity_id,)
        )
        return [(name, bool(private)) for name, private in rows]


def test_8_pages_nest_and_are_archived_and_restored_with_what_is_below(
    stage: Stage, ana: PlaneClient
) -> None:
    top = write(ana)
    middle = write(ana, parent_id=top.id)
    bottom = write(ana, parent_id=middle.id)
    ana.pages.archive_workspace_page("acme", top.id)
    assert all(read(ana, page).archived_at for page in (top, middle, bottom))
    ana.pages.unarchive_workspace_page("acme", top.id)
    assert not any(read(ana, page).archived_at for page in (top, middle, bottom))
    names = [name for name, _ in events_of(stage, bottom.id)]
    assert names == ["page.created", "page.archived", "page.updated"]
    ana.pages.archive_workspace_page("acme", top.id)
    ana.pages.delete_workspace_page("acme", top.id)
    assert read(ana, middle).parent_id is None
    assert read(ana, bottom).parent_id == middle.id


def test_8_a_locked_page_is_changed_by_nobody_and_unlocked_by_its_owner(
    ana: PlaneClient, ben: PlaneClient
) -> None:
    page = write(ana, is_locked=True)
    assert status_of(lambda: change(ben, page, name="Mine")) == 400
    assert status_of(lambda: change(ben, page, is_locked=False)) == 400
    assert read(ben, page).name == "Manual"
    assert change(ana, page, is_locked=False, name="Handbook").name == "Handbook"
    assert change(ben, page, name="Ours").name == "Ours"


def test_8_a_private_page_is_its_owners_alone(
    stage: Stage, ana: PlaneClient, ben: PlaneClient, project: Any
) -> None:
    page = write(ben, "Diary", access=1)
    assert status_of(read, ana, page) == 404
    assert page.id not in [one.id for one in ana.pages.list_workspace_pages("acme").results]
    item = ana.work_items.create("acme", project.id, CreateWorkItem(name="Wheel"))
    link = CreateWorkItemPage(page_id=page.id)
    assert status_of(ana.work_items.pages.create, "acme", project.id, item.id, link) == 400
    assert events_of(stage, page.id) == [("page.created", True)]


def test_8_a_body_survives_being_read_changed_and_written_back(ana: PlaneClient) -> None:
    page = write(ana)
    stored = read(ana, page)
    assert stored.description_html == TEXT
    assert stored.description_stripped == "Wheels Turn left & right . Oil"
    for _ in range(2):
        fields = {name: getattr(stored, name) for name in ("name", "description_html", "access", "color")}
        again = change(ana, page, **fields)
        assert again.description_html == stored.description_html
        assert again.updated_at == stored.updated_at
    added = change(ana, page, description_html=stored.description_html + "<p>More</p>")
    assert added.description_html == TEXT + "<p>More</p>"


def test_8_members_of_a_private_collection_see_its_pages_and_edit_them_if_they_may(
    stage: Stage, ana: PlaneClient, ben: PlaneClient
) -> None:
    shelf = ana.collections.create("acme", CreateCollection(name="Board", access=1))
    page = write(ana, "Plan", collection_id=shelf.id)
    assert (page.collection_id, page.access) == (shelf.id, 1)
    assert status_of(ben.collections.retrieve, "acme", shelf.id) == 404
    assert status_of(read, ben, page) == 404
    data = CreateCollectionMember(member=ben.users.get_me().id, access=0)
    member = ana.collections.members.add("acme", shelf.id, data)
    assert read(ben, page).name == "Plan"
    assert ben.collections.retrieve("acme", shelf.id).current_user_access == 0
    assert status_of(lambda: change(ben, page, name="Mine")) == 403
    ana.collections.members.update("acme", shelf.id, member.id, UpdateCollectionMember(access=2))
    assert change(ben, page, name="Ours").name == "Ours"
    ana.collections.members.remove("acme", shelf.id, member.id)
    assert status_of(read, ben, page) == 404
    assert {private for _, private in events_of(stage, page.id)} == {True}


def test_8_a_collection_has_branches_and_leaves_its_pages_archived(
    ana: PlaneClient, ben: PlaneClient
) -> None:
    shelf = ana.collections.create("acme", CreateCollection(name="Handbook"))
    top, alone = write(ana, "Top"), write(ben, "Alone")
    below = write(ana, "Below", parent_id=top.id)
    found = ana.collections.pages.search("acme", shelf.id, "top")
    assert top.id in [one.id for one in found]
    ana.collections.pages.add("acme", shelf.id, AddCollectionPages(page_ids=[top.id, alone.id]))

    def branch(**query: Any) -> list[str]:
        params = CollectionPageQueryParams(**query)
        return [row.page["name"] for row in ana.collections.pages.list("acme", shelf.id, params).results]

    assert branch() == ["Top", "Alone"]
    assert branch(parent_id=top.id) == ["Below"]
    assert branch(search="elo") == ["Below"]
    ana.collections.delete("acme", shelf.id)
    for page in (top, alone, below):
        left = read(ana, page)
        assert left.archived_at
        assert left.collection_id is None


def test_8_pages_of_a_work_item_are_in_its_history(stage: Stage, ana: PlaneClient, project: Any) -> None:
    item = ana.work_items.create("acme", project.id, CreateWorkItem(name="Wheel"))
    page = write(ana, "Manual of wheels")
    at = ("acme", project.id, item.id)
    link = ana.work_items.pages.create(*at, CreateWorkItemPage(page_id=page.id))
    assert [one.page.name for one in ana.work_items.pages.list(*at).results] == ["Manual of wheels"]
    history = ana.work_items.activities.list(*at).results
    assert [one.new_value for one in history if one.field == "page"] == ["Manual of wheels"]
    ana.pages.archive_workspace_page("acme", page.id)
    ana.pages.delete_workspace_page("acme", page.id)
    assert ana.work_items.pages.list(*at).results == []
    names = [name for name, _ in events_of(stage, link.id)]
    assert names == ["workitem.page_link.created", "workitem.page_link.deleted"]
