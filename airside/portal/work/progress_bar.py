"""The progress of what holds work items, as a bar: how many there are in each group of states."""

from typing import Any, NamedTuple

from airside.db.base import Row

# Group of states → its words, in the order of the bar.
GROUPS = {
    "completed": "Completed",
    "started": "Started",
    "unstarted": "Unstarted",
    "backlog": "Backlog",
    "cancelled": "Cancelled",
}
FIELDS = frozenset(
    (
        "total_issues",
        *(f"{group}_issues" for group in GROUPS),
        "total_estimates",
        "completed_estimates",
        "started_estimates",
        "progress_percentage",
    )
)


class Part(NamedTuple):
    """A group in the bar; `start` and `width` in a hundred."""

    group: str
    words: str
    total: int
    start: float
    width: float


class Progress(NamedTuple):
    total: int
    parts: list[Part]
    estimates: list[str]  # the sums of estimates, in words

    @property
    def done(self) -> int:
        return sum(part.total for part in self.parts if part.group in ("completed", "cancelled"))


def read_progress(row: Row) -> Progress | None:
    """That of a record whose fields have it."""
    if "total_issues" not in row:
        return None
    total, start = row["total_issues"], 0.0
    parts: list[Part] = []
    for group, words in GROUPS.items():
        held: int = row[f"{group}_issues"]
        width = 100 * held / total if total else 0.0
        parts.append(Part(group, words, held, start, width))
        start += width
    return Progress(total, parts, _describe_estimates(row))


def _describe_estimates(row: Row) -> list[str]:
    total: Any = row.get("total_estimates")
    if total is None:
        return []
    kinds = [(row.get(f"{group}_estimates"), group) for group in ("completed", "started")]
    return [f"Estimated {total}", *(f"{value} {group}" for value, group in kinds if value)]
