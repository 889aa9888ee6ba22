"""Markdown as people and agents write it, to HTML that is still to be sanitised. Bare addresses become links."""

import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

LARGE = 500  # characters; Markdown costs up to 20 µs for each of them, so longer texts go into a thread

_BARE = re.compile(r"(?<![\w@./])https?://[^\s<>\"'`\\]{1,2000}", re.I)
_TRAILING = ".,;:!?*_~"


def render_markdown(text: str, *, breaks: bool = False) -> str:
    """`breaks`: a line's end is one in the HTML too, as people expect where they type."""
    return _renderer(breaks).render(text)


@cache
def _renderer(breaks: bool) -> "MarkdownIt":
    from markdown_it import MarkdownIt  # only where somebody writes: it isn't quick to import

    renderer = MarkdownIt("commonmark", {"html": True, "breaks": breaks})
    renderer.enable(["table", "strikethrough"])
    renderer.core.ruler.after("inline", "bare_links", _link_bare)
    return renderer


def _link_bare(state: "StateCore") -> None:
    """A core rule: addresses in plain text, outside of links and code, as links."""
    for block in state.tokens:
        if block.type == "inline" and block.children and "://" in block.content:
            block.children = _link_children(block.children)


def _link_children(children: "list[Token]") -> "list[Token]":
    linked: list[Token] = []
    depth = 0
    for token in children:
        depth += (token.type == "link_open") - (token.type == "link_close")
        if token.type == "html_inline":
            depth += token.content.lower().startswith(("<a ", "<a>")) - token.content.lower().startswith(
                "</a"
            )
        linked += _split(token) if token.type == "text" and depth <= 0 else [token]
    return linked


def _split(text: "Token") -> "list[Token]":
    parts: list[Token] = []
    at = 0
    for found in _BARE.finditer(text.content):
        url = _trim(found[0])
        if url.endswith("://"):
            continue
        parts += [_text(text, text.content[at : found.start()]), *_link(text, url)]
        at = found.start() + len(url)
    return [*parts, _text(text, text.content[at:])] if parts else [text]


def _trim(url: str) -> str:
    """Without what ends the sentence rather than the address."""
    while True:
        cut = url.rstrip(_TRAILING)
        if cut.endswith(")") and cut.count(")") > cut.count("("):
            cut = cut[:-1]
        if cut == url:
            return url
        url = cut


def _text(like: "Token", content: str) -> "Token":
    return like.copy(content=content)


def _link(like: "Token", url: str) -> "list[Token]":
    from markdown_it.common.normalize_url import normalizeLink
    from markdown_it.token import Token

    attrs: dict[str, Any] = {"href": normalizeLink(url)}
    markup: dict[str, Any] = {"level": like.level, "markup": "bare", "info": "auto"}
    return [
        Token("link_open", "a", 1, attrs=attrs, **markup),
        like.copy(content=url, level=like.level + 1),
        Token("link_close", "a", -1, **markup),
    ]
