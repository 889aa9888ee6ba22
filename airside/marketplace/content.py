"""The fields of a listing that its author writes, with their validation; the rest comes from the registration."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from airside.apps.addresses import check_url
from airside.db.text_rules import is_one_line, is_storable
from airside.errors import Invalid
from airside.marketplace.categories import BY_SLUG

TAGLINE_LENGTH, DESCRIPTION_LENGTH, CAPTION_LENGTH = 100, 10_000, 120  # characters
MAX_SCREENSHOTS = 5
ANYBODY, THIS_INSTANCE = "anybody", "instance"  # `audience`
AUDIENCES = (ANYBODY, THIS_INSTANCE)


class Screenshot(msgspec.Struct, frozen=True):
    """An uploaded picture; `asset_id` is its file."""

    asset_id: str
    width: int  # pixels
    height: int
    caption: str = ""


class Content(msgspec.Struct, frozen=True):
    """`audience` instance: visible to users of this instance only, and never exported."""

    category: str = ""
    tagline: str = ""
    description: str = ""  # Markdown
    support_url: str | None = None
    audience: str = ANYBODY
    screenshots: tuple[Screenshot, ...] = ()


class Wrong(ValueError):
    """A field's validation error, as a sentence."""


def read_content(stored: Any) -> Content:
    return msgspec.convert(stored, Content)


def check_content(given: Mapping[str, Any]) -> dict[str, Any]:
    """The normalized fields; a draft may leave any of them empty. Raises Invalid."""
    wrong: dict[str, list[str]] = {}
    checked: dict[str, Any] = {}
    for field, value in given.items():
        check = _CHECKS.get(field)
        try:
            if check is None:
                raise Wrong("A listing has no such field.")
            checked[field] = check(_text(value))
        except Wrong as error:
            wrong[field] = [str(error)]
    if wrong:
        raise Invalid(wrong)
    return checked


def check_caption(text: str) -> str:
    """Raises Invalid for `caption`."""
    try:
        return _line(CAPTION_LENGTH)(_text(text))
    except Wrong as error:
        raise Invalid({"caption": [str(error)]}) from None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or not is_storable(value):
        raise Wrong("Enter plain text.")
    return value.replace("\r\n", "\n").strip()


def _line(length: int) -> Callable[[str], str]:
    def check(text: str) -> str:
        if len(text) > length or not is_one_line(text):
            raise Wrong(f"Use at most {length} characters, without line breaks.")
        return text

    return check


def _category(text: str) -> str:
    if text and text not in BY_SLUG:
        raise Wrong("Choose one of the categories.")
    return text


def _description(text: str) -> str:
    if len(text) > DESCRIPTION_LENGTH:
        raise Wrong(f"Use at most {DESCRIPTION_LENGTH:,} characters.")
    return text


def _url(text: str) -> str | None:
    problem = check_url(text) if text else None
    if problem:
        raise Wrong(problem)
    return text or None


def _audience(text: str) -> str:
    if text not in AUDIENCES:
        raise Wrong("Choose who may see it.")
    return text


_CHECKS: dict[str, Callable[[str], Any]] = {
    "category": _category,
    "tagline": _line(TAGLINE_LENGTH),
    "description": _description,
    "support_url": _url,
    "audience": _audience,
}
