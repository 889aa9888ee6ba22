"""Opening the instance that the environment configures; every failure has its own message."""

import asyncio
import os
import sqlite3
import time
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy.exc
import structlog
from pydantic import ValidationError

from airside.backup.restoring import is_restoring
from airside.cli.kept_settings import apply_kept_settings
from airside.cli.unusable import Unusable
from airside.db.migrate import DatabaseTooNew, current_revision, is_current, migrate
from airside.gateway.app_accounts import register_app_accounts
from airside.oauth.token_revoker import register_token_revoker
from airside.runtime.site import Site, open_site
from airside.settings import Settings, load_settings

HINT_CHANGE_FOLDER = "go to the folder where it was started, or name its data folder with AIRSIDE_DATA"
HINT_START = "`airside serve` or `airside migrate` starts a new one"
START_SECONDS = 1.0  # between attempts to connect to the database at the start

_log = structlog.get_logger("airside.db")


def read_settings(*, may_create: bool = False) -> Settings:
    """`may_create`: create what a new instance needs, as only `serve` and `migrate` do. Raises Unusable."""
    settings = peek_settings()
    if is_restoring(settings.data):
        raise Unusable(
            f"a restore into {settings.data.absolute()} hasn't finished; run `airside restore` again"
        )
    if not may_create:
        _require_instance(settings)
    try:
        return load_settings()
    except ValidationError as error:
        raise Unusable(_describe_invalid(error)) from None
    except OSError as error:
        raise Unusable(f"can't use the data folder: {error.strerror}: {error.filename}") from None


def peek_settings() -> Settings:
    """The settings of the environment and the data folder's file; creates nothing. Raises Unusable."""
    try:
        apply_kept_settings(os.environ)
        return Settings()  # pyright: ignore[reportCallIssue] - the fields' defaults are in Field()
    except ValidationError as error:
        raise Unusable(_describe_invalid(error)) from None
    except OSError as error:
        raise Unusable(f"can't use the data folder: {error.strerror}: {error.filename}") from None


async def open_instance(settings: Settings | None = None) -> Site:
    """Raises Unusable."""
    settings = settings or read_settings()
    try:
        return await _open(settings)
    except ValueError as error:
        raise Unusable(str(error)) from None
    except sqlite3.Error as error:
        raise Unusable(f"can't open the database {settings.database}: {error}") from None
    except Exception as error:
        if not _is_postgres(error):
            raise
        raise Unusable(f"can't reach the database {_without_password(settings.database)}: {error}") from None


async def _open(settings: Settings) -> Site:
    site = await open_site(settings)
    register_token_revoker(site)
    register_app_accounts(site)
    return site


async def await_instance(settings: Settings) -> Site:
    """For long-running processes: retry while the database is unreachable, as when a whole machine boots.

    Raises Unusable for permanent errors."""
    since: float | None = None
    while True:
        try:
            site = await _open(settings)
        except Exception as error:  # noqa: BLE001 - open_instance raises a permanent error again, with its message
            if not _is_transient(error, settings):
                return await open_instance(settings)
            if since is None:
                since = time.monotonic()
                where = _without_password(settings.database)
                _log.warning("database_away", database=where, reason=str(error) or type(error).__name__)
            await asyncio.sleep(START_SECONDS)
            continue
        if since is not None:
            _log.info("database_back", after_seconds=round(time.monotonic() - since, 1))
        return site


def _is_transient(error: Exception, settings: Settings) -> bool:
    """Whether PostgreSQL isn't available yet: starting, recovering, out of connections, or not resolvable yet."""
    if settings.database.startswith("sqlite:"):
        return False
    import asyncpg

    return isinstance(
        error,
        OSError
        | asyncpg.PostgresConnectionError
        | asyncpg.CannotConnectNowError
        | asyncpg.TooManyConnectionsError,
    )


async def require_tables(site: Site) -> None:
    """Raises Unusable for an empty database, and for one of another version of Airside."""
    try:
        if await is_current(site.db):
            return
        if await current_revision(site.db) is None:
            raise Unusable(f"{_without_password(site.db.url)} is empty; {HINT_START}")
    except DatabaseTooNew as error:
        raise Unusable(str(error)) from None
    raise Unusable("the database is of an earlier version of Airside; run `airside migrate` first")


async def bring_tables(site: Site) -> bool:
    """Run pending migrations; returns whether there were any. Raises Unusable."""
    try:
        if await is_current(site.db):
            return False
        await migrate(site.db.url)
    except DatabaseTooNew as error:
        raise Unusable(str(error)) from None
    except sqlalchemy.exc.DBAPIError as error:
        raise Unusable(f"can't migrate the database: {error.orig}") from None
    return True


def _require_instance(settings: Settings) -> None:
    """Raises Unusable when there is no instance yet, as in a wrong working directory."""
    folder = settings.data.absolute()
    path = settings.database.removeprefix("sqlite:///")
    if path != settings.database and not Path(path).is_file():
        raise Unusable(f"there is no Airside at {path}; {HINT_CHANGE_FOLDER} ({HINT_START})")
    if not (settings.secret_key or (folder / "secret.key").is_file()):
        raise Unusable(f"there is no secret key in {folder}; {HINT_CHANGE_FOLDER}, or set AIRSIDE_SECRET_KEY")


def _is_postgres(error: Exception) -> bool:
    import asyncpg

    return isinstance(error, OSError | TimeoutError | asyncpg.PostgresError | asyncpg.InterfaceError)


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _describe_invalid(error: ValidationError) -> str:
    found = [
        f"AIRSIDE_{str(item['loc'][0]).upper().removeprefix('AIRSIDE_')}: {item['msg']}"
        for item in error.errors()
    ]
    return "a setting can't be used: " + "; ".join(found)
