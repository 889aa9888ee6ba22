"""An instance whose operator lets webhooks reach 127.0.0.1, and a receiver there."""

import asyncio
from collections.abc import Callable
from importlib.util import find_spec

import pytest

from tests.support.reachable import receiver, site

__all__ = ["receiver", "site"]

ON_BOTH_LOOPS = {"test_connections.py", "test_hostile_receivers.py", "test_names.py"}


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests of sockets run on both event loops, since their transports differ."""
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    if item.path.name in ON_BOTH_LOOPS and find_spec("uvloop"):
        from uvloop import new_event_loop

        loops["uvloop"] = new_event_loop
    return loops
