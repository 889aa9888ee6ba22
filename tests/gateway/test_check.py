"""`airside upstream check` on the stand-in: each wrong setting is named with what to change."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportPrivateUsage=false, reportDeprecated=false, reportCallIssue=false

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airside.gateway.check.findings import Finding
from airside.gateway.check.instance import Config, Described, Instance, judge_public_origin
from airside.gateway.check.listener import answering
from airside.gateway.check.proxy_lines import proxy_lines
from airside.gateway.check.requests import Requests, open_client
from airside.gateway.check.run import Given, check_upstream
from airside.settings import Settings
from airside.system.clock import SystemClock
from airside.system.credentials import Sealer
from tests.gateway.nginx import running_nginx
from tests.support.servers import Instance as Installed
from tests.support.servers import free_port, running_server
from tests.support.upstream.people import Person, people_of
from tests.support.upstream.server import Upstream, open_upstream
from tests.support.upstream.site import Settings as Wanted

ADDRESS = "airside.internal:8000"
SEALER = Sealer("k" * 64)


class Later(SystemClock):
    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(minutes=3)


@asynccontextmanager
async def community_edition(**wanted: Any) -> AsyncIterator[tuple[Upstream, Person]]:
    """With the workspace `acme`, and its admin."""
    async with open_upstream(Wanted(**wanted)) as upstream, people_of(upstream) as people:
        ana = await people.first_admin("ana@acme.test", "Ana")
        await ana.post("/api/workspaces/", {"name": "Acme", "slug": "acme"})
        yield upstream, ana


def settings_of(tmp_path: Path, upstream: str, origin: str, **more: Any) -> Settings:
    prefix = {"pages_prefix": "/airside", **more}
    return Settings(data=tmp_path, upstream_url=upstream, base_url=origin, **prefix)


async def check(settings: Settings, ana: Person | None = None, clock: Any = None) -> dict[str, Finding]:
    session = ana.cookies["session-id"] if ana else ""
    given = Given(address=ADDRESS, session=session, workspace="acme" if ana else "")
    async with open_client() as client:
        found = await check_upstream(
            settings, given, Requests(settings, client), [SEALER], clock or SystemClock()
        )
    assert all(one.change for one in found if one.state == "wrong")
    return {one.check: one for one in found}


async def test_everything_is_fine_behind_a_proxy_with_the_printed_lines(tmp_path: Path) -> None:
    wanted = {"api_key_limit": 600, "webhook_allowed_hosts": {"airside.internal"}}
    async with community_edition(**wanted) as (upstream, ana):
        port, own = free_port(), free_port()
        settings = settings_of(tmp_path, upstream.url, f"http://127.0.0.1:{port}")
        lines = proxy_lines("/airside", f"127.0.0.1:{own}")["nginx"]
        with running_nginx(tmp_path / "nginx", port, upstream.url, lines):
            async with answering(settings, SEALER, "127.0.0.1", own) as is_ours:
                assert is_ours
                before = await ana.get("/api/users/api-tokens/")
                found = await check(settings, ana)
            assert {name: one.state for name, one in found.items() if one.state != "fine"} == {}
            without = await check(settings, ana)
        assert without["proxy rules"].state == "wrong"
        assert await ana.get("/api/users/api-tokens/") == before
        assert await ana.get("/api/workspaces/acme/webhooks/") == []


async def test_a_proxy_without_rules_is_named_by_path_with_the_lines_to_paste(tmp_path: Path) -> None:
    async with community_edition() as (upstream, _):
        found = (await check(settings_of(tmp_path, upstream.url, upstream.url)))["proxy rules"]
    assert found.state == "wrong"
    for place in ("/auth/o/", "/api/v1/", "/api/v2/", "/.well-known/oauth-", "/airside/"):
        assert place in found.seen
    assert ADDRESS in found.lines["Caddy"]
    assert f"proxy_pass http://{ADDRESS};" in found.lines["nginx"]


async def test_each_wrong_setting_of_the_instance_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with community_edition(api_key_limit=60, secure_cookies=True) as (upstream, ana):
        monkeypatch.setattr("tests.support.upstream.instance.VERSION", "v1.5.0")
        row = upstream.site.configuration["ENABLE_EMAIL_PASSWORD"]
        upstream.site.store.instance_configurations.update(row, value="0")
        settings = settings_of(tmp_path, upstream.url, upstream.url, pages_prefix="")
        found = await check(settings, ana, Later())
    assert (found["version"].state, found["version"].seen) == ("unknown", "1.5.0")
    assert "1.3.1" in found["version"].change
    assert "/god-mode/authentication/" in found["sign-in"].change
    assert "NTP" in found["clock"].change
    assert found["clock"].seen.endswith("behind")
    assert found["public scheme"].state == "wrong"
    assert "API_KEY_RATE_LIMIT" in found["rate limit"].change
    assert "60 requests" in found["rate limit"].seen
    assert "WEBHOOK_ALLOWED_HOSTS" in found["webhook host"].change
    assert "AIRSIDE_PAGES_PREFIX" in found["pages"].change


async def test_what_needs_an_admin_says_so_without_one(tmp_path: Path) -> None:
    async with community_edition() as (upstream, ana):
        settings = settings_of(tmp_path, upstream.url, upstream.url)
        found = await check(settings)
        assert {found[name].state for name in ("rate limit", "webhook host")} == {"unknown"}
        assert "AIRSIDE_UPSTREAM_SESSION" in found["rate limit"].change
        ana.cookies["session-id"] = "nobody"
        assert (await check(settings, ana))["session"].state == "wrong"


async def test_an_address_where_no_community_edition_answers_is_the_only_finding(tmp_path: Path) -> None:
    nobody = settings_of(tmp_path, f"http://127.0.0.1:{free_port()}", "https://plane.example.com")
    found = await check(nobody)
    assert list(found) == ["address"]
    assert "AIRSIDE_UPSTREAM_API" in found["address"].change


async def test_a_public_origin_of_another_instance_and_a_way_back_to_airside_are_noticed(
    tmp_path: Path,
) -> None:
    async with community_edition() as (upstream, _), community_edition() as (other, _):
        found = await check(settings_of(tmp_path, upstream.url, other.url))
        assert "another instance" in found["public address"].seen
        port, own = free_port(), free_port()
        around = f"http://127.0.0.1:{port}"
        settings = settings_of(tmp_path, upstream.url, around, upstream_api=around)
        lines = proxy_lines("/airside", f"127.0.0.1:{own}")["nginx"]
        with running_nginx(tmp_path / "nginx", port, upstream.url, lines):
            async with answering(settings, SEALER, "127.0.0.1", own):
                found = await check(settings)
        assert "leads back" in found["way to the API"].seen
        assert "AIRSIDE_UPSTREAM_API" in found["way to the API"].change


@pytest.mark.parametrize("own", ["https://other.example.com", "http://plane.example.com"])
def test_an_origin_that_the_instance_has_otherwise_is_named(own: str) -> None:
    config = Config(is_email_password_enabled=True, enable_signup=True, app_base_url=own)
    found = judge_public_origin(Instance(config, Described("x", "v1.3.1")), "https://plane.example.com")
    assert found.state == "wrong"
    assert own in found.seen


async def test_the_command_finds_a_running_airside_by_its_key(tmp_path: Path) -> None:
    wanted = {"api_key_limit": 600, "webhook_allowed_hosts": {"airside.internal"}}
    async with community_edition(**wanted) as (upstream, ana):
        port, own = free_port(), free_port()
        env = {
            "AIRSIDE_BASE_URL": f"http://127.0.0.1:{port}",
            "AIRSIDE_UPSTREAM_URL": upstream.url,
            "AIRSIDE_PAGES_PREFIX": "/airside",
            "AIRSIDE_UPSTREAM_SESSION": ana.cookies["session-id"],
        }
        lines = proxy_lines("/airside", f"127.0.0.1:{own}")["nginx"]
        with running_nginx(tmp_path / "nginx", port, upstream.url, lines):
            ended = await in_process(tmp_path, env, own)
            assert ended.returncode == 0, ended.stdout + ended.stderr
            with running_server(tmp_path, env, own):
                ended = await in_process(tmp_path, env, own)
            assert ended.returncode == 0, ended.stdout + ended.stderr
            assert "WRONG" not in ended.stdout
            elsewhere = {**env, "AIRSIDE_DATA": str(tmp_path / "elsewhere")}
            with running_server(tmp_path, env, own):
                ended = await in_process(tmp_path, elsewhere, own)
            assert ended.returncode == 3
            assert "reverse_proxy airside.internal:8000" in ended.stdout


async def in_process(folder: Path, env: dict[str, str], port: int) -> "subprocess.CompletedProcess[str]":
    words = ("upstream", "check", "--workspace", "acme", "--listen", f"127.0.0.1:{port}")
    return await asyncio.to_thread(Installed(folder, env).run, *words)


def test_the_command_needs_both_addresses(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIRSIDE_")}
    for given, missing in (
        ({}, "AIRSIDE_UPSTREAM_URL"),
        ({"AIRSIDE_UPSTREAM_URL": "http://a"}, "AIRSIDE_BASE_URL"),
    ):
        ended = subprocess.run(
            [sys.executable, "-m", "airside", "upstream", "check"],
            env=env | {"AIRSIDE_DATA": str(tmp_path)} | given, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ended.returncode == 1
        assert missing in ended.stderr
