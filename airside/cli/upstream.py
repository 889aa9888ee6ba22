"""`airside upstream`: whether a Community Edition and the proxy in front are ready, and what to change."""

import asyncio
import os
import secrets
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from airside.cli.console import Json, print_json
from airside.cli.unusable import Unusable

if TYPE_CHECKING:
    from airside.gateway.check.findings import Finding
    from airside.settings import Settings
    from airside.system.credentials import Sealer

SESSION = "AIRSIDE_UPSTREAM_SESSION"
STATUS_WRONG = 3  # something has to be changed

cli = typer.Typer(help="The Plane Community Edition behind Airside.", no_args_is_help=True)

Upstream = Annotated[str, typer.Option(help="Origin of the Community Edition; default AIRSIDE_UPSTREAM_URL.")]
Workspace = Annotated[str, typer.Option(help="Slug of a workspace there, whose admin the session is of.")]


@cli.command("check")
def check(
    upstream: Upstream = "",
    address: Annotated[
        str, typer.Option(help="Host and port at which the proxy and the Community Edition reach Airside.")
    ] = "airside.internal:8000",
    listen: Annotated[
        str, typer.Option(help="Where this command answers for Airside, if nothing listens there yet.")
    ] = "127.0.0.1:8000",
    workspace: Workspace = "",
    contract: Annotated[
        bool, typer.Option("--contract", help="Also send the recorded requests, and compare the answers.")
    ] = False,
    storage: Annotated[
        str,
        typer.Option(help="With --contract: origin to which the instance sends uploads; default: its own."),
    ] = "",
    as_json: Json = False,
) -> None:
    """Check the Community Edition's version and settings, the proxy's rules, hosts and the clock.

    The rate limit and the webhook host are checked as an admin, with the session-id cookie in
    AIRSIDE_UPSTREAM_SESSION. --contract makes projects, accounts and keys in the workspace, which stay. Ends with
    status 3 if something has to be changed."""
    settings = _read_settings(upstream)
    session = os.environ.get(SESSION, "")
    found = asyncio.run(_check(settings, address, listen, session, workspace))
    differences = asyncio.run(_compare(settings, session, workspace, address, storage)) if contract else None
    if as_json:
        print_json({"findings": found, **({} if differences is None else {"contract": differences})})
    else:
        _print(found)
        if differences is not None:
            _print_differences(differences)
    if any(one.state == "wrong" for one in found) or differences:
        raise typer.Exit(STATUS_WRONG)


@cli.command("grants")
def grants(
    role: Annotated[str, typer.Argument(help="Name of the role.")] = "airside_reader",
    as_json: Json = False,
) -> None:
    """Print the SQL that lets a role read what events are made of: tables and columns, never credentials."""
    from airside.gateway.grants import READABLE, render_grants

    if as_json:
        print_json({"tables": {table: list(columns) for table, columns in READABLE.items()}})
        return
    try:
        typer.echo(render_grants(role))
    except ValueError as error:
        raise Unusable(str(error)) from None


def _read_settings(upstream: str) -> "Settings":
    """Raises Unusable without the two addresses."""
    from airside.cli.instance import peek_settings

    if upstream:
        os.environ["AIRSIDE_UPSTREAM_URL"] = upstream
    settings = peek_settings()
    if not settings.upstream_url:
        raise Unusable("there is no upstream; name it with --upstream, or set AIRSIDE_UPSTREAM_URL")
    if "base_url" not in settings.model_fields_set:
        raise Unusable(
            "set AIRSIDE_BASE_URL to the public origin, which Airside and the Community Edition share"
        )
    return settings


async def _check(
    settings: "Settings", address: str, listen: str, session: str, workspace: str
) -> "list[Finding]":
    from airside.gateway.check.listener import answering
    from airside.gateway.check.requests import Requests, open_client
    from airside.gateway.check.run import Given, check_upstream
    from airside.system.clock import SystemClock
    from airside.system.credentials import Sealer

    own = Sealer(secrets.token_hex(32))
    host, _, port = listen.rpartition(":")
    if not (host and port.isdigit()):
        raise Unusable("--listen takes host:port, such as 127.0.0.1:8000")
    given = Given(address=address, session=session, workspace=workspace)
    async with open_client() as client, answering(settings, own, host, int(port)):
        sealers = [own, *_read_sealers(settings)]
        return await check_upstream(settings, given, Requests(settings, client), sealers, SystemClock())


def _read_sealers(settings: "Settings") -> "list[Sealer]":
    """Of the Airside that may run with these settings."""
    from airside.system.credentials import Sealer

    kept = settings.data / "secret.key"
    key = settings.secret_key or (kept.read_text().strip() if kept.is_file() else "")
    return [Sealer(key, *settings.previous_secret_keys)] if key else []


async def _compare(
    settings: "Settings", session: str, workspace: str, address: str, storage: str
) -> dict[str, list[str]]:
    """Raises Unusable without an admin's session."""
    from airside.gateway.contract.enter import NotEntered, enter_instance

    if not (session and workspace):
        raise Unusable(f"--contract needs --workspace, and an admin's session-id cookie in {SESSION}")
    from airside.gateway.contract.chain import check_instance, describe_exchange

    try:
        instance = await enter_instance(settings, session, workspace, f"http://{address}", storage)
    except NotEntered as error:
        raise Unusable(str(error)) from None
    found = await check_instance(instance)
    return {describe_exchange(number): differences for number, differences in found.items()}


def _print(found: "list[Finding]") -> None:
    signs = {"fine": "ok", "wrong": "WRONG", "unknown": "?"}
    width = max(len(one.check) for one in found)
    for one in found:
        typer.echo(f"{signs[one.state]:<6}{one.check:<{width}}  {one.seen}")
        if one.change:
            typer.echo(f"{'':<{width + 8}}{one.change}")
        for program, lines in one.lines.items():
            typer.echo(f"\n# {program}\n{lines}")


def _print_differences(differences: dict[str, list[str]]) -> None:
    if not differences:
        typer.echo("The recorded requests are answered as recorded.")
    for exchange, found in differences.items():
        typer.echo(exchange)
        for one in found:
            typer.echo(f"    {one}")
    sys.stdout.flush()
