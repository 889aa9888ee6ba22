"""A pytest plugin that says at SDK_MARKS_URL which test begins, and how each ended. Knows nothing of Airside."""

import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest


def mark(**said: Any) -> None:
    request = urllib.request.Request(os.environ["SDK_MARKS_URL"], json.dumps(said).encode())
    urllib.request.urlopen(request, timeout=30).close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    mark(now=item.nodeid)
    try:
        return (yield)
    finally:
        mark(now="")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or (report.when == "setup" and not report.passed):
        mark(test=report.nodeid, outcome=report.outcome, error=outcome_of(report))
    elif report.when == "teardown" and not report.passed:
        mark(test=report.nodeid, outcome=report.outcome, error=outcome_of(report), of_cleanup=True)


def outcome_of(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):  # a skip: where, and why
        return report.longrepr[2]
    crash = getattr(report.longrepr, "reprcrash", None)
    return crash.message if crash else report.longreprtext


def pytest_sessionfinish() -> None:
    plane = sys.modules.get("plane")
    mark(package=getattr(plane, "__file__", None) or "")
