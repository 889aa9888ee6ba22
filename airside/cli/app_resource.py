"""`airside app resource`: resource servers whose tokens an app may introspect (RFC 7662, RFC 8707)."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from airside.cli.app_options import get_client
from airside.cli.console import Json, on_site, print_json, print_result

if TYPE_CHECKING:
    from airside.runtime.site import Site

cli = typer.Typer(help="Resource servers, which introspect tokens issued to others.", no_args_is_help=True)

Resource = Annotated[str, typer.Argument(help="The server's URL, as in the parameter `resource`.")]


@cli.command("add")
def add(client_id: str, resource: Resource, as_json: Json = False) -> None:
    """Let an app introspect every access token issued for this resource, to any client."""
    from airside.oauth.resource_servers import add_resource_server

    async def work(site: "Site") -> dict[str, Any]:
        app = await get_client(site, client_id)
        return {"client_id": client_id, "resource": await add_resource_server(site, app, resource)}

    print_result(on_site(work), as_json=as_json)


@cli.command("remove")
def remove(client_id: str, resource: Resource, as_json: Json = False) -> None:
    """Revoke that: the app can introspect its own tokens only."""
    from airside.oauth.resource_servers import remove_resource_server

    async def work(site: "Site") -> dict[str, Any]:
        app = await get_client(site, client_id)
        return {"client_id": client_id, "removed": await remove_resource_server(site, app, resource)}

    print_result(on_site(work), as_json=as_json)


@cli.command("list")
def list_all(client_id: str, as_json: Json = False) -> None:
    """List the resources that an app checks tokens for."""
    from airside.oauth.resource_servers import list_resources

    async def work(site: "Site") -> list[str]:
        return await list_resources(site.db, (await get_client(site, client_id))["id"])

    resources = on_site(work)
    if as_json:
        print_json({"resources": resources})
        return
    for resource in resources:
        typer.echo(resource)
