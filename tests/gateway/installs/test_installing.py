"""An app's account in the Community Edition is made once, as an ordinary user with one key, in chosen projects."""

import pytest

from airside.errors import Blocked, Invalid, RateLimited, Refused
from airside.gateway.accounts import account_of, gateway_account_of, key_of
from airside.gateway.client import upstream_of
from airside.gateway.install_errors import NotAdmin, OtherPerson, PasswordsOff, SessionEnded
from airside.gateway.tables import upstream_accounts
from airside.identity.tables import users
from airside.installations.install import install_app
from airside.installations.uninstall import uninstall_app
from airside.runtime.app_accounts import Install
from airside.workspaces.members import find_member
from tests.gateway.installs.stage import Front, mirror
from tests.support.pictures import make_png


async def test_the_bot_of_an_installation_is_the_accounts_user(front: Front) -> None:
    app = await front.make_app()
    installation = await front.install(app)
    (there,) = front.users_there()
    assert installation["bot_user_id"] == there["id"]
    bot = await front.site.db.find(users, id=there["id"])
    assert bot is not None
    assert (bot["is_bot"], bot["display_name"], there["is_bot"]) == (True, "Courier", False)
    member = await find_member(front.site.db, front.workspace_id, there["id"])
    assert member is not None
    assert member["role"] == 15


async def test_an_account_has_a_name_no_mail_and_one_key_that_works(front: Front) -> None:
    app = await front.make_app()
    await front.install(app)
    (there,) = front.users_there()
    assert (there["first_name"], there["last_name"], there["display_name"]) == ("Courier", "(app)", "Courier")
    store = front.upstream.site.store
    preferences = store.user_notification_preferences.first(user=there["id"])
    profile = store.profiles.first(user=there["id"])
    assert preferences is not None
    assert profile is not None
    assert not any(preferences[name] for name in ("comment", "mention", "property_change"))
    assert profile["is_onboarded"]
    account = await account_of(front.site.db, front.workspace_id, app["id"])
    assert account is not None
    me = await upstream_of(front.site).get("/api/v1/users/me/", key_of(front.site, account))
    assert me.json()["id"] == there["id"]
    (key,) = front.keys_there(there["id"])
    assert key["id"] == account["key_id"]


async def test_the_admins_key_ends_in_ten_minutes_and_is_deleted(front: Front) -> None:
    await front.install(await front.make_app())
    rows = front.upstream.site.store.api_tokens.rows.values()
    (short,) = [row for row in rows if row["label"].startswith("Airside install")]
    assert (short["expired_at"] - front.clock.now()).total_seconds() == 600
    assert short["deleted_at"] is not None


async def test_the_gateways_own_account_is_an_admin_and_made_once(front: Front) -> None:
    await front.install(await front.make_app("Courier"))
    await front.install(await front.make_app("Triage"))
    (own,) = front.users_there("airside")
    member = front.upstream.site.store.workspace_members.first(member=own["id"], is_active=True)
    assert member is not None
    assert member["role"] == 20
    assert len(front.keys_there(own["id"])) == 1
    account = await gateway_account_of(front.site.db, front.workspace_id)
    assert account is not None
    assert account["step"] == "ready"


async def test_an_app_is_in_the_chosen_projects_only(front: Front) -> None:
    one, _ = await front.make_project("Mobile"), await front.make_project("Web")
    await front.install(await front.make_app(), [one])
    (there,) = front.users_there()
    assert front.projects_there(there["id"]) == {one}


async def test_an_app_for_all_is_in_every_project_of_the_admin(front: Front) -> None:
    both = {await front.make_project("Mobile"), await front.make_project("Web")}
    await front.install(await front.make_app())
    (there,) = front.users_there()
    assert front.projects_there(there["id"]) == both


async def test_a_project_that_the_admin_does_not_administer_is_refused_before_anything_is_made(
    front: Front,
) -> None:
    ben = await front.people.join("ben@acme.test", front.ana, "acme")
    body = {"name": "Secret", "identifier": "SEC", "network": 2}
    made = await ben.post("/api/workspaces/acme/projects/", body)
    with pytest.raises(Invalid, match="Secret"):
        await front.prepare(await front.make_app(), [made["id"]])
    assert front.users_there() == []
    assert front.invitations_there() == []


async def test_consenting_again_changes_nothing_there(front: Front) -> None:
    app = await front.make_app()
    await front.install(app)
    before = dict(front.upstream.site.store.api_tokens.rows)
    await front.install(app)
    assert front.upstream.site.store.api_tokens.rows == before


async def test_a_reinstalled_app_gets_its_account_back(front: Front) -> None:
    project = await front.make_project("Mobile")
    app = await front.make_app()
    first = await front.install(app, [project])
    await uninstall_app(front.site, front.workspace_id, first["id"], front.ana_id)
    await front.site.app_accounts.leave(front.workspace_id, app["id"], front.ana.cookies)
    (there,) = front.users_there()
    assert (front.keys_there(there["id"]), front.is_member_there(there["id"])) == ([], False)
    second = await front.install(app, [project])
    assert second["bot_user_id"] == first["bot_user_id"]
    assert len(front.users_there()) == 1
    assert front.is_member_there(there["id"])
    assert front.projects_there(there["id"]) == {project}
    assert len(front.keys_there(there["id"])) == 1


