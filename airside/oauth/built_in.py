"""Airside's own command line as a client: it exists on every instance and is never installed.

It is a public client and uses the device flow. Its tokens act as the user, in one workspace, limited to the API
calls that `airside` makes; see docs/decisions/0022.
"""

from airside.apps.registry import find_app
from airside.apps.tables import BUILT_IN, PUBLIC
from airside.apps.unowned import insert_unowned, new_unowned_app
from airside.db.database import UniqueViolation
from airside.runtime.site import Site

CLI_CLIENT_ID = "airside-cli"
CLI_SCOPES = ["profile:read"]  # plus the endpoints of `airside listen`, which have no scope


async def ensure_built_in(site: Site, client_id: str | None) -> None:
    """Insert the client's row if `client_id` is the command line's and the row is missing."""
    if client_id != CLI_CLIENT_ID or await find_app(site.db, client_id) is not None:
        return
    fields = {
        "name": "Airside CLI",
        "short_description": "The airside command, on somebody's computer.",
        "organization_name": "Airside",
        "client_type": PUBLIC,
        "scopes": CLI_SCOPES,
    }
    try:
        async with site.db.transaction() as tx:
            await insert_unowned(tx, new_unowned_app(site, BUILT_IN, client_id, fields))
    except UniqueViolation:  # a concurrent request inserted it
        return
