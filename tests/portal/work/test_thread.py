"""One work item's thread: comments, whom they mention, answers, changes, and who may touch what."""

import re

import pytest

from airside.apps.tables import apps
from airside.db.base import new_id
from airside.identity.tables import users
from airside.installations.tables import installations
from airside.portal.work import thread
from airside.runtime.site import Site
from tests.cast import Cast, make_cast
from tests.portal.work.desk import Desk, at_desk
from tests.support.api import list_events

ITEM = "/acme/browse/ENGIN-1/"
COMMENTS = f"{ITEM}comments/"
MENTION = '<mention-component entity_identifier="{}" entity_name="user_mention"></mention-component>'


async def comment(desk: Desk, text: str, **fields: object) -> str:
    """Written from the page; the HTML that is stored."""
    await desk.events_of(COMMENTS, text=text, **fields)
    return (await desk.comments(await desk.item()))[0]["comment_html"]


async def test_a_comment_is_markdown_stored_as_html_with_one_event(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        item = await desk.make_item()
        text = "Please **look**:\n\n- one\n- two"
        assert await desk.events_of(COMMENTS, text=text) == ["workitem.comment.created"]
        [made] = await desk.comments(item)
        assert made["comment_html"] == (
            "<p>Please <strong>look</strong>:</p>\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>"
        )
        assert made["actor"] == cast.ben["id"]
        assert "<strong>look</strong>" in (await desk.who.get(ITEM)).text
        assert (await desk.post(COMMENTS, text="  \n ")).status == 422


@pytest.mark.parametrize(
    ("typed", "mentioned"),
    [
        ("@Ana have a look", ["ana"]),
        ("(@ana) and @Gil.", ["ana", "gil"]),
        ("mail ana@ana.example or @Anastasia", []),
        ("`@Ana` stays code\n\n```\n@Ana\n```", []),
        ("@Zoe is of another workspace", []),
        ("@nobody", []),
        ("@Courier may not be mentioned", []),
    ],
)
async def test_a_typed_name_mentions_the_member_of_that_name(
    site: Site, cast: Cast, typed: str, mentioned: list[str]
) -> None:
    async with at_desk(site, cast) as desk:
        await desk.make_item()
        stored = await comment(desk, typed)
        ids = {"ana": cast.ana["id"], "gil": cast.gil["id"]}
        assert re.findall(r'entity_identifier="([^"]+)"', stored) == [ids[name] for name in mentioned]
        for name in mentioned:
            assert MENTION.format(ids[name]) in stored
            assert f'<span class="mention">@{name.capitalize()}</span>' in (await desk.who.get(ITEM)).text


async def test_the_picker_decides_between_two_of_one_name(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        await desk.make_item()
        async with site.db.transaction() as tx:
            await tx.update(users, {"display_name": "Ana"}, id=cast.gil["id"])
        assert "mention-component" not in await comment(desk, "@Ana, who?")
        await desk.make_item("Nut")
        await desk.events_of("/acme/browse/ENGIN-2/comments/", text="@Ana, you", mentioned=[cast.gil["id"]])
        [made] = await desk.comments(await desk.item(2))
        assert MENTION.format(cast.gil["id"]) in made["comment_html"]


async def test_an_agent_is_offered_from_its_installation_to_its_end(site: Site) -> None:
    cast = await make_cast(site, is_mentionable=True)
    bot = cast.installation["bot_user_id"]
    async with at_desk(site, cast) as desk:
        await desk.make_item()

        async def is_offered() -> bool:
            offered = [(await desk.who.get(f"{ITEM}mentionable/?q=COUR")).text]
            offered.append((await desk.who.get(f"{ITEM}set/assignees/")).text)
            assert len({bot in page for page in offered}) == 1
            return bot in offered[0]

        assert await is_offered()
        assert MENTION.format(bot) in await comment(desk, "@Courier please")
        assert await desk.events_of(f"{ITEM}set/assignees/", value=[bot]) == ["workitem.updated"]
        assert (await desk.item())["assignees"] == [bot]
        await desk.events_of(f"{ITEM}set/assignees/")
        for changes in ({"project_ids": [new_id()]}, {"project_ids": None, "status": "suspended"}):
            async with site.db.transaction() as tx:
                await tx.update(installations, changes, id=cast.installation["id"])
            assert not await is_offered(), changes
        async with site.db.transaction() as tx:
            await tx.update(installations, {"status": "installed"}, id=cast.installation["id"])
        assert await is_offered()
        async with site.db.transaction() as tx:
            await tx.update(apps, {"is_mentionable": False}, id=cast.courier["id"])
        assert not await is_offered()


async def test_a_comment_is_changed_and_deleted_by_its_author(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        item = await desk.make_item()
        await comment(desk, "Hello @Ana, **see** [this](https://a.example/) and `code`\n\n1. one\n2. two")
        [made] = await desk.comments(item)
        one = f"{COMMENTS}{made['id']}/"
        form = (await desk.who.get(one)).form(one)
        assert form["text"] == ("Hello @Ana, **see** [this](https://a.example/) and `code`\n\n1. one\n2. two")
        assert await desk.events_of(one, text=form["text"]) == []
        assert await desk.events_of(one, text="Bye") == ["workitem.comment.updated"]
        assert "· edited" in (await desk.who.get(ITEM)).text
        assert (await desk.who.get(f"{one}delete/")).status == 200
        assert await desk.events_of(f"{one}delete/") == ["workitem.comment.deleted"]
        assert (await desk.who.get(one)).status == 404


async def test_what_markdown_cannot_say_is_kept_as_it_is(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        item = await desk.make_item()
        html = "<table><tbody><tr><td>one</td></tr></tbody></table><p>x <u>under</u></p>"
        path = f"{desk.records}/work-items/{item['id']}/comments"
        async with desk_api(site, cast) as ben:
            made = (await ben.post(path, {"comment_html": html})).json
        one = f"{COMMENTS}{made['id']}/"
        form = (await desk.who.get(one)).form(one)
        assert form["text"].startswith("| one |\n| --- |\n\n⟦Text: x under ")
        assert await desk.events_of(one, text=form["text"]) == []


def desk_api(site: Site, cast: Cast):
    from airside.api.v1 import TABLE
    from tests.support.api import serve_api

    return serve_api(site, *TABLE).acting_as(cast.ben["id"])


@pytest.mark.parametrize(("name", "status"), [("gil", 403), ("ana", 200)])
async def test_others_comments_are_for_admins_to_change(
    site: Site, cast: Cast, name: str, status: int
) -> None:
    async with at_desk(site, cast, name) as desk:
        item = await desk.make_item()
        async with desk_api(site, cast) as ben:
            path = f"{desk.records}/work-items/{item['id']}/comments"
            made = (await ben.post(path, {"comment_html": "<p>Mine</p>"})).json
        one = f"{COMMENTS}{made['id']}/"
        for place in (one, f"{one}delete/"):
            assert (await desk.who.get(place)).status == status
        assert ("delete/" in (await desk.who.get(ITEM)).text.partition("comment-head")[2]) == (status == 200)
        if status == 403:
            assert (await desk.post(one, text="Yours")).status == 403
            assert (await desk.post(f"{one}delete/")).status == 403
            assert (await desk.comments(item))[0]["comment_html"] == "<p>Mine</p>"


async def test_a_guest_takes_part_in_the_conversation(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast, "gil") as desk:
        item = await desk.make_item()
        assert await desk.events_of(COMMENTS, text="I can read this") == ["workitem.comment.created"]
        assert (await desk.comments(item))[0]["actor"] == cast.gil["id"]


async def test_answers_stand_below_what_they_answer_and_changes_between_comments(
    site: Site, cast: Cast
) -> None:
    async with at_desk(site, cast) as desk:
        item = await desk.make_item()
        site.clock.advance(seconds=1)
        await desk.events_of(COMMENTS, text="First")
        [first] = await desk.comments(item)
        site.clock.advance(seconds=1)
        await desk.events_of(f"{ITEM}set/priority/", value="high")
        site.clock.advance(seconds=1)
        await desk.events_of(COMMENTS, text="Second")
        site.clock.advance(seconds=1)
        await desk.events_of(COMMENTS, text="An answer", parent=first["id"])
        page = (await desk.who.get(ITEM)).text.partition('id="thread"')[2]
        places = [
            page.index(words)
            for words in ("made this work item", "First", "An answer", "changed the priority")
        ]
        places.append(page.index("Second"))
        assert places == sorted(places)
        assert "from <strong>none</strong> to <strong>high</strong>" in page
        refused = await desk.post(COMMENTS, text="Lost", parent=new_id())
        assert refused.status in (400, 422)


async def test_a_long_thread_shows_its_newest_and_further_back_what_is_asked_for(
    site: Site, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread, "STEP", 3)
    monkeypatch.setattr(thread, "LATEST", 6)
    async with at_desk(site, cast) as desk:
        item = await desk.make_item()
        path = f"{desk.records}/work-items/{item['id']}/comments"
        for number in range(17):
            site.clock.advance(seconds=1)
            await desk.api.post(path, {"comment_html": f"<p>Word{number:02}</p>"})
            if number in (5, 13):  # a change between two parts
                site.clock.advance(seconds=1)
                await desk.events_of(f"{ITEM}set/priority/", value="high" if number == 5 else "low")

        async def look(query: str) -> tuple[list[int], int, str]:
            """The comments, the changes of the priority, and the page."""
            text = (await desk.who.get(f"{ITEM}{query}")).text
            shown = [int(found) for found in re.findall(r"Word(\d\d)", text)]
            return shown, text.count("changed the priority"), text

        for query, wanted, changes, is_cut in (
            ("", [14, 15, 16], 0, True),
            ("?earlier=1", [11, 12, 13, 14, 15, 16], 1, True),
            ("?earlier=2", [5, 6, 7, 8, 9, 10], 1, True),
            ("?earlier=3", [0, 1, 2, 3, 4], 0, False),
            ("?earlier=4", [], 0, False),
            ("?earlier=99999", [], 0, False),
            ("?earlier=x", [14, 15, 16], 0, True),
        ):
            shown, changed, text = await look(query)
            assert (shown, changed) == (wanted, changes), query
            assert ("Show earlier" in text) is is_cut, query
            here = f"{ITEM}{query}" if query and "x" not in query else ITEM
            live = re.findall(r'id="(work|thread)" data-live="[^"]+" hx-get="([^"]+)"', text)
            if query != "?earlier=99999":
                assert live == [("work", here), ("thread", here)], "what is shown stays so as it moves"
        assert f'href="{ITEM}#activity"' in (await look("?earlier=2"))[2], "the newest is one step away"
        _, _, text = await look("")
        [(href, anchor)] = re.findall(r'id="earlier" href="([^"#]+)#(comment-[^"]+)"', text)
        assert href == f"{ITEM}?earlier=1"
        assert text.count(f'id="{anchor}"') == 1, "where the reader was"
        assert f'id="{anchor}"' in (await look("?earlier=1"))[2]


async def test_the_description_is_written_in_markdown_with_mentions(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        await desk.make_item()
        edit = f"{ITEM}edit/"
        fields = {"name": "Bolt", "description": "## Plan\n\nAsk @Ana", "format": "markdown"}
        assert await desk.events_of(edit, **fields) == ["workitem.updated"]
        assert (await desk.item())["description_html"] == (
            f"<h2>Plan</h2>\n<p>Ask {MENTION.format(cast.ana['id'])}</p>"
        )
        page = await desk.who.get(edit)
        assert page.form(edit)["description"] == "## Plan\n\nAsk @Ana"
        assert await desk.events_of(edit, **fields) == []
        assert '<span class="mention">@Ana</span>' in (await desk.who.get(ITEM)).text
        assert "changed the description" in (await desk.who.get(ITEM)).text


async def test_sub_items_links_and_deletion_are_each_their_event(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        await desk.events_of(desk.items, name="Bolt", state="")
        assert await desk.events_of(f"{ITEM}sub-items/", name="Thread") == ["workitem.created"]
        page = await desk.who.get(ITEM)
        assert ">Thread</a>" in page.text
        assert "0 of 1 done" in page.text
        assert "Part of" in (await desk.who.get("/acme/browse/ENGIN-2/")).text
        assert await desk.events_of(f"{ITEM}links/", url="https://a.example/x", title="Manual") == [
            "workitem.link.created"
        ]
        refused = await desk.post(f"{ITEM}links/", url="javascript:alert(1)")
        assert refused.status == 422
        assert "Invalid URL format." in refused.text
        removal = re.search(rf'action="({ITEM}links/[^"]+/delete/)"', (await desk.who.get(ITEM)).text)
        assert removal is not None
        assert await desk.events_of(removal[1]) == ["workitem.link.deleted"]
        assert (await desk.who.get(f"{ITEM}delete/")).status == 200
        gone = await desk.events_of(f"{ITEM}delete/")
        assert gone == ["workitem.deleted", "workitem.updated"], "its sub-item no longer names it"
        assert (await desk.who.get(ITEM)).status == 404


async def test_every_write_of_the_pages_is_the_persons_own(site: Site, cast: Cast) -> None:
    async with at_desk(site, cast) as desk:
        await desk.events_of(desk.items, name="Bolt", state="")
        await desk.events_of(COMMENTS, text="Hello")
        await desk.events_of(f"{ITEM}set/priority/", value="low")
        sent = await list_events(site, "workitem")
        assert {event["actor_id"] for event in sent} == {cast.ben["id"]}
        assert {event["project_id"] for event in sent} == {desk.project_id}
