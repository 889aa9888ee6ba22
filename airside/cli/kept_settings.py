"""Settings kept beside the data, in `settings.env`, so that the server and every command agree on them.

Lines of NAME=value, as in an environment; what the environment itself says comes first.
"""

from collections.abc import MutableMapping
from pathlib import Path

FILE = "settings.env"


def apply_kept_settings(environ: MutableMapping[str, str]) -> None:
    """Add what the data folder's file says and the environment doesn't. Raises OSError for an unreadable file."""
    path = Path(environ.get("AIRSIDE_DATA") or ".airside") / FILE
    try:
        text = path.read_text()
    except (FileNotFoundError, NotADirectoryError):
        return
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name.strip().startswith("AIRSIDE_"):
            environ.setdefault(name.strip(), value.strip())
