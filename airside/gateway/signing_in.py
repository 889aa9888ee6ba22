"""Signs people in by their session at the Community Edition, and asks it again who they are.

Airside's session is its own: its cookie, its CSRF tokens, its end. It lasts only while the Community Edition's
session that it was begun with does, whose cookie comes with each request and is kept as a hash (GW1, GW2, GW10)."""

import asyncio
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

import msgspec
import sqlalchemy as sa
import structlog

from airside.audit.record import record_audit
from airside.db.database import Transaction, UniqueViolation
from airside.db.statements import Statement
from airside.errors import Forbidden, Unavailable
from airside.gateway.client import SESSION_COOKIE, Cookies, Reply, Unreachable, UpstreamClient, upstream_of
from airside.gateway.mirror import (
    Person,
    Project,
    Workspace,
    mirror_person,
    mirror_project_roles,
    mirror_projects,
    mirror_workspaces,
)
from airside.gateway.tables import UpstreamSessionRow, upstream_sessions
from airside.identity.ending_sessions import delete_session
from airside.identity.sessions import Session, start_session
from airside.identity.tables import sessions
from airside.identity.users import get_user
from airside.runtime.site import Site
from airside.system.credentials import hash_credential

CHECK_EVERY = timedelta(minutes=1)  # after which a request asks again whose session it is
JUST_NOW = timedelta(seconds=2)  # a check at once isn't repeated within this time
IDLE = timedelta(hours=12)  # without use; a new session is begun without asking anybody
ASK_SECONDS = 10  # for all answers together
MAX_AT_ONCE = 4  # requests about one person's workspaces
SIGNED_OUT = (401, 403)
GONE = (403, 404)  # a workspace that the person left between two answers
BATCH = 1000  # rows of one purge

Shape = TypeVar("Shape")
# Nothing that could end a header or begin another cookie.
_SESSION_ID = re.compile(r"[A-Za-z0-9_.:~-]{1,200}")
_log = structlog.get_logger()


class Unchecked(Unavailable):
    """The Community Edition can't be asked who somebody is."""

    sentence = "Plane can't be reached, so Airside can't check who you are. Try again in a few seconds."


class NoAccess(Forbidden):
    """An account that an operator deactivated here, or an app's."""

    sentence = "Your Plane account can't be used in Airside. Ask an operator of this site."


class WorkspaceProjects(NamedTuple):
    """What a person sees of a workspace; `roles` has the projects that they are a member of."""

    workspace_id: str
    listed: list[Project]
    roles: dict[str, int]


class Answer(NamedTuple):
    """Who a session belongs to, with everything that they are a member of."""

    person: Person
    workspaces: list[Workspace]
    projects: list[WorkspaceProjects]


def cookies_of(sent: Mapping[str, str]) -> Cookies:
    """The Community Edition's session among a request's cookies; empty for none, and for one it wouldn't make."""
    session = sent.get(SESSION_COOKIE, "")
    return Cookies(session if _SESSION_ID.fullmatch(session) else "")


async def ask_who(site: Site, cookies: Cookies) -> Answer | None:
    """None for a session that is over. Raises Unchecked."""
    if not cookies.session:
        return None
    try:
        async with asyncio.timeout(ASK_SECONDS):
            return await _ask(upstream_of(site), cookies)
    except (Unreachable, TimeoutError, msgspec.ValidationError) as failure:
        _log.warning("upstream_session_unchecked", reason=type(failure).__name__)
        raise Unchecked from None


async def _ask(client: UpstreamClient, cookies: Cookies) -> Answer | None:
    reply = await client.get("/api/users/me/", cookies)
    if reply.status in SIGNED_OUT:
        return None
    person = _read(reply, Person)
    workspaces = _read(await client.get("/api/users/me/workspaces/", cookies), list[Workspace])
    limit = asyncio.Semaphore(MAX_AT_ONCE)
    found = await asyncio.gather(*(_ask_projects(client, cookies, one, limit) for one in workspaces))
    return Answer(person, workspaces, [one for one in found if one is not None])


async def _ask_projects(
    client: UpstreamClient, cookies: Cookies, workspace: Workspace, limit: asyncio.Semaphore
) -> WorkspaceProjects | None:
    slug = quote(workspace.slug, safe="")
    async with limit:
        listed = await client.get(f"/api/workspaces/{slug}/projects/", cookies)
        roles = await client.get(f"/api/users/me/workspaces/{slug}/project-roles/", cookies)
    if listed.status in GONE or roles.status in GONE:
        return None
    return WorkspaceProjects(workspace.id, _read(listed, list[Project]), _read(roles, dict[str, int]))


