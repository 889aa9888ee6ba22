"""RT2: strangers lock nobody out, also where all come from one address, as behind a proxy that isn't trusted."""

import urllib.request
from pathlib import Path
from typing import Any

import pytest
import structlog

from airside.identity.known_browsers import find_handle, remember_person
from airside.identity.sessions import GUESSES_OF_SOURCE
from airside.metrics.keep import write_counts
from airside.metrics.tables import metric_counts
from airside.runtime.site import Site
from tests.cast import PASSWORD, Cast
from tests.oauth.conftest import TOKEN, AppSide, authorize_query
from tests.portal.visitor import Visitor, visiting
from tests.support.servers import Server

SIGN_IN, AUTHORIZE = "/sign-in/", "/auth/o/authorize-app/"


async def try_to_sign_in(visitor: Visitor, email: str, password: str) -> int:
    form = (await visitor.get(SIGN_IN)).form(SIGN_IN)
    return (await visitor.post(SIGN_IN, form | {"email": email, "password": password})).status


async def test_rt2_a_hundred_wrong_sign_ins_stop_no_browser_that_is_known(site: Site, cast: Cast) -> None:
    async with visiting(site) as ana, visiting(site) as stranger, visiting(site) as new:
        assert await try_to_sign_in(ana, "ana@example.com", PASSWORD) == 303
        await ana.get("/profile/")
        for number in range(12):
            await try_to_sign_in(stranger, "ana@example.com", f"wrong {number}")
        await use_up_rest(site)
        assert await try_to_sign_in(stranger, "ben@example.com", "wrong") == 429
        del ana.cookies["airside_session"]  # signed out, or expired
        assert await try_to_sign_in(ana, "ana@example.com", "mistyped") == 401
        assert await try_to_sign_in(ana, "ana@example.com", PASSWORD) == 303
        assert await try_to_sign_in(new, "ana@example.com", PASSWORD) == 429


async def use_up_rest(site: Site) -> None:
    """What strangers' hundred wrong ones leave of the address."""
    async with site.db.transaction() as tx:
        for _ in range(GUESSES_OF_SOURCE.allowed - 10):
            await GUESSES_OF_SOURCE.spend(tx, site, "127.0.0.1")


async def test_rt2_a_known_browser_has_ten_guesses_too(site: Site, cast: Cast) -> None:
    async with visiting(site) as ana:
        assert await try_to_sign_in(ana, "ana@example.com", PASSWORD) == 303
        del ana.cookies["airside_session"]
        statuses = [await try_to_sign_in(ana, "ana@example.com", f"wrong {n}") for n in range(11)]
        assert statuses == [401] * 10 + [429]


async def test_rt2_a_browser_is_known_for_those_who_signed_in_there_only(site: Site, cast: Cast) -> None:
    cookie = remember_person(site, "", cast.ana["id"], "handle")
    assert find_handle(site, cookie, cast.ana["id"]) == "handle"
    assert find_handle(site, cookie, cast.ben["id"]) == ""
    both = remember_person(site, cookie, cast.ben["id"], "another")
    assert find_handle(site, both, cast.ana["id"]) == find_handle(site, both, cast.ben["id"]) == "handle"
    for forged in ("", "handle", "handle.", f"other.{cookie.split('.')[1]}", "." * 1000, "\x00.é"):
        assert find_handle(site, forged, cast.ana["id"]) == ""


async def test_rt2_seventy_wrong_secrets_stop_no_client_with_the_right_one(app_side: AppSide) -> None:
    asked = {"grant_type": "client_credentials", "app_installation_id": app_side.cast.installation["id"]}
    asked |= {"client_id": app_side.cast.client_id}
    wrong = [
        (await app_side.http.simulate_post(TOKEN, json=asked | {"client_secret": f"{n}"})).status_code
        for n in range(70)
    ]
    assert set(wrong) == {401, 429}
    assert (await app_side.bot_token()).status == 200
    assert (await app_side.user_tokens())["access_token"]


async def test_rt2_strangers_stop_nobody_who_is_signed_in_from_opening_consent(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    path = f"{AUTHORIZE}?{authorize_query(cast)}"
    async with visiting(site) as ana:
        await try_to_sign_in(ana, "ana@example.com", PASSWORD)
        signed_in = dict(ana.cookies)
        ana.cookies.clear()
        while (await ana.get(path)).status != 429:
            pass
        ana.cookies.update(signed_in)
        assert (await ana.get(path)).status == 303


async def test_rt2_a_proxy_that_is_not_trusted_is_logged_once_and_counted(
    app_side: AppSide, site: Site
) -> None:
    async def ask(peer: str, **headers: str) -> None:
        await app_side.http.simulate_get("/healthz", remote_addr=peer, headers=headers)

    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    site.settings.trusted_proxies[:] = ["10.0.0.0/8"]
    with structlog.testing.capture_logs() as logs:
        await ask("10.0.0.1", **forwarded)
        await ask("172.16.0.1")
        assert [entry for entry in logs if entry["event"] == "untrusted_proxy"] == []
        for number in range(30):
            await ask(f"172.16.0.{number}", **forwarded)
    [warning] = [entry for entry in logs if entry["event"] == "untrusted_proxy"]
    assert (warning["peer"], warning["log_level"]) == ("172.16.0.0", "warning")
    assert "AIRSIDE_TRUSTED_PROXIES=172.16.0.0" in warning["advice"]
    await write_counts(site)
    counted = await site.db.find_all(metric_counts, name="airside_untrusted_forwarded_requests")
    assert sum(row["value"] for row in counted) == 30
    assert len(counted) == 11  # ten peers and the others, since anybody can send the header


def test_rt2_airside_settings_shows_a_proxy_that_is_not_trusted(server: Server) -> None:
    def shown() -> Any:
        return server.cli("settings")["AIRSIDE_TRUSTED_PROXIES"].get("warning", "")

    assert shown() == ""
    request = urllib.request.Request(f"{server.url}/healthz", headers={"X-Forwarded-For": "203.0.113.9"})
    with urllib.request.urlopen(request, timeout=30):
        pass
    server.stop()  # which writes down what was counted
    assert "AIRSIDE_TRUSTED_PROXIES=127.0.0.1" in shown()
    assert "untrusted_proxy" in server.log
    assert "WARNING: X-Forwarded-For from 127.0.0.1" in server.run("settings").stdout
    server.env = {**server.env, "AIRSIDE_TRUSTED_PROXIES": "127.0.0.0/8"}
    assert shown() == ""


@pytest.mark.parametrize("text", ["AIRSIDE_TRUSTED_PROXIES=", "X-Forwarded-For"])
def test_rt2_the_printed_recipe_trusts_its_proxy(text: str) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    recipe = readme.split("## On PostgreSQL, with several processes")[1].split("\n## ")[0]
    assert text in recipe
