"""Making a project and setting it up, from its pages; each click is one event, as a request would be."""

import pytest

from airside.portal.work.projects import suggest_identifier
from airside.runtime.site import Site
from tests.cast import Cast
from tests.portal.visitor import signed_in
from tests.portal.work.desk import at_desk
from tests.support.api import list_events


@pytest.mark.parametrize(
    ("name", "identifier"),
    [("Engine", "ENGIN"), ("Order to Cash", "OTC"), ("Ünïted 2", "UNITE"), ("日本", ""), ("a", "A")],
)
def test_an_identifier_is_suggested_from_the_name(name: str, identifier: str) -> None:
    assert suggest_identifier(name) == identifier


async def test_a_member_makes_a_project_whose_identifier_comes_from_its_name(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ben") as ben:
        page = await ben.get("/acme/projects/new/")
        made = await ben.submit(page, "/acme/projects/new/", name="Ground control", network="0")
        assert made.status == 303
        assert made.location.endswith("/work-items/")
        shown = await ben.get(made.location)
        assert "<h1>Ground control" in shown.text
        assert "The project is created." in shown.text
    [event] = await list_events(site, "project.created")
    assert (event["data"]["identifier"], event["data"]["network"]) == ("GROUN", 0)
    assert event["actor_id"] == cast.ben["id"]


async def test_a_guest_makes_no_project(site: Site, cast: Cast) -> None:
    async with signed_in(site, "gil") as gil:
        assert (await gil.get("/acme/projects/new/")).status == 403
        token = (await gil.get("/profile/")).form("/profile/")["csrf_token"]
        answer = await gil.post("/acme/projects/new/", {"csrf_token": token, "name": "Mine"})
        assert answer.status == 403
    assert await list_events(site, "project.") == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": ""}, "This field may not be blank."),
        ({"name": "Engine", "identifier": "NEW"}, "Another project has this name or this identifier."),
        ({"name": "New", "identifier": "ENGIN"}, "Another project has this name or this identifier."),
        ({"name": "New", "identifier": "A-B"}, "cannot contain special characters"),
        ({"name": "日本"}, "This field may not be blank."),
        ({"name": "x" * 300}, "no more than 255 characters"),
    ],
)
async def test_a_refused_project_comes_back_as_it_was_typed(
    site: Site, cast: Cast, typed: dict[str, str], said: str
) -> None:
    async with at_desk(site, cast) as desk:
        answer = await desk.post("/acme/projects/new/", **typed)
        assert answer.status == 422
        assert said in answer.text
        assert f'value="{typed["name"]}"' in answer.text


async def test_each_setting_records_exactly_its_event(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast, "ana") as desk:
        settings = f"{desk.project}/settings"
        fields = {"name": "Engines", "identifier": "ENG", "description": "Big", "network": "0"}
        assert await desk.events_of(f"{settings}/", **fields) == ["project.updated"]
        assert await desk.events_of(f"{settings}/", **fields) == []
        features = {"pages": "on", "cycles": "on"}
        assert await desk.events_of(f"{settings}/features/", **features) == ["project.updated"]
        features["epics"] = "on"
        made = ["project.features.updated", "work_item_type.created"]  # the type of its epics
        assert sorted(await desk.events_of(f"{settings}/features/", **features)) == made
        state = {"name": "Review", "color": "#112233", "group": "started"}
        assert await desk.events_of(f"{settings}/states/", **state) == ["state.created"]
        one = f"{settings}/states/{(await desk.states())['Review']}/"
        assert await desk.events_of(one, **(state | {"name": "Check"})) == ["state.updated"]
        assert await desk.events_of(f"{one}delete/") == ["state.deleted"]
        assert await desk.events_of(f"{settings}/labels/", name="bug", color="#ff0000") == ["label.created"]
        label = (await desk.api.get(f"{desk.records}/labels")).json["results"][0]
        one = f"{settings}/labels/{label['id']}/"
        assert await desk.events_of(one, name="defect", color="#ff0000") == ["label.updated"]
        assert await desk.events_of(f"{one}delete/") == ["label.deleted"]
        assert await desk.events_of(f"{settings}/archive/") == ["project.archived"]
        assert await desk.events_of(f"{settings}/archive/", archived="no") == ["project.updated"]
        assert await desk.events_of(f"{settings}/delete/", confirm="ENG") == ["project.deleted"]
        assert (await desk.who.get(desk.items)).status == 404


async def test_members_are_added_changed_and_removed(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast, "ana") as desk:
        members = f"{desk.project}/settings/members/"
        page = await desk.who.get(members)
        assert page.text.count("Role of") == 3
        assert await desk.events_of(f"{members}{cast.ben['id']}/", role="5") == ["project.member.updated"]
        assert await desk.events_of(f"{members}{cast.ben['id']}/remove/") == ["project.member.deleted"]
        assert "Ben (ben@example.com)" in (await desk.who.get(members)).text
        assert await desk.events_of(members, member=cast.ben["id"], role="15") == ["project.member.created"]
        for refused in ({"member": cast.zoe["id"], "role": "15"}, {"member": cast.gil["id"], "role": "20"}):
            answer = await desk.post(members, **refused)
            assert answer.status == 422
            assert "correction" in answer.text
        assert (await desk.post(members, member=cast.ben["id"], role="15")).status == 422


async def test_a_state_that_is_in_use_or_the_default_stays(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast, "ana") as desk:
        states = await desk.states()
        await desk.make_item(state=states["Todo"])
        for name, said in (("Backlog", "Default state"), ("Todo", "not empty")):
            answer = await desk.post(f"{desk.project}/settings/states/{states[name]}/delete/")
            assert answer.status == 422
            assert said in answer.text
        assert len(await desk.states()) == 5


@pytest.mark.parametrize("name", ["ben", "gil"])
async def test_only_its_admins_set_a_project_up(site: Site, cast: Cast, name: str) -> None:
    async with at_desk(site, cast, name) as desk:
        state = (await desk.states())["Todo"]
        settings = f"{desk.project}/settings/"
        for tab in ("", "states/", f"states/{state}/", "labels/", "members/", "delete/"):
            assert (await desk.who.get(settings + tab)).status == 403, tab
        assert "/settings/" not in (await desk.who.get(desk.items)).text.partition("<main")[2]
        for path, fields in (
            ("", {"name": "Mine"}), ("features/", {}), ("archive/", {}), ("delete/", {"confirm": "ENGIN"}),
            ("states/", {"name": "Mine", "color": "#123456", "group": "started"}),
            (f"states/{state}/delete/", {}), ("labels/", {"name": "mine"}),
            ("members/", {"member": cast.ana["id"], "role": "20"}),
            (f"members/{cast.gil['id']}/", {"role": "20"}), (f"members/{cast.ana['id']}/remove/", {}),
        ):  # fmt: skip
            assert (await desk.post(settings + path, **fields)).status == 403, path
