"""MD4: devices that a person signs in by a code, and those who guess codes (RFC 8628)."""

import asyncio
import re
from typing import Any

import pytest

from airside.apps.tables import DOCUMENT, DYNAMIC
from airside.db.base import Row
from airside.errors import RateLimited
from airside.identity.sessions import find_session, start_session
from airside.installations.uninstall import uninstall_app
from airside.oauth.consent import approve, ask, deny
from airside.oauth.device_requests import LETTERS, WrongUserCode, ask_for_device
from airside.oauth.tables import device_requests
from airside.oauth.tokens import revoke_families_of
from airside.runtime.site import Site
from tests.cast import PASSWORD, Cast
from tests.oauth.conftest import TOKEN, Answer, AppSide, sign_in_as
from tests.portal.visitor import signed_in, visiting
from tests.security.clients import make_public, make_unowned
from tests.support.clocks import FrozenClock

DEVICE = "/auth/o/device/"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
CLI = {"client_id": "airside-cli"}


async def start(app_side: AppSide, client: dict[str, str] = CLI, **fields: str) -> dict[str, Any]:
    answer = await app_side.post(DEVICE, client | fields)
    assert answer.status == 200, answer.body
    assert answer.headers["cache-control"] == "no-store"
    return answer.body


async def poll(app_side: AppSide, device: dict[str, Any], client: dict[str, str] = CLI) -> Answer:
    fields = {"grant_type": GRANT, "device_code": device["device_code"]}
    return await app_side.post(TOKEN, client | fields)


async def answer_device(
    site: Site, cast: Cast, device: dict[str, Any], person: Row, *, allow: bool = True
) -> str:
    session = await sign_in_as(site, person)
    request_id = await ask_for_device(site, device["user_code"], person["id"], person["id"])
    await ask(site, request_id, session, cast.acme["id"])
    return await (
        approve(site, request_id, session, cast.acme["id"]) if allow else deny(site, request_id, session)
    )


async def test_md4_a_device_is_signed_in(
    app_side: AppSide, site: Site, cast: Cast, clock: FrozenClock
) -> None:
    device = await start(app_side)
    assert re.fullmatch(f"[{LETTERS}]{{4}}-[{LETTERS}]{{4}}", device["user_code"])
    assert device["verification_uri"] == f"{site.settings.origin}/device/"
    assert device["verification_uri_complete"].endswith(f"?user_code={device['user_code']}")
    assert (device["expires_in"], device["interval"]) == (900, 5)
    assert (await poll(app_side, device)).body["error"] == "authorization_pending"
    assert await answer_device(site, cast, device, cast.ana) == "/device/allowed/"
    clock.advance(seconds=5)
    tokens = await poll(app_side, device)
    assert tokens.status == 200
    assert await app_side.works(tokens.body["access_token"])
    fresh = await app_side.post(
        TOKEN, CLI | {"grant_type": "refresh_token", "refresh_token": tokens.body["refresh_token"]}
    )
    assert fresh.status == 200
    assert (await poll(app_side, device)).body["error"] == "invalid_grant"  # a device code is for one use


async def test_md4_a_device_that_polls_too_often_gets_slow_down(
    app_side: AppSide, clock: FrozenClock
) -> None:
    device = await start(app_side)
    assert (await poll(app_side, device)).body["error"] == "authorization_pending"
    clock.advance(seconds=2)
    assert (await poll(app_side, device)).body["error"] == "slow_down"
    clock.advance(seconds=6)  # enough at first, not any more
    assert (await poll(app_side, device)).body["error"] == "slow_down"
    clock.advance(seconds=15)
    assert (await poll(app_side, device)).body["error"] == "authorization_pending"


async def test_md4_codes_expire(app_side: AppSide, site: Site, cast: Cast, clock: FrozenClock) -> None:
    device = await start(app_side)
    clock.advance(minutes=15)
    assert (await poll(app_side, device)).body["error"] == "expired_token"
    with pytest.raises(WrongUserCode):
        await answer_device(site, cast, device, cast.ana)


async def test_md4_a_refusal_is_access_denied(app_side: AppSide, site: Site, cast: Cast) -> None:
    device = await start(app_side)
    assert await answer_device(site, cast, device, cast.ana, allow=False) == "/device/denied/"
    answer = await poll(app_side, device)
    assert (answer.status, answer.body["error"]) == (400, "access_denied")
    with pytest.raises(WrongUserCode):
        await answer_device(site, cast, device, cast.ana)


