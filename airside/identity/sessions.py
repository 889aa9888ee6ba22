"""Sign-in, and the session of the browser's cookie. Stored by its hash; each sign-in gets a new id."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from airside.audit.record import UNKNOWN, record_audit
from airside.audit.sources import guesser
from airside.db.away import Unwritable
from airside.db.base import Row
from airside.db.statements import Statement
from airside.db.text_rules import drop_unstorable
from airside.errors import AirsideError
from airside.identity.ending_sessions import delete_session
from airside.identity.guesses import Guesses
from airside.identity.known_browsers import find_handle
from airside.identity.passwords import is_password
from airside.identity.tables import sessions, users
from airside.identity.users import find_user_by_email
from airside.runtime.site import Site
from airside.system.credentials import hash_credential, new_credential

IDLE = timedelta(days=14)  # a session expires after this long without use
MAX_AGE = timedelta(days=90)  # and at the latest this long after its sign-in
TOUCH_EVERY = timedelta(minutes=1)  # `last_seen_at` is written at most this often

GUESSES = Guesses("sign_in", 10, timedelta(minutes=5))
# Against password spraying; far above the typos of an office behind one address.
GUESSES_OF_SOURCE = Guesses("sign_in_source", 100, timedelta(minutes=5))
# Instead of both, in a browser in which this user has signed in before.
GUESSES_OF_BROWSER = Guesses("sign_in_browser", 10, timedelta(minutes=5))


class WrongSignIn(AirsideError):
    """Unknown e-mail, wrong password, a bot, or a deactivated user: the error is the same for all."""

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
    """The id of a new session, for the cookie. `replaces` is the browser's previous session id, which is revoked;
    `browser` is its device cookie (known_browsers.py).

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
    """A sign-in attempt: counted per known browser, else per address."""

    site: Site
    email: str
    source: str
    handle: str  # of the known browser; empty for an unknown one

    async def spend(self) -> None:
        """Raises RateLimited."""
        async with self.site.db.transaction() as tx:
            if self.handle:
                await GUESSES_OF_BROWSER.spend(tx, self.site, self.email, self.handle)
                return
            await GUESSES.spend(tx, self.site, self.email, self.source)
            await GUESSES_OF_SOURCE.spend(tx, self.site, self.source)

    async def forgive(self) -> None:
        """Reset the limits after a right password."""
        async with self.site.db.transaction() as tx:
            if self.handle:
                await GUESSES_OF_BROWSER.forget(tx, self.site, self.email, self.handle)
                return
            await GUESSES.forget(tx, self.site, self.email, self.source)
            await GUESSES_OF_SOURCE.give_back(tx, self.site, self.source)


async def start_session(
    site: Site,
    user_id: str,
    *,
    source: str = "",
    user_agent: str = "",
    replaces: str = "",
    idle: timedelta = IDLE,
) -> str:
    """The id of a new session of a user who has authenticated; it expires after `idle` without use."""
    session_id, now = new_credential(), site.clock.now()
    row = {
        "id_hash": hash_credential(session_id),
        "user_id": user_id,
        "created_at": now,
        "last_seen_at": now,
        "expires_at": now + idle,
        "ip_address": drop_unstorable(source, 64),
        "user_agent": drop_unstorable(user_agent, 300),
    }
    async with site.db.transaction() as tx:
        if replaces:
            await delete_session(tx, hash_credential(replaces))
        await tx.insert(sessions, row)
        await record_audit(tx, "user.signed_in", now, actor_id=user_id, target=("user", user_id))
    return session_id


async def find_session(site: Site, session_id: str, idle: timedelta = IDLE) -> Session | None:
    """The live session with this id; extends its idle timeout to `idle` from now."""
    now = site.clock.now()
    row = await site.db.fetch_one(_LIVE_SESSION, id_hash=hash_credential(session_id), now=now)
    if row is None:
        return None
    if now - row["last_seen_at"] >= TOUCH_EVERY:
        await _touch(site, row, now, idle)
    user = {name: value for name, value in row.items() if name in users.c and name != "password_hash"}
    return Session(row["id_hash"], user)


async def end_session(site: Site, session_id: str) -> None:
    async with site.db.transaction() as tx:
        session = await tx.find(sessions, id_hash=hash_credential(session_id))
        if session is None:
            return
        await delete_session(tx, session["id_hash"])
        user_id = session["user_id"]
        await record_audit(
            tx, "user.signed_out", site.clock.now(), actor_id=user_id, target=("user", user_id)
        )


async def _record_failure(site: Site, user: Row | None) -> None:
    """An unknown e-mail isn't recorded: the user may have typed a password there."""
    target = ("user", user["id"] if user else None)
    async with site.db.transaction() as tx:
        await record_audit(tx, "user.sign_in_failed", site.clock.now(), actor_kind=UNKNOWN, target=target)


async def _touch(site: Site, row: Row, now: datetime, idle: timedelta) -> None:
    changes = {"last_seen_at": now, "expires_at": min(now + idle, row["session_created_at"] + MAX_AGE)}
    with suppress(Unwritable):  # reads still work on a read-only database
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
