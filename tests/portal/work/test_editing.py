"""What a person opens in the editor and saves: nothing is lost that they didn't take out themselves."""

import re
import time

import pytest

from airside.errors import Invalid
from airside.portal.work.editing import read_editable, write_edited
from airside.portal.work.people import Person
from airside.portal.work.writing import show_html, show_markdown
from airside.runtime.site import Site
from tests.cast import Cast
from tests.portal.work.desk import at_desk
from tests.work.test_rich_text import SOMEBODY, WRITTEN

ANA = Person(SOMEBODY, "Ana", "")
PEOPLE = {SOMEBODY: ANA}

TYPED = {
    "table": "| Part | Count |\n| --- | --: |\n| Bolt | 4 |\n| Nut \\| Washer | `a` |",
    "fence": "```python\nif a < b:\n    go()\n```",
    "longer fence": "````\n```\ninner\n```\n````",
    "nested lists": "- one\n  - two\n    1. three\n    2. four\n- five",
    "two lists": "- a\n- b\n\n* c",
    "loose list": "1. one\n\n   more of it\n\n2. two",
    "list that begins later": "7. seven\n8. eight",
    "code in a list": "- see:\n\n  ```sh\n  make\n  ```",
    "picture": "![a part](https://a.example/x.png) and words",
    "tasks": "- [x] done\n- [ ] open **soon**",
    "nested tasks": "- [ ] a\n  - [x] b",
    "formatting": "**bold** *soft* ~~gone~~ `code` [link](https://a.example/?q=1)",
    "quote": "> said\n> so\n>\n> - and\n> - so",
    "bare address": "see https://a.example/path and more",
    "headings and rule": "# One\n\ntext\n\n---\n\n## Two",
    "what looks like markup": "1\\. no list, a * b, snake_case, \\[x\\], x < y & z, C:\\dir",
    "line breaks": "one\ntwo",
    "mention": "@Ana, look",
}


def save(typed: str, stored: str = "") -> str:
    return write_edited(typed, stored, [ANA])


@pytest.mark.parametrize("typed", TYPED.values(), ids=TYPED)
def test_what_people_type_is_what_they_find_again(typed: str) -> None:
    stored = save(typed)
    shown = read_editable(stored, PEOPLE).text
    assert "⟦" not in shown
    assert save(shown) == stored  # it means the same, written from nothing
    assert read_editable(save(shown), PEOPLE).text == shown


@pytest.mark.parametrize("stored", WRITTEN.values(), ids=WRITTEN)
def test_what_planes_editor_wrote_survives_edit_and_save(stored: str) -> None:
    shown = read_editable(stored, PEOPLE).text
    assert not re.search(r"(?<!\\)</?[a-z]", shown), shown
    assert save(shown.replace("\n", "\r\n"), stored) == stored


def test_changing_one_part_leaves_all_others_byte_by_byte() -> None:
    stored = "".join(WRITTEN.values()) + "<p class='x'>the end</p>".replace("'", '"')
    shown = read_editable(stored, PEOPLE).text
    saved = save(shown.replace("the end", "the **very** end"), stored)
    assert saved.startswith("".join(WRITTEN.values()))
    assert saved.endswith("<p>the <strong>very</strong> end</p>")


def test_a_part_that_is_kept_can_be_moved_and_deleted() -> None:
    callout, text = WRITTEN["callout"], '<p class="a">words</p>'
    shown = read_editable(callout + text, PEOPLE).text
    kept, words = shown.split("\n\n")
    assert kept.startswith("⟦Callout: x ")
    assert words == "words"
    assert save(f"{words}\n\n{kept}", callout + text) == text + callout
    assert save(words, callout + text) == text
    assert save(f"- a\n- {kept}", callout + text).count(callout) == 1


def test_a_part_that_has_changed_meanwhile_is_not_lost_in_silence() -> None:
    shown = read_editable(WRITTEN["callout"], PEOPLE).text
    with pytest.raises(Invalid, match="changed meanwhile"):
        save(shown, "<p>somebody else wrote this</p>")


