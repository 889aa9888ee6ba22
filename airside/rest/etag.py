"""Conditional reads: an ETag of each answer, and 304 to a client that has it already (RFC 9110 §8.8.3, §13.1.2)."""

import asyncio
import hashlib

from airside.db.large_values import LARGE_TEXT
from airside.http.answer import Answer
from airside.http.request import Request

MAX_TAGS = 100  # of one If-None-Match that are looked at

# An answer is its caller's alone, and is asked for again before it is used again.
_CACHING = {"Cache-Control": "private, no-cache", "Vary": "Authorization, X-API-Key"}


async def tag_answer(request: Request, answer: Answer) -> Answer:
    """The answer with its ETag, or 304 without a body. The tag is strong: equal tags are equal bytes."""
    etag = await make_etag(answer.body)
    answer.headers = {**answer.headers, "ETag": etag, **_CACHING}
    if names_etag(request.get_header("if-none-match"), etag):
        answer.status, answer.body = 304, b""
    return answer


async def make_etag(body: bytes) -> str:
    """The hash of the bytes, quoted. That of a large answer is computed in a thread."""
    digest = await asyncio.to_thread(_hash, body) if len(body) > LARGE_TEXT else _hash(body)
    return f'"{digest}"'


def names_etag(if_none_match: str | None, etag: str) -> bool:
    """Whether the header lists this tag, or is `*`. Compared weakly (RFC 9110 §13.1.2): a proxy that compresses
    an answer makes its tag weak."""
    if not if_none_match:
        return False
    if if_none_match.strip() == "*":
        return True
    tags = if_none_match.split(",", MAX_TAGS)[:MAX_TAGS]
    return etag in [tag.strip().removeprefix("W/") for tag in tags]


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]
