"""The size of a picture, read from its header; a file without a valid header is refused."""

import struct
from typing import NamedTuple

from airside.assets.pictures import detect_picture

# JPEG markers that start a frame, which contain its size (ITU T.81, table B.1).
_FRAMES = frozenset((*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)))
_STANDALONE = frozenset((0x01, *range(0xD0, 0xD9)))  # markers without a length


class Picture(NamedTuple):
    content_type: str
    width: int  # pixels
    height: int


def measure_picture(data: bytes) -> Picture | None:
    """None for anything but a PNG, JPEG or WebP whose header can be read."""
    content_type = detect_picture(data[:12])
    measure = _MEASURES.get(content_type or "")
    try:
        width, height = measure(data) if measure else (0, 0)
    except (struct.error, IndexError, ValueError):
        return None
    return Picture(content_type or "", width, height) if width > 0 and height > 0 else None


def _measure_png(data: bytes) -> tuple[int, int]:
    if data[12:16] != b"IHDR" or b"IEND" not in data[-64:]:
        raise ValueError
    return struct.unpack(">II", data[16:24])


def _measure_jpeg(data: bytes) -> tuple[int, int]:
    at = 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _STANDALONE:
            at += 2
        elif marker in _FRAMES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        else:
            (length,) = struct.unpack(">H", data[at + 2 : at + 4])
            at += 2 + max(length, 2)
    raise ValueError


def _measure_webp(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if len(data) < 30:
        raise ValueError
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L" and data[20] == 0x2F:
        (bits,) = struct.unpack("<I", data[21:25])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError


_MEASURES = {"image/png": _measure_png, "image/jpeg": _measure_jpeg, "image/webp": _measure_webp}