async def test_md4_a_thousand_guesses_come_to_ten(app_side: AppSide, site: Site, cast: Cast) -> None:
    device = await start(app_side)
    async with signed_in(site, "ana") as ana:
        page = await ana.get("/device/")
        statuses: list[int] = []
        codes = ["".join(LETTERS[number // 20**place % 20] for place in range(8)) for number in range(1000)]
        for code in codes[:30]:
            statuses.append((await ana.submit(page, "/device/", user_code=code)).status)
        assert statuses == [422] * 10 + [429] * 20
        for code in codes[30:]:  # by themselves, as the page's own work takes a test's time
            with pytest.raises(RateLimited):
                await ask_for_device(site, code, cast.ana["id"], "127.0.0.1")
        refused = await ana.submit(page, "/device/", user_code=device["user_code"])
        assert refused.status == 429
        assert int(refused.headers["retry-after"]) > 0
    with pytest.raises(Exception, match="Too many"):  # nor from another address, as the same person
        await ask_for_device(site, device["user_code"], cast.ana["id"], "192.0.2.7")
    assert await ask_for_device(site, device["user_code"], cast.zoe["id"], "192.0.2.8")


async def test_md4_guesses_at_once_come_to_ten_and_right_codes_are_none(
    app_side: AppSide, site: Site, cast: Cast, clock: FrozenClock
) -> None:
    device = await start(app_side)
    for _ in range(20):
        assert await ask_for_device(site, device["user_code"], cast.ana["id"], "192.0.2.9")
    guesses = [ask_for_device(site, "BBBB-BBBB", cast.ana["id"], "192.0.2.9") for _ in range(50)]
    answers = [type(answer) for answer in await asyncio.gather(*guesses, return_exceptions=True)]
    assert (answers.count(WrongUserCode), answers.count(RateLimited)) == (10, 40)
    clock.advance(minutes=10)
    assert await ask_for_device(site, device["user_code"], cast.ana["id"], "192.0.2.9")


async def test_md4_the_page_shows_app_origin_and_scopes(app_side: AppSide, site: Site, cast: Cast) -> None:
    device = await start(app_side, app_side.own, scope="projects:read")
    path = device["verification_uri_complete"].removeprefix(site.settings.origin)
    async with visiting(site) as ana:
        sign_in = await ana.get((await ana.get(path)).location)
        back = await ana.submit(sign_in, "/sign-in/", email="ana@example.com", password=PASSWORD)
        page = await ana.get(back.location)
        assert f'value="{device["user_code"]}"' in page.text
        asked = await ana.submit(page, "/device/")
        question = await ana.get(asked.location)
        for words in ("Courier", "See projects", "Signs in a device that asked from", "127.0.0.1", "Acme"):
            assert words in question.text
        assert "Then takes you to" not in question.text
        answered = await ana.submit(question, "/consent/", decision="allow")
        assert answered.location == "/device/allowed/"
        assert "Your device is signed in" in (await ana.get(answered.location)).text
    assert (await poll(app_side, device, app_side.own)).status == 200


async def test_md4_only_a_registered_app_may_ask(app_side: AppSide, site: Site) -> None:
    for registration in (DYNAMIC, DOCUMENT):
        app = await make_unowned(site, registration)
        answer = await app_side.post(DEVICE, {"client_id": app["client_id"]})
        assert (answer.status, answer.body["error"]) == (400, "unauthorized_client")
    for typed_text in ({}, {"client_id": "unknown"}, {"client_id": app_side.cast.client_id}):
        assert (await app_side.post(DEVICE, typed_text)).body["error"] == "invalid_client"
    assert (await app_side.post(DEVICE, CLI | {"scope": "nonsense"})).body["error"] == "invalid_scope"
    assert (await app_side.http.simulate_get(DEVICE)).status_code == 405


async def test_md4_a_device_code_is_its_clients(app_side: AppSide, site: Site, cast: Cast) -> None:
    pocket = {"client_id": (await make_public(site, cast))["client_id"]}
    device = await start(app_side)
    await answer_device(site, cast, device, cast.ana)
    assert (await poll(app_side, device, pocket)).body["error"] == "invalid_grant"
    assert (await poll(app_side, device, app_side.own)).body["error"] == "invalid_grant"
    assert (await poll(app_side, device)).status == 200


async def test_md4_nothing_comes_of_an_answer_once_access_has_ended(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    device = await start(app_side, app_side.own)
    await answer_device(site, cast, device, cast.ana)
    await uninstall_app(site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    assert (await poll(app_side, device, app_side.own)).body["error"] == "invalid_grant"
    again = await start(app_side)
    await answer_device(site, cast, again, cast.ana)
    async with site.db.transaction() as tx:
        await revoke_families_of(tx, cast.ana["id"], "password_reset", site.clock.now())
    assert (await poll(app_side, again)).body["error"] == "invalid_grant"


async def test_md4_a_question_is_the_session_s_that_saw_it(app_side: AppSide, site: Site, cast: Cast) -> None:
    device = await start(app_side)
    request_id = await ask_for_device(site, device["user_code"], cast.ana["id"], "")
    await ask(site, request_id, await sign_in_as(site, cast.ana), cast.acme["id"])
    zoe = await find_session(site, await start_session(site, cast.zoe["id"]))
    assert zoe is not None
    with pytest.raises(Exception, match="answered or has expired"):
        await approve(site, request_id, zoe, cast.acme["id"])


async def test_md4_devices_are_limited_by_source_and_their_codes_kept_as_macs(
    app_side: AppSide, site: Site
) -> None:
    device = await start(app_side)
    [row] = await site.db.find_all(device_requests)
    assert device["device_code"] not in str(row)
    assert device["user_code"].replace("-", "") not in str(row)
    answers = [await app_side.post(DEVICE, CLI) for _ in range(30)]
    assert [answer.status for answer in answers] == [200] * 29 + [429]


@pytest.mark.parametrize("typed", ["{code}", "{lower}", "{plain}", " {code} ", "{spaced}"])
async def test_md4_a_code_may_be_typed_as_people_do(
    app_side: AppSide, site: Site, cast: Cast, typed: str
) -> None:
    code = (await start(app_side))["user_code"]
    typed_text = typed.format(
        code=code, lower=code.lower(), plain=code.replace("-", ""), spaced=" ".join(code.replace("-", ""))
    )
    assert await ask_for_device(site, typed_text, cast.ana["id"], "")
