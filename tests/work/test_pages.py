"""The documents of a project."""

import msgspec
import pytest

from airside.db.base import new_id
from airside.runtime.site import Site
from airside.work.pages.pages import PAGES_V1, PageOut
from airside.work.pages.routes import PAGE_ROUTES
from tests.cast import Cast, make_cast
from tests.support.api import ServedApi, list_events, serve_api
from tests.work.scene import join_project, make_project


async def set_up(site: Site) -> tuple[Cast, str, ServedApi]:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    return cast, f"workspaces/acme/projects/{project}/pages", serve_api(site, *PAGE_ROUTES, PAGES_V1)


def a_page(name: str = "Manual", **fields: object) -> dict[str, object]:
    return {"name": name, "description_html": "<p>Turn it on.</p>"} | fields


async def test_a_page_is_written_and_read(site: Site) -> None:
    cast, path, api = await set_up(site)
    async with api.acting_as(cast.ben["id"]) as ben, api.acting_as(cast.ana["id"]) as ana:
        made = await ben.post(path, a_page(color="#4ECDC4", logo_props={"in_use": "emoji"}))
        read = await ana.get(f"{path}/{made.json['id']}")
    assert made.status_code == 201
    assert read.json == made.json
    msgspec.convert(read.json, PageOut)
    assert read.json["owned_by"] == cast.ben["id"]
    assert read.json["projects"] == [path.split("/")[3]]
    assert read.json["description_stripped"] == "Turn it on."
    (event,) = await list_events(site, "page")
    assert (event["name"], event["data"]["name"]) == ("page.created", "Manual")
    assert event["data_v2"]["owned_by_id"] == cast.ben["id"]


async def test_what_could_run_is_taken_out_before_it_is_stored(site: Site) -> None:
    cast, path, api = await set_up(site)
    hostile = '<p onclick="steal()">Hi<script>steal()</script></p><img src=x onerror=steal()>'
    async with api.acting_as(cast.ben["id"]) as ben:
        made = await ben.post(path, a_page(description_html=hostile))
        changed = await ben.put(f"{path}/{made.json['id']}", {"description_html": hostile})
    for answer in (made, changed):
        assert "steal" not in answer.json["description_html"]
        assert answer.json["description_stripped"] == "Hi"


async def test_the_list_leaves_the_documents_out_unless_asked_for(site: Site) -> None:
    cast, path, api = await set_up(site)
    async with api.acting_as(cast.ben["id"]) as ben:
        for number in range(21):
            await ben.post(path, a_page(f"Page {number}"))
        listed = await ben.get(path)
        asked = await ben.get(path, fields="id,description_html", per_page=1)
        too_many = await ben.get(path, per_page=101)
    assert (listed.json["count"], listed.json["total_count"]) == (20, 21)
    assert listed.json["next_cursor"] == "20:1:0"
    assert "description_html" not in listed.json["results"][0]
    assert {"id", "name", "owned_by", "access", "is_locked", "archived_at", "workspace", "created_at",
            "updated_at", "logo_props", "parent_id"} <= set(listed.json["results"][0])  # fmt: skip
    assert set(asked.json["results"][0]) == {"id", "description_html"}
    assert too_many.status_code == 400


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["Diary", "Manual", "Old 100%"]),
        ({"type": "all"}, ["Diary", "Manual", "Old 100%"]),
        ({"type": "public"}, ["Manual"]),
        ({"type": "private"}, ["Diary"]),
        ({"type": "shared"}, []),
        ({"type": "archived"}, ["Old 100%"]),
        ({"search": "AN"}, ["Manual"]),
        ({"search": "0%"}, ["Old 100%"]),
        ({"search": "_"}, []),
        ({"search": "a", "type": "private"}, ["Diary"]),
    ],
)
async def test_pages_are_listed_by_type_and_title(
    site: Site, query: dict[str, str], names: list[str]
) -> None:
    cast, path, api = await set_up(site)
    async with api.acting_as(cast.ben["id"]) as ben:
        await ben.post(path, a_page("Manual"))
        await ben.post(path, a_page("Diary", access=1))
        await ben.post(path, a_page("Old 100%", archived_at="2026-01-01"))
        answer = await ben.get(path, order_by="name", **query)
    assert [page["name"] for page in answer.json["results"]] == names


async def test_an_unknown_type_is_refused(site: Site) -> None:
    cast, path, api = await set_up(site)
    async with api.acting_as(cast.ben["id"]) as ben:
        answer = await ben.get(path, type="secret")
    assert (answer.status_code, answer.json) == (400, {"type": ['"secret" is not a valid choice.']})


