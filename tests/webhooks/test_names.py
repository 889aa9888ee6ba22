"""DNS lookups: each off the event loop, and no more at once than allowed."""

import asyncio
import socket
import threading
from typing import Any

import pytest

from airside.webhooks import names
from airside.webhooks.names import resolve_host


async def test_a_name_is_resolved_to_its_addresses() -> None:
    assert "127.0.0.1" in await resolve_host("localhost")


async def test_a_name_that_isnt_there_is_an_error() -> None:
    with pytest.raises(OSError, match=r"."):
        await resolve_host("nowhere.invalid")


async def test_silent_names_hold_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    spoken = threading.Event()

    def ask(host: str, *_: Any, **__: Any) -> list[Any]:
        if host != "well.example":
            spoken.wait(30)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0))]

    monkeypatch.setattr(names.socket, "getaddrinfo", ask)
    silent = [asyncio.create_task(resolve_host(f"{number}.silent.example")) for number in range(20)]
    await asyncio.sleep(0)
    try:
        assert await resolve_host("well.example") == ["192.0.2.1"]
        assert not any(task.done() for task in silent)
    finally:
        spoken.set()
    assert await asyncio.gather(*silent) == [["192.0.2.1"]] * 20


async def test_beyond_the_bound_a_question_fails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_lookup_slots", threading.BoundedSemaphore(1))
    spoken = threading.Event()

    def ask(*_: Any, **__: Any) -> list[Any]:
        spoken.wait(30)
        return []

    monkeypatch.setattr(names.socket, "getaddrinfo", ask)
    first = asyncio.create_task(resolve_host("a.example"))
    await asyncio.sleep(0)
    with pytest.raises(OSError, match="too many"):
        await resolve_host("b.example")
    spoken.set()
    assert await first == []
