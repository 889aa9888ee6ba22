"""Pending requests of the device flow: their two codes and the user's decision (RFC 8628).

The decision itself is made on the consent page, as for any client.
"""

import secrets
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from airside.apps.scopes import Grant
from airside.db.base import new_id
from airside.db.database import Reader, Transaction, UniqueViolation
from airside.db.statements import Statement
from airside.errors import NotFound
from airside.identity.guesses import Guesses
from airside.oauth.tables import DeviceRequestRow, consent_requests, device_requests
from airside.runtime.site import Site
from airside.system.credentials import hash_credential, new_credential

LIFETIME = timedelta(minutes=15)  # for the user to open a browser, sign in, and decide
INTERVAL_SECONDS = 5  # initial polling interval of the device
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so no words, and no digit look-alikes (RFC 8628 §6.1)
CODE_LENGTH = 8  # letters: 2.56e10 codes, and a user may try ten in ten minutes
PURPOSE = "user_code"
PENDING, APPROVED, DENIED, USED = "pending", "approved", "denied", "used"

_guesses = Guesses("user_code", 10, timedelta(minutes=10))
# Per address, shared by many users; higher than the limit of one user, who could otherwise lock out the others.
_guesses_of_source = Guesses("user_code_source", 100, timedelta(minutes=10))


class WrongUserCode(NotFound):
    """The code is unknown, used, decided or expired; the error is the same for all."""

    sentence = "This code is wrong or has expired. Look at the device again, or start again there."


class NewDevice(msgspec.Struct, frozen=True):
    """A new device request with its codes, which are returned only here and stored as hash and MAC."""

    device_code: str
    user_code: str


async def open_device_request(
    site: Site, app_id: str, scopes: Grant, audience: str | None, source: str
) -> NewDevice:
    """Store a device's request until a user enters its user code."""
    for _ in range(3):  # a collision is as rare as a lucky guess
        device = NewDevice(new_credential(), "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH)))
        row = {
            "id": new_id(),
            "device_code_hash": hash_credential(device.device_code),
            "user_code_mac": site.sealer.sign(device.user_code, PURPOSE),
            "app_id": app_id,
            "scopes": scopes,
            "audience": audience,
            "source": source,
            "state": PENDING,
            "interval_seconds": INTERVAL_SECONDS,
            "created_at": site.clock.now(),
            "expires_at": site.clock.now() + LIFETIME,
        }
        try:
            async with site.db.transaction() as tx:
                await tx.insert(device_requests, row)
        except UniqueViolation:
            continue
        return device
    raise RuntimeError("no free user code")


async def ask_for_device(site: Site, user_code: str, user_id: str, source: str) -> str:
    """Open a consent request for the device with this user code; returns its id.

    Raises WrongUserCode, and RateLimited for a user or an address that guesses (RFC 8628 §5.1)."""
    guessers = [(_guesses, user_id), (_guesses_of_source, source)]
    async with site.db.transaction() as tx:
        for guesses, key in guessers:
            await guesses.spend(tx, site, key)
    now = site.clock.now()
    async with site.db.transaction() as tx:
        device = await tx.lock(device_requests, user_code_mac=site.sealer.sign(read_code(user_code), PURPOSE))
        if device is not None and device["state"] == PENDING and device["expires_at"] > now:
            for guesses, key in guessers:
                await guesses.give_back(tx, site, key)
            return await _open_consent_request(tx, device, now)
    raise WrongUserCode


def read_code(typed: str) -> str:
    """Normalize a typed user code: case, dashes and spaces don't matter."""
    return "".join(letter for letter in typed.upper() if letter in LETTERS)[: CODE_LENGTH + 1]


def show_code(user_code: str) -> str:
    """The user code as it is displayed."""
    return f"{user_code[:4]}-{user_code[4:]}"


async def approve_device(
    tx: Transaction,
    site: Site,
    device_id: str,
    workspace_id: str,
    installation_id: str | None,
    user_id: str,
    grant: Grant,
) -> None:
    """Within the consent's transaction. Raises WrongUserCode when the request was decided or has expired."""
    device = await tx.lock(device_requests, id=device_id)
    if device is None or device["state"] != PENDING or device["expires_at"] <= site.clock.now():
        raise WrongUserCode
    changes = {
        "state": APPROVED,
        "installation_id": installation_id,
        "workspace_id": workspace_id,
        "user_id": user_id,
        "scopes": grant,
    }
    await tx.update(device_requests, changes, id=device_id)


async def deny_device(tx: Transaction, device_id: str) -> None:
    """Within the transaction of the refusal."""
    await tx.update(device_requests, {"state": DENIED}, id=device_id, state=PENDING)


async def find_source(reader: Reader, device_id: str | None) -> str:
    """The address that the device's request came from; empty without a device."""
    return (
        "" if device_id is None else await reader.fetch_value(_SOURCE, id=device_id) or "an unknown address"
    )


async def _open_consent_request(tx: Transaction, device: DeviceRequestRow, now: datetime) -> str:
    request_id = new_id()
    row = {
        "id": request_id,
        "app_id": device["app_id"],
        "redirect_uri": "",
        "redirect_uri_given": False,
        "scopes": device["scopes"],
        "state": None,
        "code_challenge": None,
        "audience": device["audience"],
        "device_request_id": device["id"],
        "session_hash": None,
        "workspace_id": None,
        "created_at": now,
        "expires_at": device["expires_at"],
    }
    await tx.insert(consent_requests, row)
    return request_id


_SOURCE = Statement(sa.select(device_requests.c.source).where(device_requests.c.id == sa.bindparam("id")))
