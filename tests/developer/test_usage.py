"""How an app's requests are counted, written down, shown and forgotten."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from falcon import testing

from airside.db.base import Row
from airside.developer.tables import app_usage
from airside.developer.usage import flush_usage, list_usage, purge_usage
from airside.identity.api_keys import create_api_key
from airside.oauth.tokens import Bearer, issue_access_token
from airside.runtime.site import Site
from airside.webhooks.tables import webhook_deliveries
from tests.cast import Cast, make_cast
from tests.portal.visitor import signed_in
from tests.support.apps import app_of
from tests.support.clocks import FrozenClock
from tests.webhooks.scenes import happen

STATES = "/api/v1/workspaces/acme/projects/"


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site)


@pytest.fixture
async def api(site: Site) -> AsyncIterator[testing.ASGIConductor]:
    async with testing.ASGIConductor(app_of(site)) as conductor:
        yield conductor


async def token_of(site: Site, cast: Cast, *scopes: str) -> dict[str, str]:
    here = (cast.courier["id"], cast.installation["id"], cast.acme["id"], cast.installation["bot_user_id"])
    async with site.db.transaction() as tx:
        token = await issue_access_token(tx, Bearer(*here, list(scopes)), site.clock.now())
    return {"Authorization": f"Bearer {token}"}


async def stored(site: Site) -> list[Row]:
    return sorted(await site.db.find_all(app_usage), key=lambda row: row["hour"])


async def test_requests_and_errors_are_added_up_by_the_hour(
    site: Site, cast: Cast, api: testing.ASGIConductor, clock: FrozenClock
) -> None:
    token = await token_of(site, cast, "projects:read")
    answers = [
        await api.simulate_get(STATES, headers=token),
        await api.simulate_get(f"{STATES}{cast.acme['id']}/", headers=token),  # there is no such project
        await api.simulate_post(STATES, headers=token, json={}),  # beyond its scope
        await api.simulate_get("/api/v1/workspaces/other/projects/", headers=token),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 403, 403]
    assert await stored(site) == [], "nothing is written while a request is answered"
    await flush_usage(site)
    hour = site.clock.now().replace(minute=0, second=0, microsecond=0)
    keys = {"workspace_id": cast.acme["id"], "app_id": cast.courier["id"], "hour": hour}
    assert await stored(site) == [keys | {"requests": 4, "errors": 3}]
    await flush_usage(site)
    await api.simulate_get(STATES, headers=token)
    await flush_usage(site)
    assert await stored(site) == [keys | {"requests": 5, "errors": 3}]
    clock.advance(hours=1)
    await api.simulate_get(STATES, headers=token)
    await flush_usage(site)
    assert [row["requests"] for row in await stored(site)] == [5, 1]
    clock.advance(days=89)
    assert await purge_usage(site) == 0
    clock.advance(hours=23)
    assert await purge_usage(site) == 1
    assert [row["requests"] for row in await stored(site)] == [1]


async def test_what_is_no_apps_request_is_not_counted(
    site: Site, cast: Cast, api: testing.ASGIConductor
) -> None:
    key = await create_api_key(site, cast.ana["id"], label="Ana's own")
    for headers in ({"X-API-Key": key.token}, {}, {"Authorization": "Bearer nonsense"}):
        await api.simulate_get(STATES, headers=headers)
    await flush_usage(site)
    assert await stored(site) == []


async def test_counts_that_cannot_be_written_wait_for_the_next_time(
    site: Site, cast: Cast, api: testing.ASGIConductor
) -> None:
    key = (cast.acme["id"], cast.courier["id"])
    site.app_calls.count(key, is_error=True)
    too_many = {(cast.other["id"], cast.courier["id"]): (2**70, 0)}  # which no database takes
    site.app_calls.give_back(too_many)
    await flush_usage(site)
    assert await stored(site) == []
    site.app_calls.count(key, is_error=False)
    taken = site.app_calls.take()
    assert taken == too_many | {key: (2, 1)}
    del taken[next(iter(too_many))]
    site.app_calls.give_back(taken)
    await flush_usage(site)
    assert [(row["requests"], row["errors"]) for row in await stored(site)] == [(2, 1)]


async def test_the_page_shows_requests_errors_and_deliveries(
    site: Site, cast: Cast, clock: FrozenClock
) -> None:
    key = (cast.acme["id"], cast.courier["id"])
    for is_error in (True, False, False):
        site.app_calls.count(key, is_error=is_error)
    await flush_usage(site)
    path = f"/acme/settings/applications/{cast.courier['id']}/usage/"
    async with signed_in(site, "ana") as ana:
        for query in ("", "?span=7d", "?span=30d", "?span=%00", "?span=nonsense"):
            page = await ana.get(f"{path}{query}")
            assert 'Requests</h3><p><strong class="figure">3</strong>' in page.text
            assert "33.3 % of the requests" in page.text
            assert page.text.count("<svg viewBox") == 3
    await happen(site, workspace_id=cast.acme["id"])
    clock.advance(hours=1)
    found = await list_usage(site.db, cast.courier["id"], site.clock.now() - timedelta(days=1))
    assert [(hour.requests, hour.errors) for hour in found] == [(3, 1)]
    clock.advance(days=2)
    async with signed_in(site, "ana") as ana:
        assert 'Requests</h3><p><strong class="figure">0</strong>' in (await ana.get(path)).text
        assert 'Requests</h3><p><strong class="figure">3</strong>' in (await ana.get(f"{path}?span=7d")).text


async def test_deliveries_are_counted_by_the_hour_they_were_made_in(
    site: Site, cast: Cast, clock: FrozenClock
) -> None:
    for status, ago in (("delivered", 0), ("delivered", 2), ("failed", 2), ("missed", 2), ("pending", 2)):
        row = {
            "workspace_id": cast.acme["id"],
            "id": cast.acme["id"][:-4] + f"{len(await site.db.find_all(webhook_deliveries)):04x}",
            "endpoint_id": cast.installation["webhook_id"],
            "event_id": cast.acme["id"],
            "event_name": "issue",
            "version": "v1",
            "part": len(await site.db.find_all(webhook_deliveries)),
            "status": status,
            "attempts": 1,
            "created_at": site.clock.now() - timedelta(hours=ago),
        }
        async with site.db.transaction() as tx:
            await tx.insert(webhook_deliveries, row)
    found = await list_usage(site.db, cast.courier["id"], site.clock.now() - timedelta(days=1))
    assert [(hour.delivered, hour.undelivered) for hour in found] == [(1, 2), (1, 0)]
