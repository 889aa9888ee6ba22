"""Airside's accounts in the Community Edition: an installed app's, and the gateway's own in each workspace."""

import sqlalchemy as sa

from airside.db.base import Id
from airside.db.conditions import tenant
from airside.db.database import Reader
from airside.db.statements import Statement
from airside.errors import Unavailable
from airside.gateway.client import Key
from airside.gateway.tables import ACCOUNT_KEY, UpstreamAccountRow, upstream_accounts
from airside.runtime.site import Site


class AccountUnfinished(Unavailable):
    """The account has no key: an install was interrupted, or its end has begun."""

    sentence = (
        "This app's account in the upstream instance isn't ready. An admin has to install the app again."
    )


async def account_of(reader: Reader, workspace_id: str, app_id: str) -> UpstreamAccountRow | None:
    """The app's account in the workspace, finished or not; None before the first install and after the end."""
    return await reader.fetch_one(_OF_APP, workspace_id=workspace_id, app_id=app_id)


async def gateway_account_of(reader: Reader, workspace_id: str) -> UpstreamAccountRow | None:
    """The gateway's own account, an admin of the workspace, finished or not."""
    return await reader.fetch_one(_OF_GATEWAY, workspace_id=workspace_id)


def key_of(site: Site, account: UpstreamAccountRow) -> Key:
    """The account's own key, for API v1. Raises AccountUnfinished."""
    if account["key_sealed"] is None:
        raise AccountUnfinished
    return Key(site.sealer.unseal(account["key_sealed"], ACCOUNT_KEY))


_a = upstream_accounts.c
_unended = _a.ended_at.is_(None)
_OF_APP = Statement(
    sa.select(upstream_accounts).where(
        tenant(upstream_accounts), _a.app_id == sa.bindparam("app_id", type_=Id()), _unended
    ),
    UpstreamAccountRow,
)
_OF_GATEWAY = Statement(
    sa.select(upstream_accounts).where(tenant(upstream_accounts), _a.app_id.is_(None), _unended),
    UpstreamAccountRow,
)
