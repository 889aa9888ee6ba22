"""`airside backup` and `airside restore`: a whole instance in one file, and back."""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airside.cli.console import Json, print_json
from airside.cli.unusable import Unusable

if TYPE_CHECKING:
    from airside.backup.contents import Summary
    from airside.backup.sealed_file import Header

VARIABLE = "AIRSIDE_BACKUP_PASSPHRASE"
MIN_PASSPHRASE = 12  # characters

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="The one file.")]


def backup(
    file: BackupFile,
    without_files: Annotated[
        bool,
        typer.Option("--without-files", help="Leave out uploaded files and apps' logos."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Write the instance into one file, while it runs: database, uploaded files and keys.

    The file is encrypted under a passphrase, from AIRSIDE_BACKUP_PASSPHRASE or asked for on the terminal."""
    from airside.backup.create import create_backup
    from airside.cli.instance import read_settings
    from airside.cli.moving_progress import show_progress
    from airside.system.clock import SystemClock

    settings = read_settings()
    passphrase = _read_passphrase(confirm=True)
    with show_progress() as progress:
        made, size = _run(
            create_backup(settings, SystemClock(), file, passphrase, progress, with_files=not without_files)
        )
    result = {"file": str(file), "size": size, **_describe(made)}
    if as_json:
        print_json(result)
        return
    typer.echo(f"{file}: {made.rows:,} rows, {made.files:,} files, {size:,} bytes.")
    _warn_of_missing(made)


def restore(
    file: BackupFile,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the instance that is here.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only read the whole file; nothing is changed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make this instance the one in the file. Nothing may run on it.

    Every row is read back and compared; until that is done nothing here changes."""
    from airside.backup.restore import check_backup, restore_backup
    from airside.cli.instance import peek_settings
    from airside.cli.moving_progress import show_progress

    settings = peek_settings()
    passphrase = _read_passphrase(confirm=False)
    with show_progress() as progress:
        if check:
            done = check_backup(file, passphrase, progress)
        else:
            done = _run(restore_backup(settings, file, passphrase, progress, replace=replace))
    result = {**_describe_header(done.header), **_describe(done.summary)}
    if as_json:
        print_json({"file": str(file), "restored": not check, **result})
        return
    summary, verb = done.summary, "is whole" if check else "is restored, and every row compared"
    typer.echo(f"{file} {verb}: {summary.rows:,} rows, {summary.files:,} files of {done.header.created_at}.")
    _warn_of_missing(summary)


def _run(work: Any) -> Any:
    """Raises Unusable for what the drivers say."""
    import sqlite3

    import asyncpg
    import sqlalchemy.exc

    from airside.cli.process import drop_logs

    drop_logs()
    try:
        return asyncio.run(work)
    except (OSError, sqlite3.Error, asyncpg.PostgresError, sqlalchemy.exc.DBAPIError) as error:
        raise Unusable(f"the backup can't go on: {error}") from None


def _read_passphrase(*, confirm: bool) -> str:
    """Raises Unusable without one. It is never an argument: those are in the list of processes."""
    passphrase = os.environ.get(VARIABLE, "")
    if not passphrase:
        if not sys.stdin.isatty():
            raise Unusable(f"there is no passphrase; set {VARIABLE}")
        passphrase = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True)
    if confirm and len(passphrase) < MIN_PASSPHRASE:
        raise Unusable(f"the passphrase needs at least {MIN_PASSPHRASE} characters")
    return passphrase


def _describe(summary: "Summary") -> dict[str, Any]:
    return {
        "rows": summary.rows,
        "tables": {name: table.rows for name, table in summary.tables.items() if table.rows},
        "files": summary.files,
        "file_bytes": summary.file_bytes,
        "files_left_out": summary.files_left_out,
        "files_missing": summary.files_missing,
    }


def _describe_header(header: "Header") -> dict[str, Any]:
    return {
        "created_at": header.created_at,
        "airside": header.airside,
        "revision": header.revision,
        "database": header.database,
    }


def _warn_of_missing(summary: "Summary") -> None:
    if summary.files_left_out:
        typer.echo("Uploaded files and logos are not in it.", err=True)
    for key in summary.files_missing:
        typer.echo(f"missing in the storage, or deleted meanwhile: {key}", err=True)
