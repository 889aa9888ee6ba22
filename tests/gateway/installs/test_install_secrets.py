"""No credential of the Community Edition is readable anywhere in Airside."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from airside.db.statements import Statement
from airside.db.tables import load_tables
from airside.errors import AirsideError
from airside.gateway.leftovers import finish_accounts
from airside.gateway.tables import ACCOUNT_PASSWORD, upstream_accounts
from airside.installations.uninstall import uninstall_app
from airside.runtime.app_accounts import Install
from tests.gateway.installs.stage import Front


async def secrets_of(front: Front) -> set[str]:
    """Every session, key and password of the stand-in."""
    there = front.upstream.site
    found = {key.removeprefix("admin:") for key in there.sessions}
    found |= {row["token"] for row in there.store.api_tokens.rows.values()}
    rows = await front.site.db.fetch_all(Statement(sa.select(upstream_accounts)))
    found |= {front.site.sealer.unseal_once(row["password_sealed"], ACCOUNT_PASSWORD) for row in rows}
    return found | set(front.ana.cookies.values())


async def database_of(front: Front) -> str:
    texts: list[str] = []
    for table in load_tables().sorted_tables:
        rows: list[Any] = await front.site.db.fetch_all(Statement(sa.select(table)))
        texts += [json.dumps(row, default=str) for row in rows]
    return "\n".join(texts)


async def test_gw1_no_secret_of_the_upstream_is_in_the_database_a_log_or_an_error(
    front: Front, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    said: list[str] = []
    app = await front.make_app()

    async def refuse(install: Install) -> None:
        try:
            await front.site.app_accounts.prepare(install)
        except AirsideError as error:
            said.extend((error.sentence, repr(error), str(error.__cause__), str(vars(error).keys())))
        else:
            pytest.fail("it was to be refused")

    there, who = front.upstream, (front.workspace_id, front.ana_id)
    await refuse(Install(app, *who, None, {}))
    for switch in ("0", "1"):
        there.site.configuration["ENABLE_EMAIL_PASSWORD"]["value"] = switch
        if switch == "0":
            await refuse(front.install_of(app))
    there.site.budgets.clear()
    there.settings.anonymous_limit = 5
    await refuse(front.install_of(app))
    there.settings.anonymous_limit = None
    installation = await front.install(app)
    secrets = await secrets_of(front)
    await uninstall_app(front.site, front.workspace_id, installation["id"], front.ana_id)
    await finish_accounts(front.site)
    await front.install(app)
    secrets |= await secrets_of(front)
    assert len(secrets) > 10
    printed = capsys.readouterr()
    everything = "\n".join((await database_of(front), printed.out, printed.err, caplog.text, *said))
    assert "upstream_refused" in everything  # so that what is logged is looked at
    assert [one for one in secrets if one in everything] == []
