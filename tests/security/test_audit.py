"""OP2: each sensitive act has one row in the audit log, which nobody can change."""

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from airside.apps.registry import create_app
from airside.apps.secrets import add_client_secret, end_client_secret, list_client_secrets
from airside.audit.actions import ACTIONS
from airside.audit.record import record_audit
from airside.audit.sources import enter_command
from airside.audit.tables import audit_log
from airside.db.base import Row
from airside.db.statements import Statement, delete_where, update_where
from airside.developer.delete_app import delete_app
from airside.developer.registration import update_app
from airside.developer.webhook_secret import renew_webhook_secret
from airside.identity.api_keys import create_api_key, revoke_api_key
from airside.identity.sessions import WrongSignIn, end_session, sign_in
from airside.identity.users import change_password, create_user, deactivate_user, set_password
from airside.installations.suspend import suspend_app, unsuspend_app
from airside.installations.uninstall import uninstall_app
from airside.moving.bundle import Bundle
from airside.moving.export import export_workspace
from airside.moving.import_folder import import_folder
from airside.moving.progress import Unwatched
from airside.oauth.authorize import open_consent_request
from airside.oauth.consent import ask, deny
from airside.runtime.site import Site
from airside.workspaces.create import create_workspace
from airside.workspaces.members import add_member, remove_member, set_member_role
from airside.workspaces.roles import GUEST, MEMBER
from tests.cast import PASSWORD, REDIRECT_URI, Cast
from tests.oauth.conftest import AppSide, authorize_query, sign_in_as

Act = Callable[[AppSide], Awaitable[Any]]


async def rows_of(site: Site) -> list[Row]:
    return sorted(await site.db.find_all(audit_log), key=lambda row: row["id"])


async def register(side: AppSide) -> Any:
    fields = {"name": "Second", "redirect_uris": [REDIRECT_URI]}
    ana = side.cast.ana["id"]
    return await create_app(side.site, workspace_id=side.cast.acme["id"], by_user_id=ana, fields=fields)


async def end_secret(side: AppSide) -> None:
    cast = side.cast
    first = (await list_client_secrets(side.site.db, cast.courier["id"]))[0]
    await end_client_secret(side.site, cast.courier, cast.ana["id"], first["id"])


async def refuse_consent(side: AppSide) -> None:
    session = await sign_in_as(side.site, side.cast.ana)
    request_id = await open_consent_request(side.site, authorize_query(side.cast))
    await ask(side.site, request_id, session, side.cast.acme["id"])
    await deny(side.site, request_id, session)


async def fail_to_sign_in(side: AppSide, email: str = "ana@example.com") -> None:
    with pytest.raises(WrongSignIn):
        await sign_in(side.site, email, "wrong")


async def prepare_nothing(side: AppSide) -> None:
    return


# What is done first, unobserved; the act; and exactly what it leaves, by name.
async def export_acme(side: AppSide) -> Path:
    folder = side.site.settings.data / "acme-export"
    await export_workspace(side.site, side.cast.acme, folder, Unwatched())
    return folder


async def import_into_acme(side: AppSide, folder: Path) -> None:
    ana = side.cast.ana["id"]
    await import_folder(side.site, side.cast.acme, Bundle(folder), ana, Unwatched(), made_workspace=False)


