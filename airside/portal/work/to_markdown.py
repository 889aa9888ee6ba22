"""Stored HTML as Markdown that renders to the same, block by block."""

import re
from collections.abc import Callable, Mapping, Sequence

from airside.portal.work.people import Person
from airside.rich_text.html_tree import Node

# Attributes that Markdown may lose: the editor's classes, and redundant ones.
IGNORED = {
    "class", "id", "target", "rel", "spellcheck", "data-tight", "data-type", "data-checked", "colwidth", "colspan",
    "rowspan", "background", "textcolor", "hidecontent", "start", "language", "type", "checked", "disabled",
}  # fmt: skip
MAX_DEPTH = 40  # of nested elements

Block = Callable[[Node], str]
_INLINE = {
    "strong": "**", "b": "**", "em": "*", "i": "*", "s": "~~", "del": "~~", "strike": "~~",
}  # fmt: skip
PHRASING = {
    *_INLINE,
    "a",
    "br",
    "code",
    "img",
    "mention-component",
    "span",
    "u",
    "sub",
    "sup",
    "mark",
    "small",
    "kbd",
}


class NotMarkdown(ValueError):
    """Markdown can't express this element."""


class ToMarkdown:
    """`people` by id. `keep` returns the placeholder of a block that Markdown can't express."""

    def __init__(self, people: Mapping[str, Person], keep: Block) -> None:
        self._people, self._keep = people, keep

    def blocks(self, children: "Sequence[Node | str]", *, marker: int = 0) -> list[str]:
        """The Markdown of each block. `marker` alternates, so that consecutive lists stay separate."""
        made: list[str] = []
        run: list[Node | str] = []
        lists = marker
        for child in [*children, None]:
            if isinstance(child, str) or (child is not None and child.tag in PHRASING):
                run.append(child)
                continue
            if any(not isinstance(one, str) or one.strip() for one in run):
                made.append(self.inline(run))
            run = []
            if child is None:
                break
            made.append(self._try(child, lists))
            lists = lists + 1 if child.tag in ("ul", "ol") else marker
        return [one for one in made if one]

    def _try(self, node: Node, lists: int) -> str:
        try:
            if not node.is_within(MAX_DEPTH):
                raise NotMarkdown
            return self.block(node, lists)
        except NotMarkdown:
            return self._keep(node)

    def block(self, node: Node, lists: int = 0) -> str:
        """Raises NotMarkdown."""
        if node.tag in ("ul", "ol"):
            return self._list(node, lists)
        write = ToMarkdown.rule if is_rule(node) else _BLOCKS.get(node.tag)
        if write is None:
            raise NotMarkdown(node.tag)
        if node.tag != "table":
            check_plain(node)
        return write(self, node)

    def paragraph(self, node: Node) -> str:
        return self.inline(node.children)

    def heading(self, node: Node) -> str:
        return f"{'#' * int(node.tag[1])} {self.inline(node.children).replace(chr(10), ' ')}"

    def quote(self, node: Node) -> str:
        lines = "\n\n".join(self.blocks(node.children)).split("\n")
        return "\n".join(f"> {line}".rstrip() for line in lines)

    def rule(self, node: Node) -> str:
        return "---"

    def code_block(self, node: Node) -> str:
        inner = node.elements()
        code = inner[0] if len(node.children) == 1 and inner and inner[0].tag == "code" else node
        if code.elements():
            raise NotMarkdown("markup in code")
        text = "".join(child for child in code.children if isinstance(child, str))
        fence = "`" * max(3, 1 + longest(text, "`"))
        return f"{fence}{language_of(node, code)}\n{text.removesuffix(chr(10))}\n{fence}"

    def _list(self, node: Node, lists: int) -> str:
        check_plain(node)
        number = int(node.attributes.get("start") or 1) if node.attributes.get("start", "1").isdigit() else 1
        written: list[str] = []
        is_loose = False
        for item in node.children:
            if isinstance(item, str):
                if item.strip():
                    raise NotMarkdown("text in a list")
                continue
            if item.tag != "li":
                raise NotMarkdown(item.tag)
            check_plain(item)
            mark = ("-" if lists % 2 == 0 else "*") if node.tag == "ul" else f"{number}{'.)'[lists % 2]}"
            number += 1
            box, content = read_task(item)
            blocks = self.blocks(content, marker=0) or [""]
            is_loose |= any(not _LIST_MARK.match(one) for one in blocks[1:])
            written.append(_indent(f"{mark} ", box + _join(blocks)))
        return ("\n\n" if is_loose else "\n").join(written)

    def table(self, node: Node) -> str:
        rows = [row.elements() for row in node.find_all("tr")]
        if not rows or not rows[0] or len({len(row) for row in rows}) != 1:
            raise NotMarkdown("a table that isn't even")
        for cell in (cell for row in rows for cell in row):
            if {cell.attributes.get("colspan", "1"), cell.attributes.get("rowspan", "1")} != {"1"}:
                raise NotMarkdown("cells that are merged")
        lines = [[self._cell(cell) for cell in row] for row in rows]
        lines.insert(1, [_rule_of(cell) for cell in rows[0]])
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def _cell(self, cell: Node) -> str:
        inner = [one for one in cell.children if not isinstance(one, str) or one.strip()]
        if len(inner) == 1 and isinstance(inner[0], Node) and inner[0].tag == "p":
            check_plain(inner[0])
            inner = inner[0].children
        if any(isinstance(one, Node) and one.tag not in PHRASING - {"br"} for one in inner):
            raise NotMarkdown("blocks in a cell")
        return self.inline(inner).replace("|", "\\|")

    def inline(self, children: "Sequence[Node | str]") -> str:
        """Raises NotMarkdown."""
        text = "".join(
            _escape(child) if isinstance(child, str) else self._phrase(child) for child in children
        )
        return "\n".join(_escape_start(line.strip(" ")) for line in text.strip().split("\n"))

    def _phrase(self, node: Node) -> str:
        if node.tag == "mention-component":
            person = self._people.get(node.attributes.get("entity_identifier", "").lower())
            if person is None:
                raise NotMarkdown("a mention of nobody")
            return f"@{person.name}"
        check_plain(node, "src", "alt", "title", "href")
        if node.tag in _INLINE:
            return _wrap(_INLINE[node.tag], self._inner(node))
        if node.tag == "span" and not node.attributes.keys() - {"class"}:
            return self._inner(node)
        if node.tag not in _PHRASES:
            raise NotMarkdown(node.tag)
        return _PHRASES[node.tag](self, node)

    def _inner(self, node: Node) -> str:
        return "".join(
            _escape(child) if isinstance(child, str) else self._phrase(child) for child in node.children
        )

    def line_break(self, node: Node) -> str:
        return "\n"

    def code(self, node: Node) -> str:
        if node.elements():
            raise NotMarkdown("markup in code")
        text = "".join(child for child in node.children if isinstance(child, str))
        if not text.strip() or "\n" in text:
            raise NotMarkdown("code without words")
        marks = "`" * (1 + longest(text, "`"))
        space = " " if text[0] in "` " or text[-1] in "` " else ""
        return f"{marks}{space}{text}{space}{marks}"

    def link(self, node: Node) -> str:
        href = node.attributes.get("href", "")
        words = "".join(child for child in node.children if isinstance(child, str))
        if not node.elements() and words == href and re.fullmatch(r"https?://[\w./~%-]*[\w/]", href):
            return href
        return f"[{self._inner(node)}]({_target(href)}{_title(node)})"

    def picture(self, node: Node) -> str:
        alt = _escape(node.attributes.get("alt", ""))
        return f"![{alt}]({_target(node.attributes.get('src', ''))}{_title(node)})"


