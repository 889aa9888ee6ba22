"""One answer to an HTTP request: status, headers, and bytes or chunks; and sending it over ASGI."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from functools import lru_cache

import msgspec

from airside.http.request import Request, Send, encode_name

JSON = "application/json"
BODILESS = (204, 304)

# Pages replace these by their own; everything else is data, which no browser should run or frame.
DEFAULT_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}

encode_json = msgspec.json.Encoder().encode


class Answer(msgspec.Struct):
    """`chunks` are sent instead of `body`."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = {}
    chunks: AsyncGenerator[bytes] | None = None


async def send_answer(request: Request, answer: Answer, send: Send) -> None:
    """A HEAD gets the headers alone (RFC 9110 §9.3.2)."""
    start = {
        "type": "http.response.start",
        "status": answer.status,
        "headers": list_headers(request, answer),
    }
    await send(start)
    if answer.chunks is None or request.is_head:
        await send({"type": "http.response.body", "body": b"" if request.is_head else answer.body})
    else:
        await _send_chunks(answer.chunks, send)


def list_headers(request: Request, answer: Answer) -> list[tuple[bytes, bytes]]:
    """As ASGI has them, with those of every answer."""
    headers = {**DEFAULT_HEADERS, b"x-request-id": request.id.encode()}
    for name, value in request.answer_headers.items():
        headers[encode_name(name)] = value.encode("latin-1")
    for name, value in answer.headers.items():
        headers[encode_name(name)] = value.encode("latin-1")
    if answer.status not in BODILESS:
        headers[b"content-type"] = _encode_value(answer.content_type)
        if answer.chunks is None:
            headers[b"content-length"] = b"%d" % len(answer.body)
    return list(headers.items())


async def _send_chunks(chunks: AsyncGenerator[bytes], send: Send) -> None:
    async with aclosing(chunks):
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@lru_cache(256)
def _encode_value(value: str) -> bytes:
    return value.encode("latin-1")