ACTS: dict[str, tuple[Act, Callable[[AppSide, Any], Awaitable[Any]], list[str]]] = {
    "register": (
        prepare_nothing,
        lambda side, _: register(side),
        ["app.created", "client_secret.created", "webhook_secret.created"],
    ),
    "change a registration": (
        prepare_nothing,
        lambda side, _: update_app(
            side.site, side.cast.courier["id"], side.cast.ana["id"], {"website": "https://a.example"}
        ),
        ["app.updated"],
    ),
    "change nothing": (
        prepare_nothing,
        lambda side, _: update_app(
            side.site, side.cast.courier["id"], side.cast.ana["id"], {"name": "Courier"}
        ),
        [],
    ),
    "export a workspace": (prepare_nothing, lambda side, _: export_acme(side), []),
    "import a workspace": (export_acme, import_into_acme, ["workspace.imported"]),
    "replace the webhook secret": (
        prepare_nothing,
        lambda side, _: renew_webhook_secret(side.site, side.cast.courier["id"], side.cast.ana["id"]),
        ["webhook_secret.replaced"],
    ),
    "make a secret": (
        prepare_nothing,
        lambda side, _: add_client_secret(side.site, side.cast.courier, side.cast.ana["id"]),
        ["client_secret.created"],
    ),
    "end a secret": (
        lambda side: add_client_secret(side.site, side.cast.courier, side.cast.ana["id"]),
        lambda side, _: end_secret(side),
        ["client_secret.ended"],
    ),
    "delete an app": (
        prepare_nothing,
        lambda side, _: delete_app(
            side.site, side.cast.acme["id"], side.cast.courier["id"], side.cast.ana["id"]
        ),
        ["app.deleted", "app.uninstalled"],
    ),
    "uninstall": (
        prepare_nothing,
        lambda side, _: uninstall_app(
            side.site, side.cast.acme["id"], side.cast.installation["id"], side.cast.ana["id"]
        ),
        ["app.uninstalled"],
    ),
    "suspend": (
        prepare_nothing,
        lambda side, _: suspend_app(
            side.site, side.cast.acme["id"], side.cast.installation["id"], side.cast.ana["id"]
        ),
        ["app.suspended"],
    ),
    "unsuspend": (
        lambda side: suspend_app(
            side.site, side.cast.acme["id"], side.cast.installation["id"], side.cast.ana["id"]
        ),
        lambda side, _: unsuspend_app(
            side.site, side.cast.acme["id"], side.cast.installation["id"], side.cast.ana["id"]
        ),
        ["app.unsuspended"],
    ),
    "consent": (prepare_nothing, lambda side, _: side.code(), ["consent.given", "user.signed_in"]),
    "deny consent": (
        prepare_nothing,
        lambda side, _: refuse_consent(side),
        ["consent.denied", "user.signed_in"],
    ),
    "redeem a code": (lambda side: side.code(), lambda side, code: side.redeem(code), ["token.issued"]),
    "refresh": (
        lambda side: side.user_tokens(),
        lambda side, tokens: side.refresh(tokens["refresh_token"]),
        ["token.refreshed"],
    ),
    "get a bot token": (prepare_nothing, lambda side, _: side.bot_token(), ["token.bot_issued"]),
    "sign in": (
        prepare_nothing,
        lambda side, _: sign_in(side.site, "ana@example.com", PASSWORD),
        ["user.signed_in"],
    ),
    "fail to sign in": (
        prepare_nothing,
        lambda side, _: fail_to_sign_in(side),
        ["user.sign_in_failed"],
    ),
    "fail to sign in as nobody": (
        prepare_nothing,
        lambda side, _: fail_to_sign_in(side, "nobody@example.com"),
        ["user.sign_in_failed"],
    ),
    "sign out": (
        lambda side: sign_in(side.site, "ana@example.com", PASSWORD),
        lambda side, session_id: end_session(side.site, session_id),
        ["user.signed_out"],
    ),
    "change a password": (
        prepare_nothing,
        lambda side, _: change_password(
            side.site, side.cast.ana["id"], PASSWORD, "another long one", keep_session="kept"
        ),
        ["user.password_changed"],
    ),
    "set a password": (
        prepare_nothing,
        lambda side, _: set_password(side.site, side.cast.ben["id"], "another long one"),
        ["user.password_changed"],
    ),
    "make an API key": (
        prepare_nothing,
        lambda side, _: create_api_key(side.site, side.cast.ana["id"]),
        ["api_key.created"],
    ),
    "revoke an API key": (
        lambda side: create_api_key(side.site, side.cast.ana["id"]),
        lambda side, key: revoke_api_key(side.site, side.cast.ana["id"], key.id),
        ["api_key.revoked"],
    ),
    "create a user": (
        prepare_nothing,
        lambda side, _: create_user(side.site, email="new@example.com"),
        ["user.created"],
    ),
    "deactivate a user": (
        prepare_nothing,
        lambda side, _: deactivate_user(side.site, side.cast.ben["id"]),
        ["user.deactivated"],
    ),
    "create a workspace": (
        prepare_nothing,
        lambda side, _: create_workspace(side.site, name="T", slug="third", owner_id=side.cast.zoe["id"]),
        ["member.added", "workspace.created"],
    ),
    "add a member": (
        prepare_nothing,
        lambda side, _: add_member(
            side.site, side.cast.acme["id"], side.cast.zoe["id"], GUEST, by_user_id=side.cast.ana["id"]
        ),
        ["member.added"],
    ),
    "change a role": (
        prepare_nothing,
        lambda side, _: set_member_role(
            side.site, side.cast.acme["id"], side.cast.gil["id"], MEMBER, by_user_id=side.cast.ana["id"]
        ),
        ["member.role_changed"],
    ),
    "remove a member": (
        prepare_nothing,
        lambda side, _: remove_member(
            side.site, side.cast.acme["id"], side.cast.gil["id"], by_user_id=side.cast.ana["id"]
        ),
        ["member.removed"],
    ),
}


@pytest.mark.parametrize("name", ACTS)
async def test_op2_each_act_leaves_exactly_its_rows(app_side: AppSide, site: Site, name: str) -> None:
    prepare, act, expected = ACTS[name]
    prepared = await prepare(app_side)
    before = {row["id"] for row in await rows_of(site)}
    await act(app_side, prepared)
    left = [row for row in await rows_of(site) if row["id"] not in before]
    assert sorted(row["action"] for row in left) == expected
    for row in left:
        assert row["action"] in ACTIONS
        assert row["actor_kind"] in ("person", "app", "operator", "unknown")
        if row["actor_id"]:
            assert row["actor_name"]
        if row["app_id"]:
            assert row["app_name"] in ("Courier", "Second")


