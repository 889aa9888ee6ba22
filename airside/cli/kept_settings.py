"""Settings stored beside the data, in `settings.env`, so that the server and every command use the same ones.

Lines of NAME=value; the environment takes precedence.
"""

from collections.abc import MutableMapping
from pathlib import Path

FILE = "settings.env"


def apply_kept_settings(environ: MutableMapping[str, str]) -> None:
    """Add the file's settings that the environment doesn't set. Raises OSError for an unreadable file."""
    path = Path(environ.get("AIRSIDE_DATA") or ".airside") / FILE
    try:
        text = path.read_text()
    except (FileNotFoundError, NotADirectoryError):
        return
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name.strip().startswith("AIRSIDE_"):
            environ.setdefault(name.strip(), value.strip())
