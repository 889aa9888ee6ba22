"""HTML as it is stored: sanitised, and its plain text."""

import re
from typing import Any

import nh3

OWN = {
    "mention-component": {"id", "entity_identifier", "entity_name"},
    "image-component": {"id", "width", "height", "aspectratio", "src", "alignment", "status"},
    "label": set(),
    "input": {"type", "checked"},
}
TAGS = nh3.ALLOWED_TAGS | OWN.keys()
ATTRIBUTES: dict[str, set[str]] = {**nh3.ALLOWED_ATTRIBUTES, **OWN, "*": {"class", "id", "title", "style"}}


def stored(html: Any) -> str:
    return nh3.clean(str(html), tags=set(TAGS), attributes=ATTRIBUTES, link_rel=None)


def stripped(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html)