def test_a_changed_cell_keeps_the_tables_widths_and_colours() -> None:
    stored = (
        '<table style="width: 300px"><colgroup><col style="width: 150px"><col></colgroup><tbody>'
        '<tr background="#eee"><th colspan="1" rowspan="1" colwidth="150"><p class="a">h</p></th>'
        "<th><p>i</p></th></tr>"
        '<tr><td colspan="1" rowspan="1" background="red"><p>old</p></td><td textcolor="blue"><p>k</p></td></tr>'
        "</tbody></table>"
    )
    shown = read_editable(stored, PEOPLE).text
    assert shown == "| h | i |\n| --- | --- |\n| old | k |"
    assert save(shown.replace("old", "new"), stored) == stored.replace("old", "new")
    longer = save(f"{shown}\n| more | rows |", stored)
    assert longer == stored.replace("</tbody>", "<tr><td>more</td><td>rows</td></tr></tbody>")


def test_bare_addresses_are_links_in_what_people_and_agents_write() -> None:
    link = '<a href="https://a.example/x?y=1&amp;z=2"'
    assert link in write_edited("see https://a.example/x?y=1&z=2.", "", [])
    assert link in show_markdown("see https://a.example/x?y=1&z=2.")
    assert "<a" not in write_edited("`https://a.example/` and ftp://a.example", "", [])
    assert write_edited("[words](https://a.example/)", "", []).count("<a") == 1
    assert write_edited("(https://a.example/x_(y)).", "", []).count('href="https://a.example/x_(y)"') == 1


def test_tasks_pictures_and_callouts_are_shown_as_what_they_are() -> None:
    shown = show_html(
        "".join(WRITTEN[one] for one in ("task list", "callout", "images", "embed", "mention")), PEOPLE
    )
    for part in ('<ul class="tasks">', '<span class="box">☑</span>', '<span class="box">☐</span>', "@Ana",
                 '<div class="callout">', 'href="https://a.example/x.png"', "Embedded work item"):  # fmt: skip
        assert part in shown
    for part in ("<input", "<img", "image-component", "data-", "style=", "id="):
        assert part not in shown


@pytest.mark.parametrize(
    "stored",
    ["<ul><li><p>a</p></li></ul>" * 2_000, "<p>x &amp; y</p>" * 6_000, f"<p>{'[*_`' * 5_000}</p>",
     f"<p>{'a b ' * 100_000}</p>",
     "<table><tbody>" + "<tr><td>a</td><td>b</td></tr>" * 2_000 + "</tbody></table>",
     "<ul><li>" * 30 + "x" + "</li></ul>" * 30, f"<p>{' ' * 200_000}x</p>", f"<pre>{'`' * 100_000}</pre>",
     f"<p>{'<b>x</b>' * 5_000}</p>", f"<p>{'⟦' * 50_000}</p>"],
    ids=range(10),
)  # fmt: skip
def test_the_editor_takes_no_longer_than_the_text_is(stored: str) -> None:
    """By processor time, at a rate that a quadratic step exceeds by far."""
    before = time.thread_time()
    shown = read_editable(stored, {}).text
    write_edited(shown, stored, [])
    assert time.thread_time() - before < 8


async def test_the_editor_shows_no_html_and_saves_what_it_showed(site: Site, cast: Cast) -> None:
    stored = "".join(WRITTEN[one] for one in ("callout", "table", "task list", "images", "code", "lists"))
    async with at_desk(site, cast, "ana") as desk:
        item = await desk.make_item(description_html=stored)
        comments = f"{desk.records}/work-items/{item['id']}/comments"
        made = (await desk.api.post(comments, {"comment_html": stored})).json
        for path, field in (
            ("/acme/browse/ENGIN-1/edit/", "description"),
            (f"/acme/browse/ENGIN-1/comments/{made['id']}/", "text"),
        ):
            form = (await desk.who.get(path)).form(path)
            assert not re.search(r"(?<!\\)</?[a-z]", form[field]), form[field]
            fields = {name: value for name, value in form.items() if name != "csrf_token"}
            assert (await desk.post(path, **fields)).status == 303
        assert (await desk.item())["description_html"] == stored
        assert [one["comment_html"] for one in await desk.comments(item)] == [stored]
        long = f"{'words ' * 30_000}end"
        assert (await desk.post("/acme/browse/ENGIN-1/edit/", name="Bolt", description=long)).status == 303
        assert (await desk.item())["description_stripped"] == long
        deep = "<b>" * 101 + "x"
        refused = await desk.post("/acme/browse/ENGIN-1/comments/", text=deep)
        assert (refused.status, "nested" in refused.text) == (422, True)
