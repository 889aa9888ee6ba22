"""`airside listen`: forwards an app's webhooks to a local port, over one outgoing connection."""

import asyncio
import os
import socket
from typing import Annotated

import typer

from airside.cli.console import Json, Unusable, print_result
from airside.cli.login import BaseUrl, read_url

API_KEY = "AIRSIDE_API_KEY"

App = Annotated[str, typer.Option("--app", help="Client id of the app.")]


def listen(
    app: App,
    forward_to: Annotated[
        str,
        typer.Option(
            help="Local URL that receives the webhooks, http://127.0.0.1:9000/hook, or only a port."
        ),
    ] = "",
    event: Annotated[list[str] | None, typer.Option(help="Only this event; can be repeated.")] = None,
    name: Annotated[
        str, typer.Option(help="Name of this computer at the site. Default: its host name.")
    ] = "",
    from_now: Annotated[
        bool, typer.Option("--from-now", help="Skip deliveries that were queued before.")
    ] = False,
    end: Annotated[
        bool, typer.Option("--end", help="Delete this computer's listener with its queue, and exit.")
    ] = False,
    print_json: Annotated[bool, typer.Option("--print-json", help="Also print each body.")] = False,
    skip_verify: Annotated[
        bool, typer.Option("--skip-verify", help="Don't verify the certificate of the local https server.")
    ] = False,
    base_url: BaseUrl = None,
    as_json: Json = False,
) -> None:
    """Receive an app's webhooks on this computer: signed and logged as at the webhook URL, one line each.

    Signs in with what `airside login` keeps, or with the API key in AIRSIDE_API_KEY. What comes while nobody
    listens is kept for five days and arrives first the next time."""
    from airside.cli.listening import Choices, Reporter, Run

    key = os.environ.get(API_KEY, "")
    url = read_url(base_url, by_sign_in=not key)  # an API key is sent only to an explicitly named site
    target = spell_target(forward_to) if not end else "http://127.0.0.1/"
    called = (name or socket.gethostname()).strip()[:80] or "computer"
    choices = Choices(url, app, target, called, event or None, from_now, skip_verify)
    run = Run(choices, key, Reporter(as_json=as_json, with_body=print_json))
    if end:
        print_result(asyncio.run(run.end()), as_json=as_json)
        return
    asyncio.run(run.go_on())


def spell_target(text: str) -> str:
    """Complete `9000` or `localhost:9000/hook` to a URL. Raises Unusable."""
    if not text:
        raise Unusable("say where to post the webhooks here, such as --forward-to http://127.0.0.1:9000/hook")
    if text.isdigit():
        text = f"127.0.0.1:{text}/"
    return text if "://" in text else f"http://{text}"
