"""Rich text: what Plane's editor writes comes back as it was sent, wherever it is written; attacks don't."""

from html.parser import HTMLParser

import pytest

from airside.api.v1 import TABLE
from airside.runtime.site import Site
from tests.cast import make_cast
from tests.support.api import Client, serve_api
from tests.work.scene import make_project

SOMEBODY = "019a2f6e-7c1b-7e0a-9d52-0b6f1a3c4d5e"
ASSET = "7e0a9d52-0b6f-4a3c-8d5e-019a2f6e7c1b"

# As a browser serialises what the editor holds.
WRITTEN = {
    "paragraph": '<p class="editor-paragraph-block">one <strong>two</strong> <em>three</em> <u>four</u> '
    '<s>five</s></p>',
    "alignment": '<p class="editor-paragraph-block" style="text-align: center;">x</p><h2 style="text-align: '
    'right">y</h2>',
    "colours": '<p><span data-text-color="peach" data-background-color="green">x</span>'
    '<span style="color: #ff0000; background-color: rgb(1, 2, 3)">y</span></p>',
    "link": '<p><a target="_blank" rel="noopener noreferrer nofollow" class="text-accent" '
    'href="https://a.example/?a=1&amp;b=2">x</a>'
    '<a href="mailto:a@b.example">m</a><a href="tel:+49301">t</a></p>',
    "lists": '<ul class="list-disc pl-7 tight" data-tight="true"><li class="not-prose"><p>a</p>'
    '<ol class="list-decimal" data-tight="true" start="3"><li><p>b</p></li></ol></li></ul>',
    "task list": '<ul class="not-prose pl-2" data-type="taskList"><li class="relative" data-checked="true" '
    'data-type="taskItem">'
    '<label><input type="checkbox" checked="checked"><span></span></label><div><p>x</p></div></li>'
    '<li data-checked="false" data-type="taskItem"><label><input type="checkbox"><span></span></label><div>'
    '<p>y</p></div></li></ul>',
    "code": '<pre class="relative" language="python"><code class="language-python" language="python" '
    'spellcheck="false">'
    "if a &lt; b:\n    go()\n</code></pre><p><code spellcheck=\"false\">x</code></p>",
    "table": '<table class="w-full" style="width: 450px; min-width: 75px"><colgroup><col style="width: 150px;">'
    '<col></colgroup><tbody>'
    '<tr background="#eee" textcolor="#111" style="height: 20px"><th colspan="2" rowspan="1" colwidth="150,200" '
    'background="none" '
    'style="background-color: none; color: red"><p>h</p></th></tr><tr><td colspan="1" rowspan="2" colwidth="150" '
    'background="#fff" textcolor="red" hidecontent="false"><p>c</p></td></tr></tbody></table>',
    "callout": '<div class="editor-callout" data-block-type="callout-component" data-logo-in-use="emoji" '
    'data-icon-color="#6d7b8a" '
    'data-icon-name="Info" data-emoji-unicode="128161" data-emoji-url="https://cdn.example/1f4a1.png" '
    'data-background="gray"><p>x</p></div>',
    "emoji": '<p><span data-name="smile" data-type="emoji">😄</span></p>',
    "mention": f'<p><mention-component id="a" entity_identifier="{SOMEBODY}" entity_name="user_mention">'
    '</mention-component></p>',
    "images": f'<image-component id="i" src="{ASSET}" width="35%" height="auto" aspectratio="1.5" alignment="left" '
    'status="uploaded"></image-component><img src="https://a.example/x.png" alt="x" title="t" width="10" '
    'height="20" '
    'aspectratio="0.5" alignment="center">',
    "embed": f'<issue-embed-component id="e" entity_identifier="{SOMEBODY}" project_identifier="{ASSET}" '
    'workspace_identifier="acme" entity_name="work_item"></issue-embed-component>',
    "what any element may carry": '<div class="a" id="b" title="c" role="note" aria-label="d" aria-hidden="true" '
    'data-node-type="e" data-id="f" data-further="g" type="h" xmlns="i">x</div>',
    "rule, quote, headings": '<h1 class="editor-heading-block">a</h1><blockquote><p>b</p></blockquote>'
    '<div data-type="horizontalRule"><div></div></div><hr>',
    "spaces": "<p>a&nbsp;b &amp; c &lt;d&gt;</p><p></p><p><br></p>",
}  # fmt: skip

