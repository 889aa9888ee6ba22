"""What may stand before a work item's number, and finding an item by what it is called or by its id."""

import pytest

from airside.api.v1 import TABLE
from airside.db.base import new_id
from airside.runtime.site import Site
from tests.cast import make_cast
from tests.support.api import serve_api
from tests.work.scene import make_project

FORBIDDEN = "&+,:;$^}{*=?@#|'<>.()%!-"
TAKEN = {
    "TP5_123456": "TP5_123456",
    " my plan ": "MY PLAN",
    "äpfel 2": "ÄPFEL 2",
    "a/b": "A/B",
    "~[\"`\\]": "~[\"`\\]",
    "twelve_chars": "TWELVE_CHARS",
}  # fmt: skip
REFUSAL = {"non_field_errors": ["Project identifier cannot contain special characters."]}
PROJECTS = "workspaces/acme/projects"


async def test_only_the_characters_that_plane_refuses_are_refused(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana:
        ids: list[str] = []
        for number, (sent, stored) in enumerate(TAKEN.items()):
            made = await ana.post(PROJECTS, {"name": f"Taken {number}", "identifier": sent})
            assert (made.status_code, made.json["identifier"]) == (201, stored), sent
            ids.append(made.json["id"])
        for character in FORBIDDEN + "\n\t\u202e\u200b":
            answer = await ana.post(PROJECTS, {"name": "Refused", "identifier": f"A{character}B"})
            assert (answer.status_code, answer.json) == (400, REFUSAL), repr(character)
        answer = await ana.patch(f"{PROJECTS}/{ids[0]}", {"identifier": "A-B"})
        assert (answer.status_code, answer.json) == (400, REFUSAL)


@pytest.mark.parametrize(
    ("identifier", "message"),
    [
        ("", "This field may not be blank."),
        ("   ", "This field may not be blank."),
        ("x" * 13, "Ensure this field has no more than 12 characters."),
        ("ß" * 12, "Ensure this field has no more than 12 characters."),
    ],
)
async def test_an_identifier_has_one_to_twelve_characters(site: Site, identifier: str, message: str) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana:
        answer = await ana.post(PROJECTS, {"name": "Refused", "identifier": identifier})
        assert (answer.status_code, answer.json) == (400, {"identifier": [message]})


@pytest.mark.parametrize("identifier", ["MY PLAN", "TP5_1", "ÄPFEL"])
async def test_an_item_is_found_by_its_key_and_by_its_id(site: Site, identifier: str) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast, identifier=identifier)
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana:
        item = (await ana.post(f"{PROJECTS}/{project}/work-items", {"name": "Bolt"})).json
        for name in (f"{identifier}-1", f"{identifier.lower()}-1", item["id"], item["id"].upper()):
            for path in ("work-items", "issues"):
                found = await ana.get(f"workspaces/acme/{path}/{name}", fields="id")
                assert (found.status_code, found.json) == (200, {"id": item["id"]}), name
        searched = await ana.get("workspaces/acme/work-items/search", search=f"{identifier}-1")
        assert [one["id"] for one in searched.json["issues"]] == [item["id"]]
        queried = await ana.get("workspaces/acme/work-items", pql=f'id = "{identifier}-1"', fields="id")
        assert queried.json["results"] == [{"id": item["id"]}]


async def test_an_item_that_one_may_not_see_is_not_found_by_its_id_either(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast, network=0)
    api = serve_api(site, *TABLE)
    async with api.acting_as(cast.ana["id"]) as ana:
        item = (await ana.post(f"{PROJECTS}/{project}/work-items", {"name": "Bolt"})).json
        gone = (await ana.post(f"{PROJECTS}/{project}/work-items", {"name": "Nut"})).json
        await ana.delete(f"{PROJECTS}/{project}/work-items/{gone['id']}")
        for one in (gone["id"], new_id(), "ENGIN-99", "ENGIN", "nothing-of-the-sort", "NOBODY-1"):
            assert (await ana.get(f"workspaces/acme/work-items/{one}")).status_code == 404, one
    async with api.acting_as(cast.gil["id"]) as gil:
        for one in (item["id"], "ENGIN-1"):
            assert (await gil.get(f"workspaces/acme/work-items/{one}")).status_code == 404
    async with api.acting_as(cast.zoe["id"]) as zoe:
        assert (await zoe.get(f"workspaces/other/work-items/{item['id']}")).status_code == 404
        assert (await zoe.get(f"workspaces/acme/work-items/{item['id']}")).status_code == 403
