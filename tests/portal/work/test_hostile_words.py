"""Whatever people and apps write is shown as words: in titles, descriptions, comments and names."""

from html.parser import HTMLParser

import pytest

from airside.identity.tables import users
from airside.portal.work.editing import read_editable, write_edited
from airside.portal.work.people import Person
from airside.portal.work.writing import put_mentions, show_html
from airside.runtime.site import Site
from tests.cast import Cast
from tests.portal.work.desk import at_desk

PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<svg onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    '<a href="javascript:alert(1)">x</a>',
    "[x](javascript:alert(1))",
    "![x](https://evil.example/pixel.png)",
    '<iframe src="https://evil.example"></iframe>',
    '<form action="https://evil.example"><input name=password></form>',
    '<p style="position:fixed" onclick=alert(1) class="skip">x</p>',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror=alert(1)&gt;">',
    "{{ 'zq' * 3 }}{% include 'x' %}",
    '<mention-component entity_identifier="\'><script>alert(1)</script>" entity_name="user_mention">',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "\u202ereversed\u0007",
]


class Dangers(HTMLParser):
    """What a browser would run or load from elsewhere."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag in ("iframe", "object", "embed", "math", "style", "base"):
            self.found.append(tag)
        if tag == "script" and not attributes.get("src", "").startswith("/static/"):
            self.found.append("script")
        for name, value in attributes.items():
            if name.startswith("on") or name in ("style", "srcdoc", "formaction"):
                self.found.append(f"{tag} {name}")
            if name in ("href", "src", "action") and value.strip().lower().startswith(
                ("javascript:", "data:text")
            ):
                self.found.append(f"{tag} {name}={value}")
        if tag == "img" and attributes.get("src", "").startswith(("http", "//")):
            self.found.append("img from elsewhere")
        if tag == "form" and not attributes.get("action", "").startswith("/"):
            self.found.append("form to elsewhere")


@pytest.mark.parametrize("payload", PAYLOADS)
async def test_nothing_that_is_written_runs_on_any_page(site: Site, cast: Cast, payload: str) -> None:
    async with at_desk(site, cast, "ana") as desk:
        name = payload[:200]
        async with site.db.transaction() as tx:
            await tx.update(users, {"display_name": name}, id=cast.ben["id"])
        label = await desk.api.post(f"{desk.records}/labels", {"name": name, "color": name})
        state = await desk.api.post(
            f"{desk.records}/states", {"name": name, "color": name, "group": "started"}
        )
        await desk.api.patch(desk.records, {"name": f"Engine {name}", "description": payload})
        item = await desk.make_item(
            name, description_html=payload, labels=[label.json["id"]], state=state.json["id"],
            assignees=[cast.ben["id"]],
        )  # fmt: skip
        comments = f"{desk.records}/work-items/{item['id']}/comments"
        made = (await desk.api.post(comments, {"comment_html": payload})).json
        answer = await desk.post("/acme/browse/ENGIN-1/comments/", text=payload)
        assert answer.status in (303, 422)  # some are nothing once they are clean
        await desk.post("/acme/browse/ENGIN-1/sub-items/", name=name)
        settings = f"{desk.project}/settings/"
        for path in (
            "/acme/projects/", desk.items, f"{desk.items}?layout=board", f"{desk.items}?q={name}",
            "/acme/your-work/?view=made", "/acme/browse/ENGIN-1/", "/acme/browse/ENGIN-1/edit/",
            "/acme/browse/ENGIN-2/", f"/acme/browse/ENGIN-1/comments/{made['id']}/",
            *(f"/acme/browse/ENGIN-1/set/{field}/" for field in ("state", "labels", "assignees", "name")),
            "/acme/browse/ENGIN-1/mentionable/", settings, f"{settings}states/", f"{settings}labels/",
            f"{settings}members/", f"{settings}labels/{label.json['id']}/", f"{settings}delete/",
        ):  # fmt: skip
            page = await desk.who.get(path)
            assert page.status in (200, 422), path
            assert Dangers(page.text).found == [], path
            assert "zqzqzq" not in page.text, path  # what a template would make of it


TRICKS = [
    '<p title="<mention-component entity_identifier={q}x{q}></mention-component>">y</p>',
    '<p title="<mention-component entity_identifier=" class=" data-id="{id}">x</p></mention-component>',
    '<mention-component entity_identifier="{id}" label="<img src=x onerror=alert(1)>"><b>x</mention-component>',
    '<img src="javascript:alert(1)"><img src="x&quot; onerror=&quot;alert(1)">',
]


@pytest.mark.parametrize("trick", TRICKS)
def test_mentions_are_no_way_around_the_cleaning(trick: str) -> None:
    somebody = "019a2f6e-7c1b-7e0a-9d52-0b6f1a3c4d5e"
    people = {somebody: Person(somebody, "<script>alert(1)</script>", "")}
    text = trick.replace("{id}", somebody).replace("{q}", "&quot;")
    assert Dangers(show_html(text, people)).found == []
    assert Dangers(show_html(write_edited(text, "", list(people.values())), people)).found == []


@pytest.mark.parametrize(
    "text",
    [
        "Plain words", "**bold** and *soft* and ~~gone~~", "# One\n\n## Two\n\ntext", "- a\n- b\n\nafter",
        "1. a\n2. b", "`code` and [a link](https://a.example/?q=1&r=2)", "```\nif a < b:\n    go()\n```",
        "> quoted", "one\ntwo", "a * b _ c [d] <e> \\f", "a\n\n---\n\nb",
    ],
)  # fmt: skip
def test_markdown_comes_back_as_it_was_meant(text: str) -> None:
    stored = write_edited(text, "", [])
    again = read_editable(stored, {}).text
    assert write_edited(again, "", []).split() == stored.split()


def test_a_name_that_looks_like_a_pattern_is_a_name() -> None:
    somebody = Person("019a2f6e-7c1b-7e0a-9d52-0b6f1a3c4d5e", "A.*(b", "")
    assert "mention-component" in put_mentions("@A.*(b !", [somebody])
    assert "mention-component" not in put_mentions("@Axxb !", [somebody])
