"""Idempotency-Key on writes: a repeat gets the first answer, and changes nothing
(draft-ietf-httpapi-idempotency-key-header-06).

A key belongs to its caller in a workspace. A refused request isn't kept: it may be sent again.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from airside.db.large_values import LARGE_TEXT
from airside.db.one_transaction import OneTransaction
from airside.errors import AirsideError, Conflict, Invalid
from airside.http.answer import Answer
from airside.http.request import Request
from airside.rest.call import Call
from airside.rest.route import Route
from airside.rest.stored_answers import (
    KEEP,
    KeyBusy,
    KeyTaken,
    StoredAnswerRow,
    claim_key,
    find_stored,
    open_answer,
    store_answer,
)

HEADER = "Idempotency-Key"
MAX_KEY_LENGTH = 255  # characters, as with Stripe
MALFORMED = (
    f"Use 1 to {MAX_KEY_LENGTH} ASCII characters without quotes, commas and backslashes, such as a UUID."
)
NOWHERE = "00000000-0000-0000-0000-000000000000"  # the workspace of operations outside of any
# Quotes are the draft's. A header that is sent twice is joined by a comma (RFC 9110 §5.3), and is no key.
_KEY = re.compile(rf'("?)(?P<key>[^",\\]{{1,{MAX_KEY_LENGTH}}})\1')
REPLAYED = {"Idempotent-Replayed": "true"}  # as Stripe marks a repeated answer


class KeyReused(AirsideError):
    """The key was used for another request."""

    status = 422
    code = "idempotency_key_reused"
    sentence = (
        "This Idempotency-Key was used for another request. Send a new key, or the same path, query and body."
    )


class KeyInProgress(Conflict):
    """The first request with the key isn't answered yet."""

    code = "idempotency_key_in_progress"

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key is still in progress. Repeat it in a moment.")


class Sent(msgspec.Struct, frozen=True):
    """What a request with a key sent. `size` is that of its body in bytes."""

    key: str
    path: Mapping[str, str]  # before identifiers are replaced by ids
    query: Mapping[str, str]
    body: Any
    size: int


def read_key(request: Request, route: Route) -> str | None:
    """The key of a write, None without one. The draft has it in quotes, most clients don't; it is the same key.

    Raises Invalid for a malformed key, and where the operation takes none."""
    sent = request.get_header(HEADER)
    if sent is None or route.method == "GET":
        return None
    if route.refuses_key is not None:
        raise Invalid({HEADER: [route.refuses_key]})
    found = _KEY.fullmatch(sent.strip())
    if found is None or not (sent.isascii() and sent.isprintable()):
        raise Invalid({HEADER: [MALFORMED]})
    return found["key"]


async def answer_once(route: Route, call: Call, sent: Sent, work: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer of `work`, which is stored with its changes; or the stored answer of an earlier request.

    All transactions of the work become one. Raises KeyReused, Conflict while the first request is in progress, and
    what the work raises."""
    row, site = await _new_row(route, call, sent), call.site
    known = await find_stored(site.db, row["workspace_id"], row["key_hash"])
    if known is not None and known["expires_at"] > call.now:
        return _replay(call, known, row)
    try:
        async with OneTransaction(site.db, lambda tx: claim_key(tx, row, known)) as one:
            call.site = site.with_database(one)
            answer = await work()
            if one.tx is not None:
                await store_answer(one.tx, site.sealer, row, answer)
        return answer
    except KeyTaken:
        known = await find_stored(site.db, row["workspace_id"], row["key_hash"])
        if known is None:
            raise KeyInProgress from None
        return _replay(call, known, row)
    except KeyBusy:
        raise KeyInProgress from None
    finally:
        call.site = site


async def find_deletion(route: Route, call: Call, sent: Sent) -> Answer | None:
    """The stored answer to a deletion, for a repeat that finds its parent gone; None for any other request.

    It has no body, so that nothing is shown to a caller whom the operation no longer admits."""
    row = await _new_row(route, call, sent)
    known = await find_stored(call.site.db, row["workspace_id"], row["key_hash"])
    if known is None or known["expires_at"] <= call.now or known["status"] != 204:
        return None
    return _replay(call, known, row)


def _replay(call: Call, known: StoredAnswerRow, row: StoredAnswerRow) -> Answer:
    """Raises KeyReused, and Conflict where the answer can't be shown again."""
    if known["fingerprint"] != row["fingerprint"]:
        raise KeyReused
    answer = open_answer(call.site.sealer, known)
    if answer is None:
        raise Conflict("This was done already, and its answer is no longer available. Read the record.")
    answer.headers = REPLAYED
    return answer


async def _new_row(route: Route, call: Call, sent: Sent) -> StoredAnswerRow:
    caller = call.caller
    key_hash = _hash((caller.budget, caller.user_id, caller.installation_id, sent.key))
    # The same path may be another operation on another wire.
    wire = route.face.wire.name if route.face else ""
    what = (key_hash, wire, route.method, route.path, sent.path, sent.query, sent.body)
    is_large = sent.size > LARGE_TEXT
    return {
        "workspace_id": call.workspace.get("id", NOWHERE),
        "key_hash": key_hash,
        "fingerprint": await asyncio.to_thread(_hash, what) if is_large else _hash(what),
        "status": None,
        "body_sealed": None,
        "expires_at": call.now + KEEP,
    }


def _hash(value: Any) -> str:
    """Of equal JSON it is equal, whatever the order of its names."""
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()
