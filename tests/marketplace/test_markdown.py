"""Authors' Markdown renders to inert HTML: a corpus of attacks that must have no effect."""

import re
import time
from html.parser import HTMLParser

import pytest

from airside.marketplace.markdown import render_markdown

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><animate onbegin=alert(1) attributeName=x>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A;avascript&colon;alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](//evil.example/)",
    "[x](/acme/settings/applications/)",
    "[x](#main)",
    "[x](\\\\evil.example)",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    "![x](https://evil.example/pixel.png)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "<iframe src=https://evil.example></iframe>",
    "<style>*{display:none}</style>",
    "<form action=https://evil.example><input name=password></form>",
    "<div style='position:fixed;inset:0'>x</div>",
    '[x](https://ok.example "onmouseover=alert(1) x=")',
    "[x](https://ok.example'onclick=alert(1))",
    "```<script>\nalert(1)\n```",
    '```html"onload=alert(1)\n<script>alert(1)</script>\n```',
    "`<script>alert(1)</script>`",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "|<script>|\n|-|\n|<img src=x onerror=alert(1)>|",
    "# <script>alert(1)</script>",
    "> <script>alert(1)</script>",
    "<x onclick=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<https://ok.example/?a=<script>alert(1)</script>>",
]
ALLOWED_TAGS = {
    "p", "br", "hr", "h3", "h4", "h5", "h6", "ul", "ol", "li", "strong", "em", "s", "code", "pre",
    "blockquote", "a", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


class Seen(HTMLParser):
    """Every tag and attribute, as a browser would read them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_runs_loads_or_leads_into_this_site(text: str) -> None:
    seen = Seen(render_markdown(text))
    assert seen.tags <= ALLOWED_TAGS
    for name, value in seen.attributes:
        assert name in {"href", "title", "rel", "start"}
        if name == "href":
            assert re.match(r"(https?://|mailto:)", value), value


def test_what_authors_need_is_there() -> None:
    html = render_markdown(
        "# Big\n\n**b** *i* `c` [x](https://ok.example)\n\n- one\n\n|a|\n|-|\n|b|\n\n~~no~~"
    )
    for part in ("<h3>Big</h3>", "<strong>b</strong>", "<li>one</li>", "<td>b</td>", "<s>no</s>"):
        assert part in html
    assert '<a href="https://ok.example" rel="noreferrer noopener nofollow ugc">x</a>' in html


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10_000,
        "![" * 5_000,
        "*" * 10_000,
        "*a " * 3_333,
        ">" * 10_000,
        "- " * 5_000,
        "`" * 10_000,
        "|" * 10_000,
        "a\n|-\n" * 2_000,
        "[a](" * 2_500,
        "<" * 10_000,
        "&" * 10_000,
        "[x]: y\n" * 1_400,
        "\\" * 10_000,
    ],
    ids=lambda text: repr(text[:8]),
)
def test_the_longest_text_of_the_worst_kind_takes_no_longer_than_it_is(text: str) -> None:
    """CPU time, so that a busy machine doesn't matter."""
    before = time.process_time()
    render_markdown(text)
    assert time.process_time() - before < 2
