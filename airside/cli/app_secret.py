"""`airside app secret` and `airside app webhook-secret`: an app's client secrets and webhook secret."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from airside.cli.app_options import As, get_client
from airside.cli.console import Json, on_site, print_json, print_result
from airside.cli.workspace import get_person

if TYPE_CHECKING:
    from airside.runtime.site import Site

cli = typer.Typer(help="Client secrets: two may be live at once.", no_args_is_help=True)
webhook = typer.Typer(help="The secret that signs an app's webhooks.", no_args_is_help=True)


@cli.command("create")
def create(
    client_id: str,
    as_: As,
    name: Annotated[str, typer.Option(help="To distinguish it from the other secret.")] = "",
    as_json: Json = False,
) -> None:
    """Create another client secret; it is shown once, and the current one keeps working."""
    from airside.apps.secrets import add_client_secret, list_client_secrets

    async def work(site: "Site") -> dict[str, Any]:
        app, by = await get_client(site, client_id), await get_person(site, as_)
        secret = await add_client_secret(site, app, by["id"], name)
        made = (await list_client_secrets(site.db, app["id"]))[-1]
        return {"id": made["id"], "name": made["name"], "client_secret": secret}

    print_result(on_site(work), as_json=as_json)


@cli.command("list")
def list_live(client_id: str, as_json: Json = False) -> None:
    """List an app's live client secrets: their end, and when they were last used."""
    from airside.apps.secrets import list_client_secrets

    async def work(site: "Site") -> list[dict[str, Any]]:
        app = await get_client(site, client_id)
        names = ("id", "name", "last_four", "created_at", "last_used_at")
        return [{name: row[name] for name in names} for row in await list_client_secrets(site.db, app["id"])]

    secrets = on_site(work)
    if as_json:
        print_json({"secrets": secrets})
        return
    for secret in secrets:
        used = secret["last_used_at"]
        typer.echo(f"{secret['id']}  …{secret['last_four']}  {used or 'never used'}  {secret['name']}")


@cli.command("end")
def end(client_id: str, secret_id: str, as_: As, as_json: Json = False) -> None:
    """Revoke a client secret; it stops working at once."""
    from airside.apps.secrets import end_client_secret

    async def work(site: "Site") -> dict[str, Any]:
        app, by = await get_client(site, client_id), await get_person(site, as_)
        await end_client_secret(site, app, by["id"], secret_id)
        return {"id": secret_id, "ended": True}

    print_result(on_site(work), as_json=as_json)


@webhook.callback()
def webhook_secret() -> None:
    """The secret that signs an app's webhooks."""


@webhook.command("rotate")
def rotate(client_id: str, as_: As, as_json: Json = False) -> None:
    """Replace the webhook secret; the new one is shown once, the old one keeps signing for 24 hours, or until
    switch."""
    from airside.developer.webhook_secret import renew_webhook_secret

    async def work(site: "Site") -> dict[str, Any]:
        app, by = await get_client(site, client_id), await get_person(site, as_)
        return {"webhook_secret": await renew_webhook_secret(site, app["id"], by["id"])}

    print_result(on_site(work), as_json=as_json)


@webhook.command("switch")
def switch(client_id: str, as_: As, as_json: Json = False) -> None:
    """Sign with the new webhook secret alone, once the app's server has it."""
    from airside.developer.webhook_secret import switch_webhook_secret

    async def work(site: "Site") -> dict[str, Any]:
        app, by = await get_client(site, client_id), await get_person(site, as_)
        await switch_webhook_secret(site, app["id"], by["id"])
        return {"client_id": client_id, "switched": True}

    print_result(on_site(work), as_json=as_json)
