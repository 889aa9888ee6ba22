"""What people write: Markdown in, the wire's HTML out, and back into Markdown to be changed.

A mention is Plane's own element. What is typed as @name becomes one, when exactly one person or agent here is
called so; the ids that a picker left decide between two of one name.
"""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from html.parser import HTMLParser
from typing import Any

import nh3

from airside.portal.work.people import Person
from airside.work.html import EMPTY, sanitize_html

MENTION = '<mention-component entity_identifier="{id}" entity_name="user_mention"></mention-component>'

_MENTION = re.compile(
    r'<mention-component\b[^<>]*?\bentity_identifier="([0-9a-fA-F-]{36})"[^<>]*>.*?</mention-component>', re.S
)
_PICTURE = re.compile(r'<img\b[^<>]*?\bsrc="([^"<>]*)"[^<>]*>')
# Code is no place for mentions: what stands between backticks stays as it was typed.
_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.S)
_UNSHOWN = {"img", "input", "label", "mention-component", "image-component"}

_shown = nh3.Cleaner(
    tags=nh3.ALLOWED_TAGS - {"map", "area"} - _UNSHOWN,
    attributes={name: kept - {"class"} for name, kept in nh3.ALLOWED_ATTRIBUTES.items()},
    allowed_classes={"span": {"mention"}},
    clean_content_tags={"script", "style"},
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https", "mailto", "tel"},
)


def show_html(text: str, people: Mapping[str, Person]) -> str:
    """Stored HTML as a page shows it: mentions by name, pictures as links, since pages load nothing from elsewhere.

    Cleaned last, whatever the steps before made of it."""

    def name(found: re.Match[str]) -> str:
        person = people.get(found[1].lower())
        return f'<span class="mention">@{html.escape(person.name if person else "somebody")}</span>'

    named = _MENTION.sub(name, text)
    return _shown.clean(_PICTURE.sub(r'<a href="\1">\1</a>', named))


def find_mentioned(text: str) -> set[str]:
    """The ids that the HTML mentions."""
    return {found.lower() for found in _MENTION.findall(text)}


def is_blank(text: str) -> bool:
    return not text.strip() or text.strip() == EMPTY


def write_html(text: str, people: Sequence[Person], picked: Iterable[str] = ()) -> str:
    """What was typed as the HTML that is stored."""
    return sanitize_html(_markdown().render(put_mentions(text, people, picked)).strip())


def put_mentions(text: str, people: Sequence[Person], picked: Iterable[str] = ()) -> str:
    """@name → the mention's element, wherever it is clear who is meant."""
    names = _names(people, set(picked))
    if not names or "@" not in text:
        return text
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w@/.])@({'|'.join(map(re.escape, longest_first))})(?!\w)", re.I)
    parts = _CODE.split(text)
    for number in range(0, len(parts), 2):
        parts[number] = pattern.sub(
            lambda found: MENTION.format(id=names[found[1].casefold()]), parts[number]
        )
    return "".join(parts)


def _names(people: Sequence[Person], picked: set[str]) -> dict[str, str]:
    """Case-folded name → the one id it stands for."""
    found: dict[str, list[Person]] = {}
    for person in people:
        found.setdefault(person.name.casefold(), []).append(person)
    names: dict[str, str] = {}
    for name, called in found.items():
        chosen = [person for person in called if person.id in picked] or called
        if name and len(chosen) == 1:
            names[name] = chosen[0].id
    return names


@cache
def _markdown() -> Any:
    from markdown_it import MarkdownIt  # only whoever writes needs it

    return MarkdownIt("commonmark", {"html": True, "breaks": True, "linkify": False}).enable(
        ["table", "strikethrough"]
    )


def read_markdown(text: str, people: Mapping[str, Person]) -> str | None:
    """Stored HTML as the Markdown that makes it again; None where Markdown can't say it all."""
    if is_blank(text):
        return ""
    reader = _Markdown(people)
    reader.feed(text)
    written = reader.text()
    known = list({person.id: person for person in people.values()}.values())
    again = write_html(written, known, find_mentioned(text))
    return written if _bare(again) == _bare(text) else None


def _bare(text: str) -> str:
    """Without the differences that can't be seen."""
    text = _MENTION.sub(lambda found: f"@{found[1].lower()}", text)
    return re.sub(r"\s+", " ", re.sub(r">\s+<", "><", text.replace("<br>", "<br>\n"))).strip()


class _Markdown(HTMLParser):
    """Plain formatting to Markdown. What it doesn't know it leaves out, and the comparison finds that."""

    def __init__(self, people: Mapping[str, Person]) -> None:
        super().__init__(convert_charrefs=True)
        self._people = people
        self._out: list[str] = []
        self._lists: list[int | None] = []  # the number of each open list; None for bullets
        self._href = ""
        self._in_code = self._in_mention = False

    def text(self) -> str:
        return re.sub(r"\n{3,}", "\n\n", "".join(self._out)).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "mention-component":
            person = self._people.get(told.get("entity_identifier", "").lower())
            self._out.append(f"@{person.name}" if person else "@somebody")
            self._in_mention = True
        elif tag in ("ul", "ol"):
            self._lists.append(1 if tag == "ol" else None)
        elif tag == "li":
            self._begin_entry()
        elif tag == "a":
            self._href = told.get("href", "")
            self._out.append("[")
        elif tag == "pre":
            self._in_code = True
            self._out.append("\n\n```\n")
        elif tag == "code" and self._in_code:
            pass
        else:
            self._out.append(_BEFORE.get(tag, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "mention-component":
            self._in_mention = False
        elif tag in ("ul", "ol") and self._lists:
            self._lists.pop()
            self._out.append("\n" if self._lists else "\n\n")
        elif tag == "a":
            self._out.append(f"]({self._href})")
        elif tag == "pre":
            self._in_code = False
            self._out.append("```\n\n")
        elif tag == "code" and self._in_code:
            pass
        else:
            self._out.append(_AFTER.get(tag, ""))

    def handle_data(self, data: str) -> None:
        if self._in_mention:
            return
        if self._in_code:
            self._out.append(data)
        elif data.strip():
            self._out.append(re.sub(r"([\\`*_\[\]<>])", r"\\\1", re.sub(r"\s+", " ", data)))
        elif self._out and not self._out[-1].endswith("\n"):
            self._out.append(" ")

    def _begin_entry(self) -> None:
        if self._out and self._out[-1] == " ":
            self._out.pop()
        depth = "  " * (len(self._lists) - 1)
        number = self._lists[-1] if self._lists else None
        if number is None:
            self._out.append(f"\n{depth}- ")
        else:
            self._out.append(f"\n{depth}{number}. ")
            self._lists[-1] = number + 1


_BEFORE = {
    "p": "", "br": "\n", "strong": "**", "b": "**", "em": "*", "i": "*", "code": "`", "s": "~~", "del": "~~",
    "blockquote": "\n\n> ", "hr": "\n\n---\n\n",
    **{f"h{level}": f"\n\n{'#' * level} " for level in range(1, 7)},
}  # fmt: skip
_AFTER = {
    "p": "\n\n", "strong": "**", "b": "**", "em": "*", "i": "*", "code": "`", "s": "~~", "del": "~~",
    "blockquote": "\n\n", **{f"h{level}": "\n\n" for level in range(1, 7)},
}  # fmt: skip
