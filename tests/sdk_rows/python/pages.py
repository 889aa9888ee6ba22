"""Pages of a project and of the workspace, and those that are linked to a work item."""

from collections.abc import Callable
from typing import Any

import pytest
from plane.errors import HttpError
from plane.models.pages import CreatePage, UpdatePage
from plane.models.work_item_pages import CreateWorkItemPage

from tests.sdk_rows.place import SLUG, Place, unique
from tests.sdk_rows.rows import records, row

Act = Callable[[], Any]
NOT_DELETED = ("create", "retrieve", "list", "update")  # only archived pages are deleted

PAGES = records(
    "pages",
    lambda _: CreatePage(name=unique("Manual"), description_html="<p>Read me</p>"),
    lambda _: UpdatePage(name=unique("Handbook"), description_html="<p>Read me again</p>"),
    at=lambda place: (place.project_id,),
    unlisted=("description_html",),
    names={
        "create": "create_project_page",
        "retrieve": "retrieve_project_page",
        "list": "list_project_pages",
        "update": "update_project_page",
    },
    verbs=NOT_DELETED,
)


def make(place: Place) -> Any:
    return PAGES.create(place, (place.project_id,))[0]


@row("pages.archive_project_page")
def archive(place: Place) -> None:
    made = make(place)
    place.client.pages.archive_project_page(SLUG, place.project_id, made.id)
    assert PAGES.read(place, (place.project_id,), made.id).archived_at


@row("pages.unarchive_project_page")
def unarchive(place: Place) -> None:
    made = make(place)
    place.client.pages.archive_project_page(SLUG, place.project_id, made.id)
    place.client.pages.unarchive_project_page(SLUG, place.project_id, made.id)
    assert PAGES.read(place, (place.project_id,), made.id).archived_at is None


@row("pages.delete_project_page")
def delete(place: Place) -> None:
    made, pages = make(place), place.client.pages
    at = (SLUG, place.project_id, made.id)
    check_deleted(
        lambda: pages.archive_project_page(*at),
        lambda: pages.delete_project_page(*at),
        lambda: pages.retrieve_project_page(*at),
    )


def check_deleted(archive: Act, delete: Act, retrieve: Act) -> None:
    with pytest.raises(HttpError, match="400"):
        delete()
    archive()
    delete()
    with pytest.raises(HttpError, match="404"):
        retrieve()


WORKSPACE_PAGES = records(
    "pages",
    lambda _: CreatePage(name=unique("Wiki"), description_html="<p>Read me</p>"),
    lambda _: UpdatePage(name=unique("Guide"), description_html="<p>Read me again</p>"),
    unlisted=("description_html",),
    names={
        "create": "create_workspace_page",
        "retrieve": "retrieve_workspace_page",
        "list": "list_workspace_pages",
        "update": "update_workspace_page",
    },
    verbs=NOT_DELETED,
)


def make_workspace_page(place: Place, **fields: Any) -> Any:
    data = CreatePage(name=unique("Wiki"), description_html="<p>Read me</p>", **fields)
    return place.client.pages.create_workspace_page(SLUG, data)


@row("pages.archive_workspace_page")
def archive_workspace_page(place: Place) -> None:
    made = make_workspace_page(place)
    place.client.pages.archive_workspace_page(SLUG, made.id)
    assert WORKSPACE_PAGES.read(place, (), made.id).archived_at


@row("pages.unarchive_workspace_page")
def unarchive_workspace_page(place: Place) -> None:
    made = make_workspace_page(place)
    place.client.pages.archive_workspace_page(SLUG, made.id)
    place.client.pages.unarchive_workspace_page(SLUG, made.id)
    assert WORKSPACE_PAGES.read(place, (), made.id).archived_at is None


@row("pages.delete_workspace_page")
def delete_workspace_page(place: Place) -> None:
    made, pages = make_workspace_page(place), place.client.pages
    check_deleted(
        lambda: pages.archive_workspace_page(SLUG, made.id),
        lambda: pages.delete_workspace_page(SLUG, made.id),
        lambda: pages.retrieve_workspace_page(SLUG, made.id),
    )


LINKS = records(
    "work_items.pages",
    lambda place: CreateWorkItemPage(page_id=make_workspace_page(place).id),
    at=lambda place: (place.project_id, place.item().id),
    unread=("page_id",),
    verbs=("retrieve", "list", "delete"),
)


@row("work_items.pages.create")
def link_page(place: Place) -> None:
    page, parents = make_workspace_page(place), LINKS.at(place)
    made = place.client.work_items.pages.create(SLUG, *parents, CreateWorkItemPage(page_id=page.id))
    assert (made.page.id, made.page.name, made.issue) == (page.id, page.name, parents[1])
    assert LINKS.read(place, parents, made.id) == made
