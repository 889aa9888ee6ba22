"""What all commands share: opening the instance, printing results and errors.

With --json a result is one JSON object on stdout, an error one on stderr; otherwise both are lines.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, TypeVar, cast

import typer

from airside.cli.unusable import Unusable
from airside.db.away import DatabaseAway, OutcomeUnknown
from airside.errors import AirsideError, Invalid
from airside.runtime.site import Site

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of lines for people.")]
AcceptUnproven = Annotated[
    bool, typer.Option("--accept-unproven", help="Continue although the e-mail isn't verified.")
]
Result = TypeVar("Result")


def on_site(work: Callable[[Site], Awaitable[Result]]) -> Result:
    """Run `work` on the instance that the environment configures; servers may run on the same database."""
    return asyncio.run(_on_site(work))


def on_site_warned(
    work: Callable[[Site, bool], Awaitable[Result]], *, accept_unproven: bool, as_json: bool
) -> Result:
    """Like `on_site`, for commands that grant access; `work` receives whether an unverified e-mail is accepted.

    On a terminal the person is asked to confirm. Raises UnprovenEmail without a terminal."""
    from airside.identity.proof import UnprovenEmail

    try:
        return on_site(lambda site: work(site, accept_unproven))
    except UnprovenEmail as error:
        if as_json or not sys.stdin.isatty():
            raise UnprovenEmail(error.email, "Add --accept-unproven to continue anyway.") from None
        typer.echo(error.sentence, err=True)
        typer.confirm("Go on with this account all the same?", abort=True, err=True)
        return on_site(lambda site: work(site, True))


def require_own_people(site: Site) -> None:
    """Raises Refused in front of a Community Edition, where people and workspaces are managed."""
    from airside.errors import Refused

    if site.settings.upstream_url:
        raise Refused(
            "People and workspaces come from Plane, which AIRSIDE_UPSTREAM_URL names. Change them there: "
            "somebody appears here when they first open Airside."
        )


async def _on_site(work: Callable[[Site], Awaitable[Result]]) -> Result:
    from airside.audit.sources import enter_command
    from airside.cli.instance import open_instance, require_tables
    from airside.cli.process import drop_logs

    drop_logs()
    enter_command("command line")
    site = await open_instance()
    try:
        await require_tables(site)
        return await work(site)
    finally:
        await site.close()


def print_result(result: Mapping[str, Any], *, as_json: bool) -> None:
    """Print the fields of a result, one a line."""
    if as_json:
        print_json(result)
        return
    width = max(len(name) for name in result)
    for name, value in result.items():
        typer.echo(f"{name:<{width}}  {_as_text(value)}")


def print_json(result: Mapping[str, Any]) -> None:
    import msgspec

    typer.echo(msgspec.json.encode(result).decode())


def report_error(error: Exception, *, as_json: bool) -> int:
    """Print the error on stderr; returns the exit status. Raises unexpected errors again."""
    sentence, status = _describe(error)
    if as_json:
        import msgspec

        body: dict[str, Any] = {"error": sentence}
        if isinstance(error, AirsideError):
            body["status"] = error.status
        if isinstance(error, Invalid):
            body["detail"] = error.fields
        typer.echo(msgspec.json.encode(body).decode(), err=True)
    else:
        is_help = sentence.startswith("Usage:")
        typer.echo(sentence if is_help else f"airside: {sentence}", err=True)
    return status


def _describe(error: Exception) -> tuple[str, int]:
    if isinstance(error, AirsideError):
        return error.sentence, 1
    if isinstance(error, Unusable):
        return str(error), 1
    if isinstance(error, OutcomeUnknown):
        return f"{error.about}; it isn't certain that this was saved, so look before you try again", 1
    if isinstance(error, DatabaseAway):
        return f"{error.about}; try again", 1
    if isinstance(error, typer.TyperException):  # an invalid command line
        return error.format_message(), error.exit_code
    if isinstance(error, typer.Abort):
        return "stopped", 1
    raise error


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in cast(list[Any], value))
    return "" if value is None else str(value)


def read_password() -> str:
    """The password from standard input, without its line end."""
    return sys.stdin.readline().rstrip("\r\n")
