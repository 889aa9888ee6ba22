"""`airside app`: register, install and uninstall apps."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from airside.cli import app_installation, app_manifest, app_resource, app_secret
from airside.cli.app_options import As, Workspace, get_client, get_installed, show_registered
from airside.cli.console import Json, on_site, print_json, print_result
from airside.cli.workspace import get_admin, get_named, get_person

if TYPE_CHECKING:
    from airside.runtime.site import Site

cli = typer.Typer(help="Apps: register, install, limit, suspend, uninstall.", no_args_is_help=True)
cli.command("projects")(app_installation.projects)
cli.command("suspend")(app_installation.suspend)
cli.command("unsuspend")(app_installation.unsuspend)
cli.command("requests")(app_installation.requests)
cli.command("approve")(app_installation.approve)
cli.command("decline")(app_installation.decline)
cli.add_typer(app_resource.cli, name="resource")
cli.add_typer(app_secret.cli, name="secret")
cli.add_typer(app_secret.webhook, name="webhook-secret")
cli.add_typer(app_manifest.cli, name="manifest")

AsAdmin = Annotated[
    str | None, typer.Option("--as", help="E-mail of the acting admin. Default: the first admin.")
]
Public = Annotated[
    bool, typer.Option("--public", help="A public client: has no client secret, must use PKCE.")
]


@cli.command("create")
def create(
    workspace: Workspace,
    name: Annotated[str, typer.Option(help="Name on the consent screen.")],
    redirect_uri: Annotated[list[str], typer.Option(help="Redirect URI; can be repeated.")],
    setup_url: Annotated[str | None, typer.Option(help="URL that the Install button opens.")] = None,
    webhook_url: Annotated[str | None, typer.Option(help="URL that receives webhooks.")] = None,
    webhook_version: Annotated[str, typer.Option(help="v1 or v2.")] = "v1",
    receives_own_events: Annotated[
        bool, typer.Option("--receives-own-events", help="Also receives events about its own bot's changes.")
    ] = False,
    scope: Annotated[
        list[str] | None, typer.Option(help="Scope that the app may be granted; can be repeated.")
    ] = None,
    mentionable: Annotated[
        bool, typer.Option("--mentionable", help="Its bot can be mentioned and assigned.")
    ] = False,
    public: Public = False,
    short_description: Annotated[str, typer.Option()] = "",
    logo_url: Annotated[str | None, typer.Option()] = None,
    contact_email: Annotated[str, typer.Option()] = "",
    organization_name: Annotated[str, typer.Option()] = "",
    organization_email: Annotated[str, typer.Option()] = "",
    privacy_policy_url: Annotated[str | None, typer.Option()] = None,
    terms_of_service_url: Annotated[str | None, typer.Option()] = None,
    website: Annotated[str | None, typer.Option()] = None,
    as_: AsAdmin = None,
    as_json: Json = False,
) -> None:
    """Register an app; its client secret and webhook secret are shown once."""
    fields: dict[str, Any] = {
        "name": name,
        "redirect_uris": redirect_uri,
        "setup_url": setup_url,
        "webhook_url": webhook_url,
        "webhook_version": webhook_version,
        "receives_own_events": receives_own_events,
        "scopes": scope or [],
        "is_mentionable": mentionable,
        "client_type": "public" if public else "confidential",
        "short_description": short_description,
        "logo_url": logo_url,
        "contact_email": contact_email,
        "organization_name": organization_name,
        "organization_email": organization_email,
        "privacy_policy_url": privacy_policy_url,
        "terms_of_service_url": terms_of_service_url,
        "website": website,
    }
    made = on_site(lambda site: _register(site, workspace, as_, fields))
    print_result(made, as_json=as_json)


async def _register(site: "Site", workspace: str, as_: str | None, fields: dict[str, Any]) -> dict[str, Any]:
    from airside.apps.registry import create_app

    found = await get_named(site, workspace)
    by_user_id = await get_admin(site, found, as_)
    made = await create_app(site, workspace_id=found["id"], by_user_id=by_user_id, fields=fields)
    return show_registered(made)


@cli.command("list")
def list_registered(workspace: Workspace, as_json: Json = False) -> None:
    """List the apps that a workspace registered."""
    from airside.apps.registry import list_apps

    async def work(site: "Site") -> list[dict[str, Any]]:
        found = await get_named(site, workspace)
        return [
            {"id": app["id"], "client_id": app["client_id"], "name": app["name"]}
            for app in await list_apps(site.db, found["id"])
        ]

    apps = on_site(work)
    if as_json:
        print_json({"apps": apps})
        return
    for app in apps:
        typer.echo(f"{app['client_id']}  {app['name']}")


@cli.command("install")
def install(client_id: str, workspace: Workspace, as_: As, as_json: Json = False) -> None:
    """Install an app with all scopes of its registration, as with an admin's consent."""
    from airside.installations.install import install_app

    async def work(site: "Site") -> dict[str, Any]:
        app, into = await get_client(site, client_id), await get_named(site, workspace)
        made = await install_app(site, app, into["id"], (await get_person(site, as_))["id"])
        return {"app_installation_id": made["id"], "app_bot": made["bot_user_id"], "status": made["status"]}

    print_result(on_site(work), as_json=as_json)


@cli.command("uninstall")
def uninstall(client_id: str, workspace: Workspace, as_: As, as_json: Json = False) -> None:
    """Uninstall an app: its tokens are revoked and its webhooks stop."""
    from airside.installations.uninstall import uninstall_app

    async def work(site: "Site") -> dict[str, Any]:
        installation = await get_installed(site, client_id, workspace)
        by = await get_person(site, as_)
        await uninstall_app(site, installation["workspace_id"], installation["id"], by["id"])
        return {"app_installation_id": installation["id"], "status": "uninstalled"}

    print_result(on_site(work), as_json=as_json)
