"""Drafts of listings: their texts and screenshots, until the author submits them for review."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from airside.apps.authors import require_author
from airside.apps.tables import apps
from airside.assets.storage import drop_file
from airside.db.base import Row, new_id
from airside.db.database import Transaction
from airside.errors import Invalid, NotFound, Refused
from airside.marketplace.content import (
    MAX_SCREENSHOTS,
    Content,
    Screenshot,
    check_caption,
    check_content,
    read_content,
)
from airside.marketplace.find import find_listing, lock_listing
from airside.marketplace.pictures import check_screenshot, forget_pictures, keep_bytes, put_picture
from airside.marketplace.record import record_listing
from airside.marketplace.tables import APPROVED, DRAFT, SUBMITTED, UNLISTED, listings
from airside.runtime.site import Site

IN_REVIEW = "The listing is in review. Take it back to change it."


async def save_listing(site: Site, app: Row, by_user_id: str, given: Mapping[str, Any]) -> Row:
    """Change some texts, creating the listing if there is none. Raises Invalid, Refused and Forbidden."""
    checked = check_content(given)
    async with site.db.transaction() as tx:
        listing = await open_draft(tx, site, app, by_user_id)
        return await _store(
            tx, site, listing, by_user_id, lambda was: msgspec.structs.replace(was, **checked)
        )


async def add_screenshot(site: Site, app: Row, by_user_id: str, data: bytes, caption: str = "") -> Row:
    """Raises Invalid, Refused and Forbidden."""
    picture, words = check_screenshot(data), check_caption(caption)
    asset_id = await keep_bytes(site, data)
    shot = Screenshot(asset_id, picture.width, picture.height, words)

    def add(was: Content) -> Content:
        if len(was.screenshots) >= MAX_SCREENSHOTS:
            raise Invalid(
                {"screenshot": [f"A listing shows {MAX_SCREENSHOTS} screenshots at most. Remove one first."]}
            )
        return msgspec.structs.replace(was, screenshots=(*was.screenshots, shot))

    try:
        async with site.db.transaction() as tx:
            listing = await open_draft(tx, site, app, by_user_id)
            after = await _store(tx, site, listing, by_user_id, add)
            await put_picture(
                tx, site, asset_id, app["workspace_id"], by_user_id, picture.content_type, len(data)
            )
    except Exception:
        await drop_file(site, asset_id)
        raise
    return after


async def remove_screenshot(site: Site, app: Row, by_user_id: str, asset_id: str) -> Row:
    """Remove it from the draft; the public version shows it until another is approved. Raises NotFound, Refused and
    Forbidden."""

    def remove(was: Content) -> Content:
        kept = tuple(shot for shot in was.screenshots if shot.asset_id != asset_id.lower())
        if len(kept) == len(was.screenshots):
            raise NotFound("There is no such screenshot.")
        return msgspec.structs.replace(was, screenshots=kept)

    async with site.db.transaction() as tx:
        before = await open_draft(tx, site, app, by_user_id)
        after = await _store(tx, site, before, by_user_id, remove)
    await forget_pictures(site, before, after)
    return after


async def move_screenshot(site: Site, app: Row, by_user_id: str, asset_id: str) -> Row:
    """Move it one position forward; the first stays. Raises NotFound, Refused and Forbidden."""

    def move(was: Content) -> Content:
        shots = list(was.screenshots)
        at = next((n for n, shot in enumerate(shots) if shot.asset_id == asset_id.lower()), None)
        if at is None:
            raise NotFound("There is no such screenshot.")
        shots.insert(max(at - 1, 0), shots.pop(at))
        return msgspec.structs.replace(was, screenshots=tuple(shots))

    async with site.db.transaction() as tx:
        listing = await open_draft(tx, site, app, by_user_id)
        return await _store(tx, site, listing, by_user_id, move)


async def open_draft(tx: Transaction, site: Site, app: Row, by_user_id: str) -> Row:
    """The listing, locked for changes; created when there is none. Raises Refused, NotFound and Forbidden."""
    registered = await tx.lock(apps, id=app["id"])  # so that concurrent requests create one listing
    if registered is None or registered["deleted_at"] is not None or registered["workspace_id"] is None:
        raise NotFound("There is no such app.")
    await require_author(tx, registered, by_user_id)
    found = await find_listing(tx, registered["workspace_id"], registered["id"])
    if found is None:
        row = new_listing(site, registered, by_user_id)
        await tx.insert(listings, row)
        return row
    listing = await lock_listing(tx, found)
    if listing["state"] == SUBMITTED:
        raise Refused(IN_REVIEW)
    return listing


def new_listing(site: Site, app: Row, by_user_id: str) -> Row:
    now = site.clock.now()
    return {
        "workspace_id": app["workspace_id"],
        "id": new_id(),
        "app_id": app["id"],
        "state": DRAFT,
        "standing": UNLISTED,
        "content": msgspec.to_builtins(Content()),
        "submitted": None,
        "submitted_at": None,
        "submitted_by_id": None,
        "review_words": "",
        "reviewed_at": None,
        "reviewed_by_id": None,
        "published": None,
        "published_at": None,
        "slug": app["slug"],
        "category": "",
        "audience": "",
        "search_text": "",
        "imported_from": "",
        "created_at": now,
        "updated_at": now,
        "deleted_at": None,
        "created_by_id": by_user_id,
        "updated_by_id": by_user_id,
    }


async def _store(
    tx: Transaction, site: Site, listing: Row, by_user_id: str, change: Callable[[Content], Content]
) -> Row:
    before = read_content(listing["content"])
    after = change(before)
    changed = [name for name in Content.__struct_fields__ if getattr(before, name) != getattr(after, name)]
    if not changed:
        return listing
    changes = {
        "content": msgspec.to_builtins(after),
        "state": DRAFT if listing["state"] == APPROVED else listing["state"],
        "updated_at": site.clock.now(),
        "updated_by_id": by_user_id,
    }
    await tx.update(listings, changes, workspace_id=listing["workspace_id"], id=listing["id"])
    await record_listing(tx, site, "listing.saved", listing, by_user_id, fields=changed)
    return listing | changes
