"""The page that waits for a sign-in at the Community Edition, in a browser, with scripts and without."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, expect

from tests.support.browser import running_browser
from tests.support.servers import Server, running_server
from tests.support.upstream.people import people_of
from tests.support.upstream.process import UpstreamProcess, upstream_process


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpstreamProcess]:
    with upstream_process(tmp_path_factory.mktemp("upstream")) as process:
        yield process


@pytest.fixture(scope="module")
def session(upstream: UpstreamProcess) -> str:
    with ThreadPoolExecutor(1) as other:  # in this one the browser's event loop runs
        return other.submit(asyncio.run, sign_in_there(upstream)).result()


@pytest.fixture(scope="module")
def server(upstream: UpstreamProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = {"AIRSIDE_UPSTREAM_URL": upstream.url, "AIRSIDE_WORKER": "false"}
    with running_server(tmp_path_factory.mktemp("front"), env) as running:
        assert running.password is None, "no sandbox beside the Community Edition's own workspaces"
        yield running


async def sign_in_there(upstream: Any) -> str:
    """Ana's session at the Community Edition."""
    async with people_of(upstream) as people:
        ana = await people.first_admin("ana@acme.test", "Ana")
        await ana.post("/api/workspaces/", {"name": "Acme", "slug": "acme", "organization_size": "2-10"})
        return ana.cookies["session-id"]


@pytest.mark.parametrize("scripts", [True, False])
def test_the_page_continues_by_itself_once_somebody_is_signed_in(
    browser: Browser, server: Server, upstream: UpstreamProcess, session: str, scripts: bool
) -> None:
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            failures.append(message.text)

    page.on("console", note)
    asked = f"{server.url}/airside/acme/settings/applications/"
    page.goto(asked)
    expect(page.get_by_role("heading", name="Sign in with Plane")).to_be_visible()
    link = page.get_by_role("link", name="Sign in to Plane")
    assert link.get_attribute("href") == f"{upstream.url}/"
    page.wait_for_timeout(4_000)  # it has asked in vain
    expect(link).to_be_visible()
    context.add_cookies([{"name": "session-id", "value": session, "url": server.url, "httpOnly": True}])
    page.wait_for_url(asked, timeout=20_000)
    expect(page.get_by_role("heading", name="Applications")).to_be_visible()
    assert failures == []
    context.close()


def test_commands_do_not_make_people_or_workspaces_beside_those_of_the_community_edition(
    server: Server,
) -> None:
    for words in (
        ("user", "create", "zoe@acme.test"),
        ("user", "set-password", "ana@acme.test"),
        ("workspace", "create", "other", "--name", "Other", "--owner", "ana@acme.test"),
    ):
        ended = server.run(*words)
        assert ended.returncode == 1
        assert "People and workspaces come from Plane" in ended.stderr
