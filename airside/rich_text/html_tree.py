"""Sanitized HTML as a tree, for code that needs more than its plain text."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape, unescape

from airside.rich_text.html import read_attributes
from airside.rich_text.html_bounds import VOID, read_tokens


@dataclass(slots=True)
class Node:
    tag: str
    attributes: dict[str, str] = field(default_factory=dict[str, str])
    children: "list[Node | str]" = field(default_factory=list["Node | str"])
    start: int = 0  # offset in the text
    end: int = 0

    def elements(self) -> "list[Node]":
        return [child for child in self.children if isinstance(child, Node)]

    def find_all(self, *tags: str) -> "Iterator[Node]":
        """Descendants with these tags in document order; doesn't look inside a match."""
        for child in self.elements():
            if child.tag in tags:
                yield child
            else:
                yield from child.find_all(*tags)

    def is_within(self, depth: int) -> bool:
        """Whether it is nested at most this deep."""
        return depth > 0 and all(child.is_within(depth - 1) for child in self.elements())


def parse_html(text: str) -> Node:
    """Parse sanitized HTML: every element is closed, or ends with its parent."""
    root = Node("", end=len(text))
    path = [root]
    at = 0
    for start, end, token in read_tokens(text):
        if start > at:
            path[-1].children.append(unescape(text[at:start]))
        at = end
        tag = (token["name"] or "").lower()
        if not tag:
            continue
        if not token["end"]:
            node = Node(tag, read_attributes(token[0]), start=start, end=end)
            path[-1].children.append(node)
            if tag not in VOID:
                path.append(node)
        elif any(node.tag == tag for node in path[1:]):
            while path[-1].tag != tag:
                path.pop().end = start
            path.pop().end = end
    if at < len(text):
        path[-1].children.append(unescape(text[at:]))
    for node in path[1:]:
        node.end = len(text)
    return root


def write_node(node: Node) -> str:
    given = "".join(f' {name}="{escape(value)}"' for name, value in node.attributes.items())
    if node.tag in VOID:
        return f"<{node.tag}{given}>"
    return f"<{node.tag}{given}>{write_children(node)}</{node.tag}>"


def write_children(node: Node) -> str:
    return "".join(
        escape(child, quote=False) if isinstance(child, str) else write_node(child) for child in node.children
    )
