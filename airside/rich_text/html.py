"""HTML that people and apps write: sanitized before it is stored.

The output of Plane's editor passes unchanged. Large texts are sanitized in threads, outside of transactions.
"""

import asyncio
import html
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import NamedTuple, TypeVar

import nh3

from airside.errors import Invalid
from airside.rich_text.html_bounds import find_excess, read_tokens, split_runs

T = TypeVar("T")

EMPTY = "<p></p>"  # Plane's editor stores an empty text like this
MAX_LENGTH = 5 * 1024 * 1024  # characters, as for a body
LARGE = 10_000  # characters; a longer text would block the event loop

# Plane's own elements: a mention of a person or agent, an inline image, an embedded work item.
_MENTION = {"entity_identifier", "entity_name", "redirect_uri", "self", "target", "project_id", "label"}
_IMAGE = {"src", "width", "height", "aspectratio", "alignment", "status"}
_EMBED = {"entity_identifier", "entity_name", "project_identifier", "workspace_identifier", "title"}
_COMMON = {
    "class",
    "id",
    "title",
    "role",
    "aria-label",
    "aria-hidden",
    "style",
    "start",
    "type",
    "xmlns",
    "dir",
}
_CELL = {"colspan", "rowspan", "colwidth", "background", "textcolor", "hidecontent"}

_TAGS = (
    nh3.ALLOWED_TAGS
    | {"mention-component", "image-component", "issue-embed-component", "input", "label"}
    | {"s", "u", "mark", "tfoot"}
) - {"map", "area"}
_OURS: dict[str, set[str]] = {
    "*": _COMMON,
    "a": {"target", "rel"},
    "mention-component": _MENTION,
    "image-component": _IMAGE,
    "issue-embed-component": _EMBED,
    "img": {"aspectratio", "alignment"},
    "input": {"checked", "disabled"},
    "th": _CELL,
    "td": _CELL,
    "tr": {"background", "textcolor"},
    "pre": {"language"},
    "code": {"language", "spellcheck"},
}
_ATTRIBUTES = {
    name: nh3.ALLOWED_ATTRIBUTES.get(name, set[str]()) | _OURS.get(name, set[str]())
    for name in nh3.ALLOWED_ATTRIBUTES.keys() | _OURS.keys()
}

# Allowed style properties: the look of text and cells, not positions or loaded resources.
_PROPERTIES = re.compile(
    r"color|background(?:-color)?|text-(?:align|decoration(?:-(?:line|style|color))?|indent|transform)"
    r"|font-(?:family|size|style|weight)|line-height|letter-spacing|white-space|word-break|overflow-wrap"
    r"|vertical-align|(?:min-|max-)?(?:width|height)|aspect-ratio|list-style-type|border-collapse|table-layout"
    r"|(?:border|padding|margin)(?:-(?:top|right|bottom|left))?"
    r"|border(?:-(?:top|right|bottom|left))?-(?:color|style|width|radius)"
)
_FUNCTIONS = re.compile(
    r"(?<![\w-])(?:rgba?|hsla?|oklch|var|calc|min|max|clamp|linear-gradient|color-mix)?\(", re.I
)
_VALUE = re.compile(r"[\w\s#%.,()+*/!'\"-]{1,300}")


def _filter_style(element: str, attribute: str, value: str) -> str | None:
    """The attribute as it is stored. Unchanged if every property is allowed, since clients compare it."""
    if attribute != "style":
        return value
    parts = value.split(";")
    kept = [part for part in parts if not part.strip() or _is_allowed(part)]
    return value if len(kept) == len(parts) else ";".join(kept).strip() or None


def _is_allowed(declaration: str) -> bool:
    name, colon, value = declaration.partition(":")
    name, value = name.strip().lower(), value.strip()
    if not colon or not _PROPERTIES.fullmatch(name) or not _VALUE.fullmatch(value) or "/*" in value:
        return False
    if name.startswith("margin") and "-" in value:
        return False  # a negative margin moves it over other content
    return "(" not in _FUNCTIONS.sub("", value)


@cache
def _cleaner(has_style: bool) -> nh3.Cleaner:
    """The attribute filter in Python takes several times as long, so it is only used for texts with a style."""
    return nh3.Cleaner(
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_filter_style if has_style else None,
        generic_attribute_prefixes={"data-"},
        clean_content_tags={"script", "style"},
        link_rel=None,  # unchanged; pages add their own
        url_schemes={"http", "https", "mailto", "tel"},
    )


class Cleaned(NamedTuple):
    """Sanitized HTML, and its plain text."""

    html: str
    words: str


async def clean_html(text: str, field: str) -> Cleaned:
    """Sanitize. Raises Invalid under `field` for HTML that is nested too deep or has too many elements."""
    return await off_loop(weigh(text), lambda: clean_now(text, field))


def weigh(text: str) -> int:
    """The cost of HTML for `off_loop`: a tag counts as fifty characters."""
    return len(text) + 50 * text.count("<")


async def off_loop(size: int, work: Callable[[], T], large: int = LARGE) -> T:
    """Run `work`, in a thread if `size` is large; the pool limits how many run at once."""
    if size <= large:
        return work()
    return await asyncio.get_running_loop().run_in_executor(_threads, work)


_threads = ThreadPoolExecutor(2, thread_name_prefix="html")


def clean_now(text: str, field: str) -> Cleaned:
    """Sanitize synchronously: in a thread, or for a short text. Raises Invalid."""
    excess = find_excess(text)
    if excess is not None:
        raise Invalid({field: [excess]})
    cleaned = sanitize_html(text)
    if len(cleaned) > MAX_LENGTH:  # clients couldn't send back what they read
        raise Invalid(
            {field: [f"It has more than {MAX_LENGTH} characters once “&”, “<” and “>” are escaped."]}
        )
    return Cleaned(cleaned, strip_html(cleaned))


def sanitize_html(text: str) -> str:
    """Remove everything that could run scripts or load resources. The text has to be within the bounds."""
    return run_cleaner(_cleaner("style" in text.lower()), text) or EMPTY


def run_cleaner(cleaner: nh3.Cleaner, text: str) -> str:
    return cleaner.clean(split_runs(text))


def strip_html(text: str) -> str:
    """The plain text of sanitized HTML."""
    return html.unescape(" ".join(" ".join(replace_tags(text, lambda tag: "")).split()))


def replace_tags(text: str, replace: Callable[[re.Match[str]], str]) -> Iterator[str]:
    """Sanitized HTML in pieces: text unchanged, and each tag replaced by the result of `replace`."""
    at = 0
    for start, end, tag in read_tokens(text):
        yield text[at:start]
        yield replace(tag)
        at = end
    yield text[at:]


_GIVEN = re.compile(r'([^\s/>="]+)="([^"]*)"')


def read_attributes(tag: str) -> dict[str, str]:
    """The attributes of a tag of sanitized HTML."""
    return {name: html.unescape(value) for name, value in _GIVEN.findall(tag)}
