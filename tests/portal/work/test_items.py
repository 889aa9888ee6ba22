"""Work items as a list and as a board: found, made, changed; by whom, and with which event."""

import re
from html import escape

import pytest

from airside.runtime.site import Site
from tests.cast import Cast
from tests.portal.visitor import signed_in
from tests.portal.work.desk import at_desk
from tests.support.api import list_events


async def test_quick_create_puts_it_into_its_state_and_records_the_event(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        todo = (await desk.states())["Todo"]
        assert await desk.events_of(desk.items, name=" Bolt ", state=todo) == ["workitem.created"]
        item = await desk.item()
        assert (item["name"], item["state"], item["created_by"]) == ("Bolt", todo, cast.ben["id"])
        for layout in ("", "?layout=board"):
            assert ">Bolt</a>" in (await desk.who.get(desk.items + layout)).text
        assert (await desk.post(desk.items, name=" ", state=todo)).status == 422


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("state", "Done"), ("priority", "urgent"), ("assignees", ["ben"]), ("labels", ["bug"]),
        ("start_date", "2026-01-02"), ("target_date", "2026-02-03"), ("parent", "engin-2"), ("name", "Nut"),
    ],
)  # fmt: skip
async def test_each_property_is_changed_from_its_menu_with_one_event(
    site: Site, cast: Cast, field: str, value: str | list[str]
) -> None:
    async with at_desk(site, cast) as desk:
        await desk.make_item()
        parent = await desk.make_item("Engine")
        label = (await desk.api.post(f"{desk.records}/labels", {"name": "bug", "color": "#f00"})).json
        ids = {"ben": cast.ben["id"], "bug": label["id"], **(await desk.states())}
        sent = [ids[one] for one in value] if isinstance(value, list) else ids.get(value, value)
        path = f"/acme/browse/ENGIN-1/set/{field}/"
        menu = await desk.who.get(path)
        assert menu.status == 200
        assert f'action="{path}"' in menu.text
        assert await desk.events_of(path, value=sent) == ["workitem.updated"]
        expected = parent["id"] if field == "parent" else sent
        assert (await desk.item())[field] == expected
        assert await desk.events_of(path, value=sent) == []


async def test_what_was_set_is_taken_away_again(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        parent = await desk.make_item("Engine")
        await desk.make_item(
            assignees=[cast.ben["id"]], start_date="2026-01-02", target_date="2026-02-03", parent=parent["id"]
        )
        for field in ("assignees", "start_date", "target_date", "parent"):
            fields = {} if field == "assignees" else {"value": ""}
            assert await desk.events_of(f"/acme/browse/ENGIN-2/set/{field}/", **fields) == [
                "workitem.updated"
            ]
        item = await desk.item(2)
        assert [item[name] for name in ("assignees", "start_date", "target_date", "parent")] == [
            [], None, None, None,
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("state", "", "is not a valid UUID"),
        ("priority", "huge", "not a valid choice"),
        ("target_date", "2025-01-01", "Start date cannot exceed target date"),
        ("target_date", "soon", "Date has wrong format"),
        ("parent", "ENGIN-99", "There is no work item ENGIN-99."),
        ("parent", "ENGIN-1", "cannot be below itself"),
        ("name", "", "may not be blank"),
    ],
)
async def test_a_refused_value_comes_back_in_its_menu(
    site: Site, cast: Cast, field: str, value: str, said: str
) -> None:
    async with at_desk(site, cast) as desk:
        await desk.make_item(start_date="2026-01-02")
        path = f"/acme/browse/ENGIN-1/set/{field}/"
        answer = await desk.post(path, value=value)
        assert answer.status == 422
        assert said in answer.text
        form = [("csrf_token", await desk.token()), ("value", value)]
        part = await desk.who.post(path, form, **{"HX-Request": "true"})
        assert (part.status, part.headers["HX-Retarget"]) == (422, "#menu")
        assert "<html" not in part.text
    assert [event["name"] for event in await list_events(site, "workitem.")] == ["workitem.created"]


