"""OP1: a copy of the database holds no credential that works, and the key that seals is replaced in use."""

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from airside.apps.registry import create_app
from airside.apps.secrets import add_client_secret
from airside.apps.tables import apps
from airside.db.reseal import count_by_key, reseal, sealed_columns
from airside.db.tables import load_tables
from airside.developer.webhook_secret import renew_webhook_secret
from airside.identity.api_keys import create_api_key
from airside.identity.csrf import ForgedForm, check_csrf_token, issue_csrf_token
from airside.identity.sessions import sign_in
from airside.runtime.site import Site
from airside.system.credentials import Sealer
from airside.webhooks.signing import SECRET
from airside.webhooks.tables import webhook_endpoints
from tests.cast import PASSWORD, REDIRECT_URI, Cast
from tests.oauth.conftest import AppSide

OLD, NEW = "0" * 64, "1" * 64


async def issue_many(side: AppSide) -> set[str]:
    """More than 200 credentials of every kind that there is."""
    site, cast = side.site, side.cast
    issued = {side.cast.client_secret, side.cast.webhook_secret, PASSWORD}
    issued.add(await add_client_secret(site, cast.courier, cast.ana["id"]))
    issued.add(await renew_webhook_secret(site, cast.courier["id"], cast.ana["id"]))
    for number in range(10):
        fields = {"name": f"App {number}", "redirect_uris": [REDIRECT_URI]}
        made = await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
        issued |= {made.client_secret, made.webhook_secret}
    for _ in range(40):
        issued.add((await create_api_key(site, cast.ana["id"])).token)
        issued.add((await side.bot_token()).body["access_token"])
    for _ in range(20):
        code = await side.code()
        tokens = (await side.redeem(code)).body
        refreshed = (await side.refresh(tokens["refresh_token"])).body
        issued |= {code, tokens["access_token"], tokens["refresh_token"]}
        issued |= {refreshed["access_token"], refreshed["refresh_token"]}
        issued.add(await side.code())  # and one that is still open
    issued.add(await sign_in(site, "ana@example.com", PASSWORD))
    return issued


async def dump(site: Site) -> bytes:
    """All that somebody has who got hold of the database."""
    url = site.db.url
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        return b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
    postgres = await asyncpg.connect(url)
    parts = [
        row[0]
        for table in load_tables().tables
        for row in await postgres.fetch(f'SELECT t::text FROM "{table}" t')
    ]
    await postgres.close()
    return "\n".join(parts).encode()


async def test_op1_a_dump_holds_no_issued_credential(app_side: AppSide, site: Site) -> None:
    issued = await issue_many(app_side)
    assert len(issued) > 200
    copy = await dump(site)
    assert app_side.cast.client_id.encode() in copy  # it is all there, as far as it may be
    assert [value[:12] for value in issued if value.encode() in copy] == []


def test_op1_every_sealed_column_is_resealed() -> None:
    """The name says what it holds. A refresh token's successor is sealed by the token itself, not by the key, and
    the answers to writes with an Idempotency-Key are gone a day later."""
    named = {
        f"{table.name}.{column.name}"
        for table in load_tables().tables.values()
        for column in table.c
        if column.name.endswith("_sealed")
    }
    marked = {f"{column.table.name}.{column.name}" for column in sealed_columns()}
    assert named - marked == {"refresh_tokens.successor_sealed", "idempotency_keys.body_sealed"}
    assert marked <= named


def test_op1_a_sealed_text_opens_with_its_key_wherever_that_stands() -> None:
    old, both, new = Sealer(OLD), Sealer(NEW, OLD), Sealer(NEW)
    sealed = old.seal("a secret", SECRET)
    assert both.unseal(sealed, SECRET) == "a secret"
    assert both.is_current(both.seal("a secret", SECRET))
    assert not both.is_current(sealed)
    with pytest.raises(ValueError, match="another AIRSIDE_SECRET_KEY"):
        new.unseal(sealed, SECRET)
    with pytest.raises(ValueError, match="another purpose"):
        both.unseal(sealed, "something else")
    for damaged in (
        "",
        "1.AAAA",
        "2.",
        f"2.{old.key_ids[0]}.",
        f"2.{old.key_ids[0]}.!!",
        sealed[:-6] + "AAAA==",
    ):
        with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong, it is this
            both.unseal(damaged, SECRET)


