"""Creates, finds and changes users. A bot is a user without a password, so it can't sign in."""

import re
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airside.audit.record import OPERATOR, record_audit
from airside.db.base import Row, new_id
from airside.db.database import Reader, Transaction, UniqueViolation
from airside.db.statements import Statement
from airside.db.text_rules import is_id, is_one_line, is_plain_reading, is_storable
from airside.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from airside.identity.ending_sessions import delete_sessions_of
from airside.identity.passwords import hash_password, is_password, known_of
from airside.identity.proof import require_proven
from airside.identity.revocations import revocations
from airside.identity.revoke_keys import revoke_keys_of
from airside.identity.tables import users
from airside.runtime.site import Site

NAME_LENGTH = 255  # characters of each name
NEW_PASSWORDS = "20/hour"  # password changes per user
EMAIL_LENGTH = 254  # RFC 5321 §4.5.3.1.3
BOT_DOMAIN = "bots.airside.invalid"  # never resolves (RFC 2606)

_EMAIL = re.compile(r"[^\s@<>()\",;:\\]+@[^\s@<>()\",;:\\]+")
ACTOR_FIELDS = ("id", "first_name", "last_name", "email", "avatar", "avatar_url", "display_name")


async def create_user(
    site: Site,
    *,
    email: str,
    password: str | None = None,
    first_name: str = "",
    last_name: str = "",
    display_name: str = "",
    is_operator: bool = False,
) -> Row:
    """Create a person as an operator, which proves the e-mail. Without a password they can't sign in until one is
    set. Raises Invalid and Conflict."""
    email = check_email(email)
    names = {"first_name": first_name, "last_name": last_name, "display_name": display_name}
    for name, text in names.items():
        _check_name(name, text)
    password_hash = None if password is None else await hash_password(password, (email, *names.values()))
    row = new_user_row(email, display_name or _display_name(email, first_name), site.clock.now())
    row |= {"first_name": first_name, "last_name": last_name, "email_proven_at": row["created_at"]}
    row |= {"password_hash": password_hash, "is_operator": is_operator}
    try:
        async with site.db.transaction() as tx:
            await tx.insert(users, row)
            await record_audit(
                tx,
                "user.created",
                row["created_at"],
                actor_kind=OPERATOR,
                target=("user", row["id"]),
                details={"email": email, "is_operator": is_operator},
            )
    except UniqueViolation:
        raise Conflict(f"There is a user with the e-mail {email} already.") from None
    return row


async def create_invited(tx: Transaction, email: str, name: str, password_hash: str, now: datetime) -> Row:
    """Create the user of an accepted invitation, with an unproven e-mail. Raises Invalid, and UniqueViolation for a
    known e-mail."""
    _check_name("name", name)
    row = new_user_row(email, name, now) | {"password_hash": password_hash}
    await tx.insert(users, row)
    await record_audit(
        tx, "user.created", now, actor_id=row["id"], target=("user", row["id"]), details={"email": email}
    )
    return row


async def create_bot(tx: Transaction, display_name: str, now: datetime) -> Row:
    """The user that an installed app acts as."""
    row = new_user_row("", display_name, now)
    row |= {"email": f"bot-{row['id']}@{BOT_DOMAIN}", "is_bot": True}
    await tx.insert(users, row)
    return row


async def create_named(tx: Transaction, display_name: str, now: datetime) -> Row:
    """Somebody from elsewhere without an account here: a name that nobody can sign in as, or make a member."""
    row = new_user_row("", display_name, now)
    row |= {"email": f"named-{row['id']}@{BOT_DOMAIN}", "is_bot": True, "is_active": False}
    await tx.insert(users, row)
    return row


async def find_user(reader: Reader, user_id: str) -> Row | None:
    return await reader.find(users, id=user_id) if is_id(user_id) else None


