"""The file with the tokens of the sites that a person signed in to, readable only for their account."""

import os
from pathlib import Path
from typing import Any, cast

import typer

from airside.system.private_files import make_folder

Credentials = dict[str, Any]  # of one site: access_token, refresh_token


def credentials_path() -> Path:
    return Path(typer.get_app_dir("airside")) / "credentials.json"


def load_credentials(base_url: str) -> Credentials | None:
    """The credentials of the site, or None."""
    return _load().get(base_url)


def list_sites() -> list[str]:
    """The base URLs of sites with stored credentials."""
    return sorted(_load())


def keep_credentials(base_url: str, credentials: Credentials | None) -> None:
    """Store the credentials; None deletes them. The file is replaced atomically."""
    import json

    known = {url: kept for url, kept in _load().items() if url != base_url}
    if credentials is not None:
        known[base_url] = credentials
    path = credentials_path()
    make_folder(path.parent)
    fresh = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(known, file, indent=2)
    fresh.replace(path)


def _load() -> dict[str, Credentials]:
    import json

    try:
        found = json.loads(credentials_path().read_text())
    except (OSError, ValueError):
        return {}
    return cast(dict[str, Credentials], found) if isinstance(found, dict) else {}
