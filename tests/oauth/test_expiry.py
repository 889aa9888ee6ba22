"""Expired rows are deleted after a while, and no others."""

from datetime import timedelta

from airside.oauth.authorize import open_consent_request
from airside.oauth.expiry import KEEP, clear_expired
from airside.oauth.tables import access_tokens, authorization_codes, consent_requests, refresh_tokens
from airside.oauth.tokens import CODE_LIFETIME
from airside.runtime.site import Site
from tests.cast import Cast
from tests.oauth.conftest import AppSide, authorize_query
from tests.support.clocks import FrozenClock


async def test_a_token_is_deleted_seven_days_after_it_expired_and_works_until_then(
    app_side: AppSide, site: Site, clock: FrozenClock
) -> None:
    token = (await app_side.bot_token()).body["access_token"]
    await clear_expired(site)
    assert await app_side.works(token)
    clock.advance(seconds=site.settings.access_token_seconds + KEEP.total_seconds())
    await clear_expired(site)
    assert len(await site.db.find_all(access_tokens)) == 1
    clock.advance(seconds=1)
    assert await clear_expired(site) >= 1
    assert await site.db.find_all(access_tokens) == []


async def test_a_used_code_is_kept_to_detect_its_replay_for_seven_days(
    app_side: AppSide, site: Site, clock: FrozenClock
) -> None:
    await app_side.user_tokens()
    clock.advance(seconds=(CODE_LIFETIME + KEEP).total_seconds())
    await clear_expired(site)
    assert len(await site.db.find_all(authorization_codes)) == 1
    clock.advance(seconds=1)
    await clear_expired(site)
    assert await site.db.find_all(authorization_codes) == []


async def test_a_rotated_refresh_token_is_kept_until_it_expires_so_that_its_reuse_is_detected(
    app_side: AppSide, site: Site, clock: FrozenClock
) -> None:
    tokens = await app_side.user_tokens()
    await app_side.refresh(tokens["refresh_token"])
    clock.advance(days=(site.settings.refresh_idle - timedelta(days=1)).days)
    await clear_expired(site)
    assert len(await site.db.find_all(refresh_tokens)) == 2
    assert (await app_side.refresh(tokens["refresh_token"])).status == 400


async def test_an_unanswered_consent_request_is_deleted_as_soon_as_it_expires(
    site: Site, cast: Cast, clock: FrozenClock
) -> None:
    request_id = await open_consent_request(site, authorize_query(cast))
    await clear_expired(site)
    [request] = await site.db.find_all(consent_requests, id=request_id)
    clock.time = request["expires_at"] + timedelta(seconds=1)
    await clear_expired(site)
    assert await site.db.find_all(consent_requests) == []