async def test_a_private_page_is_nobodys_but_its_owners(site: Site) -> None:
    cast, path, api = await set_up(site)
    async with api.acting_as(cast.ben["id"]) as ben, api.acting_as(cast.ana["id"]) as ana:
        page = (await ben.post(path, a_page(access=1))).json["id"]
        assert (await ana.get(path)).json["results"] == []
        answers = [
            await ana.get(f"{path}/{page}"),
            await ana.patch(f"{path}/{page}", {"access": 0}),
            await ana.delete(f"{path}/{page}"),
            await ana.post(f"{path}/{page}/archive"),
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert (await ben.get(f"{path}/{page}")).status_code == 200


async def test_only_its_owner_makes_a_public_page_private(site: Site) -> None:
    cast, path, api = await set_up(site)
    async with api.acting_as(cast.ben["id"]) as ben, api.acting_as(cast.ana["id"]) as ana:
        page = (await ben.post(path, a_page())).json["id"]
        assert (await ana.patch(f"{path}/{page}", {"access": 1})).status_code == 400
        assert (await ana.patch(f"{path}/{page}", {"name": "Handbook"})).status_code == 200
        assert (await ben.patch(f"{path}/{page}", {"access": 1})).status_code == 200


async def test_a_locked_page_stays_as_it_is_until_unlocked(site: Site) -> None:
    cast, path, api = await set_up(site)
    async with api.acting_as(cast.ben["id"]) as ben:
        page = (await ben.post(path, a_page(is_locked=True))).json["id"]
        refused = await ben.put(f"{path}/{page}", {"name": "Handbook"})
        unlocked = await ben.put(f"{path}/{page}", {"name": "Handbook", "is_locked": False})
    assert (refused.status_code, refused.json) == (400, {"error": "Page is locked"})
    assert (unlocked.status_code, unlocked.json["name"]) == (200, "Handbook")


async def test_archiving_has_one_event_and_can_be_undone(site: Site) -> None:
    cast, path, api = await set_up(site)
    async with api.acting_as(cast.ben["id"]) as ben:
        page = (await ben.post(path, a_page())).json["id"]
        for _ in range(2):
            assert (await ben.post(f"{path}/{page}/archive")).status_code == 204
        archived = await ben.get(f"{path}/{page}")
        assert (await ben.delete(f"{path}/{page}/archive")).status_code == 204
        current = await ben.get(f"{path}/{page}")
    assert archived.json["archived_at"] == "2026-01-05"
    assert current.json["archived_at"] is None
    names = [event["name"] for event in await list_events(site, "page")]
    assert names == ["page.archived", "page.created", "page.updated"]


async def test_a_page_is_deleted_by_its_owner_or_an_admin(site: Site) -> None:
    cast, path, api = await set_up(site)
    async with api.acting_as(cast.ben["id"]) as ben, api.acting_as(cast.ana["id"]) as ana:
        of_ana = (await ana.post(path, a_page())).json["id"]
        of_ben = (await ben.post(path, a_page())).json["id"]
        assert (await ben.delete(f"{path}/{of_ana}")).status_code == 400
        refused = await ana.delete(f"{path}/{of_ben}")
        assert (refused.status_code, refused.json) == (
            400, {"error": "The page should be archived before deleting"},
        )  # fmt: skip
        await ana.post(f"{path}/{of_ben}/archive")
        assert (await ana.delete(f"{path}/{of_ben}")).status_code == 204
        assert (await ana.get(f"{path}/{of_ben}")).status_code == 404
    (event,) = await list_events(site, "page.deleted")
    assert event["data"] == {"id": of_ben}


async def test_pages_stand_below_pages_but_never_below_themselves(site: Site) -> None:
    cast, path, api = await set_up(site)
    async with api.acting_as(cast.ben["id"]) as ben:
        top = (await ben.post(path, a_page("Top"))).json["id"]
        below = (await ben.post(path, a_page("Below", parent_id=top))).json
        assert below["parent_id"] == top
        circle = await ben.patch(f"{path}/{top}", {"parent_id": below["id"]})
        unknown = await ben.post(path, a_page(parent_id=new_id()))
    assert (circle.status_code, list(circle.json)) == (400, ["parent_id"])
    assert (unknown.status_code, list(unknown.json)) == (400, ["parent_id"])


async def test_an_external_id_finds_its_page_and_is_taken_once(site: Site) -> None:
    cast, path, api = await set_up(site)
    given = {"external_id": "42", "external_source": "wiki"}
    async with api.acting_as(cast.ben["id"]) as ben:
        made = await ben.post(path, a_page(**given))
        again = await ben.post(path, a_page("Other", **given))
        found = await ben.get(path, **given)
    assert (again.status_code, again.json["id"]) == (409, made.json["id"])
    assert found.json["id"] == made.json["id"]


async def test_a_guest_reads_pages_and_writes_none(site: Site) -> None:
    cast, path, api = await set_up(site)
    await join_project(site, cast, path.split("/")[3], cast.gil["id"], 5)
    async with api.acting_as(cast.ben["id"]) as ben, api.acting_as(cast.gil["id"]) as gil:
        page = (await ben.post(path, a_page())).json["id"]
        assert (await gil.get(f"{path}/{page}")).status_code == 200
        assert (await gil.post(path, a_page())).status_code == 403
        assert (await gil.put(f"{path}/{page}", {"name": "Mine"})).status_code == 403


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"access": 2}, "access"),
        ({"archived_at": "yesterday"}, "archived_at"),
        ({"description_html": ["<p>"]}, "description_html"),
        ({"logo_props": "none"}, "logo_props"),
        ({"parent_id": "top"}, "parent_id"),
    ],
)
async def test_a_field_that_does_not_fit_is_named(site: Site, fields: dict[str, object], field: str) -> None:
    cast, path, api = await set_up(site)
    async with api.acting_as(cast.ben["id"]) as ben:
        answer = await ben.post(path, a_page() | fields)
    assert (answer.status_code, list(answer.json)) == (400, [field])
    assert await list_events(site, "page") == []
