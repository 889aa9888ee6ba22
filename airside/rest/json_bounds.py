"""Bounds on a JSON body besides its size: nesting depth and number of values.

Every later step (decoding, checking, comparing, storing, rendering) takes time per value, and recursion is limited
in depth; so both are checked first.
"""

from itertools import accumulate

from airside.errors import BadRequest

MAX_DEPTH = 200  # a list in Plane's editor takes four levels: enough for 50 nested ones
MAX_VALUES = 50_000
SMALL_BYTES = 16 * 1024  # too small for MAX_VALUES values

_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1, ord(","): 0}
_NOT_STRUCTURE = bytes(byte for byte in range(256) if byte not in _STEP)


def check_bounds(raw: bytes) -> None:
    """Raises BadRequest. Invalid JSON may pass: the decoder refuses it."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH and len(raw) <= SMALL_BYTES:
        return
    structure = _outside_strings(raw).translate(None, _NOT_STRUCTURE)
    # Each comma and the first in each list or object; a list or object is a value too.
    if structure.count(b",") + 2 * (structure.count(b"[") + structure.count(b"{")) > MAX_VALUES:
        raise BadRequest(f"JSON parse error - more than {MAX_VALUES:,} values")
    if max(accumulate(map(_STEP.__getitem__, structure)), default=0) > MAX_DEPTH:
        raise BadRequest(f"JSON parse error - nested deeper than {MAX_DEPTH} levels")


def _outside_strings(raw: bytes) -> bytes:
    """Raises BadRequest for more strings than a body may have values."""
    bare = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    if bare.count(b'"') > 4 * MAX_VALUES:  # two quotes per string, and as many for names
        raise BadRequest(f"JSON parse error - more than {MAX_VALUES:,} values")
    return b"".join(bare.split(b'"')[::2])
