"""What text from outside a database can hold: both kinds refuse lone surrogates, PostgreSQL also U+0000.

Checked where text comes in, so that no client can turn such a character into an error of ours.
"""

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069\u0080-\u009f\u2028\u2029]")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_storable(text: str) -> bool:
    return _UNSTORABLE.search(text) is None


def is_one_line(text: str) -> bool:
    """Storable, and free of line breaks and other control characters."""
    return _CONTROL.search(text) is None


def is_plain_reading(text: str) -> bool:
    """Free of characters by which a name is read otherwise than it is written: what people are asked to trust
    must not spell another's name backwards."""
    return _TURNING.search(text) is None


def is_id(text: str) -> bool:
    """Whether it is spelled as an id, so that a query may carry it."""
    return _ID.fullmatch(text) is not None


def drop_unstorable(text: str, limit: int) -> str:
    """The text without what can't be stored, cut to `limit` characters: for what is kept only to be shown."""
    return _UNSTORABLE.sub("", text)[:limit]
