"""Detecting a picture's type by its magic bytes. SVG isn't accepted: it can contain scripts."""

CONTENT_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif")
HEAD_BYTES = 12  # enough to detect the type


def detect_picture(head: bytes) -> str | None:
    """The content type of a file with these first bytes; None for anything but a picture."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return None


def plain_type(content_type: str | None) -> str | None:
    """The content type with Plane's misspelling corrected."""
    return "image/jpeg" if content_type == "image/jpg" else content_type
