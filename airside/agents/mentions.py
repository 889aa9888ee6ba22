"""Finds the mentions in a comment: Plane's mention elements in its HTML."""

from html.parser import HTMLParser

from airside.db.base import is_uuid

ELEMENT = "mention-component"
KINDS = (None, "", "user_mention")  # `entity_name`; other kinds mention work items and pages


def find_mentions(html: str) -> list[str]:
    """The ids of the users mentioned in sanitised HTML, each once, in order."""
    if ELEMENT not in html:
        return []
    reader = _Reader()
    reader.feed(html)
    return list(reader.found)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != ELEMENT:
            return
        given = dict(attrs)
        if given.get("entity_name") not in KINDS:
            return
        # Plane's editor keeps the mentioned id in `entity_identifier`; older ones in `id`.
        for name in ("entity_identifier", "id"):
            value = given.get(name)
            if value and is_uuid(value):
                self.found[value.lower()] = None
                return
