"""Which names of time zones records take, and that looking one up reads no file."""

import pytest

from airside.system.time_zones import is_time_zone


def test_names_of_the_time_zone_database_are_taken_and_others_are_not() -> None:
    assert is_time_zone("UTC")
    assert is_time_zone("Europe/Berlin")
    for name in ("", "Europe", "europe/berlin ", "../etc/passwd", "\x00", "Mars/Base"):
        assert not is_time_zone(name), name


def test_the_names_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    is_time_zone("Europe/Berlin")
    monkeypatch.setattr("airside.system.time_zones.available_timezones", None)
    assert is_time_zone("Asia/Tokyo")
    assert not is_time_zone("Mars/Base")
