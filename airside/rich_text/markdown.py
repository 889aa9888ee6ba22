"""Renders Markdown of people and agents to HTML, which has to be sanitized afterwards. Bare URLs become links."""

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


def render_markdown(text: str) -> str:
    """Render text of agents and apps: a line break is white space, as in CommonMark."""
    return _renderer(False).render(text)


def render_blocks(text: str, shown: str) -> list[tuple[str, str]]:
    """Render text that people typed: each block as in `shown`, which has the same lines, with its HTML.

    A line break stays one in the HTML, as people expect in a text field."""
    renderer, env = _renderer(True), dict[str, Any]()
    lines = shown.split("\n")
    blocks: list[tuple[str, str]] = []
    tokens = renderer.parse(text, env)
    begin = 0
    for at, token in enumerate(tokens):
        if token.level or token.nesting == 1:
            continue
        first, last = tokens[begin].map or (0, 0)
        source = "\n".join(lines[first:last]).rstrip()
        blocks.append((source, renderer.renderer.render(tokens[begin : at + 1], renderer.options, env)))
        begin = at + 1
    return blocks


@cache
def _renderer(breaks: bool) -> "MarkdownIt":
    from markdown_it import MarkdownIt  # imported on first use, since it is slow

    renderer = MarkdownIt("commonmark", {"html": True, "breaks": breaks})
    renderer.enable(["table", "strikethrough"])
    renderer.core.ruler.before("inline", "tasks", _mark_tasks)
    renderer.core.ruler.after("inline", "bare_links", _link_bare)
    return renderer


_BOX = re.compile(r"\[([ xX])\](?:[ \t]+|(?=\n)|$)")
_LABEL = '<label><input type="checkbox"{}><span></span></label><div>'


def _mark_tasks(state: "StateCore") -> None:
    """A core rule: lists in which every item starts with [ ] or [x] become task lists of Plane's editor."""
    made: list[Token] = []
    open_lists: list[bool] = []  # for each enclosing list, whether it is a task list
    for at, token in enumerate(state.tokens):
        if token.type in ("bullet_list_open", "ordered_list_open"):
            open_lists.append(token.type == "bullet_list_open" and _are_tasks(state.tokens, at))
            if open_lists[-1]:
                token.attrSet("data-type", "taskList")
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            open_lists.pop()
        is_task = bool(open_lists) and open_lists[-1]
        if is_task and token.type == "list_item_close":
            made.append(_html("</div>", token))
        made.append(token)
        if is_task and token.type == "list_item_open":
            made.append(_html(_take_box(token, state.tokens[at + 1 : at + 4]), token))
    state.tokens = made


def _are_tasks(tokens: "list[Token]", begin: int) -> bool:
    level = tokens[begin].level
    for at in range(begin + 1, len(tokens)):
        token = tokens[at]
        if token.level == level:
            return True
        if token.type == "list_item_open" and token.level == level + 1:
            said = tokens[at + 2]
            if said.type != "inline" or said.level != level + 3 or not _BOX.match(said.content):
                return False
    return True


def _take_box(item: "Token", paragraph: "list[Token]") -> str:
    begin, said, end = paragraph
    found = _BOX.match(said.content)
    assert found is not None
    is_done = found[1] != " "
    item.attrs = {"data-checked": "true" if is_done else "false", "data-type": "taskItem"}
    said.content = said.content[found.end() :]
    begin.hidden = end.hidden = False
    return _LABEL.format(' checked="checked"' if is_done else "")


def _html(content: str, item: "Token") -> "Token":
    from markdown_it.token import Token

    return Token("html_block", "", 0, content=content, level=item.level + 1)


def _link_bare(state: "StateCore") -> None:
    """A core rule: URLs in plain text, outside of links and code, become links."""
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
    """Strip trailing punctuation that belongs to the sentence."""
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
