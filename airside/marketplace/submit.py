"""Authors' actions on a finished listing: submit it for review, take it back, withdraw it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from airside.apps.authors import require_author
from airside.apps.tables import apps
from airside.assets.logos import read_logo
from airside.assets.measure import measure_picture
from airside.assets.storage import drop_file
from airside.db.base import Row
from airside.errors import Invalid, Refused
from airside.marketplace.checks import run_checks, unmet
from airside.marketplace.content import read_content
from airside.marketplace.drafts import open_draft
from airside.marketplace.find import find_listing, lock_listing
from airside.marketplace.pictures import forget_pictures, keep_bytes, put_picture
from airside.marketplace.record import record_listing
from airside.marketplace.snapshot import Snapshot, take_snapshot
from airside.marketplace.tables import DRAFT, LISTED, SUBMITTED, WITHDRAWN, listings
from airside.runtime.site import Site
from airside.workspaces.find import get_workspace


async def submit_listing(site: Site, app: Row, by_user_id: str) -> Row:
    """Submit the draft and the current registration, as a snapshot, for review by the operators.

    Raises Invalid with what is missing, Refused while it is in review, and Forbidden."""
    logo = await read_logo(site, app["logo_url"])
    picture = measure_picture(logo) if logo else None
    logo_id = await keep_bytes(site, logo) if logo and picture else None
    try:
        async with site.db.transaction() as tx:
            listing = await open_draft(tx, site, app, by_user_id)
            registered = await tx.find(apps, id=app["id"]) or app
            home = await get_workspace(tx, registered["workspace_id"])
            snapshot = take_snapshot(read_content(listing["content"]), registered, home["name"], logo_id)
            missing = unmet(await run_checks(site, snapshot, registered))
            if missing:
                raise Invalid({check.name: [f"{check.words}: not yet."] for check in missing})
            if logo_id and picture and logo:
                await put_picture(tx, site, logo_id, home["id"], by_user_id, picture.content_type, len(logo))
            changes = _with_stamps(site, by_user_id) | {
                "state": SUBMITTED,
                "submitted": msgspec.to_builtins(snapshot),
                "submitted_at": site.clock.now(),
                "submitted_by_id": by_user_id,
            }
            await _store(tx, listing, changes)
            await record_listing(tx, site, "listing.submitted", listing, by_user_id)
    except Exception:
        if logo_id:
            await drop_file(site, logo_id)
        raise
    return listing | changes


async def take_back_listing(site: Site, app: Row, by_user_id: str) -> Row:
    """Turn a submission back into a draft; the public version stays. Raises Refused when it isn't in review, and
    Forbidden."""
    async with site.db.transaction() as tx:
        before = await _lock_own(tx, app, by_user_id)
        if before["state"] != SUBMITTED:
            raise Refused("The listing isn't in review.")
        changes = _with_stamps(site, by_user_id) | {"state": DRAFT, "submitted": None}
        await _store(tx, before, changes)
        await record_listing(tx, site, "listing.taken_back", before, by_user_id)
    await forget_pictures(site, before, before | changes)
    return before | changes


async def withdraw_listing(site: Site, app: Row, by_user_id: str) -> Row:
    """Remove the app from the marketplace and cancel its review; installations stay.

    Raises Refused when it isn't listed, and Forbidden."""
    async with site.db.transaction() as tx:
        await tx.lock(apps, id=app["id"])
        before = await _lock_own(tx, app, by_user_id)
        if before["standing"] != LISTED:
            raise Refused("The app isn't listed.")
        changes = _with_stamps(site, by_user_id) | {"state": DRAFT, "submitted": None, "standing": WITHDRAWN}
        await _store(tx, before, changes)
        await tx.update(apps, {"listed_at": None}, id=app["id"])
        await record_listing(tx, site, "listing.withdrawn", before, by_user_id)
    await forget_pictures(site, before, before | changes)
    return before | changes


async def preview_listing(site: Site, app: Row, listing: Row) -> Snapshot:
    """The draft as a snapshot, without a copy of the logo."""
    home = await get_workspace(site.db, app["workspace_id"])
    return take_snapshot(read_content(listing["content"]), app, home["name"], None)


async def _lock_own(tx: Any, app: Row, by_user_id: str) -> Row:
    await require_author(tx, app, by_user_id)
    found = await find_listing(tx, app["workspace_id"], app["id"])
    if found is None:
        raise Refused("The app has no listing.")
    return await lock_listing(tx, found)


async def _store(tx: Any, listing: Row, changes: Mapping[str, Any]) -> None:
    await tx.update(listings, changes, workspace_id=listing["workspace_id"], id=listing["id"])


def _with_stamps(site: Site, by_user_id: str) -> Row:
    return {"updated_at": site.clock.now(), "updated_by_id": by_user_id}
