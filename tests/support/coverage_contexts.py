"""A plugin for pytest under `coverage run`: the data then name the tests that run a line. See `make coverage`."""

from collections.abc import Generator

import pytest
from coverage import Coverage


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    running = Coverage.current()
    assert running is not None, "only `coverage run` has a use for it"
    running.switch_context(item.nodeid)
    return (yield)
