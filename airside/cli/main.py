"""The `airside` command: the list of its subcommands, and how errors are printed."""

import sys
from typing import Annotated

import typer

from airside.cli import (
    app,
    app_policy,
    audit,
    backup,
    key,
    listen,
    listing,
    login,
    migrate,
    moving,
    routes,
    serve,
    settings,
    token,
    upstream,
    user,
    webhook,
    worker,
    workspace,
)
from airside.cli.console import report_error


def show_version(asked: bool) -> None:
    from importlib.metadata import version

    if asked:
        typer.echo(f"airside {version('airside')}")
        raise typer.Exit


cli = typer.Typer(
    name="airside",
    help="The open app platform for Plane.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@cli.callback()
def airside(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=show_version),
    ] = False,
) -> None:
    """The open app platform for Plane."""


cli.command("serve")(serve.serve)
cli.command("worker")(worker.run_worker)
cli.command("migrate")(migrate.migrate_database)
cli.command("routes")(routes.list_routes)
cli.command("login")(login.login)
cli.command("logout")(login.logout)
cli.command("whoami")(login.whoami)
cli.command("listen")(listen.listen)
cli.command("export")(moving.export)
cli.command("import")(moving.import_)
cli.command("backup")(backup.backup)
cli.command("restore")(backup.restore)
cli.command("settings")(settings.list_settings)
cli.add_typer(user.cli, name="user")
cli.add_typer(workspace.cli, name="workspace")
workspace.cli.command("app-policy")(app_policy.app_policy)
cli.add_typer(app.cli, name="app")
cli.add_typer(token.cli, name="token")
cli.add_typer(webhook.cli, name="webhook")
cli.add_typer(listing.cli, name="listing")
cli.add_typer(audit.cli, name="audit")
cli.add_typer(key.cli, name="key")
cli.add_typer(upstream.cli, name="upstream")


def main() -> None:
    """Run the command line; an expected error ends in one sentence and an exit status, not in a traceback."""
    try:
        sys.exit(cli(standalone_mode=False))
    except Exception as error:  # noqa: BLE001 - report_error raises unexpected errors again
        sys.exit(report_error(error, as_json="--json" in sys.argv))
