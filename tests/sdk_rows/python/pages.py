"""Pages of a project."""

from typing import Any

from plane.models.pages import CreatePage, UpdatePage

from tests.sdk_rows.place import SLUG, Place, unique
from tests.sdk_rows.rows import records, row

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
        "delete": "delete_project_page",
    },
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
