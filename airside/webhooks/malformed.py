"""Lenient reading of a response that violates HTTP after its status line.

The status line decides whether a webhook was delivered. The connection is closed afterwards, so the bytes that
follow can't be taken for the response to another request.
"""

import re

import msgspec

MAX_HEADERS = 256
MAX_HEADER_BYTES = 8_192

_STATUS_LINE = re.compile(rb"\s*HTTP/\d(?:\.\d)? +([1-5]\d\d)(?: [^\n]*|\r?)\n")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class Malformed(msgspec.Struct, frozen=True):
    """What could be read. `is_whole`: the end of the head has arrived, so there is nothing to wait for."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    is_whole: bool


def read_malformed(raw: bytes) -> Malformed | None:
    """Skips interim responses (RFC 9110 §15.2). None when no final response's status line follows."""
    while found := _STATUS_LINE.match(raw):
        lines, body = _split_head(raw[found.end() :])
        status = int(found[1])
        if status >= 200 or status == 101:
            return Malformed(status, _read_headers(lines), body or b"", body is not None)
        if body is None:
            return None
        raw = body
    return None


def _split_head(raw: bytes) -> tuple[list[bytes], bytes | None]:
    """The lines of a head, and the bytes after it; None when the head isn't complete."""
    lines: list[bytes] = []
    position = 0
    while (end := raw.find(b"\n", position)) >= 0:
        line = raw[position:end].removesuffix(b"\r")
        position = end + 1
        if not line:
            return lines, raw[position:]
        lines.append(line)
    return lines, None


def _read_headers(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    """The lines that are headers; one folded over several lines is unfolded (RFC 9112 §5.2)."""
    headers: list[tuple[bytes, bytes]] = []
    for line in lines:
        if headers and line[:1] in (b" ", b"\t"):
            headers[-1] = (headers[-1][0], (headers[-1][1] + b" " + line.strip(b" \t"))[:MAX_HEADER_BYTES])
        elif b":" in line and len(headers) < MAX_HEADERS:
            name, _, value = line.partition(b":")
            headers.append((name.strip(b" \t")[:MAX_HEADER_BYTES], value.strip(b" \t")[:MAX_HEADER_BYTES]))
    return [one for one in headers if one[0] and not _CONTROL.search(b"".join(one))]