async def get_user(reader: Reader, user_id: str) -> Row:
    """Raises NotFound."""
    found = await find_user(reader, user_id)
    if found is None:
        raise NotFound("There is no such user.")
    return found


async def find_user_by_email(reader: Reader, email: str) -> Row | None:
    email = email.strip().lower()
    return await reader.find(users, email=email) if is_storable(email) else None


async def count_people(reader: Reader) -> int:
    """How many users aren't bots; 0 on an instance's first start."""
    return await reader.fetch_value(_COUNT_PEOPLE)


async def set_password(site: Site, user_id: str, password: str, *, revoke_keys: bool = False) -> int:
    """Reset a user's password as an operator; revokes all their sessions and grants to apps.

    `revoke_keys` also revokes their API keys; off by default, since scripts use them and most users have only
    forgotten the password. Returns how many keys were revoked. Raises Invalid and NotFound."""
    user = await get_user(site.db, user_id)
    if user["is_bot"]:
        raise Invalid({"user": ["A bot can't have a password."]})
    hashed, now = await hash_password(password, known_of(user)), site.clock.now()
    async with site.db.transaction() as tx:
        await _store_password(tx, user_id, hashed, now, actor_kind=OPERATOR)
        await site.tokens.revoke_of_user(
            tx, user_id, "password_reset", now
        )  # the old password may have leaked
        return await revoke_keys_of(tx, user_id, now) if revoke_keys else 0


async def change_password(site: Site, user_id: str, old: str, new: str, *, keep_session: str) -> None:
    """Change one's own password; revokes the other sessions. `keep_session` is a Session's `id_hash`.

    Raises Invalid, and RateLimited, since each change costs two hashes."""
    user = await get_user(site.db, user_id)
    await site.budgets.spend("new_passwords", NEW_PASSWORDS, user_id)
    if not await is_password(old, user["password_hash"]):
        raise Invalid({"old_password": ["That is not your password."]})
    hashed, now = await hash_password(new, known_of(user)), site.clock.now()
    async with site.db.transaction() as tx:
        await _store_password(tx, user_id, hashed, now, keep_session, actor_id=user_id)


async def deactivate_user(site: Site, user_id: str, by_user_id: str | None = None) -> int:
    """Deactivate a user and revoke their sessions, keys and tokens; returns how many keys. Idempotent.

    `by_user_id`: the operator on a page; None for the command line. Raises NotFound, and Refused for a bot, for
    oneself and for the last operator."""
    now = site.clock.now()
    async with site.db.transaction() as tx:
        user = await _lock_person(tx, user_id, by_user_id)
        if not user["is_active"]:
            return 0
        if user_id == by_user_id:
            raise Refused("You can't deactivate yourself. Ask another operator.")
        if user["is_operator"] and not await tx.fetch_value(_OTHER_OPERATORS, user_id=user_id):
            raise Refused("This is the last operator. Make somebody else operator first.")
        await tx.update(users, {"is_active": False, "updated_at": now}, id=user_id)
        await delete_sessions_of(tx, user_id)
        await record_audit(tx, "user.deactivated", now, target=("user", user_id), **_by(by_user_id))
        await site.tokens.revoke_of_user(tx, user_id, "user_deactivated", now)
        revocations.record(tx)
        return await revoke_keys_of(tx, user_id, now)


async def reactivate_user(site: Site, user_id: str, by_user_id: str | None = None) -> None:
    """Let a user sign in again; revoked credentials stay revoked. Idempotent. Raises NotFound and Refused."""
    now = site.clock.now()
    async with site.db.transaction() as tx:
        user = await _lock_person(tx, user_id, by_user_id)
        if user["is_active"]:
            return
        await tx.update(users, {"is_active": True, "updated_at": now}, id=user_id)
        await record_audit(tx, "user.reactivated", now, target=("user", user_id), **_by(by_user_id))


