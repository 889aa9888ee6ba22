"""What a source doesn't serve, counted by its reason, and which lists aren't worth asking for again."""

from airside.db.base import Row
from airside.moving.remote_client import NotServed

MAX_NAMED = 100  # lists and records of one reason that are named; all are counted


class Gaps:
    """Of one run."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Row] = {}
        self._in_a_row: dict[str, int] = {}

    def note(self, family: str, reason: str, what: str) -> None:
        new: Row = {"family": family, "reason": reason, "number": 0, "which": []}
        found = self._found.setdefault((family, reason), new)
        found["number"] += 1
        if len(found["which"]) < MAX_NAMED:
            found["which"].append(what)

    def as_list(self) -> list[Row]:
        return [*self._found.values()]

    def begin_project(self) -> None:
        """A list that one project doesn't have, another may."""
        self._in_a_row.clear()

    def count(self, kind: str, error: NotServed | None) -> None:
        """Whether a list of this kind was served."""
        self._in_a_row[kind] = self._in_a_row.get(kind, 0) + 1 if error else 0

    def is_given_up(self, kind: str, patience: int) -> bool:
        return self._in_a_row.get(kind, 0) >= patience