def with_keys(site: Site, *keys: str) -> Site:
    return Site(settings=site.settings, db=site.db, sealer=Sealer(*keys), clock=site.clock)


def test_op1_a_form_from_before_is_believed_while_the_old_key_is_there(tmp_path: Path) -> None:
    site: Any = type("Held", (), {})
    old, both, new = (site() for _ in range(3))
    old.sealer, both.sealer, new.sealer = Sealer(OLD), Sealer(NEW, OLD), Sealer(NEW)
    token = issue_csrf_token(old, "session")
    check_csrf_token(both, token, "session")
    check_csrf_token(both, issue_csrf_token(both, "session"), "session")
    with pytest.raises(ForgedForm):
        check_csrf_token(new, token, "session")


async def register_more(site: Site, cast: Cast, secrets: dict[str, str], count: int) -> None:
    """Further apps; `secrets` keeps the webhook secret of each."""
    for number in range(count):
        fields = {"name": f"App {number}", "redirect_uris": [REDIRECT_URI], "webhook_url": None}
        made = await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
        secrets[made.app["id"]] = made.webhook_secret


async def test_op1_the_key_is_replaced_under_load_and_nothing_is_lost(site: Site, cast: Cast) -> None:
    """Secrets are made and read all the while; then the old key is forgotten."""
    old, both = with_keys(site, OLD), with_keys(site, NEW, OLD)
    secrets: dict[str, str] = {cast.courier["id"]: cast.webhook_secret}

    await register_more(old, cast, secrets, 120)  # more than a batch

    async def renew_all() -> None:
        for app_id in list(secrets)[:40]:
            secrets[app_id] = await renew_webhook_secret(both, app_id, cast.ana["id"])

    async def read_all() -> None:
        for _ in range(20):
            for row in await site.db.find_all(apps):
                assert both.sealer.unseal(row["webhook_secret_sealed"], SECRET).startswith("plane_wh_")
            await asyncio.sleep(0)

    registering = register_more(both, cast, secrets, 20)
    done, *_ = await asyncio.gather(reseal(site.db, both.sealer), renew_all(), read_all(), registering)
    assert done.unreadable == 0
    assert done.resealed > 0
    last = await reseal(site.db, both.sealer)
    assert (last.resealed, last.changed_meanwhile) == (0, 0)
    new = Sealer(NEW)
    stored = {row["id"]: row["webhook_secret_sealed"] for row in await site.db.find_all(apps)}
    assert {app_id: new.unseal(sealed, SECRET) for app_id, sealed in stored.items()} == secrets
    for endpoint in await site.db.find_all(webhook_endpoints):
        assert new.unseal(endpoint["secret_sealed"], SECRET) == secrets[cast.courier["id"]]
    counts = await count_by_key(site.db, both.sealer)
    assert counts[Sealer(OLD).key_ids[0]] == 0
    assert "unknown" not in counts


async def test_op1_what_no_key_opens_is_counted_and_left(site: Site, cast: Cast) -> None:
    stranger = Sealer("2" * 64)
    done = await reseal(site.db, stranger)
    assert done.unreadable == 2  # the app's secret and its endpoint's
    assert (await count_by_key(site.db, stranger))["unknown"] == 2


def test_op1_an_operator_replaces_it_beside_a_running_server(server: Any) -> None:
    def cli(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
        server.env = {**env}
        return server.run(*words)

    made = server.cli(
        "app", "create", "--workspace", "sandbox", "--name", "Courier", "--redirect-uri", REDIRECT_URI
    )
    old = (server.folder / "data" / "secret.key").read_text().strip()
    keys = {"AIRSIDE_SECRET_KEY": NEW, "AIRSIDE_PREVIOUS_SECRET_KEYS": old}
    assert '"resealed":1' in cli("key", "reseal", "--json", **keys).stdout
    assert '"resealed":0' in cli("key", "reseal", "--json", **keys).stdout
    shown = cli("settings", **keys).stdout + cli("settings", "--json", **keys).stdout
    assert old not in shown
    assert NEW not in shown
    assert made["webhook_secret"] not in cli("key", "list", **keys).stdout
