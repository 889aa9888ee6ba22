"""Whether a database can store a text: both databases refuse lone surrogates, PostgreSQL also U+0000.

Checked on input, so that such a character from a client never causes a server error.
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
    """Free of invisible and bidirectional control characters, against spoofed names on pages that ask for trust."""
    before = ""
    for character in text:
        if unicodedata.category(character) in _UNSEEN or character in _BLANK:
            return False
        if character in _SELECTORS and unicodedata.category(before or "x")[0] != "S":
            return False  # a variation selector is invisible except after a symbol, whose glyph it selects
        before = character
    return True


def is_id(text: str) -> bool:
    """Whether it has the form of an id (a UUID), so that a query may carry it."""
    return _ID.fullmatch(text) is not None


def drop_unstorable(text: str, limit: int) -> str:
    """The text without unstorable characters, truncated to `limit` characters: for values only kept for display."""
    return _UNSTORABLE.sub("", text)[:limit]
