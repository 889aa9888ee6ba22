"""Sanitizing: what could run a script or load something is removed, its text stays."""

import pytest

from airside.rich_text.html import clean_html, strip_html

HOSTILE = {
    "<p>a</p><script>alert(1)</script>": "<p>a</p>",
    '<p onclick="alert(1)">a</p>': "<p>a</p>",
    '<a href="javascript:alert(1)">a</a>': "<a>a</a>",
    "<iframe src='https://evil.example'></iframe>a": "a",
}


@pytest.mark.parametrize("text", HOSTILE)
async def test_cleaned_html_holds_nothing_that_runs(text: str) -> None:
    cleaned = await clean_html(text, "description_html")
    assert cleaned.html == HOSTILE[text]
    assert cleaned.words == "a"


def test_the_plain_text_has_no_escapes() -> None:
    assert strip_html("<p>1 &lt; 2</p>\n<p>b</p>") == "1 < 2 b"
