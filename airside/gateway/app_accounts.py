"""Registers with a site that apps act by accounts in the Community Edition behind it."""

import asyncio
import time
from collections.abc import Mapping
from datetime import datetime

import msgspec
import sqlalchemy as sa
import structlog

from airside.db.base import Id, Instant, Row
from airside.db.database import Reader, Transaction
from airside.db.statements import Statement
from airside.errors import NotFound, Refused
from airside.gateway.account_steps import PLACED, READY
from airside.gateway.accounts import account_of, key_of
from airside.gateway.client import SESSION_COOKIE, Cookies, upstream_of
from airside.gateway.ending import begin_end, end_account
from airside.gateway.install_errors import FAILURES, PasswordsOff, require_ok
from airside.gateway.installing import install_account, is_working, mirror_account
from airside.gateway.leftovers import WAKE_UP
from airside.gateway.memberships import MEMBER, choose_places, put_in_projects, remove_from_workspace
from airside.gateway.mirror import Person
from airside.gateway.tables import UpstreamAccountRow, upstream_accounts
from airside.identity.tables import users
from airside.installations.tables import installations
from airside.runtime.app_accounts import AppAccounts, Install
from airside.runtime.site import Site
from airside.workspaces.find import get_workspace

LOOK_EVERY, LOOK_SECONDS = 15.0, 3.0  # a page that shows an app waits no longer for the Community Edition

_log = structlog.get_logger()


class UpstreamAppAccounts(AppAccounts):
    is_remote = True
    bot_role = MEMBER

    def __init__(self, site: Site) -> None:
        self._site = site
        self._looked_at: dict[
            str, float
        ] = {}  # account → when; each look costs one request of the app's budget

    async def prepare(self, install: Install) -> None:
        account = await account_of(self._site.db, install.workspace_id, install.app["id"])
        if account is None or account["step"] != READY or not await self._is_working(account):
            await install_account(self._site, install)

    async def take_bot(self, tx: Transaction, app: Row, workspace_id: str) -> Row | None:
        account = await account_of(tx, workspace_id, app["id"])
        if account is None or account["step"] not in (PLACED, READY) or account["refused_at"] is not None:
            raise Refused(
                "In front of a Plane Community Edition an app is installed by an admin in the browser, on its"
                " consent page: Airside has no other access to that workspace."
            )
        changes: Row = {"step": READY, "updated_at": self._site.clock.now()}
        await tx.update(upstream_accounts, changes, workspace_id=workspace_id, id=account["id"])
        return await tx.find(users, id=account["user_id"])

    async def place(self, install: Install) -> None:
        account = await account_of(self._site.db, install.workspace_id, install.app["id"])
        if account is None or account["user_id"] is None:
            raise NotFound("The app has no account in Plane.")
        client, admin = upstream_of(self._site), _session_of(install.cookies)
        slug = (await get_workspace(self._site.db, install.workspace_id))["slug"]
        chosen = install.project_ids
        places = await choose_places(client, slug, admin, chosen, install.kept_ids)
        present = await put_in_projects(client, slug, admin, account["user_id"], places, chosen)
        shown = await client.get("/api/v1/users/me/", key_of(self._site, account))
        person = msgspec.convert(require_ok(shown, "read an account").json(), Person)
        async with self._site.db.transaction() as tx:
            await mirror_account(tx, self._site, install.workspace_id, person, present)

    async def begin_end(self, tx: Transaction, workspace_id: str, app_id: str, now: datetime) -> None:
        account = await account_of(tx, workspace_id, app_id)
        if account is not None:
            await begin_end(tx, account)
            tx.on_commit(lambda: self._site.wakeups.wake(WAKE_UP))

    async def leave(self, workspace_id: str, app_id: str, cookies: Mapping[str, str]) -> None:
        account = await account_of(self._site.db, workspace_id, app_id)
        if account is None or account["user_id"] is None:
            return
        try:
            await self._end(account, cookies)
        except FAILURES as failure:  # the job tries it again
            _log.warning("upstream_account_left", step=account["step"], reason=type(failure).__name__)

    async def _end(self, account: UpstreamAccountRow, cookies: Mapping[str, str]) -> None:
        """Where it can't sign in, the admin removes it at once, and the job deletes its key once it can."""
        try:
            await end_account(self._site, account)
        except PasswordsOff:
            slug = (await get_workspace(self._site.db, account["workspace_id"]))["slug"]
            client, admin = upstream_of(self._site), _session_of(cookies)
            await remove_from_workspace(client, slug, admin, account["user_id"] or "")

    async def app_changed(self, tx: Transaction, app_id: str, now: datetime) -> None:
        await tx.execute(_APP_CHANGED, app_id=app_id, now=now)
        tx.on_commit(lambda: self._site.wakeups.wake(WAKE_UP))

    async def is_removed(self, reader: Reader, workspace_id: str, app_id: str) -> bool:
        """As the Community Edition says, which sends no event of it; as it said last when it can't be reached."""
        account = await account_of(reader, workspace_id, app_id)
        if account is None:
            return True
        was = account["refused_at"] is not None
        if self._looked_at.get(account["id"], -LOOK_EVERY) + LOOK_EVERY > time.monotonic():
            return was
        self._looked_at[account["id"]] = time.monotonic()
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return not await self._is_working(account)
        except (*FAILURES, TimeoutError):
            return was

    async def _is_working(self, account: UpstreamAccountRow) -> bool:
        return await check_account(self._site, account)


async def check_account(site: Site, account: UpstreamAccountRow) -> bool:
    """Whether the app's account is still a member with a key that works; stores when it was found removed. For
    whoever was answered 403. Raises Unreachable, UpstreamLimited and UpstreamRefused."""
    slug = (await get_workspace(site.db, account["workspace_id"]))["slug"]
    works = await is_working(site, slug, account, MEMBER)
    if works != (account["refused_at"] is None):
        refused_at = None if works else site.clock.now()
        keys = {"workspace_id": account["workspace_id"], "id": account["id"]}
        async with site.db.transaction() as tx:
            await tx.update(upstream_accounts, {"refused_at": refused_at}, **keys)
    return works


def register_app_accounts(site: Site) -> None:
    """For a site in front of a Community Edition; once."""
    if site.settings.upstream_url and not site.app_accounts.is_remote:
        object.__setattr__(site, "app_accounts", UpstreamAppAccounts(site))


def _session_of(cookies: Mapping[str, str]) -> Cookies:
    return Cookies(session=cookies.get(SESSION_COOKIE, ""))


_a = upstream_accounts.c
_APP_CHANGED = Statement(
    sa.update(upstream_accounts)
    .where(
        _a.workspace_id.in_(
            sa.select(installations.c.workspace_id).where(
                installations.c.app_id == sa.bindparam("app_id", type_=Id())
            )
        ),
        _a.app_id == sa.bindparam("app_id", type_=Id()),
        _a.ended_at.is_(None),
    )
    .values(profile_due_at=sa.bindparam("now", type_=Instant()))
)
