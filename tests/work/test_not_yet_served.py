"""What belongs to families that aren't served yet: never taken and dropped, never another answer than 404."""

import pytest

from airside.api.v1 import TABLE
from airside.db.base import new_id
from airside.runtime.site import Site
from tests.cast import make_cast
from tests.support.api import serve_api
from tests.work.scene import make_project

BASE = "workspaces/acme"


async def test_a_word_where_an_id_belongs_is_no_page_whatever_the_method(site: Site) -> None:
    cast = await make_cast(site)
    project = f"{BASE}/projects/{await make_project(site, cast)}"
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana:
        for path in (f"{project}/pages/templates", f"{BASE}/projects/templates"):
            for method in ("GET", "POST", "PUT", "DELETE"):
                answer = await ana.send(method, path, {"name": "Template"})
                assert (answer.status_code, answer.json) == (404, {"error": "Page not found."}), (
                    method,
                    path,
                )
        wrong = await ana.send("POST", f"{BASE}/projects/{new_id()}", {"name": "x"})
        assert wrong.status_code == 405, "a page, and the wrong method"


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ("project", "cover_image_asset"),
        ("work item", "type"),
        ("work item", "type_id"),
        ("page", "collection_id"),
    ],
)
async def test_a_reference_to_what_is_not_served_is_refused_and_null_is_taken(
    site: Site, record: str, field: str
) -> None:
    cast = await make_cast(site)
    project = f"{BASE}/projects/{await make_project(site, cast)}"
    paths = {"project": f"{BASE}/projects", "work item": f"{project}/work-items", "page": f"{project}/pages"}
    body = {"name": "New"}
    body |= {"project": {"identifier": "NEW"}, "page": {"description_html": "<p></p>"}}.get(record, {})
    unknown = new_id()
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana:
        made = await ana.post(paths[record], body | {field: None})
        assert made.status_code == 201, made.text
        one, again = f"{paths[record]}/{made.json['id']}", body | {"name": "Newer", "identifier": "NEWER"}
        for value, message in (
            ("x", "\u201cx\u201d is not a valid UUID."),
            (unknown, f'Invalid pk "{unknown}" - object does not exist.'),
        ):
            for answer in (
                await ana.post(paths[record], again | {field: value}),
                await ana.patch(one, {field: value}),
            ):
                assert (answer.status_code, list(answer.json.values())) == (400, [[message]]), answer.text
        assert (await ana.patch(one, {field: None})).status_code == 200