_BLOCKS: dict[str, Callable[[ToMarkdown, Node], str]] = {
    "p": ToMarkdown.paragraph, "blockquote": ToMarkdown.quote, "hr": ToMarkdown.rule, "pre": ToMarkdown.code_block,
    "table": ToMarkdown.table, **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), ToMarkdown.heading),
}  # fmt: skip
_PHRASES: dict[str, Callable[[ToMarkdown, Node], str]] = {
    "br": ToMarkdown.line_break, "code": ToMarkdown.code, "a": ToMarkdown.link, "img": ToMarkdown.picture,
}  # fmt: skip
_LIST_MARK = re.compile(r"(?:[-*]|\d+[.)]) ")


def is_rule(node: Node) -> bool:
    """Plane's editor stores a horizontal rule as a div."""
    return node.tag == "hr" or node.attributes.get("data-type") == "horizontalRule"


def check_plain(node: Node, *allowed: str) -> None:
    """Raises NotMarkdown for an attribute that isn't ignored."""
    lost = node.attributes.keys() - IGNORED - set(allowed)
    if lost:
        raise NotMarkdown(", ".join(lost))


def read_task(item: Node) -> tuple[str, "list[Node | str]"]:
    """The task's checkbox and its content; an empty box for an item that is no task."""
    inner = [one for one in item.children if not isinstance(one, str) or one.strip()]
    first = inner[0] if inner and isinstance(inner[0], Node) else None
    box = first
    if first is not None and first.tag == "label":
        box = next(first.find_all("input"), None)
    if box is None or box.tag != "input":
        return "", item.children
    is_done = "checked" in box.attributes or item.attributes.get("data-checked") == "true"
    rest = inner[1:]
    if len(rest) == 1 and isinstance(rest[0], Node) and rest[0].tag == "div":
        rest = rest[0].children
    return "[x] " if is_done else "[ ] ", rest


