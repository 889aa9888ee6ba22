"""Issues a bot token for an installation, given the client's credentials and the installation's id.

The hottest path of the authorization server, so client, secret and installation are checked in one statement.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airside.apps.scopes import Grant
from airside.apps.tables import WORKSPACE, app_secrets, apps
from airside.audit.sources import current_source
from airside.db.conditions import live
from airside.db.database import Transaction
from airside.db.statements import Statement
from airside.db.text_rules import is_id
from airside.installations.tables import INSTALLED, installations
from airside.oauth.clients import (
    ClientRow,
    Credentials,
    authenticated,
    client_columns,
    count_failure,
    record_use,
)
from airside.oauth.errors import InvalidGrant, InvalidScope, UnauthorizedClient
from airside.oauth.grant_scopes import ScopeRefused, choose_scopes
from airside.oauth.parameters import Parameters, require
from airside.oauth.token_rate import count_tokens_of
from airside.oauth.tokens import Bearer, audit_tokens, issue_access_token, shape_reply
from airside.runtime.site import Site

MAX_RECORDED = 10_000  # audit rows that this process knows to exist; past it the cache is cleared
NO_INSTALLATION = "00000000-0000-0000-0000-000000000000"  # looked up in place of a malformed id

_recorded: set[tuple[str, str]] = set()


class ClientAndInstallation(ClientRow):
    """A client with the installation that it names, whose columns are null if there is none."""

    installation_id: str | None
    workspace_id: str | None
    bot_user_id: str | None
    granted: Grant | None


async def issue_bot_token(site: Site, credentials: Credentials, body: Parameters) -> dict[str, Any]:
    """RFC 6749 §4.4, with `app_installation_id`. The error is the same for an unknown installation, another app's,
    and one that has ended."""
    given = require(body, "app_installation_id")
    row = await site.db.fetch_one(
        _CLIENT_AND_INSTALLATION,
        client_id=credentials.client_id,
        secret_hash=credentials.secret_hash,
        installation_id=given.lower() if is_id(given) else NO_INSTALLATION,
    )
    if row is None:
        raise count_failure(site, credentials)
    if row["registration"] != WORKSPACE:
        raise UnauthorizedClient("Only an app that an admin registered may act as its bot.")
    bearer = _bearer(row, body.get("scope"))
    await count_tokens_of(site, row["app_id"])
    lifetime = site.settings.access_lifetime
    async with site.db.transaction() as tx:
        await record_use(tx, site, row["secret_id"], row["secret_used_at"])
        now = site.clock.now()
        token = await issue_access_token(tx, bearer, now, lifetime)
        await _audit(tx, site, bearer, row["secret_id"], now)
    return shape_reply(token, bearer.scopes, lifetime=lifetime)


async def _audit(tx: Transaction, site: Site, bearer: Bearer, secret_id: str, now: datetime) -> None:
    """One row per installation, secret, address and hour: a row per token would make the hottest path a third
    slower without more information (docs/decisions/0008). Across processes the row's unique `once` prevents
    duplicates."""
    hour = now.strftime("%Y-%m-%dT%H")
    once = f"{bearer.installation_id} {secret_id} {current_source().address} {hour}"
    key = (site.db.url, once)
    if key in _recorded:
        return
    details = {"secret": secret_id, "hour": hour, "scopes": bearer.scopes}
    await audit_tokens(tx, "token.bot_issued", bearer.holder, now, details=details, once=once)
    tx.on_commit(lambda: _remember(key))


def _remember(key: tuple[str, str]) -> None:
    if len(_recorded) >= MAX_RECORDED:
        _recorded.clear()
    _recorded.add(key)


def _choose(requested: str | None, granted: Grant) -> Grant:
    try:
        return choose_scopes(requested, granted)
    except ScopeRefused as refusal:
        raise InvalidScope(refusal.sentence) from None


def _bearer(row: ClientAndInstallation, requested: str | None) -> Bearer:
    """Raises InvalidGrant without an installation, and InvalidScope."""
    installation_id, workspace_id = row["installation_id"], row["workspace_id"]
    bot_user_id, granted = row["bot_user_id"], row["granted"]
    if installation_id is None or workspace_id is None or bot_user_id is None or granted is None:
        raise InvalidGrant("The app has no installation with this app_installation_id.")
    return Bearer(row["app_id"], installation_id, workspace_id, bot_user_id, _choose(requested, granted))


_i = installations.c
_CLIENT_AND_INSTALLATION = Statement(
    sa.select(
        *client_columns,
        _i.id.label("installation_id"),
        _i.workspace_id,
        _i.bot_user_id,
        _i.scopes.label("granted"),
    )
    .select_from(
        apps.join(app_secrets, app_secrets.c.app_id == apps.c.id).outerjoin(
            installations,
            sa.and_(
                _i.id == sa.bindparam("installation_id"),
                _i.app_id == apps.c.id,
                _i.status == INSTALLED,
                live(installations),
            ),
        )
    )
    .where(authenticated),
    ClientAndInstallation,
)
