"""Fixtures for all tests."""

import gc
import os
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import structlog

from airside.db.database import Database
from airside.oauth.token_revoker import register_token_revoker
from airside.runtime.site import Site
from airside.settings import Settings
from airside.system.credentials import Sealer
from tests.support.clocks import FrozenClock
from tests.support.databases import drop_all, fresh_database
from tests.support.receivers import Receiver, open_receiver
from tests.support.servers import Server, running_server

IN_CI = os.environ.get("CI") == "true"

# Otherwise each logged exception is drawn with the local variables of all frames, which takes half a second.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return refuse_skip((yield))


def refuse_skip(report: Any) -> Any:
    """CI installs everything that tests need, so a skipped test is one that has silently stopped running."""
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        why: Any = report.longrepr  # a place and the reason, or the reason
        reason = cast(tuple[Any, ...], why)[2] if isinstance(report.longrepr, tuple) else why
        report.outcome, report.longrepr = "failed", f"skipped in CI: {reason}"
    return report


def pytest_collection_finish() -> None:
    """Modules and thousands of collected tests are most of what the garbage collector would scan each time."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    drop_all()


@pytest.fixture(params=["sqlite", "postgres"])
async def db(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database of each kind."""
    async with fresh_database(request.param, tmp_path) as database:
        yield database


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def site(db: Database, clock: FrozenClock, tmp_path: Path) -> Site:
    """An instance on a fresh database, with a frozen clock."""
    settings = Settings(  # pyright: ignore[reportCallIssue] - the fields' defaults are in Field()
        data=tmp_path, database_url=db.url, secret_key="0" * 64, api_rate_limit="100000/minute"
    )
    site = Site(settings=settings, db=db, sealer=Sealer(settings.secret_key), clock=clock)
    register_token_revoker(site)
    return site


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """`airside serve` as a real process on a fresh SQLite file."""
    with running_server(tmp_path) as running:
        yield running


@pytest.fixture
async def receiver(site: Site) -> AsyncIterator[Receiver]:
    """A webhook receiver, at an address that the instance's settings allow."""
    site.settings.webhook_allowed_hosts.append("127.0.0.1")
    async with open_receiver() as opened:
        yield opened
