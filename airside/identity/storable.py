"""What text from outside a database can hold: both kinds refuse lone surrogates, PostgreSQL also U+0000.

Checked where text comes in, so that no client can turn such a character into an error of ours.
"""

import re
import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})  # Cf: zero width, bidirectional, tags
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters and marks without a glyph
_SELECTORS = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0x180B, 0x180E), *range(0xE0100, 0xE01F0))))
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_storable(text: str) -> bool:
    return _UNSTORABLE.search(text) is None


def is_one_line(text: str) -> bool:
    """Storable, and free of line breaks and other control characters."""
    return _CONTROL.search(text) is None


def is_plain_reading(text: str) -> bool:
    """Free of characters that are invisible or turn the direction of text around: what people are asked to trust
    must not look like another's name, nor spell it backwards."""
    before = ""
    for character in text:
        if unicodedata.category(character) in _UNSEEN or character in _BLANK:
            return False
        if character in _SELECTORS and unicodedata.category(before or "x")[0] != "S":
            return False  # after anything but a symbol, whose picture it chooses, it is invisible
        before = character
    return True


def is_id(text: str) -> bool:
    """Whether it is spelled as an id, so that a query may carry it."""
    return _ID.fullmatch(text) is not None


def drop_unstorable(text: str, limit: int) -> str:
    """The text without what can't be stored, cut to `limit` characters: for what is kept only to be shown."""
    return _UNSTORABLE.sub("", text)[:limit]
