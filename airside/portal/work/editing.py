"""Stored HTML as Markdown for editing, and back. Blocks that weren't edited keep their stored HTML byte by byte.

A block that Markdown can't express appears as a placeholder ⟦name and hash⟧: people can move or delete it, and
saving restores its stored HTML.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape as html_escape

from airside.errors import Invalid
from airside.portal.work.people import Person
from airside.portal.work.to_markdown import PHRASING, NotMarkdown, ToMarkdown, is_rule, language_of, read_task
from airside.portal.work.writing import is_blank, put_mentions, read_mentioned
from airside.rich_text.html import EMPTY, clean_now, sanitize_html, strip_html
from airside.rich_text.html_bounds import find_excess
from airside.rich_text.html_tree import Node, parse_html, write_children, write_node
from airside.rich_text.markdown import render_blocks

_KEPT = re.compile(r"<p>⟦[^⟦⟧]*?([0-9a-f]{8})⟧</p>|⟦[^⟦⟧]*?([0-9a-f]{8})⟧")
_CALLED = {
    "table": "Table", "image-component": "Image", "issue-embed-component": "Work item", "ul": "List", "ol": "List",
    "p": "Text", "details": "Details", "pre": "Code",
}  # fmt: skip


@dataclass
class Editable:
    """A stored text in the editor."""

    blocks: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])  # Markdown, stored HTML
    kept: dict[str, str] = field(default_factory=dict[str, str])  # hash → stored HTML

    @property
    def text(self) -> str:
        return "\n\n".join(markdown for markdown, _ in self.blocks)


def read_editable(stored: str, people: Mapping[str, Person]) -> Editable:
    """Every block is checked to round-trip; a block that doesn't is kept whole, as a placeholder."""
    if is_blank(stored):
        return Editable()
    if find_excess(stored) is not None:  # stored before the size bounds
        return _keep_all(stored, [Node("div", end=len(stored))])
    made = Editable()
    writer = ToMarkdown(people, lambda node: _keep(made, stored, node))
    known = list({person.id: person for person in people.values()}.values())
    lists = 0
    for node in _top_blocks(stored):
        source = stored[node.start : node.end]
        try:
            markdown = _write_block(writer, node, lists)
        except NotMarkdown:
            markdown = _keep(made, stored, node)
        lists = lists + 1 if node.tag in ("ul", "ol") else 0
        if markdown and not _round_trips(markdown, source, made, known):
            markdown = _keep(made, stored, node)
        if markdown or not made.blocks:
            made.blocks.append((markdown, source))
        else:  # an empty block is appended to the one above
            before, so_far = made.blocks[-1]
            made.blocks[-1] = (before, so_far + source)
    written = render_blocks(*_mentioned(made.text, known, read_mentioned(stored)))
    if [source for source, _ in written] != [markdown for markdown, _ in made.blocks]:
        return _keep_all(stored, _top_blocks(stored))
    return made


def write_edited(typed: str, stored: str, people: Sequence[Person], picked: Iterable[str] = ()) -> str:
    """The typed text as HTML, with the stored HTML of blocks that weren't edited. Raises Invalid for `text`."""
    editable = read_editable(stored, {person.id: person for person in people})
    typed = typed.replace("\r\n", "\n").replace("\r", "\n")
    unchanged: dict[str, list[str]] = {}
    for markdown, source in editable.blocks:
        unchanged.setdefault(markdown, []).append(source)
    written = render_blocks(*_mentioned(typed, people, picked))
    tables = _changed_tables(editable, {source for source, _ in written})
    parts: list[str] = []
    for source, made in written:
        if unchanged.get(source):
            parts.append(unchanged[source].pop(0))
        elif made.startswith("<table") and tables:
            parts.append(_merge_table(tables.pop(0), _put_back(made, editable)))
        else:
            parts.append(_put_back(made, editable))
    return clean_now("".join(parts).strip() or EMPTY, "text").html


def _mentioned(text: str, people: Sequence[Person], picked: Iterable[str]) -> tuple[str, str]:
    return put_mentions(text, people, picked), text


def _top_blocks(stored: str) -> list[Node]:
    """The outermost blocks; text between them is a block without a tag. White space belongs to the block before."""
    blocks: list[Node] = []
    children = parse_html(stored).children
    at = 0
    for number, child in enumerate(children):
        end = child.end if isinstance(child, Node) else _start_of_next(children[number + 1 :], stored)
        if isinstance(child, Node) and child.tag not in PHRASING:
            blocks.append(child)
        elif isinstance(child, str) and not child.strip() and (not blocks or blocks[-1].tag):
            if blocks:
                blocks[-1].end = end
        elif blocks and not blocks[-1].tag:
            blocks[-1].children.append(child)
            blocks[-1].end = end
        else:
            blocks.append(Node("", children=[child], start=at, end=end))
        at = end
    return blocks


def _start_of_next(children: Sequence[Node | str], stored: str) -> int:
    return next((child.start for child in children if isinstance(child, Node)), len(stored))


def _write_block(writer: ToMarkdown, node: Node, lists: int) -> str:
    return "\n\n".join(writer.blocks(node.children if not node.tag else [node], marker=lists))