ATTACKS = [
    "<script>evil()</script>",
    "<img src=x onerror=evil()>",
    '<a href="javascript:evil()">x</a>',
    '<a href="data:text/html,evil">x</a>',
    '<image-component src="javascript:evil()" onload="evil()"></image-component>',
    '<issue-embed-component onclick="evil()" style="background:url(//evil)"></issue-embed-component>',
    '<p style="background: url(https://evil.example/p)">x</p>',
    '<p style="background:u\\72l(//evil)">x</p>',
    '<p style="width: expression(evil())">x</p>',
    '<p style="background-image: image-set(evil 1x)">x</p>',
    '<p style="color: red; behavior: url(evil)">x</p>',
    '<p style="position: fixed; evil: 0">x</p>',
    '<td style="color:red/**/;evil:x">x</td>',
    '<iframe src="https://evil.example"></iframe>',
    '<form action="https://evil.example"><input name="evil" value="evil" formaction="evil"></form>',
    '<svg><style>evil</style><a xlink:href="javascript:evil()">x</a></svg>',
    "<math><mtext><table><mglyph><style><img src=x onerror=evil()>",
    '<object data="//evil"></object><embed src="//evil"><base href="//evil"><link href="//evil"><meta '
    "content=evil>",
    '<img srcset="https://evil.example/x 1x"><video src="//evil"></video>',
]
BAD_STYLES = ["position: fixed", "position:absolute;top:0", "display: none", "z-index: 9", "margin-left: -900px",
              "opacity: 0", "content: 'x'", "pointer-events: none", "transform: scale(9)", "color"]  # fmt: skip


class Places:
    """Everywhere that rich text is written: the path of a new record, its body, and the field."""

    def __init__(self, client: Client, project: str) -> None:
        self._client, self._records = client, f"workspaces/acme/projects/{project}"

    async def write(self, html: str) -> dict[str, str]:
        """It, created and then changed, as a later GET shows it, by place."""
        found: dict[str, str] = {}
        item = (await self._client.post(f"{self._records}/work-items", {"name": "x"})).json["id"]
        for name, path, field in (
            ("work items", f"{self._records}/work-items", "description_html"),
            ("comments", f"{self._records}/work-items/{item}/comments", "comment_html"),
            ("pages", f"{self._records}/pages", "description_html"),
        ):
            found |= await self._write_one(name, path, field, html)
        changed = await self._client.patch(self._records, {"description_html": html})
        assert changed.status_code == 200, changed.text
        found["projects"] = (await self._client.get(self._records)).json["description_html"]
        return found

    async def _write_one(self, name: str, path: str, field: str, html: str) -> dict[str, str]:
        made = await self._client.post(path, {"name": "x", field: html})
        assert made.status_code == 201, made.text
        blank = await self._client.post(path, {"name": "x", field: "<p>before</p>"})
        one = f"{path}/{blank.json['id']}"
        changed = await self._client.patch(one, {field: html})
        assert changed.status_code == 200, changed.text
        read = (await self._client.get(one)).json[field]
        again = await self._client.patch(one, {field: read})
        assert again.json[field] == read
        return {f"{name}, created": made.json[field], f"{name}, changed": read}


async def test_what_planes_editor_writes_is_read_as_it_was_sent_wherever_it_is_written(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    api = serve_api(site, *TABLE)
    for what, html in WRITTEN.items():
        async with api.acting_as(cast.ana["id"]) as ana:
            for place, read in (await Places(ana, project).write(html)).items():
                assert read == html, (what, place)


async def test_attacks_are_taken_out_wherever_they_are_written(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana:
        for place, read in (await Places(ana, project).write("".join(ATTACKS))).items():
            assert "evil" not in read.lower(), (place, read)


class Styles(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name == "style"]


async def test_a_style_says_how_text_looks_and_not_where_it_stands(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana:
        html = "".join(f'<p style="color: red; {style}; text-align: left">x</p>' for style in BAD_STYLES)
        for place, read in (await Places(ana, project).write(html)).items():
            assert Styles(read).found == ["color: red; text-align: left"] * len(BAD_STYLES), place


@pytest.mark.parametrize(
    ("html", "sentence"),
    [("<ul><li>" * 11_000, "nested"), ("<br>" * 20_001, "elements"), ("<p " + "a " * 99, "attributes")],
)
async def test_what_is_nested_too_deep_or_has_too_many_elements_is_refused_under_its_field(
    site: Site, html: str, sentence: str
) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    records = f"workspaces/acme/projects/{project}"
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana:
        item = (await ana.post(f"{records}/work-items", {"name": "x"})).json["id"]
        for path, field in (
            (f"{records}/work-items", "description_html"),
            (f"{records}/work-items/{item}/comments", "comment_html"),
            (f"{records}/pages", "description_html"),
            ("workspaces/acme/projects", "description_html"),
        ):
            answer = await ana.post(path, {"name": "y", "identifier": "Y", field: html})
            assert (answer.status_code, list(answer.json)) == (400, [field]), path
            assert sentence in answer.json[field][0]


async def test_a_text_may_be_as_long_as_a_body(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana:
        text = f"<p>{'long ' * 400_000}</p>"
        for place, read in (await Places(ana, project).write(text)).items():
            assert read == text, place