async def test_an_app_reinstalled_before_its_account_ended_keeps_it(front: Front) -> None:
    app = await front.make_app()
    first = await front.install(app)
    await uninstall_app(front.site, front.workspace_id, first["id"], front.ana_id)
    second = await front.install(app)
    assert second["bot_user_id"] == first["bot_user_id"]
    (there,) = front.users_there()
    assert len(front.keys_there(there["id"])) == 1


async def test_an_instance_without_passwords_makes_nothing(front: Front) -> None:
    front.upstream.site.configuration["ENABLE_EMAIL_PASSWORD"]["value"] = "0"
    with pytest.raises(PasswordsOff) as refused:
        await front.prepare(await front.make_app())
    assert "god-mode" in refused.value.advice
    assert front.invitations_there() == []
    assert front.users_there() == []
    assert front.users_there("airside") == []


async def test_passwords_switched_off_in_the_middle_leave_no_invitation(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def pass_check(client: object) -> None: ...

    monkeypatch.setattr("airside.gateway.installing.require_passwords", pass_check)
    front.upstream.site.configuration["ENABLE_EMAIL_PASSWORD"]["value"] = "0"
    with pytest.raises(PasswordsOff):
        await front.prepare(await front.make_app())
    assert front.invitations_there() == []


async def test_sign_up_may_be_closed_to_others(front: Front) -> None:
    front.upstream.site.configuration["ENABLE_SIGNUP"]["value"] = "0"
    await front.install(await front.make_app())
    assert len(front.users_there()) == 1


async def test_an_invitation_that_exists_is_used(front: Front) -> None:
    """As after a process that was killed before it stored what the Community Edition answered."""
    app = await front.make_app()
    front.upstream.site.budgets.clear()
    front.upstream.settings.anonymous_limit = 1
    with pytest.raises(RateLimited):
        await front.prepare(app)
    row = await gateway_account_of(front.site.db, front.workspace_id)
    assert row is not None
    async with front.site.db.transaction() as tx:
        changes = {"step": "reserved", "invitation_id": None}
        await tx.update(upstream_accounts, changes, workspace_id=row["workspace_id"], id=row["id"])
    front.upstream.settings.anonymous_limit = None
    await front.install(app)
    assert len(front.users_there("airside")) == 1


async def test_too_many_sign_ins_say_when_to_come_back_and_go_on_there(front: Front) -> None:
    app = await front.make_app()
    front.upstream.site.budgets.clear()
    front.upstream.settings.anonymous_limit = 4
    with pytest.raises(RateLimited) as refused:
        await front.prepare(app)
    assert "goes on where it stopped" in refused.value.sentence
    assert 0 < refused.value.retry_after <= 60
    front.upstream.settings.anonymous_limit = None
    await front.install(app)
    assert len(front.users_there()) == 1
    assert len(front.users_there("airside")) == 1


async def test_a_member_is_refused_and_makes_nothing(front: Front) -> None:
    ben = await front.people.join("ben@acme.test", front.ana, "acme")
    ben_id, _ = await mirror(front.site, ben)
    app = await front.make_app()
    with pytest.raises(NotAdmin):
        await front.site.app_accounts.prepare(Install(app, front.workspace_id, ben_id, None, ben.cookies))
    assert front.users_there("airside") == []


async def test_another_persons_session_is_refused(front: Front) -> None:
    ben = await front.people.join("ben@acme.test", front.ana, "acme")
    with pytest.raises(OtherPerson):
        await front.site.app_accounts.prepare(front.install_of(await front.make_app(), by=ben))
    assert front.keys_there(front.ana_id) != []


async def test_an_ended_session_is_refused(front: Front) -> None:
    app = await front.make_app()
    with pytest.raises(SessionEnded):
        await front.site.app_accounts.prepare(Install(app, front.workspace_id, front.ana_id, None, {}))


async def test_an_app_is_not_installed_without_its_account(front: Front) -> None:
    """As the command line would, which has nobody's session."""
    app = await front.make_app()
    with pytest.raises(Refused, match="consent page"):
        await install_app(front.site, app, front.workspace_id, front.ana_id)


async def test_an_account_gets_the_apps_logo(front: Front) -> None:
    from airside.assets.logos import store_logo

    app = await front.make_app()
    url = await store_logo(front.site, app["id"], make_png())
    await front.install(app | {"logo_url": url})
    (there,) = front.users_there()
    assert (there["avatar_url"] or "").startswith("/api/assets/v2/static/")
    assert any(content == make_png() for _, content in front.upstream.site.files.values())


async def test_two_admins_who_install_at_once_make_one_account(front: Front) -> None:
    import asyncio

    app = await front.make_app()
    done = await asyncio.gather(*(front.prepare(app) for _ in range(3)), return_exceptions=True)
    assert all(one is None or isinstance(one, Blocked) for one in done), done
    await front.install(app)
    (there,) = front.users_there()
    assert len(front.keys_there(there["id"])) == 1
    assert len(front.users_there("airside")) == 1