async def _lock_person(tx: Transaction, user_id: str, by_user_id: str | None) -> Row:
    if by_user_id is not None:
        await require_operator(tx, by_user_id)
    user = await tx.lock(users, id=user_id) if is_id(user_id) else None
    if user is None:
        raise NotFound("There is no such user.")
    if user["is_bot"]:
        raise Refused("This is an app's bot. Suspend or uninstall the app instead.")
    return user


def _by(user_id: str | None) -> dict[str, Any]:
    """The actor, for the audit log."""
    return {"actor_kind": OPERATOR} if user_id is None else {"actor_id": user_id}


async def set_operator(site: Site, user_id: str, is_operator: bool, *, accept_unproven: bool = False) -> Row:
    """Make a user an operator of this instance, or end that. Idempotent.

    Only for the command line, whose users operate the instance already. Raises NotFound, Invalid, UnprovenEmail."""
    now = site.clock.now()
    async with site.db.transaction() as tx:
        user = await tx.lock(users, id=user_id) if is_id(user_id) else None
        if user is None:
            raise NotFound("There is no such user.")
        if user["is_bot"]:
            raise Invalid({"user": ["A bot can't be an operator."]})
        if user["is_operator"] == is_operator:
            return user
        require_proven(user, accept_unproven=accept_unproven or not is_operator)
        changes = {"is_operator": is_operator, "updated_at": now}
        await tx.update(users, changes, id=user_id)
        action = "user.operator_added" if is_operator else "user.operator_removed"
        await record_audit(tx, action, now, actor_kind=OPERATOR, target=("user", user_id))
    return user | changes


async def require_operator(reader: Reader, user_id: str) -> Row:
    """The user, if they are an active operator of this instance. Raises Forbidden."""
    user = await find_user(reader, user_id)
    if user is None or not user["is_operator"] or not user["is_active"]:
        raise Forbidden("Only operators of this instance may do this.")
    return user


def actor_of(user: Row) -> dict[str, Any]:
    """The seven fields of an event's actor."""
    return {name: user.get(name) for name in ACTOR_FIELDS}


def check_email(email: str) -> str:
    """The normalized e-mail. Raises Invalid."""
    email = email.strip().lower()
    if len(email) > EMAIL_LENGTH or not is_plain_reading(email) or not _EMAIL.fullmatch(email):
        raise Invalid({"email": ["Enter a valid e-mail address."]})
    return email


def new_user_row(email: str, display_name: str, now: datetime) -> Row:
    """Every column of a user, so that all inserts share one statement."""
    return {
        "id": new_id(),
        "email": email,
        "first_name": "",
        "last_name": "",
        "display_name": display_name,
        "avatar": "",
        "avatar_url": None,
        "timezone": "UTC",
        "password_hash": None,
        "email_proven_at": None,
        "is_bot": False,
        "is_active": True,
        "is_operator": False,
        "created_at": now,
        "updated_at": now,
    }


async def _store_password(
    tx: Transaction, user_id: str, hashed: str, now: datetime, keep_session: str = "", **by: Any
) -> None:
    await tx.update(users, {"password_hash": hashed, "updated_at": now}, id=user_id)
    await delete_sessions_of(tx, user_id, keep=keep_session)
    await record_audit(tx, "user.password_changed", now, target=("user", user_id), **by)


def _display_name(email: str, first_name: str) -> str:
    return first_name or email.split("@")[0]


def _check_name(field: str, text: str) -> None:
    if len(text) > NAME_LENGTH:
        raise Invalid({field: [f"Use at most {NAME_LENGTH} characters."]})
    if not is_one_line(text):
        raise Invalid({field: ["It can't have line breaks or control characters."]})


_COUNT_PEOPLE = Statement(
    sa.select(sa.func.count().label("people")).select_from(users).where(users.c.is_bot.is_(False))
)
_OTHER_OPERATORS = Statement(
    sa.select(users.c.id)
    .where(users.c.is_operator, users.c.is_active, users.c.id != sa.bindparam("user_id"))
    .limit(1)
)
