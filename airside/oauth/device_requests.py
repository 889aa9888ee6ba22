"""A device that waits for a person to sign it in: its two codes, and what the person answered (RFC 8628).

The answer itself is given on the consent page, like any other; this file is what stands between the two.
"""

import secrets
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from airside.db.base import Row, new_id
from airside.db.database import Reader, Transaction, UniqueViolation
from airside.db.statements import Statement
from airside.errors import NotFound
from airside.identity.guesses import Guesses
from airside.oauth.scopes import Grant
from airside.oauth.tables import consent_requests, device_requests
from airside.runtime.credentials import hash_credential, new_credential
from airside.runtime.site import Site

LIFETIME = timedelta(minutes=15)  # for the person to walk to a browser, sign in, and decide
INTERVAL_SECONDS = 5  # between two questions of the device, at first
LETTERS = (
    "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so no words, and nothing that looks like a digit (RFC 8628 §6.1)
)
CODE_LENGTH = 8  # letters: 2.56e10 codes, of which a person may try ten in ten minutes
PURPOSE = "user_code"
PENDING, APPROVED, DENIED, USED = "pending", "approved", "denied", "used"

_guesses = Guesses("user_code", 10, timedelta(minutes=10))
# Of many people at one address; more than one person may have, or they could lock the others out.
_guesses_of_source = Guesses("user_code_source", 100, timedelta(minutes=10))


class WrongUserCode(NotFound):
    """Unknown, used, answered and expired codes are not told apart."""

    sentence = "This code is wrong or has expired. Look at the device again, or start again there."


class NewDevice(msgspec.Struct, frozen=True):
    """The only time that a device's codes are known."""

    device_code: str
    user_code: str


async def open_device_request(
    site: Site, app_id: str, scopes: Grant, audience: str | None, source: str
) -> NewDevice:
    """Hold what a device asks for until a person comes with the user code."""
    for _ in range(3):  # two devices with one code are as rare as a wrong guess that is right
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
    """The id of a consent request for the device that shows this code.

    Raises WrongUserCode, and RateLimited for a person or an address that guesses (RFC 8628 §5.1)."""
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
            return await _hold(tx, device, now)
    raise WrongUserCode


def read_code(typed: str) -> str:
    """As people type it: small letters, dashes and spaces."""
    return "".join(letter for letter in typed.upper() if letter in LETTERS)[: CODE_LENGTH + 1]


def show_code(user_code: str) -> str:
    """As people read it."""
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
    """For composing, with the consent. Raises WrongUserCode when the device has been answered or is late."""
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
    """For composing, with the refusal."""
    await tx.update(device_requests, {"state": DENIED}, id=device_id, state=PENDING)


async def find_source(reader: Reader, device_id: str | None) -> str:
    """The address that the device asked from; empty when it is no device that asks."""
    return (
        "" if device_id is None else await reader.fetch_value(_SOURCE, id=device_id) or "an unknown address"
    )


async def _hold(tx: Transaction, device: Row, now: datetime) -> str:
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
