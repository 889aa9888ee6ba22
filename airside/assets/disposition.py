"""The headers of a downloaded file: its type, and that a browser has to save it under its name (RFC 6266)."""

from typing import Any
from urllib.parse import quote


def download_headers(file: Any) -> dict[str, str]:
    """Of a row of `files`. Never inline: what a browser could run would run on the origin that sent it."""
    name = file["name"]
    plain = "".join(
        one if one.isascii() and one.isprintable() and one not in '"\\%/;' else "_" for one in name
    )
    encoded = quote(name, safe="")
    return {
        "Content-Type": file["content_type"],
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}",
    }
