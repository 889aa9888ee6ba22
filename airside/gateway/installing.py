"""Makes an app's account in the Community Edition: recorded requests as stored steps, each safe to repeat.

It runs outside of any transaction. A process that is killed in the middle leaves a row that the next consent takes
up or leftovers.py ends. The admin's key is in memory only and ends by itself."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NamedTuple

import msgspec
import structlog

from airside.db.base import Row
from airside.db.database import Transaction
from airside.gateway.account_sessions import (
    AlreadyKnown,
    NotInvited,
    require_passwords,
    sign_in,
    sign_up,
)
from airside.gateway.account_steps import (
    INVITED,
    JOINED,
    KEYED,
    PLACED,
    READY,
    RESERVED,
    SIGNED_UP,
    claim,
    claim_account,
    release,
    store_step,
    store_step_in,
)
from airside.gateway.accounts import account_of, gateway_account_of, key_of
from airside.gateway.client import SESSION_COOKIE, Cookies, Key, UpstreamClient, UpstreamRefused, upstream_of
from airside.gateway.install_errors import FAILURES, AccountLost, OtherPerson, PasswordsOff, require_ok
from airside.gateway.memberships import (
    ADMIN,
    MEMBER,
    accept,
    choose_places,
    find_membership,
    find_role,
    invite,
    put_in_projects,
    set_role,
    withdraw,
)
from airside.gateway.mirror import Person, mirror_person, mirror_project_roles
from airside.gateway.profiles import show_account
from airside.gateway.tables import ACCOUNT_KEY, ACCOUNT_PASSWORD, UpstreamAccountRow, upstream_accounts
from airside.identity.tables import users
from airside.runtime.app_accounts import Install
from airside.runtime.site import Site
from airside.workspaces.find import get_workspace

SHORT_KEY = timedelta(minutes=10)
KEYS = "/api/users/api-tokens/"

_log = structlog.get_logger()


class Chain(NamedTuple):
    """What the steps of one install share. The admin's credentials aren't kept beyond it."""

    site: Site
    client: UpstreamClient
    workspace_id: str
    slug: str
    admin: Cookies
    key: Key


async def install_account(site: Site, install: Install) -> None:
    """Afterwards the app's account is in the workspace and its projects and has one key, and the gateway's own is
    there. Raises Blocked, Invalid for `projects`, UpstreamLimited, UpstreamRefused and Unreachable."""
    workspace = await get_workspace(site.db, install.workspace_id)
    client, admin = upstream_of(site), Cookies(session=install.cookies.get(SESSION_COOKIE, ""))
    places = await choose_places(client, workspace["slug"], admin, install.project_ids, install.kept_ids)
    async with short_key(site, client, admin, install.by_user_id) as key:
        chain = Chain(site, client, workspace["id"], workspace["slug"], admin, key)
        await _ensure_account(chain, None)
        account = await _ensure_account(chain, install.app)
        await _place(chain, account, places, install.project_ids)


@asynccontextmanager
async def short_key(
    site: Site, client: UpstreamClient, admin: Cookies, by_user_id: str
) -> AsyncGenerator[Key]:
    """A key of the admin that ends in ten minutes, and is deleted at the end. Raises OtherPerson."""
    ends = (site.clock.now() + SHORT_KEY).isoformat()
    body = {"label": "Airside install (10 min)", "expired_at": ends}
    made = require_ok(await client.send("POST", KEYS, admin, json=body), "make a short key").json()
    try:
        if made["user"] != by_user_id:
            raise OtherPerson
        yield Key(made["token"])
    finally:
        await _delete_short_key(client, admin, made["id"])


async def _delete_short_key(client: UpstreamClient, admin: Cookies, key_id: str) -> None:
    try:
        require_ok(await client.send("DELETE", f"{KEYS}{key_id}/", admin), "delete the short key")
    except FAILURES as failure:  # it ends by itself
        _log.warning("upstream_short_key_left", reason=type(failure).__name__)


async def _ensure_account(chain: Chain, app: Row | None) -> UpstreamAccountRow:
    """A complete one, made or mended as far as it isn't."""
    role = ADMIN if app is None else MEMBER
    found = await _find(chain, app)
    if found is not None and await is_working(chain.site, chain.slug, found, role):
        return found
    await require_passwords(chain.client)
    account = await claim_account(chain.site, chain.workspace_id, app)
    try:
        account, session = await _enter(chain, account, role)
        account = await _join(chain, account, session, role)
        return await _finish(chain, account, session, app)
    except PasswordsOff:
        await _undo_invitation(chain, app)
        raise
    except AccountLost:
        await _abandon(chain, account)
        raise
    finally:
        await release(chain.site, account)


async def _find(chain: Chain, app: Row | None) -> UpstreamAccountRow | None:
    db = chain.site.db
    if app is None:
        return await gateway_account_of(db, chain.workspace_id)
    return await account_of(db, chain.workspace_id, app["id"])


async def is_working(site: Site, slug: str, account: UpstreamAccountRow, role: int) -> bool:
    """Whether its key works and it is a member with this role at least, as the Community Edition says."""
    if account["key_sealed"] is None or account["step"] not in (KEYED, PLACED, READY):
        return False
    return await find_role(upstream_of(site), slug, key_of(site, account), account["user_id"]) >= role


