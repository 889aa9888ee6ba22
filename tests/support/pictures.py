"""Small pictures of each type, built by hand: valid headers, few pixels."""

import struct
import zlib


def make_png(width: int = 640, height: int = 400) -> bytes:
    """A gray PNG that any browser shows."""
    rows = b"".join(b"\0" + b"\x99" * width for _ in range(height))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress(rows, 9)),
            _chunk(b"IEND", b""),
        )
    )


def make_logo(color: tuple[int, int, int], size: int = 96) -> bytes:
    """A white ring on a color, to distinguish apps."""
    middle, rows = (size - 1) / 2, bytearray()
    for y in range(size):
        rows.append(0)
        for x in range(size):
            away = ((x - middle) ** 2 + (y - middle) ** 2) ** 0.5 / size
            white = min(max((0.04 - abs(away - 0.24)) * size + 0.5, 0), 1)
            rows += bytes(round(part + (255 - part) * white) for part in color)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress(bytes(rows), 9)),
            _chunk(b"IEND", b""),
        )
    )


def make_jpeg(width: int = 640, height: int = 400) -> bytes:
    """Only the bytes up to its size."""
    app0 = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0\1\1\0\0\1\0\1\0\0"
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\0"
    return b"\xff\xd8" + app0 + frame + b"\xff\xd9"


def make_webp(width: int = 640, height: int = 400) -> bytes:
    """The header of a lossless WebP."""
    bits = (width - 1) | (height - 1) << 14
    body = b"VP8L" + struct.pack("<IBI", 10, 0x2F, bits) + b"\0" * 5 + b"\0"
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
