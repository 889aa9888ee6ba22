"""How an account is shown in the Community Edition: the app's name and logo; and it gets no mail there."""

import structlog

from airside.assets.logos import TYPES, read_logo, stored_name
from airside.db.base import Row
from airside.gateway.client import Cookies, UpstreamClient
from airside.gateway.install_errors import FAILURES, require_ok
from airside.runtime.site import Site

KINDS = ("property_change", "state_change", "comment", "mention", "issue_completed")
STEPS = ("workspace_join", "profile_complete", "workspace_create", "workspace_invite")
GATEWAY_NAME = "Airside"
NAME_LENGTH = 255

_log = structlog.get_logger()


async def show_account(site: Site, client: UpstreamClient, session: Cookies, app: Row | None) -> bool:
    """Set all of it; None: the gateway's own account. Returns whether the logo is the app's, too."""
    await set_name(client, session, app)
    silent = dict.fromkeys(KINDS, False)
    me = "/api/users/me/"
    for path, body in (
        (f"{me}notification-preferences/", silent),
        (f"{me}onboard/", {"is_onboarded": True}),
        (f"{me}profile/", {"is_tour_completed": True, "onboarding_step": dict.fromkeys(STEPS, True)}),
    ):
        require_ok(await client.send("PATCH", path, session, json=body), "set up an account")
    return await set_logo(site, client, session, app)


async def set_name(client: UpstreamClient, session: Cookies, app: Row | None) -> None:
    name = GATEWAY_NAME if app is None else app["name"][:NAME_LENGTH]
    body = {"first_name": name, "last_name": "" if app is None else "(app)", "display_name": name}
    require_ok(await client.send("PATCH", "/api/users/me/", session, json=body), "name an account")


async def set_logo(site: Site, client: UpstreamClient, session: Cookies, app: Row | None) -> bool:
    """A failure doesn't end the install: the job tries it again."""
    picture = None if app is None else await read_logo(site, app["logo_url"])
    if picture is None or app is None:
        return True
    try:
        await _upload(client, session, stored_name(app["logo_url"]), picture)
    except FAILURES as failure:
        _log.warning("upstream_logo_failed", app_id=app["id"], reason=type(failure).__name__)
        return False
    return True


async def _upload(client: UpstreamClient, session: Cookies, name: str, picture: bytes) -> None:
    kind = TYPES[name.rpartition(".")[2]]
    body = {"name": name, "type": kind, "size": len(picture), "entity_type": "USER_AVATAR"}
    path = "/api/assets/v2/user-assets/"
    made = require_ok(await client.send("POST", path, session, json=body), "upload a logo").json()
    upload = made["upload_data"]
    stored = await client.upload(upload["url"], upload["fields"], name, kind, picture)
    require_ok(stored, "store a logo")
    confirmed = await client.send("PATCH", f"{path}{made['asset_id']}/", session, json={})
    require_ok(confirmed, "confirm a logo")
