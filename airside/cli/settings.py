"""`airside settings`: every setting as this process sees it, with its unit and reason."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import typer

from airside.cli.console import Json, print_json
from airside.cli.unusable import Unusable
from airside.db.away import DatabaseAway

if TYPE_CHECKING:
    from airside.settings import Settings

MASK = "••••••"


def list_settings(as_json: Json = False) -> None:
    """List every setting with its value, unit and reason; secrets are masked."""
    from airside.cli.instance import peek_settings
    from airside.settings import EARLIER

    settings = peek_settings()
    rows = {
        (variable := f"AIRSIDE_{name.upper()}"): {
            "value": mask(name, getattr(settings, name)),
            "is_set": any(one in os.environ for one in (variable, *EARLIER.get(variable, ()))),
            "description": field.description,
        }
        for name, field in type(settings).model_fields.items()
    }
    if warning := warn_of_proxies(settings):
        rows["AIRSIDE_TRUSTED_PROXIES"]["warning"] = warning
    if as_json:
        print_json(rows)
        return
    for name, row in rows.items():
        typer.echo(f"{name}={as_text(row['value'])}{'' if row['is_set'] else '   (default)'}")
        typer.echo(f"    {row['description']}")
        if "warning" in row:
            typer.echo(f"    WARNING: {row['warning']}")


def warn_of_proxies(settings: "Settings") -> str:
    """A warning about untrusted proxies that servers on this database noticed; empty without any."""
    from airside.identity.proxies import advise

    file = settings.database.removeprefix("sqlite:///")
    if file != settings.database and not Path(file).exists():
        return ""  # opening the database would create it
    try:
        peers = asyncio.run(_list_untrusted(settings))
    except (Unusable, DatabaseAway, TimeoutError):
        return ""  # the settings can be read without a database
    return "; ".join(advise(peer) for peer in peers)


async def _list_untrusted(settings: "Settings") -> list[str]:
    from airside.audit.sources import is_trusted
    from airside.cli.instance import open_instance
    from airside.cli.process import drop_logs
    from airside.db.migrate import is_current
    from airside.identity.proxies import COUNTED, OTHERS
    from airside.metrics.tables import metric_counts

    drop_logs()
    site = await open_instance(settings)
    try:
        if not await is_current(site.db):
            return []
        rows = await site.db.find_all(metric_counts, name=COUNTED)
    finally:
        await site.close()
    peers = sorted(row["label"] for row in rows)
    return [peer for peer in peers if peer != OTHERS and not is_trusted(peer, settings.trusted_proxies)]


def as_text(value: Any) -> str:
    """The value as it would be set."""
    if isinstance(value, list):
        return ",".join(cast(list[str], value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def mask(name: str, value: Any) -> Any:
    """The value without secrets: keys, and passwords in URLs, are masked."""
    if name == "secret_key":
        return MASK
    if name == "previous_secret_keys":
        return [MASK] * len(value)
    if isinstance(value, Path):
        return str(value)
    password = urlsplit(str(value)).password if name.endswith("_url") and value else None
    return value.replace(f":{password}@", f":{MASK}@") if password else value
