"""Bounds on a JSON body besides its size: how deep it nests and how many values it holds.

Everything that happens to a body afterwards (decoding, checking, comparing, storing, showing) costs time for each
value, and what recurses ends at some depth; so both are known before any of it begins.
"""

from itertools import accumulate

from airside.errors import BadRequest

MAX_DEPTH = 200  # a list in Plane's editor takes four levels; nobody nests 50 of them
MAX_VALUES = 50_000
SMALL_BYTES = 16 * 1024  # a body that can't hold enough values to matter

_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1, ord(","): 0}
_NOT_STRUCTURE = bytes(byte for byte in range(256) if byte not in _STEP)


def check_bounds(raw: bytes) -> None:
    """Raises BadRequest. What isn't JSON passes or not: whoever decodes it says so."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH and len(raw) <= SMALL_BYTES:
        return
    structure = _outside_strings(raw).translate(None, _NOT_STRUCTURE)
    # Each comma and the first in each list or object; a list or object is a value too.
    if structure.count(b",") + 2 * (structure.count(b"[") + structure.count(b"{")) > MAX_VALUES:
        raise BadRequest(f"JSON parse error - more than {MAX_VALUES:,} values")
    if max(accumulate(map(_STEP.__getitem__, structure)), default=0) > MAX_DEPTH:
        raise BadRequest(f"JSON parse error - nested deeper than {MAX_DEPTH} levels")


def _outside_strings(raw: bytes) -> bytes:
    """Raises BadRequest where there are more strings than a body may hold values."""
    bare = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    if bare.count(b'"') > 4 * MAX_VALUES:  # two each, and those of names
        raise BadRequest(f"JSON parse error - more than {MAX_VALUES:,} values")
    return b"".join(bare.split(b'"')[::2])
