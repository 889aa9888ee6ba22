"""How a listing comes to be where a story begins."""

from typing import Any

from airside.apps.registry import create_app
from airside.apps.tables import apps
from airside.assets.logos import store_logo
from airside.audit.tables import audit_log
from airside.db.base import Row
from airside.developer.registration import update_app
from airside.identity.users import set_operator
from airside.marketplace.drafts import save_listing
from airside.marketplace.review import approve_listing
from airside.marketplace.submit import submit_listing
from airside.runtime.site import Site
from tests.cast import Cast
from tests.support.pictures import make_png

SCOPES = ["projects.work_items:read", "projects.work_items.comments:write"]
REGISTRATION: dict[str, Any] = {
    "short_description": "Brings the news",
    "contact_email": "hello@courier.example",
    "organization_name": "Courier & Sons",
    "privacy_policy_url": "https://courier.example/privacy",
    "terms_of_service_url": "https://courier.example/terms",
    "website": "https://courier.example",
    "scopes": SCOPES,
}
TEXTS: dict[str, Any] = {
    "category": "chat",
    "tagline": "Posts every change to the chat room that cares",
    "description": "# Courier\n\nIt hears of every change by a **signed webhook** and tells the room.\n\n"
    "It keeps nothing for longer than thirty days, and writes as its own bot.",
    "support_url": "https://courier.example/help",
    "audience": "anybody",
}


async def make_operator(site: Site, cast: Cast) -> Row:
    """Zoe of the workspace Other runs the instance: to Acme she is an outsider."""
    return await set_operator(site, cast.zoe["id"], True)


async def make_ready(site: Site, cast: Cast, **texts: Any) -> Row:
    """Courier with everything that a listing needs, and the listing as a draft; the app."""
    app = await prepare_app(site, cast.courier, cast.ana["id"])
    await save_listing(site, app, cast.ana["id"], TEXTS | texts)
    return app


async def prepare_app(site: Site, app: Row, by_user_id: str, **registration: Any) -> Row:
    logo = await store_logo(site, app["id"], make_png(64, 64))
    return await update_app(site, app["id"], by_user_id, REGISTRATION | {"logo_url": logo} | registration)


async def make_submitted(site: Site, cast: Cast, **texts: Any) -> Row:
    app = await make_ready(site, cast, **texts)
    return await submit_listing(site, app, cast.ana["id"])


async def make_listed(site: Site, cast: Cast, **texts: Any) -> Row:
    """Approved from the command line; the listing."""
    listing = await make_submitted(site, cast, **texts)
    return await approve_listing(site, listing["slug"], None)


async def list_another(site: Site, cast: Cast, name: str, **texts: Any) -> Row:
    """A further app of Acme's in the marketplace; its listing."""
    fields = {"name": name, "redirect_uris": ["https://courier.example/callback"]}
    made = await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=fields)
    app = await prepare_app(site, made.app, cast.ana["id"])
    await save_listing(site, app, cast.ana["id"], TEXTS | texts)
    listing = await submit_listing(site, app, cast.ana["id"])
    return await approve_listing(site, listing["slug"], None)


async def get_courier(site: Site, cast: Cast) -> Row:
    found = await site.db.find(apps, id=cast.courier["id"])
    assert found is not None
    return found


async def audited(site: Site, prefix: str = "listing.") -> list[str]:
    """What is on record, by its name: ids of one millisecond have no order."""
    rows = await site.db.find_all(audit_log)
    return sorted(row["action"] for row in rows if row["action"].startswith(prefix))