async def test_op2_a_reused_refresh_token_is_on_record_once(
    app_side: AppSide, site: Site, clock: Any
) -> None:
    first = (await app_side.user_tokens())["refresh_token"]
    second = (await app_side.refresh(first)).body["refresh_token"]
    await app_side.refresh(second)
    clock.advance(minutes=5)
    for _ in range(3):
        assert (await app_side.refresh(first)).status == 400
    detected = [row for row in await rows_of(site) if row["action"] == "token.reuse_detected"]
    assert len(detected) == 1
    assert detected[0]["workspace_id"] == app_side.cast.acme["id"]


async def test_op2_a_replayed_code_is_on_record_once(app_side: AppSide, site: Site) -> None:
    code = await app_side.code()
    assert (await app_side.redeem(code)).status == 200
    for _ in range(3):
        assert (await app_side.redeem(code)).status == 400
    assert [row["action"] for row in await rows_of(site)].count("code.replay_detected") == 1


async def test_op2_a_hundred_bot_tokens_in_an_hour_are_one_row_and_the_next_hour_has_its_own(
    app_side: AppSide, site: Site, clock: Any
) -> None:
    async def count() -> int:
        return [row["action"] for row in await rows_of(site)].count("token.bot_issued")

    for _ in range(100):
        assert (await app_side.bot_token()).status == 200
    assert await count() == 1
    clock.advance(hours=1)
    await app_side.bot_token()
    assert await count() == 2


async def test_op2_what_is_rolled_back_was_not_done(app_side: AppSide, site: Site) -> None:
    before = len(await rows_of(site))
    with pytest.raises(ZeroDivisionError):
        async with site.db.transaction() as tx:
            await record_audit(tx, "app.created", site.clock.now())
            raise ZeroDivisionError
    assert len(await rows_of(site)) == before


@pytest.mark.parametrize(
    "statement",
    [
        update_where(audit_log, ("action",), ("id",)),
        delete_where(audit_log, ("id",)),
        Statement(audit_log.delete()),
        Statement(audit_log.update().values(actor_name="Somebody else")),
    ],
    ids=["update one", "delete one", "delete all", "update all"],
)
async def test_op2_the_database_refuses_every_change(
    app_side: AppSide, site: Site, statement: Statement
) -> None:
    before = await rows_of(site)
    with pytest.raises((sqlite3.IntegrityError, asyncpg.RaiseError), match="can only be added to"):
        async with site.db.transaction() as tx:
            await tx.execute(statement, where_id=before[0]["id"], action="app.deleted")
    assert await rows_of(site) == before


async def test_op2_neither_replacing_nor_emptying_gets_past_it(site: Site, cast: Cast) -> None:
    before = await rows_of(site)
    if site.db.dialect.name == "sqlite":
        connection = sqlite3.connect(site.db.url.removeprefix("sqlite:///"))
        with pytest.raises(sqlite3.IntegrityError, match="can only be added to"):
            connection.execute(
                "INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log WHERE id = ?", (before[0]["id"],)
            )
        connection.close()
    else:
        postgres = await asyncpg.connect(site.db.url)
        with pytest.raises(asyncpg.RaiseError, match="can only be added to"):
            await postgres.execute("TRUNCATE audit_log")
        await postgres.close()
    assert await rows_of(site) == before


async def test_op2_rows_say_where_the_request_came_from(app_side: AppSide, site: Site) -> None:
    code = await app_side.code()
    answer = await app_side.http.simulate_post(
        "/auth/o/token/",
        json={**app_side.own, "grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI},
        headers={"User-Agent": "courier/1.0"},
        remote_addr="198.51.100.7",
    )
    assert answer.status_code == 200, answer.text
    row = next(row for row in await rows_of(site) if row["action"] == "token.issued")
    assert (row["address"], row["user_agent"]) == ("198.51.100.7", "courier/1.0")
    assert (row["actor_kind"], row["app_name"]) == ("app", "Courier")


async def test_op2_a_command_says_that_it_was_one(site: Site, cast: Cast) -> None:
    enter_command("command line")
    await create_user(site, email="new@example.com")
    row = (await rows_of(site))[-1]
    assert (row["action"], row["actor_kind"], row["user_agent"]) == (
        "user.created",
        "operator",
        "airside command line",
    )


async def test_op2_an_action_nobody_could_filter_by_is_refused(site: Site, cast: Cast) -> None:
    with pytest.raises(ValueError, match="not an action"):
        async with site.db.transaction() as tx:
            await record_audit(tx, "app.dreamt", site.clock.now())
