"""Texts that people write: Markdown in, HTML as the API stores it out.

A mention is Plane's own element. @name becomes a mention when exactly one person or agent here has that name; the
ids that the picker submitted decide between two with the same name.
"""

import html
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import nh3

from airside.portal.work.people import Person
from airside.rich_text.html import (
    EMPTY,
    off_loop,
    read_attributes,
    replace_tags,
    run_cleaner,
    sanitize_html,
    strip_html,
    weigh,
)
from airside.rich_text.html_bounds import find_excess
from airside.rich_text.markdown import render_markdown

MENTION = '<mention-component entity_identifier="{id}" entity_name="user_mention"></mention-component>'

_MENTION = re.compile(
    r'<mention-component\b[^<>]*?\bentity_identifier="([0-9a-fA-F-]{36})"[^<>]*>.*?</mention-component>', re.S
)
# No mentions in code: text between backticks stays as it was typed.
_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.S)
_UNSHOWN = {"img", "input", "label", "mention-component", "image-component"}
_KINDS = {"taskList": "tasks", "callout-component": "callout"}

_shown = nh3.Cleaner(
    tags=nh3.ALLOWED_TAGS - {"map", "area"} - _UNSHOWN,
    attributes={name: kept - {"class"} for name, kept in nh3.ALLOWED_ATTRIBUTES.items()},
    allowed_classes={"span": {"mention", "box"}, "ul": {"tasks"}, "div": {"callout"}},
    # Wide ones scroll horizontally, which must work with the keyboard.
    set_tag_attribute_values={"pre": {"tabindex": "0"}, "table": {"tabindex": "0"}},
    clean_content_tags={"script", "style"},
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https", "mailto", "tel"},
)


def show_html(text: str, people: Mapping[str, Person]) -> str:
    """Stored HTML as a page shows it: mentions by name, pictures as links, since pages load nothing from elsewhere.

    Sanitized last, after every other step. A text stored before the size bounds is shown as plain text."""
    if find_excess(text) is not None:
        return f"<p>{html.escape(strip_html(text), quote=False)}</p>"

    def show(tag: re.Match[str]) -> str:
        return _show_tag(tag, people)

    return run_cleaner(_shown, "".join(replace_tags(text, show)))


def _show_tag(tag: re.Match[str], people: Mapping[str, Person]) -> str:
    """The tag's replacement, or the tag itself."""
    name, is_start = (tag["name"] or "").lower(), not tag["end"]
    if name in ("div", "ul") and is_start:
        given = read_attributes(tag[0])
        kind = _KINDS.get(given.get("data-type") or given.get("data-block-type", ""))
        return f'<{name} class="{kind}">' if kind else f"<{name}>"
    if name not in _SHOWN_AS:
        return tag[0]
    return _SHOWN_AS[name](read_attributes(tag[0]), people) if is_start else ""


def _show_mention(given: dict[str, str], people: Mapping[str, Person]) -> str:
    person = people.get(given.get("entity_identifier", "").lower())
    return f'<span class="mention">@{html.escape(person.name if person else "somebody")}</span>'


def _show_picture(given: dict[str, str], people: Mapping[str, Person]) -> str:
    source = given.get("src", "")
    words = html.escape(given.get("alt") or (source if "/" in source else "Image"))
    return f'<a href="{html.escape(source)}">{words}</a>' if "/" in source else f"<em>{words}</em>"


def _show_box(given: dict[str, str], people: Mapping[str, Person]) -> str:
    if given.get("type") != "checkbox":
        return ""
    return f'<span class="box">{"☑" if "checked" in given else "☐"}</span> '


def _show_embed(given: dict[str, str], people: Mapping[str, Person]) -> str:
    return f"<em>{html.escape(given.get('title') or 'Embedded work item')}</em>"


_SHOWN_AS: dict[str, Callable[[dict[str, str], Mapping[str, Person]], str]] = {
    "mention-component": _show_mention,
    "img": _show_picture,
    "image-component": _show_picture,
    "input": _show_box,
    "issue-embed-component": _show_embed,
}


async def find_mentioned(*texts: str) -> set[str]:
    """The user ids that these texts mention."""
    return await off_loop(
        sum(map(weigh, texts)), lambda: {one for text in texts for one in read_mentioned(text)}
    )


def read_mentioned(text: str) -> set[str]:
    """The user ids that the HTML mentions."""
    return {found.lower() for found in _MENTION.findall(text)}


def is_blank(text: str) -> bool:
    return not text.strip() or text.strip() == EMPTY


def show_markdown(text: str) -> str:
    """Markdown as a page shows it; as plain text when the HTML would exceed the bounds."""
    made = render_markdown(text)
    if find_excess(made) is not None:
        return f"<p>{html.escape(text, quote=False)}</p>"
    return show_html(sanitize_html(made), {})


def put_mentions(text: str, people: Sequence[Person], picked: Iterable[str] = ()) -> str:
    """Replace @name by the mention element where the name is unambiguous."""
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
    """Case-folded name → user id, for unambiguous names."""
    found: dict[str, list[Person]] = {}
    for person in people:
        found.setdefault(person.name.casefold(), []).append(person)
    names: dict[str, str] = {}
    for name, called in found.items():
        chosen = [person for person in called if person.id in picked] or called
        if name and len(chosen) == 1:
            names[name] = chosen[0].id
    return names
