"""Hashes and verifies passwords with argon2, off the event loop: each takes tens of milliseconds and 64 MiB.

Only a few run concurrently, a bounded number wait, and more are refused, so that clients can't exhaust memory or
threads.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from airside.db.base import Row
from airside.errors import Busy, Invalid
from airside.identity.guessable import is_guessable

MIN_LENGTH, MAX_LENGTH = 10, 256  # characters; the upper bound keeps hashing cheap
GUESSABLE = (
    "Others would guess this one soon. Use a few words that have nothing to do with each other or with you."
)

MAX_CONCURRENT = 2  # hashes computed at the same time, 64 MiB each
MAX_WAITING = 64  # queued hashes; more would wait for seconds

Result = TypeVar("Result")

_hasher = PasswordHasher()
workers = ThreadPoolExecutor(MAX_CONCURRENT, "argon2")
_slots = threading.BoundedSemaphore(MAX_CONCURRENT + MAX_WAITING)
# Verified for an unknown user, so that the attempt takes as long as for a known one (CWE-208).
_DUMMY_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$yVfFZNSI0Q0DdKKE3s0BRw$v00azM9OrbWtG3eLoGOs2JAqSyMspuW6Si7WLhTbLko"
)


async def hash_password(password: str, about: Iterable[str] = ()) -> str:
    """`about`: personal data, which the password must not consist of. Raises Invalid for a password that is too
    short, too long, or easy to guess."""
    check_password(password)
    return await _run(_check_and_hash, password, about)


async def is_password(password: str, hashed: str | None) -> bool:
    """Whether the password matches; takes as long without a hash (`hashed` None)."""
    right = await _run(_verify, hashed or _DUMMY_HASH, password[: MAX_LENGTH + 1])
    return right and hashed is not None


def check_password(password: str) -> None:
    if len(password) < MIN_LENGTH:
        raise Invalid({"password": [f"Use at least {MIN_LENGTH} characters."]})
    if len(password) > MAX_LENGTH:
        raise Invalid({"password": [f"Use at most {MAX_LENGTH} characters."]})


def known_of(user: Row) -> tuple[str, ...]:
    """A user's personal data, which others would try as a password."""
    return user["email"], user["display_name"], user["first_name"], user["last_name"]


def _check_and_hash(password: str, about: Iterable[str]) -> str:
    if is_guessable(password, about):
        raise Invalid({"password": [GUESSABLE]})
    return _hasher.hash(_as_bytes(password))


async def _run(work: Callable[..., Result], *arguments: Any) -> Result:
    """Raises Busy."""
    if not _slots.acquire(blocking=False):
        raise Busy
    future = workers.submit(work, *arguments)
    future.add_done_callback(lambda _: _slots.release())
    return await asyncio.wrap_future(future)


def _verify(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, _as_bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def _as_bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
