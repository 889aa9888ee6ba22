"""An answer that breaks HTTP's rules after its status line: what can be said of it all the same.

The status line decides whether a webhook was delivered. Such a connection is closed, so whatever was to follow
can't be taken for the answer to another request.
"""

import re

import msgspec

MAX_HEADERS = 256
MAX_HEADER_BYTES = 8_192

_STATUS_LINE = re.compile(rb"\s*HTTP/\d(?:\.\d)? +([1-5]\d\d)(?: [^\n]*|\r?)\n")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class Malformed(msgspec.Struct, frozen=True):
    """What could be read. `is_whole`: the end of its head came, so that nothing more is to be learned."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    is_whole: bool


def read_malformed(raw: bytes) -> Malformed | None:
    """None when no final answer's status line stands at its beginning, interim ones aside (RFC 9110 §15.2)."""
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
    """The lines of a head, and what follows it; None where its end hasn't come."""
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
    """Those that are headers; one that was folded over several lines is one (RFC 9112 §5.2)."""
    headers: list[tuple[bytes, bytes]] = []
    for line in lines:
        if headers and line[:1] in (b" ", b"\t"):
            headers[-1] = (headers[-1][0], (headers[-1][1] + b" " + line.strip(b" \t"))[:MAX_HEADER_BYTES])
        elif b":" in line and len(headers) < MAX_HEADERS:
            name, _, value = line.partition(b":")
            headers.append((name.strip(b" \t")[:MAX_HEADER_BYTES], value.strip(b" \t")[:MAX_HEADER_BYTES]))
    return [one for one in headers if one[0] and not _CONTROL.search(b"".join(one))]
