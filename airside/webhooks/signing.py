"""Signatures of deliveries: Plane's header, and the Standard Webhooks headers.

The HMAC key of both is the UTF-8 of the whole secret `plane_wh_…`. Libraries for Standard Webhooks
(standardwebhooks.com) take it as `whsec_` + base64 of those bytes; `spell_whsec` writes it so.
"""

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from airside.system.credentials import SIGNING, Sealer

SECRET = SIGNING  # the purpose that every webhook secret is sealed for
OVERLAP = timedelta(hours=24)  # how long a replaced secret still signs, unless its owner ends it earlier


def last_four(sealer: Sealer, sealed: str) -> str:
    """The end of a sealed secret, by which people recognize it; "" when its key is no longer configured."""
    try:
        return sealer.unseal(sealed, SECRET)[-4:]
    except ValueError:
        return ""


def earlier_secret(previous: str | None, until: datetime | None, now: datetime) -> str | None:
    """The replaced secret while it still signs, sealed."""
    return previous if until is not None and now < until else None


def sign_on(
    present: str, previous: str | None, until: datetime | None, now: datetime
) -> tuple[str, datetime]:
    """Which secret keeps signing beside a new one, and until when; all of them sealed.

    It is the one that the receiver certainly has: an earlier one that still signs, else the current one."""
    return earlier_secret(previous, until, now) or present, now + OVERLAP


def sign_body(body: bytes, secret: str) -> str:
    """The value of X-Plane-Signature: hex HMAC-SHA256 of the raw body."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


def sign_headers(
    body: bytes, secrets: Sequence[str], *, event_id: str, part: int, at: datetime
) -> dict[str, str]:
    """The signature headers of one attempt. `secrets` has the current one first.

    `webhook-signature` has a signature for each secret. X-Plane-Signature has room for one: the replaced secret's
    while there is one, since the receiver certainly has that. `webhook-id` is the same for all retries and
    redeliveries; `webhook-timestamp` is the attempt's."""
    message_id, timestamp = message_id_of(event_id, part), str(int(at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "X-Plane-Signature": sign_body(body, secrets[-1]),
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{_sign_standard(signed, secret)}" for secret in secrets),
    }


def message_id_of(event_id: str, part: int) -> str:
    """The event's id; v1 sends one event in several parts, which a receiver must not take for duplicates."""
    return f"{event_id}-{part}" if part else event_id


def spell_whsec(secret: str) -> str:
    """The secret in the format of libraries for Standard Webhooks."""
    return "whsec_" + base64.b64encode(secret.encode()).decode()


def _sign_standard(signed: bytes, secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode()
