"""The rows of the stand-in, in memory: tables by the names that the database has."""

from collections.abc import Callable, Iterable
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

Row = dict[str, Any]
Observer = Callable[[str, Row], None]


class Clock:
    """Real time from a moment that can be chosen; no two readings are equal."""

    def __init__(self) -> None:
        self._offset = timedelta()
        self._last = datetime.min.replace(tzinfo=UTC)

    def set(self, moment: datetime) -> None:
        self._offset = moment - datetime.now(UTC)
        self._last = datetime.min.replace(tzinfo=UTC)

    def forward(self, seconds: float) -> None:
        self._offset += timedelta(seconds=seconds)

    def now(self) -> datetime:
        self._last = max(datetime.now(UTC) + self._offset, self._last + timedelta(microseconds=1))
        return self._last


class Table:
    """Rows by id. Deleted ones stay, with `deleted_at`, and are skipped unless asked for."""

    def __init__(self, name: str, clock: Clock, observers: list[Observer]) -> None:
        self.name = name
        self.rows: dict[str, Row] = {}
        self._clock = clock
        self._observers = observers

    def insert(self, by: str | None = None, **values: Any) -> Row:
        now = self._clock.now()
        stamps = {"created_at": now, "updated_at": now + timedelta(microseconds=14), "deleted_at": None}
        row = {"id": str(uuid4()), **stamps, "created_by": by, "updated_by": None, **values}
        self.rows[row["id"]] = row
        self._announce(row)
        return row

    def update(self, row: Row, by: str | None = None, **values: Any) -> Row:
        row.update(values, updated_at=self._clock.now())
        if by is not None:
            row["updated_by"] = by
        self._announce(row)
        return row

    def put(self, row: Row, **values: Any) -> None:
        """Set values without a new `updated_at`, as the worker does."""
        row.update(values)
        self._announce(row)

    def delete(self, *rows: Row) -> None:
        for row in rows:
            row["deleted_at"] = self._clock.now()
            row["updated_at"] = row["deleted_at"]
            self._announce(row)

    def remove(self, row: Row) -> None:
        """Delete it for good, as few tables do."""
        del self.rows[row["id"]]

    def all(self, **equal: Any) -> list[Row]:
        """Live rows with these values, oldest first."""
        return [row for row in self.rows.values() if row["deleted_at"] is None and _has(row, equal)]

    def newest(self, **equal: Any) -> list[Row]:
        return sorted(self.all(**equal), key=lambda row: row["created_at"], reverse=True)

    def find(self, id: Any, **equal: Any) -> Row | None:
        row = self.rows.get(id) if isinstance(id, str) else None
        return row if row and row["deleted_at"] is None and _has(row, equal) else None

    def first(self, **equal: Any) -> Row | None:
        return next(iter(self.all(**equal)), None)

    def _announce(self, row: Row) -> None:
        for observer in self._observers:
            observer(self.name, row)


def _has(row: Row, equal: dict[str, Any]) -> bool:
    return all(row.get(name) == value for name, value in equal.items())


class Store:
    """`store.issues`, `store.projects` …: a table is made when it is first named."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.tables: dict[str, Table] = {}
        self.observers: list[Observer] = []

    def __getattr__(self, name: str) -> Table:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self.tables:
            self.tables[name] = Table(name, self._clock, self.observers)
        return self.tables[name]


def pick(row: Row, names: str) -> Row:
    """These values; `x_id` is the row's `x` where it has no `x_id`."""
    return {name: row[name] if name in row else row[name.removesuffix("_id")] for name in names.split()}


def next_order(rows: Iterable[Row], step: float = 10000.0) -> float:
    """The `sort_order` of a new row: behind all others, or before them with a negative step."""
    taken = [row["sort_order"] for row in rows]
    if not taken:
        return 65535.0
    return (max(taken) if step > 0 else min(taken)) + step


def is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False


def copied(row: Row) -> Row:
    """The row as it is now: lists too."""
    return {name: copy(value) for name, value in row.items()}
