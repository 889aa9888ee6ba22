"""Personal API keys: they act as their owner, not limited by scopes."""

from contextlib import suppress
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from airside.db.away import Unwritable
from airside.db.base import Row, new_id
from airside.db.database import Reader
from airside.db.statements import Statement
from airside.db.text_rules import is_id, is_one_line
from airside.errors import Forbidden, Invalid, NotFound
from airside.identity.revocations import revocations
from airside.identity.revoke_keys import audit_key
from airside.identity.tables import api_keys, users
from airside.identity.users import get_user
from airside.rest.call import Caller
from airside.runtime.site import Site
from airside.system.credentials import API_KEY, hash_credential, new_credential

LABEL_LENGTH = 255  # characters
MAX_DAYS, DEFAULT_DAYS = 3650, 90  # until a key expires
NEW_KEYS = "20/hour"  # per user; all keys of a user share one API rate limit
TOUCH_EVERY = timedelta(minutes=1)  # `last_used_at` is written at most this often


class NewApiKey(msgspec.Struct, frozen=True):
    """A new key with its token, which is shown once."""

    id: str
    token: str
    expires_at: datetime | None


async def create_api_key(
    site: Site, user_id: str, *, label: str = "API key", expires_in_days: int | None = DEFAULT_DAYS
) -> NewApiKey:
    """`expires_in_days` None creates a key that never expires. A session alone isn't enough: pages ask for the
    password first. Raises Invalid, and Forbidden for a bot, whose key would bypass its app's scopes."""
    user = await get_user(site.db, user_id)
    if user["is_bot"]:
        raise Forbidden("A bot can't have an API key.")
    _check_key(label, expires_in_days)
    token, now = new_credential(API_KEY), site.clock.now()
    expires_at = None if expires_in_days is None else now + timedelta(days=expires_in_days)
    made = NewApiKey(new_id(), token, expires_at)
    row = {
        "id": made.id,
        "user_id": user_id,
        "label": label.strip() or "API key",
        "token_hash": hash_credential(token),
        "last_four": token[-4:],
        "created_at": now,
        "expires_at": expires_at,
        "last_used_at": None,
        "revoked_at": None,
    }
    async with site.db.transaction() as tx:
        await tx.insert(api_keys, row)
        await audit_key(tx, "api_key.created", now, row)
    return made


async def count_new_key(site: Site, user_id: str) -> None:
    """Count a key about to be created. Raises RateLimited."""
    await site.budgets.spend("new_keys", NEW_KEYS, user_id)


async def list_api_keys(reader: Reader, user_id: str) -> list[Row]:
    """A user's keys that aren't revoked, newest first, without their hashes."""
    return await reader.fetch_all(_KEYS_OF_USER, user_id=user_id)


async def revoke_api_key(site: Site, user_id: str, key_id: str) -> None:
    """Raises NotFound, also for another user's key."""
    async with site.db.transaction() as tx:
        key = await tx.lock(api_keys, id=key_id, user_id=user_id) if is_id(key_id) else None
        if key is None:
            raise NotFound("There is no such API key.")
        if key["revoked_at"] is not None:
            return
        now = site.clock.now()
        await tx.update(api_keys, {"revoked_at": now}, id=key["id"])
        await audit_key(tx, "api_key.revoked", now, key)
        revocations.record(tx)


async def resolve_api_key(site: Site, key: str) -> Caller | None:
    """The caller of the key; None when it is unknown, expired or revoked, or its owner is deactivated."""
    if not key.startswith(API_KEY):
        return None
    now, hashed = site.clock.now(), hash_credential(key)
    row = await site.db.fetch_one(_LIVE_KEY, token_hash=hashed, now=now)
    if row is None:
        return None
    if row["last_used_at"] is None or now - row["last_used_at"] >= TOUCH_EVERY:
        with suppress(Unwritable):  # reads still work on a read-only database
            async with site.db.transaction() as tx:
                await tx.update(api_keys, {"last_used_at": now}, id=row["id"])
    return Caller(user_id=row["user_id"], kind="api_key", budget=f"keys {row['user_id']}")


def _check_key(label: str, expires_in_days: int | None) -> None:
    if len(label) > LABEL_LENGTH or not is_one_line(label):
        raise Invalid({"label": [f"Use at most {LABEL_LENGTH} characters, without line breaks."]})
    if expires_in_days is not None and not 1 <= expires_in_days <= MAX_DAYS:
        raise Invalid({"expires_in_days": [f"Choose between 1 and {MAX_DAYS} days."]})


_LIVE_KEY = Statement(
    sa.select(api_keys.c.id, api_keys.c.user_id, api_keys.c.last_used_at)
    .join_from(api_keys, users, users.c.id == api_keys.c.user_id)
    .where(
        api_keys.c.token_hash == sa.bindparam("token_hash"),
        api_keys.c.revoked_at.is_(None),
        sa.or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > sa.bindparam("now")),
        users.c.is_active,
        users.c.is_bot.is_(False),
    )
)
_KEYS_OF_USER = Statement(
    sa.select(*(column for column in api_keys.c if column.name not in ("token_hash", "revoked_at")))
    .where(api_keys.c.user_id == sa.bindparam("user_id"), api_keys.c.revoked_at.is_(None))
    .order_by(api_keys.c.id.desc())
)
