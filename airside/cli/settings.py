"""`airside settings`: every setting as this process sees it, with its unit and reason."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer

from airside.cli.console import Json, print_json

MASK = "••••••"


def list_settings(as_json: Json = False) -> None:
    """List every setting with its value, unit and reason; secrets are masked."""
    from airside.cli.instance import read_settings

    settings = read_settings()
    rows = {
        (variable := f"AIRSIDE_{name.upper()}"): {
            "value": mask(name, getattr(settings, name)),
            "is_set": variable in os.environ,
            "description": field.description,
        }
        for name, field in type(settings).model_fields.items()
    }
    if as_json:
        print_json(rows)
        return
    for name, row in rows.items():
        typer.echo(f"{name}={as_text(row['value'])}{'' if row['is_set'] else '   (default)'}")
        typer.echo(f"    {row['description']}")


def as_text(value: Any) -> str:
    """The value as it would be set."""
    if isinstance(value, list):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def mask(name: str, value: Any) -> Any:
    """The value as it may be shown: no key, and no password inside a URL."""
    if name == "secret_key":
        return MASK
    if name == "previous_secret_keys":
        return [MASK] * len(value)
    if isinstance(value, Path):
        return str(value)
    password = urlsplit(value).password if name.endswith("_url") and value else None
    return value.replace(f":{password}@", f":{MASK}@") if password else value