def language_of(pre: Node, code: Node) -> str:
    """The language of a code block, as a fence names it."""
    for one in (code, pre):
        found = re.search(r"(?:^|\s)language-([\w+#.-]+)", one.attributes.get("class", ""))
        named = found[1] if found else one.attributes.get("language", "")
        if re.fullmatch(r"[\w+#.-]+", named):
            return named
    return ""


def longest(text: str, mark: str) -> int:
    return max((len(run) for run in re.findall(f"{re.escape(mark)}+", text)), default=0)


def _join(blocks: list[str]) -> str:
    """Join the blocks of a list item; no empty line before a nested list, which keeps the list tight."""
    text = blocks[0]
    for block in blocks[1:]:
        text += ("\n" if re.match(r"(?:[-*]|1[.)]) ", block) else "\n\n") + block
    return text


def _indent(mark: str, text: str) -> str:
    first, *rest = text.split("\n")
    return "\n".join([(mark + first).rstrip(), *(f"{' ' * len(mark)}{line}".rstrip() for line in rest)])


def _rule_of(cell: Node) -> str:
    found = re.fullmatch(r"text-align:\s*(left|center|right);?", cell.attributes.get("style", ""))
    return {"left": ":--", "center": ":-:", "right": "--:"}[found[1]] if found else "---"


def _wrap(mark: str, text: str) -> str:
    """Markdown needs white space outside of the marks."""
    inner = text.strip()
    if not inner or "\n" in inner:
        raise NotMarkdown("formatting over lines" if inner else "formatting of nothing")
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{before}{mark}{inner}{mark}{after}"


def _target(url: str) -> str:
    if re.fullmatch(r"[^\s()<>\\]+", url):
        return url
    escaped = re.sub(r"([<>\\])", r"\\\1", url)
    return f"<{escaped}>"


def _title(node: Node) -> str:
    title = node.attributes.get("title", "")
    if '"' in title or "\\" in title or "\n" in title:
        raise NotMarkdown("a title with quotes")
    return f' "{title}"' if title else ""


_SPECIAL = re.compile(r"([\\`*\[\]]|~~|(?<![^\W_])_|_(?![^\W_])|<(?=[a-zA-Z/!?])|&(?=[#\w]+;)|!(?=\[))")
_START = re.compile(r"(#{1,6}(?=\s|$)|>|[-+](?=\s|$)|[-=]+$)")
_NUMBER = re.compile(r"(\d{1,9})([.)])(?=\s|$)")


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", re.sub(r"[ \t\r\n]+", " ", text))


def _escape_start(line: str) -> str:
    """Escape what would start a heading, a quote or a list."""
    if _START.match(line):
        return f"\\{line}"
    return _NUMBER.sub(r"\1\\\2", line, count=1) if _NUMBER.match(line) else line
