"""The accounts that Airside has in a Community Edition are found by workspace and app, with their keys."""

from datetime import UTC, datetime

import pytest

from airside.db.base import new_id
from airside.gateway.accounts import AccountUnfinished, account_of, gateway_account_of, key_of
from airside.gateway.tables import ACCOUNT_KEY, ACCOUNT_PASSWORD, UpstreamAccountRow, upstream_accounts
from airside.runtime.site import Site

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
ACME, OTHER = new_id(), new_id()


async def put_account(
    site: Site,
    workspace_id: str,
    app_id: str | None,
    key: str | None = "plane_api_1",
    *,
    is_ended: bool = False,
) -> UpstreamAccountRow:
    id_ = new_id()
    row: UpstreamAccountRow = {
        "workspace_id": workspace_id,
        "id": id_,
        "app_id": app_id,
        "user_id": new_id(),
        "email": f"{id_}@apps.airside.invalid",
        "password_sealed": site.sealer.seal("password", ACCOUNT_PASSWORD),
        "invitation_id": None,
        "key_id": new_id() if key else None,
        "key_sealed": site.sealer.seal(key, ACCOUNT_KEY) if key else None,
        "step": "ready",
        "claim": None,
        "claimed_until": None,
        "profile_due_at": None,
        "refused_at": None,
        "created_at": NOW,
        "updated_at": NOW,
        "ended_at": NOW if is_ended else None,
    }
    async with site.db.transaction() as tx:
        await tx.insert(upstream_accounts, row)
    return row


async def test_an_account_is_the_apps_in_one_workspace(site: Site) -> None:
    courier, triage = new_id(), new_id()
    mine = await put_account(site, ACME, courier)
    await put_account(site, OTHER, courier)
    await put_account(site, ACME, triage)
    found = await account_of(site.db, ACME, courier)
    assert found is not None
    assert found["id"] == mine["id"]
    assert await account_of(site.db, OTHER, triage) is None


async def test_the_gateways_own_account_is_no_apps(site: Site) -> None:
    await put_account(site, ACME, new_id())
    assert await gateway_account_of(site.db, ACME) is None
    own = await put_account(site, ACME, None)
    found = await gateway_account_of(site.db, ACME)
    assert found is not None
    assert found["id"] == own["id"]


async def test_an_ended_account_is_not_found(site: Site) -> None:
    app_id = new_id()
    await put_account(site, ACME, app_id, is_ended=True)
    await put_account(site, ACME, None, is_ended=True)
    assert await account_of(site.db, ACME, app_id) is None
    assert await gateway_account_of(site.db, ACME) is None


async def test_a_key_is_unsealed_for_the_client_and_never_printed(site: Site) -> None:
    account = await put_account(site, ACME, new_id(), "plane_api_secret")
    assert key_of(site, account).value == "plane_api_secret"
    assert "secret" not in repr(key_of(site, account))


async def test_an_unfinished_account_has_no_key(site: Site) -> None:
    account = await put_account(site, ACME, new_id(), key=None)
    with pytest.raises(AccountUnfinished):
        key_of(site, account)
