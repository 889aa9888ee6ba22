"""What HTML may be: no parser is given what would take it long, and what editors write is within the bounds."""

import random
import re
import time
from contextlib import suppress

import nh3
import pytest

from airside.errors import Invalid
from airside.rich_text import html_bounds
from airside.rich_text.html import clean_html, clean_now, sanitize_html
from airside.rich_text.html_bounds import MAX_ATTRIBUTES, MAX_DEPTH, MAX_ELEMENTS, find_excess

TOO_MUCH = {
    "nested lists": "<ul><li>" * 11_000,
    "nested quotes": "<blockquote>" * 101,
    "nested formatting": "<b>" * 30_000,
    "formatting that its paragraph closes": "<p><b>x</p>" * 5_000,
    "misnested formatting": "<i></b>" * 8_000,
    "an end that is no end": "<div><table><td></div>" * 500,
    "an end in a comment": "<div><!--</div>-->" * 500,
    "an end in an attribute": "<div><p title='</div>'>" * 500,
    "an end in a script": "<div><script></div></script>" * 500,
    "an end in what svg calls text": "<div><svg><![CDATA[></svg></div>]]>" * 500,
    "elements": "<br>" * (MAX_ELEMENTS + 1),
    "comments": "<!-- -->" * 500_000,
    "ends": "</p>" * 500_000,
    "attributes": f"<p {'a ' * 500_000}>",
    "escapes in an attribute": f"<p title='{'&' * 1_000_000}'>",
}
ENOUGH = {
    "nested lists": "<ul><li>" * 49 + "x" + "</li></ul>" * 49,
    "a long table": "<table>" + "<tr><td><p>a</p></td><td><p>b</p></td></tr>" * 3_000 + "</table>",
    "paragraphs that nobody closed": "<p>x" * 5_000,
    "entries that nobody closed": "<ul>" + "<li>x<p>y" * 5_000 + "</ul>",
    "cells that nobody closed": "<table>" + "<tr><td>a<td><p>b" * 1_000 + "</table>",
    "a mail": "<!doctype html><html><head><style>p{}</style></head><body>"
    + "<div><p class=a>x<br></div>" * 500 + "</body></html>",
    "formatting in disorder": "<p><b><i>x</b></i></p>" * 90,
    "no markup at all": "a < b & c > d " * 100_000,
    "only ampersands": "&" * 1_000_000,
    "what is never closed": "<p title='" + "x" * 1_000_000,
    "many tags in a comment": f"<!--{'<p>' * 100_000}-->x",
    "attributes": f"<p {' '.join(f'a{n}' for n in range(MAX_ATTRIBUTES))}>x",
    "an old icon": "<svg viewBox='0 0 1 1'><path d='M0 0'/></svg> x",
}  # fmt: skip


@pytest.mark.parametrize("text", TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_would_take_a_parser_long_is_found_at_once(text: str) -> None:
    before = time.thread_time()
    assert find_excess(text) is not None
    assert time.thread_time() - before < 1


@pytest.mark.parametrize("text", ENOUGH.values(), ids=ENOUGH)
def test_what_people_write_is_within_the_bounds(text: str) -> None:
    assert find_excess(text) is None
    before = time.thread_time()
    clean_now(text, "text")
    assert time.thread_time() - before < 4


NAMES = """
    a b i em code p div span ul ol li table tr td th tbody h1 h2 pre dl dd dt details button form select
    option label x-y font section ruby rt caption colgroup svg math script style textarea title br img
    template noscript mi foreignObject nobr html body object
""".split()  # noqa: SIM905
PIECES = ["x", "<!--", "-->", "<![CDATA[", "]]>", '<p a="', '">']
KEEPER = nh3.Cleaner(
    tags=set(NAMES) - {"script", "style"}, clean_content_tags={"script", "style"}, attributes={}
)


def _nest(rng: random.Random) -> str:
    names = rng.sample(NAMES, rng.randint(1, 6))
    tags = [f"<{'/' * (rng.random() < 0.4)}{rng.choice(names)}>" for _ in range(rng.randint(1, 9))]
    return "".join(rng.choice(PIECES) if rng.random() < 0.15 else tag for tag in tags) * 40


def _depth(text: str) -> int:
    deepest = depth = 0
    for end, name in re.findall(r"<(/?)([a-z][^\s/>]*)", text):
        depth += 0 if name in html_bounds.VOID else -1 if end else 1
        deepest = max(deepest, depth)
    return deepest


@pytest.mark.parametrize("seed", range(4))
def test_what_is_let_through_is_never_built_deeper(seed: int) -> None:
    """Whatever the markup: cells and rows that the parser adds by itself make it three times at most."""
    rng = random.Random(seed)
    for _ in range(400):
        text = _nest(rng)
        if find_excess(text) is None:
            assert _depth(KEEPER.clean(text)) <= 3 * MAX_DEPTH, text


@pytest.mark.parametrize("text", ["<p>x</p>", "&" * 9_000, "<b>" * 150, "<p " + "a " * 4_000, "x" * 5_000_000,
                                  "<p>x</p>" * 15_000, "<ul><li>" * 11_000], ids=lambda text: text[:4])  # fmt: skip
async def test_the_event_loop_never_cleans_what_is_large(text: str) -> None:
    """By the processor time of the loop's own thread, for the whole of it."""
    before = time.thread_time()
    with suppress(Invalid):
        await clean_html(text, "text")
    assert time.thread_time() - before < 0.02


def test_long_runs_of_ampersands_and_spaces_stay_what_they_are() -> None:
    text = "a & b&nbsp;c &amp; d " * 3_000
    assert sanitize_html(text) == text.replace(" & ", " &amp; ")
    glued = "&amp;" * 20_000
    assert sanitize_html(glued) == glued


def test_a_text_has_as_many_elements_as_the_bound_allows() -> None:
    assert find_excess("<br>" * MAX_ELEMENTS) is None


def test_a_text_is_stored_up_to_five_mebibytes() -> None:
    most = 5 * 1024 * 1024
    assert len(clean_now("x" * most, "text").html) == most
    with pytest.raises(Invalid):
        clean_now("x" * (most + 1), "text")


def test_a_text_has_three_times_as_many_tags_and_comments_as_elements() -> None:
    assert find_excess("<!-- -->" * (3 * MAX_ELEMENTS + 1)) is None
    assert find_excess("<!-- -->" * (3 * MAX_ELEMENTS + 2)) is not None
