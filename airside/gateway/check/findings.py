"""What a check found: each finding says what was seen and, where it is wrong, what to change."""

from typing import Literal

import msgspec

State = Literal["fine", "wrong", "unknown"]
FINE, WRONG, UNKNOWN = "fine", "wrong", "unknown"


class Finding(msgspec.Struct, frozen=True):
    """`lines`: by the program whose configuration they belong into."""

    check: str
    state: State
    seen: str
    change: str = ""
    lines: dict[str, str] = {}


def fine(check: str, seen: str) -> Finding:
    return Finding(check, FINE, seen)


def wrong(check: str, seen: str, change: str, lines: dict[str, str] | None = None) -> Finding:
    return Finding(check, WRONG, seen, change, lines or {})


def unknown(check: str, seen: str, change: str = "") -> Finding:
    return Finding(check, UNKNOWN, seen, change)
