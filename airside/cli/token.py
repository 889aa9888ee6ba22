"""`airside token`: personal API keys."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from airside.cli.console import Json, on_site, print_result
from airside.cli.unusable import Unusable
from airside.cli.workspace import get_person

if TYPE_CHECKING:
    from airside.runtime.site import Site

cli = typer.Typer(help="Personal API keys.", no_args_is_help=True)


@cli.callback()
def token() -> None:
    """Personal API keys."""


@cli.command("create")
def create(
    user: Annotated[str, typer.Option(help="E-mail of the user whom the key belongs to.")],
    label: Annotated[
        str, typer.Option(help="To distinguish it from the user's other keys.")
    ] = "Command line",
    expires_in_days: Annotated[
        int | None, typer.Option(help="Days until it expires. Default: 90.", show_default=False)
    ] = None,
    never_expires: Annotated[
        bool, typer.Option("--never-expires", help="It is valid until revoked.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Create an API key for the header X-API-Key; it is shown once."""
    from airside.identity.api_keys import DEFAULT_DAYS, create_api_key

    if never_expires and expires_in_days is not None:
        raise Unusable("give either --expires-in-days or --never-expires")
    days = None if never_expires else expires_in_days if expires_in_days is not None else DEFAULT_DAYS

    async def work(site: "Site") -> dict[str, Any]:
        owner = await get_person(site, user)
        made = await create_api_key(site, owner["id"], label=label, expires_in_days=days)
        return {"id": made.id, "token": made.token, "user": owner["email"], "expires_at": made.expires_at}

    print_result(on_site(work), as_json=as_json)


@cli.command("revoke-all")
def revoke_all(
    user: Annotated[str, typer.Option(help="E-mail of the user.")],
    as_json: Json = False,
) -> None:
    """Revoke every API key of a user, as when one may have leaked."""
    from airside.identity.revoke_keys import revoke_keys_of

    async def work(site: "Site") -> dict[str, Any]:
        owner = await get_person(site, user)
        async with site.db.transaction() as tx:
            revoked = await revoke_keys_of(tx, owner["id"], site.clock.now())
        return {"user": owner["email"], "keys_revoked": revoked}

    print_result(on_site(work), as_json=as_json)