def _read(reply: Reply, shape: type[Shape]) -> Shape:
    """Raises Unreachable for any other answer, such as 429, and msgspec.ValidationError."""
    if not reply.is_ok:
        raise Unreachable
    return msgspec.convert(reply.json(), shape)


async def begin_session(
    site: Site, cookies: Cookies, *, source: str = "", user_agent: str = "", replaces: str = ""
) -> str | None:
    """The id of a new session of ours, for the cookie; None where nobody is signed in at the Community Edition.

    `replaces` is the browser's previous session id, which is revoked. Raises Unchecked and NoAccess."""
    asked_at = site.clock.now()
    answer = await ask_who(site, cookies)
    if answer is None:
        return None
    await keep_answer(site, answer)
    user = await get_user(site.db, answer.person.id)
    if user["is_bot"] or not user["is_active"]:
        raise NoAccess
    session_id = await start_session(
        site, user["id"], source=source, user_agent=user_agent, replaces=replaces, idle=IDLE
    )
    row: UpstreamSessionRow = {
        "id_hash": hash_credential(session_id),
        "cookie_hash": hash_credential(cookies.session),
        "checked_at": asked_at,
    }
    async with site.db.transaction() as tx:
        await tx.insert(upstream_sessions, row)
    return session_id


async def find_begun(site: Site, session: Session, cookies: Cookies) -> UpstreamSessionRow | None:
    """What the session was begun with; None unless that is the cookie that came with the request."""
    row = await site.db.find(upstream_sessions, id_hash=session.id_hash)
    is_same = row is not None and row["cookie_hash"] == hash_credential(cookies.session)
    return row if is_same and cookies.session else None


async def check_session(site: Site, session: Session, cookies: Cookies) -> bool:
    """Ask whose session it is now, and keep the answer. False: it is over, or another person's, and ours is ended.

    Raises Unchecked."""
    asked_at = site.clock.now()
    answer = await ask_who(site, cookies)
    if answer is None or answer.person.id != session.user_id:
        await end_session(site, session)
        return False
    await keep_answer(site, answer, checked=(session.id_hash, asked_at))
    return True


async def end_session(site: Site, session: Session) -> None:
    """Of ours alone. Idempotent."""
    async with site.db.transaction() as tx:
        if await tx.find(sessions, id_hash=session.id_hash) is None:
            return
        await delete_session(tx, session.id_hash)
        await tx.delete(upstream_sessions, id_hash=session.id_hash)
        target = ("user", session.user_id)
        await record_audit(tx, "user.signed_out", site.clock.now(), actor_id=session.user_id, target=target)


async def keep_answer(site: Site, answer: Answer, checked: tuple[str, datetime] | None = None) -> None:
    """Store it as mirror rows, in one transaction. `checked`: the `id_hash` of the session that was asked about,
    and when.

    A project that isn't listed may be one that the person doesn't see, so none is deleted by that."""
    try:
        async with site.db.transaction() as tx:
            await _keep(tx, site, answer, checked)
    except UniqueViolation:  # two people of one workspace signed in at once
        async with site.db.transaction() as tx:
            await _keep(tx, site, answer, checked)


async def _keep(tx: Transaction, site: Site, answer: Answer, checked: tuple[str, datetime] | None) -> None:
    """In the order of their ids, so that two transactions don't wait for each other."""
    now, user_id = site.clock.now(), answer.person.id
    await mirror_person(tx, answer.person, now)
    await mirror_workspaces(tx, site, user_id, sorted(answer.workspaces, key=lambda one: one.id))
    for seen in sorted(answer.projects, key=lambda one: one.workspace_id):
        listed = sorted(seen.listed, key=lambda one: one.id)
        await mirror_projects(tx, seen.workspace_id, listed, is_complete=False, now=now)
        roles = dict(sorted(seen.roles.items()))
        await mirror_project_roles(tx, seen.workspace_id, user_id, roles, now)
    if checked is not None:
        changes: Any = {"checked_at": checked[1]}
        await tx.update(upstream_sessions, changes, id_hash=checked[0])


async def purge_ended(site: Site) -> int:
    """Delete what is left of sessions that expired or were ended elsewhere; returns how many."""
    purged = 0
    while True:
        async with site.db.transaction() as tx:
            deleted = await tx.execute(_PURGE)
        purged += deleted
        if deleted < BATCH:
            return purged


_over = upstream_sessions.alias("over")
_PURGE = Statement(
    sa.delete(upstream_sessions).where(
        upstream_sessions.c.id_hash.in_(
            sa.select(_over.c.id_hash)
            .where(~sa.exists().where(sessions.c.id_hash == _over.c.id_hash))
            .limit(sa.literal_column(str(BATCH)))
        )
    )
)
