"""`airside audit`: the audit log of all workspaces, and the entries that belong to none."""

import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated

import typer

from airside.cli.console import on_site
from airside.cli.workspace import get_named

if TYPE_CHECKING:
    from airside.runtime.site import Site

cli = typer.Typer(help="The audit log.", no_args_is_help=True)


@cli.callback()
def audit() -> None:
    """The audit log."""


@cli.command("export")
def export(
    workspace: Annotated[str | None, typer.Option(help="Slug of the workspace. Default: all.")] = None,
    since: Annotated[str | None, typer.Option(help="A time such as 2026-01-31T12:00:00Z.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="No effect: the output is JSON lines.")] = False,
) -> None:
    """Write the audit log to stdout as JSON lines, oldest first."""
    from airside.audit.read import AuditFilter, export_audit
    from airside.audit.routes import read_since

    start = read_since(since)

    async def work(site: "Site") -> None:
        found = await get_named(site, workspace) if workspace is not None else None
        await _write(export_audit(site.db, AuditFilter(found["id"] if found else None, since=start)))

    on_site(work)


async def _write(chunks: AsyncIterator[bytes]) -> None:
    async for chunk in chunks:
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()
