"""A job: ends accounts of uninstalled apps and of interrupted installs, and repeats names and logos that changed.

An interrupted install gets some time first, in which an admin's next consent takes it up."""

from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from airside.apps.tables import apps
from airside.db.base import Id, Instant
from airside.db.conditions import tenant
from airside.db.statements import Statement
from airside.errors import NotFound, Unavailable
from airside.gateway.account_sessions import sign_in
from airside.gateway.account_steps import ENDING, READY, claim, release, store_step
from airside.gateway.client import Unreachable, upstream_of
from airside.gateway.ending import begin_end, end_account
from airside.gateway.install_errors import FAILURES, PasswordsOff, UpstreamLimited
from airside.gateway.profiles import set_logo, set_name
from airside.gateway.tables import IS_DUE, UpstreamAccountRow, upstream_accounts
from airside.runtime.site import Site

WAKE_UP = "upstream.accounts"
EVERY_SECONDS = 30.0
TAKEN_UP_WITHIN = timedelta(minutes=15)
RETRY = timedelta(minutes=5)
BATCH = 20

_log = structlog.get_logger()


class LogoFailed(Unavailable):
    """It is tried again."""


async def finish_accounts(site: Site) -> bool:
    """Do what is due; returns whether more may be. One that fails waits for RETRY, and all wait while the instance
    can't be reached, limits sign-ins or has them switched off."""
    if not site.settings.upstream_url:
        return False
    now = site.clock.now()
    due = await site.db.fetch_all(_DUE, now=now, since=now - TAKEN_UP_WITHIN, batch=BATCH)
    for account in due:
        try:
            await finish_account(site, account)
        except (*FAILURES, NotFound) as failure:
            _log.warning("upstream_account_left", step=account["step"], reason=type(failure).__name__)
            await _postpone(site, account, now + RETRY)
            if isinstance(failure, Unreachable | UpstreamLimited | PasswordsOff):
                return False
    return len(due) == BATCH


async def finish_account(site: Site, account: UpstreamAccountRow) -> None:
    if account["step"] == READY:
        await show_again(site, account)
        return
    if account["step"] != ENDING:
        async with site.db.transaction() as tx:
            row = await tx.lock(upstream_accounts, workspace_id=account["workspace_id"], id=account["id"])
            if row is None or row["updated_at"] != account["updated_at"]:
                return  # taken up in the meantime
            await begin_end(tx, row)
    await end_account(site, account)


async def show_again(site: Site, account: UpstreamAccountRow) -> None:
    """Its name and logo, as the app has them now. Raises FAILURES."""
    app = await site.db.find(apps, id=account["app_id"])
    client, due_at = upstream_of(site), account["profile_due_at"]
    async with site.db.transaction() as tx:
        account = await claim(tx, site, account)
    try:
        session = await sign_in(site, client, account)
        await set_name(client, session, app)
        if not await set_logo(site, client, session, app):
            raise LogoFailed
        if account["profile_due_at"] == due_at:  # else it changed again
            await store_step(site, account, READY, profile_due_at=None)
    finally:
        await release(site, account)


async def _postpone(site: Site, account: UpstreamAccountRow, until: datetime) -> None:
    """Unless somebody works on it."""
    async with site.db.transaction() as tx:
        await tx.execute(_POSTPONE, workspace_id=account["workspace_id"], id=account["id"], until=until)


_a = upstream_accounts.c
_now = sa.bindparam("now", type_=Instant())
_DUE = Statement(
    sa.select(upstream_accounts)
    .where(
        IS_DUE,
        sa.or_(_a.claimed_until.is_(None), _a.claimed_until <= _now),
        sa.or_(
            _a.step == sa.literal_column(f"'{ENDING}'"),
            _a.step == sa.literal_column(f"'{READY}'"),
            _a.updated_at <= sa.bindparam("since", type_=Instant()),
        ),
    )
    .order_by(_a.updated_at)
    .limit(sa.bindparam("batch", type_=sa.Integer())),
    UpstreamAccountRow,
)
_POSTPONE = Statement(
    sa.update(upstream_accounts)
    .where(
        tenant(upstream_accounts),
        _a.id == sa.bindparam("id", type_=Id()),
        _a.claim.is_(None),
    )
    .values(claimed_until=sa.bindparam("until", type_=Instant()))
)
