"""Airside's own command line as a client: one that everybody has from the start, and nobody installs.

It is public and signs a person in by a device code. What it gets is a person's, in one workspace, within what
`airside` asks the API for; see docs/decisions/0022.
"""

from airside.apps.registry import find_app
from airside.apps.tables import BUILT_IN, PUBLIC
from airside.apps.unowned import insert_unowned, new_unowned_app
from airside.db.database import UniqueViolation
from airside.runtime.site import Site

CLI_CLIENT_ID = "airside-cli"
CLI_SCOPES = ["profile:read"]  # and the paths of `airside listen`, for which there is no scope


async def put_built_in(site: Site, client_id: str | None) -> None:
    """Keep its row when it is the one that is asked for and isn't there yet: what refers to clients finds it."""
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
    except UniqueViolation:  # two command lines at once
        return
