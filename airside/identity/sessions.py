"""Signing in, and the session that a browser's cookie names. Stored by its hash; a new id at each sign-in."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from airside.audit.record import UNKNOWN, record_audit
from airside.db.away import Unwritable
from airside.db.base import Row
from airside.db.statements import Statement
from airside.errors import AirsideError
from airside.identity.guesses import Guesses
from airside.identity.known_browsers import find_handle
from airside.identity.passwords import is_password
from airside.identity.sources import guesser
from airside.identity.storable import drop_unstorable
from airside.identity.tables import sessions, users
from airside.identity.users import find_user_by_email
from airside.runtime.credentials import hash_credential, new_credential
from airside.runtime.site import Site

IDLE = timedelta(days=14)  # a session that isn't used for so long ends
MAX_AGE = timedelta(days=90)  # and every session ends so long after its sign-in
TOUCH_EVERY = timedelta(minutes=1)  # `last_seen_at` is written no more often

GUESSES = Guesses("sign_in", 10, timedelta(minutes=5))
# Trying one password on many people; far above what an office behind one address gets wrong.
GUESSES_OF_SOURCE = Guesses("sign_in_source", 100, timedelta(minutes=5))
# In a browser in which this person has signed in before, in place of both.
GUESSES_OF_BROWSER = Guesses("sign_in_browser", 10, timedelta(minutes=5))


class WrongSignIn(AirsideError):
    """Unknown e-mail, wrong password, a bot, a deactivated user: not told apart."""

    status = 401
    sentence = "The e-mail or the password is wrong."


class Session(msgspec.Struct, frozen=True):
    """Who is signed in. `id_hash` is what CSRF tokens and consent requests are bound to."""

    id_hash: str
    user: Row

    @property
    def user_id(self) -> str:
        return self.user["id"]


async def sign_in(
    site: Site,
    email: str,
    password: str,
    *,
    source: str = "",
    user_agent: str = "",
    replaces: str = "",
    browser: str = "",
) -> str:
    """The id of a new session, for the cookie. `replaces` is the id that the browser came with, which ends;
    `browser` is its cookie of those who signed in there before (known_browsers.py).

    Raises WrongSignIn, and RateLimited after too many failures for this e-mail from this source or browser."""
    email = email.strip().lower()
    user = await find_user_by_email(site.db, email)
    handle = find_handle(site, browser, user["id"]) if user is not None else ""
    guess = _Guess(site, email, guesser(source), handle)
    await guess.spend()
    may_sign_in = user is not None and user["is_active"] and not user["is_bot"]
    hashed = user["password_hash"] if user is not None and may_sign_in else None
    if not await is_password(password, hashed) or user is None:
        await _record_failure(site, user)
        raise WrongSignIn
    await guess.forgive()
    return await start_session(site, user["id"], source=source, user_agent=user_agent, replaces=replaces)


class _Guess(NamedTuple):
    """One attempt to sign in: counted for the browser where it is known, else for the address."""

    site: Site
    email: str
    source: str
    handle: str  # of the known browser; empty: it isn't

    async def spend(self) -> None:
        """Raises RateLimited."""
        async with self.site.db.transaction() as tx:
            if self.handle:
                await GUESSES_OF_BROWSER.spend(tx, self.site, self.email, self.handle)
                return
            await GUESSES.spend(tx, self.site, self.email, self.source)
            await GUESSES_OF_SOURCE.spend(tx, self.site, self.source)

    async def forgive(self) -> None:
        """It was right."""
        async with self.site.db.transaction() as tx:
            if self.handle:
                await GUESSES_OF_BROWSER.forget(tx, self.site, self.email, self.handle)
                return
            await GUESSES.forget(tx, self.site, self.email, self.source)
            await GUESSES_OF_SOURCE.give_back(tx, self.site, self.source)


async def start_session(
    site: Site, user_id: str, *, source: str = "", user_agent: str = "", replaces: str = ""
) -> str:
    """The id of a new session of a person whose identity has been established."""
    session_id, now = new_credential(), site.clock.now()
    row = {
        "id_hash": hash_credential(session_id),
        "user_id": user_id,
        "created_at": now,
        "last_seen_at": now,
        "expires_at": now + IDLE,
        "ip_address": drop_unstorable(source, 64),
        "user_agent": drop_unstorable(user_agent, 300),
    }
    async with site.db.transaction() as tx:
        if replaces:
            await tx.delete(sessions, id_hash=hash_credential(replaces))
        await tx.insert(sessions, row)
        await record_audit(tx, "user.signed_in", now, actor_id=user_id, target=("user", user_id))
    return session_id


async def find_session(site: Site, session_id: str) -> Session | None:
    """The live session of this id, which thereby stays alive."""
    now = site.clock.now()
    row = await site.db.fetch_one(_LIVE_SESSION, id_hash=hash_credential(session_id), now=now)
    if row is None:
        return None
    if now - row["last_seen_at"] >= TOUCH_EVERY:
        await _touch(site, row, now)
    user = {name: value for name, value in row.items() if name in users.c and name != "password_hash"}
    return Session(row["id_hash"], user)


async def end_session(site: Site, session_id: str) -> None:
    async with site.db.transaction() as tx:
        session = await tx.find(sessions, id_hash=hash_credential(session_id))
        if session is None:
            return
        await tx.delete(sessions, id_hash=session["id_hash"])
        user_id = session["user_id"]
        await record_audit(
            tx, "user.signed_out", site.clock.now(), actor_id=user_id, target=("user", user_id)
        )


async def _record_failure(site: Site, user: Row | None) -> None:
    """Of an unknown e-mail only that there was one: what was typed there may be a password."""
    target = ("user", user["id"] if user else None)
    async with site.db.transaction() as tx:
        await record_audit(tx, "user.sign_in_failed", site.clock.now(), actor_kind=UNKNOWN, target=target)


async def _touch(site: Site, row: Row, now: datetime) -> None:
    changes = {"last_seen_at": now, "expires_at": min(now + IDLE, row["session_created_at"] + MAX_AGE)}
    with suppress(Unwritable):  # what can still be read is shown
        async with site.db.transaction() as tx:
            await tx.update(sessions, changes, id_hash=row["id_hash"])


_LIVE_SESSION = Statement(
    sa.select(
        users,
        sessions.c.id_hash,
        sessions.c.last_seen_at,
        sessions.c.created_at.label("session_created_at"),
    )
    .join_from(sessions, users, users.c.id == sessions.c.user_id)
    .where(
        sessions.c.id_hash == sa.bindparam("id_hash"),
        sessions.c.expires_at > sa.bindparam("now"),
        users.c.is_active,
        users.c.is_bot.is_(False),
    )
)