async def test_a_change_leads_back_to_where_it_was_made_and_nowhere_else(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        await desk.make_item()
        path = "/acme/browse/ENGIN-1/set/priority/"
        back = f"{desk.items}?layout=board&priority=none"
        assert (await desk.post(path, value="high", next=back)).location == back
        for elsewhere in (
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example",
            "\\\\evil",
            "evil",
            "",
        ):
            answer = await desk.post(path, value="low", next=elsewhere)
            assert answer.location == "/acme/browse/ENGIN-1/", elsewhere
            shown = await desk.who.get(path, Referer=elsewhere)
            assert shown.form(path)["next"] == "/acme/browse/ENGIN-1/"
        shown = await desk.who.get(path, Referer=f"http://falconframework.org{back}")
        assert shown.form(path)["next"] == back


async def test_filters_find_by_property_by_words_and_by_query(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        label = (await desk.api.post(f"{desk.records}/labels", {"name": "bug"})).json
        await desk.make_item("Wheel squeaks", priority="high", assignees=[cast.ben["id"]])
        await desk.make_item("Door = stuck", labels=[label["id"]], target_date="2020-01-01")
        todo = (await desk.states())["Todo"]
        await desk.make_item("Third", state=todo)
        found = {
            "?q=wheel": ["Wheel squeaks"],
            "?q=isOverdue()": ["Door = stuck"],
            "?q=priority+%3D+high": ["Wheel squeaks"],
            "?priority=high": ["Wheel squeaks"],
            f"?assignee={cast.ben['id']}": ["Wheel squeaks"],
            "?assignee=none": ["Door = stuck", "Third"],
            f"?label={label['id']}": ["Door = stuck"],
            f"?state={todo}": ["Third"],
            "?q=nothing": [],
            "?priority=%00&state=x&label='&order=zz&page=-1&layout=<": [
                "Door = stuck",
                "Third",
                "Wheel squeaks",
            ],
        }
        for query, names in found.items():
            page = await desk.who.get(desk.items + query)
            assert page.status == 200, query
            assert sorted(names_on(page.text)) == names, query
        refused = await desk.who.get(f"{desk.items}?q=priority+%3D+huge")
        assert refused.status == 422
        assert "filter-error" in refused.text


async def test_a_long_state_is_read_page_by_page(
    site: Site, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airside.portal.work.items.PAGE_ONE_STATE", 8)
    async with at_desk(site, cast) as desk:
        for number in range(14):
            site.clock.advance(seconds=1)
            await desk.make_item(f"Bolt {number:02}")
        first = await desk.who.get(desk.items)
        assert names_on(first.text) == [f"Bolt {number:02}" for number in range(13, 4, -1)]
        alone = await desk.who.get(link_on(first.text, "Show all 14"))
        assert names_on(alone.text) == [f"Bolt {number:02}" for number in range(13, 5, -1)]
        rest = await desk.who.get(link_on(alone.text, "6 more"))
        assert names_on(rest.text) == [f"Bolt {number:02}" for number in range(5, -1, -1)]
        assert names_on((await desk.who.get(link_on(rest.text, "Previous"))).text) == names_on(alone.text)


def link_on(page: str, words: str) -> str:
    found = re.search(rf'href="([^"]+)">{words}<', page)
    assert found is not None
    return found[1].replace("&amp;", "&")


async def test_a_guest_of_the_project_reads_and_changes_nothing(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast, "gil") as desk:
        item = await desk.make_item("Bolt")
        for path in (desk.items, f"{desk.items}?layout=board", "/acme/browse/ENGIN-1/"):
            page = await desk.who.get(path)
            assert page.status == 200
            assert "Bolt" in page.text
            assert "/set/" not in page.text
            assert "Add a work item" not in page.text
        for path, fields in writes(item["id"]).items():
            assert (await desk.post(path.format(items=desk.items), **fields)).status == 403, path
    assert [event["name"] for event in await list_events(site, "workitem.")] == ["workitem.created"]


async def test_who_is_no_member_of_a_public_project_sees_its_name_and_no_work_items(
    site: Site, cast: Cast
) -> None:
    async with at_desk(site, cast, "ben") as desk:
        made = await desk.api.post("workspaces/acme/projects", {"name": "Open", "identifier": "OPEN"})
        path = f"workspaces/acme/projects/{made.json['id']}/work-items"
        await desk.api.post(path, {"name": "Theirs"})
        listed = (await desk.who.get("/acme/projects/")).text
        assert "t a member of this project." in listed
        project = f"/acme/projects/{made.json['id']}/"
        for page, status in ((project, 200), (f"{project}work-items/", 303), ("/acme/browse/OPEN-1/", 403)):
            answer = await desk.who.get(page)
            assert answer.status == status
            assert "Theirs" not in answer.text


async def test_another_workspace_finds_nothing_by_key_or_id(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        item = await desk.make_item("Bolt")
        async with signed_in(site, "zoe") as zoe:
            token = (await zoe.get("/profile/")).form("/profile/")["csrf_token"]
            for slug in ("acme", "other"):
                for path in (desk.items, "/acme/browse/ENGIN-1/", "/acme/browse/ENGIN-1/set/state/"):
                    answer = await zoe.get(path.replace("acme", slug))
                    assert answer.status == 404, path
                    assert "Bolt" not in answer.text
                for path, fields in writes(item["id"]).items():
                    place = path.format(items=desk.items).replace("acme", slug)
                    answer = await zoe.post(place, {"csrf_token": token, **fields})
                    assert answer.status == 404, place
    assert [event["name"] for event in await list_events(site, "workitem.")] == ["workitem.created"]


async def test_an_archived_item_is_read_only_until_it_is_back(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        await desk.make_item(state=(await desk.states())["Done"])
        assert await desk.events_of("/acme/browse/ENGIN-1/archive/") == ["workitem.archived"]
        page = await desk.who.get("/acme/browse/ENGIN-1/")
        assert "This work item is archived." in page.text
        assert "/set/" not in page.text
        assert (await desk.post("/acme/browse/ENGIN-1/set/priority/", value="high")).status == 422
        assert await desk.events_of("/acme/browse/ENGIN-1/archive/", archived="no") == ["workitem.updated"]


async def test_your_work_gathers_what_is_assigned_to_you_from_every_project(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        states = await desk.states()
        await desk.make_item("Mine", assignees=[cast.ben["id"]])
        await desk.make_item("Finished", assignees=[cast.ben["id"]], state=states["Done"])
        await desk.make_item("Of Ana", assignees=[cast.ana["id"]])
        await desk.events_of(desk.items, name="Made by Ben", state=states["Todo"])
        seen = {
            view: names_on((await desk.who.get(f"/acme/your-work/?view={view}")).text)
            for view in ("", "done", "made", "<x>")
        }
        assert seen == {"": ["Mine"], "done": ["Finished"], "made": ["Made by Ben"], "<x>": ["Mine"]}


def names_on(page: str) -> list[str]:
    return re.findall(r'<a class="item-name"[^>]*>([^<]*)</a>', page)


def writes(item_id: str) -> dict[str, dict[str, str]]:
    """Every form that changes work items, and what it sends."""
    item = "/acme/browse/ENGIN-1/"
    return {
        "{items}": {"name": "Mine", "state": ""},
        f"{item}set/priority/": {"value": "high"},
        f"{item}set/name/": {"value": "Mine"},
        f"{item}edit/": {"name": "Mine", "description": "Mine", "format": "markdown"},
        f"{item}sub-items/": {"name": "Mine"},
        f"{item}links/": {"url": "https://a.example/"},
        f"{item}archive/": {},
        f"{item}delete/": {},
    }


@pytest.mark.parametrize("identifier", ["MY PLAN", "A_B", "A/B", 'Q"\\', "ÄPFEL"])
async def test_an_item_s_page_opens_whatever_its_project_s_identifier_holds(
    site: Site, cast: Cast, identifier: str
) -> None:
    async with at_desk(site, cast) as desk:
        assert (await desk.api.patch(desk.records, {"identifier": identifier})).status_code == 200
        await desk.make_item("Bolt")
        listed = await desk.who.get(desk.items)
        href = min(re.findall(r'href="(/acme/browse/[^"]*/)"', listed.text), key=len)
        page = await desk.who.get(href)
        assert page.status == 200
        assert escape(f"{identifier}-1").replace("&quot;", "&#34;") in page.text
        assert (await desk.post(f"{href}edit/", name="Nut", description="")).location == href