def _keep(editable: Editable, source: str, node: Node) -> str:
    """The placeholder of a block that is kept as it is stored."""
    html = source[node.start : node.end]
    mark = hashlib.sha256(html.encode()).hexdigest()[:8]
    editable.kept[mark] = html
    is_callout = node.attributes.get("data-block-type") == "callout-component"
    called = "Callout" if is_callout else _CALLED.get(node.tag, "Block")
    words = re.sub(r"[^\w ,.-]+|_+", " ", strip_html(html))
    words = " ".join(words.split())[:40].strip()
    return f"⟦{called}{': ' if words else ''}{words} {mark}⟧"


def _put_back(html: str, editable: Editable) -> str:
    """Raises Invalid for a placeholder whose block is gone."""

    def find(found: re.Match[str]) -> str:
        mark = found[1] or found[2]
        if mark not in editable.kept:
            raise Invalid({"text": ["A part in ⟦ ⟧ has changed meanwhile. Reload the page to see it."]})
        return editable.kept[mark]

    return _KEPT.sub(find, html)


def _round_trips(markdown: str, source: str, editable: Editable, people: Sequence[Person]) -> bool:
    """Whether the Markdown renders to HTML that looks like the stored one."""
    mentioned = read_mentioned(source)
    made = "".join(html for _, html in render_blocks(*_mentioned(markdown, people, mentioned)))
    return describe(sanitize_html(_put_back(made, editable))) == describe(source)


def describe(html: str) -> str:
    """The visible content, so that different HTML for the same content compares equal."""
    text = "".join(_describe(parse_html(html)))
    text = re.sub(r" ?(<[^<>]*>) ?", r"\1", re.sub(r"\s+", " ", text)).strip()
    return re.sub(r"(?:<p>)+(?=<|$)|(?<=>)(?:<p>)+", "", text)  # paragraphs count only between text


_SAME = {"b": "strong", "i": "em", "del": "s", "strike": "s", "th": "td"}
_UNSEEN = {"thead", "tbody", "tfoot", "span", "p", "div", ""}
_SEEN = ("href", "src", "alt", "title")


def _describe(node: Node) -> Iterator[str]:
    tag = _SAME.get(node.tag, node.tag)
    if tag == "colgroup":
        return
    if is_rule(node):
        yield "<hr>"
        return
    if tag == "mention-component":
        yield f"<@{node.attributes.get('entity_identifier', '').lower()}>"
        return
    if tag == "pre":
        code = next(iter(node.elements()), node)
        words = "".join(child for child in code.children if isinstance(child, str)).removesuffix("\n")
        yield f"<pre {language_of(node, code)} {words!r}>".replace(" ", "\x01")
        return
    children = node.children
    given = [f"{name}={node.attributes[name]!r}" for name in _SEEN if name in node.attributes]
    if tag == "a" and node.children == [node.attributes.get("href")]:
        tag, given = "", []
    if tag == "ol":
        given.append(node.attributes.get("start", "1"))
    if tag == "li":
        box, children = read_task(node)
        given.append(box)
    is_end = tag in ("p", "div")
    seen = "" if tag in _UNSEEN else f"<{tag} {' '.join(given)}>".replace(" ", "\x01")
    yield seen
    for child in children:
        if isinstance(child, str):
            yield html_escape(child)
        else:
            yield from _describe(child)
    yield "<p>" if is_end else f"</{tag}>" if seen else ""


def _changed_tables(editable: Editable, sources: set[str]) -> list[str]:
    """The stored tables whose Markdown was changed, in order."""
    return [
        stored
        for markdown, stored in editable.blocks
        if stored.startswith("<table") and markdown not in sources and not markdown.startswith("⟦")
    ]


def _merge_table(stored: str, made: str) -> str:
    """The changed table with the widths, colours and untouched cells of the stored one."""
    old, new = next(parse_html(stored).find_all("table")), next(parse_html(made).find_all("table"))
    before = list(old.find_all("tr"))
    rows = [
        _merge_row(before[at] if at < len(before) else None, row) for at, row in enumerate(new.find_all("tr"))
    ]
    columns = [node for node in old.elements() if node.tag == "colgroup"]
    is_as_wide = bool(before) and bool(rows) and len(before[0].elements()) == len(rows[0].elements())
    return write_node(
        Node("table", old.attributes, [*(columns if is_as_wide else []), Node("tbody", children=[*rows])])
    )


def _merge_row(old: Node | None, new: Node) -> Node:
    before = old.elements() if old is not None else []
    cells: list[Node | str] = []
    for at, cell in enumerate(new.elements()):
        if at >= len(before):
            cells.append(cell)
        elif describe(write_children(cell)) == describe(write_children(before[at])):
            cells.append(before[at])
        else:
            said = Node("p", children=cell.children)
            cells.append(Node(before[at].tag, before[at].attributes, [said]))
    return Node("tr", old.attributes if old is not None else {}, cells)


def _keep_all(stored: str, blocks: list[Node]) -> Editable:
    made = Editable()
    made.blocks = [(_keep(made, stored, node), stored[node.start : node.end]) for node in blocks]
    return made
