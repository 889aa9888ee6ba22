"""Which values are too large for the event loop: texts that take milliseconds to write, encode or send."""

from collections.abc import Iterable
from typing import Any

LARGE_TEXT = 256 * 1024  # characters
MANY_ROWS = 200


def is_large(values: Iterable[Any]) -> bool:
    """Whether these texts, and the texts at the top level of these objects, are large in total."""
    return count_characters(values) > LARGE_TEXT


def count_characters(values: Iterable[Any]) -> int:
    """The length of these texts and of the texts at the top level of these objects."""
    size = 0
    for value in values:
        if isinstance(value, str):
            size += len(value)
        elif isinstance(value, dict):
            size += sum(len(one) for one in value.values() if isinstance(one, str))  # type: ignore[misc]
    return size


def is_large_answer(answer: Any) -> bool:
    """Whether a response of the API is large: one record, or a list of them."""
    rows = answer.get("results") if isinstance(answer, dict) else answer  # type: ignore[misc]
    if isinstance(rows, list):
        return len(rows) > MANY_ROWS or is_large(rows)  # type: ignore[arg-type]
    return is_large([answer])
