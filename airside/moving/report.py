"""What an import brought, what was there already, and what couldn't come, with the reasons."""

from collections import Counter
from typing import Any

from airside.db.base import Row

MAX_EXAMPLES = 1_000  # records that are named; all are counted


class Report:
    """Counted by family."""

    def __init__(self) -> None:
        self.came: Counter[str] = Counter()
        self.present: Counter[str] = Counter()
        self.left: Counter[tuple[str, str]] = Counter()  # by family and reason
        self.changed: Counter[tuple[str, str]] = Counter()  # records that came without a part of them
        self.examples: list[Row] = []
        self.matched: list[Row] = []
        self.named: list[Row] = []

    def leave(self, family: str, row_id: str, reason: str) -> None:
        """The record didn't come."""
        self.left[family, reason] += 1
        self._show(family, row_id, reason, came=False)

    def change(self, family: str, row_id: str, what: str) -> None:
        """The record came, but for this."""
        self.changed[family, what] += 1
        self._show(family, row_id, what, came=True)

    def as_json(self) -> dict[str, Any]:
        return {
            "came": dict(self.came),
            "present": dict(self.present),
            "left": _list(self.left, "reason"),
            "changed": _list(self.changed, "what"),
            "examples": self.examples,
            "people": {"matched": self.matched, "named_only": self.named},
        }

    def _show(self, family: str, row_id: str, words: str, *, came: bool) -> None:
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append({"family": family, "id": row_id, "came": came, "reason": words})


def _list(counted: Counter[tuple[str, str]], word: str) -> list[Row]:
    return [{"family": family, word: text, "records": number} for (family, text), number in counted.items()]
