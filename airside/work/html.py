"""HTML that people and apps write: sanitised when it is stored, so that nothing dangerous is ever kept."""

import html
import re

import nh3

EMPTY = "<p></p>"  # what Plane's editor calls nothing

# Plane's own elements: a mention of a person or agent, an inline image.
_MENTION = {"id", "entity_identifier", "entity_name", "redirect_uri", "self", "target", "project_id", "label"}
_IMAGE = {"id", "src", "width", "height", "aspectratio", "alignment"}
_COMMON = {
    "class",
    "title",
    "data-text-color",
    "data-background-color",
    "data-type",
    "data-checked",
    "data-id",
}

_TAGS = (nh3.ALLOWED_TAGS | {"mention-component", "image-component", "input", "label", "s", "u", "mark"}) - {
    "map",
    "area",
}
_ATTRIBUTES = {
    **nh3.ALLOWED_ATTRIBUTES,
    "*": _COMMON,
    "mention-component": _MENTION,
    "image-component": _IMAGE,
    "input": {"type", "checked", "disabled"},
}

_cleaner = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    clean_content_tags={"script", "style"},
    link_rel="noopener noreferrer",
    url_schemes={"http", "https", "mailto", "tel"},
)

_TAG = re.compile(r"<[^<>]*>")


def sanitize_html(text: str) -> str:
    """The text without anything that could run or phone home; Plane's mention and image elements stay."""
    return _cleaner.clean(text) or EMPTY


def strip_html(text: str) -> str:
    """The words alone, of sanitised HTML."""
    return html.unescape(" ".join(_TAG.sub(" ", text).split()))