async def _enter(chain: Chain, account: UpstreamAccountRow, role: int) -> tuple[UpstreamAccountRow, Cookies]:
    """A session of the account, which signs up if it didn't yet."""
    site, client = chain.site, chain.client
    if account["user_id"] is not None:
        return account, await sign_in(site, client, account)
    if account["step"] == RESERVED:
        account = await _invite(chain, account, role)
    session = await _sign_up(chain, account, role)
    me = require_ok(await client.get("/api/users/me/", session), "read an account").json()
    return await store_step(site, account, SIGNED_UP, user_id=me["id"]), session


async def _sign_up(chain: Chain, account: UpstreamAccountRow, role: int) -> Cookies:
    password = chain.site.sealer.unseal_once(account["password_sealed"], ACCOUNT_PASSWORD)
    try:
        return await sign_up(chain.client, account["email"], password)
    except AlreadyKnown:  # by a sign-up whose answer was lost
        return await sign_in(chain.site, chain.client, account)
    except NotInvited:  # an admin withdrew the invitation
        await _invite(chain, account, role)
        return await sign_up(chain.client, account["email"], password)


async def _invite(chain: Chain, account: UpstreamAccountRow, role: int) -> UpstreamAccountRow:
    invitation_id = await invite(chain.client, chain.slug, chain.key, account["email"], role)
    step = INVITED if account["user_id"] is None else account["step"]
    return await store_step(chain.site, account, step, invitation_id=invitation_id)


async def _join(chain: Chain, account: UpstreamAccountRow, session: Cookies, role: int) -> UpstreamAccountRow:
    """Member of the workspace with this role, by the stored invitation or by another one."""
    client, slug = chain.client, chain.slug
    member = await find_membership(client, slug, session)
    if member is None and account["invitation_id"] is not None:
        await accept(client, session, account["invitation_id"])
        member = await find_membership(client, slug, session)
    if member is None:
        account = await _invite(chain, account, role)
        accepted = await accept(client, session, account["invitation_id"] or "")
        member = await find_membership(client, slug, session)
        if member is None:
            raise UpstreamRefused(accepted, "join a workspace")
    if member["role"] < role:
        await set_role(client, slug, chain.admin, member["id"], role)
    return await store_step(chain.site, account, JOINED, invitation_id=None)


async def _finish(
    chain: Chain, account: UpstreamAccountRow, session: Cookies, app: Row | None
) -> UpstreamAccountRow:
    """Its name, then its one key: whoever made another key before was interrupted."""
    site, client = chain.site, chain.client
    has_logo = await show_account(site, client, session, app)
    await delete_keys(client, session)
    body = {"label": f"Airside: {'gateway' if app is None else app['name']}"[:255]}
    made = require_ok(await client.send("POST", KEYS, session, json=body), "make an account's key").json()
    values = {
        "key_id": made["id"],
        "key_sealed": site.sealer.seal(made["token"], ACCOUNT_KEY),
        "profile_due_at": None if has_logo else site.clock.now(),
        "refused_at": None,
    }
    return await store_step(site, account, READY if app is None else KEYED, **values)


async def delete_keys(client: UpstreamClient, session: Cookies) -> None:
    """All keys of the account, while it can still sign in: those of a deactivated one can't be deleted."""
    listed = require_ok(await client.get(KEYS, session), "list an account's keys").json()
    for one in listed:
        reply = await client.send("DELETE", f"{KEYS}{one['id']}/", session)
        if reply.status != 404:
            require_ok(reply, "delete an account's key")


async def _place(
    chain: Chain, account: UpstreamAccountRow, places: list[str], chosen: Sequence[str] | None
) -> None:
    """Into its projects, and the account and its memberships into our own tables."""
    site, client, user_id = chain.site, chain.client, account["user_id"]
    assert user_id is not None  # it has a key
    present = await put_in_projects(client, chain.slug, chain.admin, user_id, places, chosen)
    shown = require_ok(await client.get("/api/v1/users/me/", key_of(site, account)), "read an account").json()
    async with site.db.transaction() as tx:
        account = await claim(tx, site, account)
    try:
        async with site.db.transaction() as tx:
            await mirror_account(tx, site, chain.workspace_id, msgspec.convert(shown, Person), present)
            await store_step_in(tx, site, account, PLACED)
    finally:
        await release(site, account)


async def _undo_invitation(chain: Chain, app: Row | None) -> None:
    """Nothing half-made stays behind where accounts can't sign up."""
    account = await _find(chain, app)
    if account is not None and account["user_id"] is None and account["invitation_id"] is not None:
        await withdraw(chain.client, chain.slug, chain.key, account["invitation_id"])
        await store_step(chain.site, account, RESERVED, invitation_id=None)


async def _abandon(chain: Chain, account: UpstreamAccountRow) -> None:
    """The next try makes another account."""
    async with chain.site.db.transaction() as tx:
        await tx.delete(upstream_accounts, workspace_id=account["workspace_id"], id=account["id"])


async def mirror_account(
    tx: Transaction, site: Site, workspace_id: str, person: Person, project_ids: Sequence[str]
) -> None:
    """A bot to Airside, although an ordinary user there: those left out of mentions and assignees are of no use."""
    now = site.clock.now()
    await mirror_person(tx, person, now)
    await tx.update(users, {"is_bot": True, "is_active": True}, id=person.id)
    roles = dict.fromkeys(project_ids, MEMBER)
    await mirror_project_roles(tx, workspace_id, person.id, roles, now)
