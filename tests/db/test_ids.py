"""Ids: UUIDv7s, ordered by creation."""

import time
import uuid

import pytest

from airside.db.base import new_id


def test_an_id_is_a_uuid_of_version_7_with_its_millisecond() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid.UUID(new_id())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000 + 1


def test_ids_sort_as_they_were_made() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_go_on_rising_while_the_clock_stands_or_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = new_id()
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000_000_000_000)  # in 2001
    made = [first, *(new_id() for _ in range(5_000))]
    assert made == sorted(made)
