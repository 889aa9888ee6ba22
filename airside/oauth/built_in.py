"""The one app that comes with Airside: its own command line, a public client made when it is first used."""

from airside.apps.registry import find_app
from airside.apps.tables import BUILT_IN, PUBLIC
from airside.apps.unowned import new_unowned_app, put_unowned
from airside.db.database import UniqueViolation
from airside.site import Site

CLI_CLIENT_ID = "airside-cli"


async def put_built_in(site: Site, client_id: str | None) -> None:
    """Make it when it is the one that is asked for and isn't there yet."""
    if client_id != CLI_CLIENT_ID or await find_app(site.db, client_id) is not None:
        return
    fields = {
        "name": "Airside CLI",
        "short_description": "The airside command, on somebody's computer.",
        "redirect_uris": ["http://127.0.0.1/never"],  # it signs in by device code; an app has at least one
        "organization_name": "Airside",
        "client_type": PUBLIC,
    }
    try:
        async with site.db.transaction() as tx:
            await put_unowned(tx, new_unowned_app(site, BUILT_IN, client_id, fields))
    except UniqueViolation:  # two command lines at once
        return
