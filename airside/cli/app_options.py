"""What the app commands share: options, looking up what they name, and printing a new app."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from airside.cli.workspace import get_named

if TYPE_CHECKING:
    from airside.apps.registry import NewApp
    from airside.db.base import Row
    from airside.installations.tables import InstallationRow
    from airside.runtime.site import Site

Workspace = Annotated[str, typer.Option(help="Slug of the workspace.")]
As = Annotated[str, typer.Option("--as", help="E-mail of the acting admin.")]


async def get_client(site: "Site", client_id: str) -> "Row":
    """Raises NotFound."""
    from airside.apps.registry import find_app
    from airside.errors import NotFound

    found = await find_app(site.db, client_id)
    if found is None:
        raise NotFound(f"There is no app with the client id {client_id}.")
    return found


async def get_installed(site: "Site", client_id: str, workspace: str) -> "InstallationRow":
    """The app's installation in the workspace of this slug. Raises NotFound."""
    from airside.errors import NotFound
    from airside.installations.read import find_installation

    app, where = await get_client(site, client_id), await get_named(site, workspace)
    installation = await find_installation(site.db, where["id"], app["id"])
    if installation is None:
        raise NotFound(f"The app {app['name']} isn't installed in {workspace}.")
    return installation


def show_registered(made: "NewApp") -> dict[str, Any]:
    """The new app with its secrets, which are shown once."""
    return {
        "id": made.app["id"],
        "client_id": made.app["client_id"],
        "client_secret": made.client_secret,
        "webhook_secret": made.webhook_secret,
    }
