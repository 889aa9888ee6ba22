"""Uninstalling ends an app's account there: keys first, then its membership; what is left is ended by a job."""

import pytest

from airside.db.base import Row
from airside.developer.registration import update_app
from airside.errors import Unavailable
from airside.gateway.accounts import AccountUnfinished, account_of, key_of
from airside.gateway.app_accounts import check_account
from airside.gateway.client import UpstreamClient
from airside.gateway.install_errors import AccountLost
from airside.gateway.leftovers import finish_accounts
from airside.gateway.tables import UpstreamAccountRow
from airside.installations.install import install_app
from airside.installations.suspend import suspend_app, unsuspend_app
from airside.installations.tables import InstallationRow
from airside.installations.uninstall import uninstall_app
from tests.gateway.installs.stage import Front


async def installed(front: Front, project_ids: list[str] | None = None) -> tuple[Row, InstallationRow]:
    app = await front.make_app()
    return app, await front.install(app, project_ids)


async def account(front: Front, app: Row) -> UpstreamAccountRow:
    found = await account_of(front.site.db, front.workspace_id, app["id"])
    assert found is not None
    return found


async def test_gw8_uninstalling_destroys_the_key_at_once_and_ends_the_account(front: Front) -> None:
    app, installation = await installed(front)
    await uninstall_app(front.site, front.workspace_id, installation["id"], front.ana_id)
    with pytest.raises(AccountUnfinished):
        key_of(front.site, await account(front, app))
    await finish_accounts(front.site)
    (there,) = front.users_there()
    assert front.keys_there(there["id"]) == []
    assert not front.is_member_there(there["id"])
    assert there["is_active"]
    assert await account_of(front.site.db, front.workspace_id, app["id"]) is None


async def test_gw8_keys_are_deleted_before_the_account_leaves(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    _app, installation = await installed(front)
    sent: list[str] = []
    send = UpstreamClient.send

    async def note(self: UpstreamClient, method: str, path: str, *args: object, **kwargs: object) -> object:
        sent.append(f"{method} {path}")
        return await send(self, method, path, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(UpstreamClient, "send", note)
    await uninstall_app(front.site, front.workspace_id, installation["id"], front.ana_id)
    await finish_accounts(front.site)
    deleted = next(place for place, one in enumerate(sent) if one.startswith("DELETE /api/users/api-tokens/"))
    left = next(place for place, one in enumerate(sent) if one.endswith("/members/leave/"))
    assert deleted < left


async def test_gw8_what_fails_is_tried_again_until_it_is_ended(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    _app, installation = await installed(front)
    await uninstall_app(front.site, front.workspace_id, installation["id"], front.ana_id)
    with monkeypatch.context() as patch:
        patch.setattr(front.site.upstream, "_upstream", "http://127.0.0.1:1")
        await finish_accounts(front.site)
    (there,) = front.users_there()
    assert len(front.keys_there(there["id"])) == 1
    await finish_accounts(front.site)  # too early
    assert len(front.keys_there(there["id"])) == 1
    front.clock.advance(minutes=6)
    await finish_accounts(front.site)
    assert front.keys_there(there["id"]) == []


async def test_gw8_suspending_changes_nothing_there_and_resuming_needs_nothing(front: Front) -> None:
    app, installation = await installed(front)
    (there,) = front.users_there()
    ids = (front.workspace_id, installation["id"], front.ana_id)
    assert (await suspend_app(front.site, *ids))["status"] == "suspended"
    assert len(front.keys_there(there["id"])) == 1
    assert (await unsuspend_app(front.site, *ids))["status"] == "installed"
    assert await check_account(front.site, await account(front, app))


async def test_without_passwords_the_admin_removes_the_account_and_its_key_follows(front: Front) -> None:
    app, installation = await installed(front)
    (there,) = front.users_there()
    switch = front.upstream.site.configuration["ENABLE_EMAIL_PASSWORD"]
    switch["value"] = "0"
    await uninstall_app(front.site, front.workspace_id, installation["id"], front.ana_id)
    await front.site.app_accounts.leave(front.workspace_id, app["id"], front.ana.cookies)
    assert not front.is_member_there(there["id"])
    switch["value"] = "1"
    front.clock.advance(minutes=6)
    await finish_accounts(front.site)
    assert front.keys_there(there["id"]) == []


async def test_an_installed_app_works_on_without_passwords(front: Front) -> None:
    app, _ = await installed(front)
    front.upstream.site.configuration["ENABLE_EMAIL_PASSWORD"]["value"] = "0"
    assert await check_account(front.site, await account(front, app))
    await front.install(app)


async def test_an_account_removed_in_planes_own_pages_is_noticed_and_repaired(front: Front) -> None:
    project = await front.make_project("Mobile")
    app, installation = await installed(front, [project])
    (there,) = front.users_there()
    listed = await front.ana.get("/api/workspaces/acme/members/")
    (row,) = [one for one in listed if one["member"]["id"] == there["id"]]
    await front.ana.send("DELETE", f"/api/workspaces/acme/members/{row['id']}/")
    accounts = front.site.app_accounts
    assert await accounts.is_removed(front.site.db, front.workspace_id, app["id"])
    assert (await account(front, app))["refused_at"] is not None
    repaired = await front.install(app, [project])
    assert repaired["id"] == installation["id"]
    assert not await accounts.is_removed(front.site.db, front.workspace_id, app["id"])
    assert front.projects_there(there["id"]) == {project}
    assert len(front.keys_there(there["id"])) == 1


async def test_a_deactivated_account_is_replaced_by_another(front: Front) -> None:
    app, installation = await installed(front)
    (there,) = front.users_there()
    front.upstream.site.store.users.update(there, is_active=False)
    for member in front.upstream.site.store.workspace_members.all(member=there["id"]):
        front.upstream.site.store.workspace_members.update(member, is_active=False)
    with pytest.raises(AccountLost):
        await front.prepare(app)
    await front.prepare(app)
    mended = await install_app(front.site, app, front.workspace_id, front.ana_id)
    assert mended["id"] == installation["id"]
    assert mended["bot_user_id"] != installation["bot_user_id"]
    assert await check_account(front.site, await account(front, app))


async def test_is_removed_keeps_its_last_answer_while_the_instance_is_away(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _ = await installed(front)
    monkeypatch.setattr(front.site.upstream, "_upstream", "http://127.0.0.1:1")
    assert not await front.site.app_accounts.is_removed(front.site.db, front.workspace_id, app["id"])
    with pytest.raises(Unavailable):
        await front.prepare(app)


async def test_a_renamed_app_is_renamed_there(front: Front) -> None:
    app, _ = await installed(front)
    await update_app(front.site, app["id"], front.ana_id, {"name": "Express"})
    await finish_accounts(front.site)
    (there,) = front.users_there()
    assert (there["display_name"], there["first_name"]) == ("Express", "Express")
    assert (await account(front, app))["profile_due_at"] is None


async def test_an_app_gets_more_and_fewer_projects(front: Front) -> None:
    one, two = await front.make_project("Mobile"), await front.make_project("Web")
    app, _ = await installed(front, [one])
    (there,) = front.users_there()
    await front.site.app_accounts.place(front.install_of(app, [two]))
    assert front.projects_there(there["id"]) == {two}
    await front.site.app_accounts.place(front.install_of(app, None))
    assert front.projects_there(there["id"]) == {one, two}
    await front.site.app_accounts.place(front.install_of(app, [one]))
    assert front.projects_there(there["id"]) == {one}
