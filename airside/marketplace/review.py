"""Operators' decisions on listings: approve, request changes, delist. `by_user_id` None is the command line, which
needs no operator check."""

from typing import Any

from airside.apps.tables import apps
from airside.db.base import Row
from airside.db.database import Transaction
from airside.db.text_rules import is_storable
from airside.errors import Invalid, Refused
from airside.identity.users import require_operator
from airside.marketplace.categories import BY_SLUG
from airside.marketplace.find import get_listing_by_slug, lock_listing
from airside.marketplace.pictures import forget_pictures
from airside.marketplace.record import record_listing
from airside.marketplace.snapshot import Snapshot, read_snapshot
from airside.marketplace.tables import APPROVED, CHANGES_REQUESTED, DELISTED, LISTED, SUBMITTED, listings
from airside.runtime.site import Site

WORDS_LENGTH = 2_000  # characters of a message to the author


async def approve_listing(
    site: Site, slug: str, by_user_id: str | None, submitted_at: str | None = None
) -> Row:
    """Publish the submitted version.

    `submitted_at`, from `version_of`, is the version that the operator saw. Raises NotFound, Forbidden, and Refused
    when that version is no longer in review."""
    now = site.clock.now()
    async with site.db.transaction() as tx:
        before = await _lock(tx, slug, by_user_id)
        if before["state"] != SUBMITTED or submitted_at not in (None, version_of(before)):
            raise Refused("This version isn't in review any more. Look at the listing again.")
        snapshot = read_snapshot(before["submitted"])
        changes = _reviewed(site, by_user_id) | {
            "state": APPROVED,
            "standing": LISTED,
            "submitted": None,
            "published": before["submitted"],
            "published_at": now,
            "category": snapshot.category,
            "audience": snapshot.audience,
            "search_text": _search_text(snapshot),
        }
        await _store(tx, before, changes)
        await tx.update(apps, {"listed_at": now}, id=before["app_id"])
        await record_listing(tx, site, "listing.approved", before, by_user_id)
    await forget_pictures(site, before, before | changes)
    return before | changes


async def request_changes(site: Site, slug: str, by_user_id: str | None, words: str) -> Row:
    """Return the submission to the author with a message; the public version stays.

    Raises NotFound, Forbidden, Refused when it isn't in review, and Invalid for `words`."""
    message = check_words(words, "Say what should change, so that the author knows what to do.")
    async with site.db.transaction() as tx:
        before = await _lock(tx, slug, by_user_id)
        if before["state"] != SUBMITTED:
            raise Refused("The listing isn't in review.")
        changes = _reviewed(site, by_user_id, message) | {"state": CHANGES_REQUESTED, "submitted": None}
        await _store(tx, before, changes)
        await record_listing(tx, site, "listing.changes_requested", before, by_user_id, words=message)
    await forget_pictures(site, before, before | changes)
    return before | changes


async def delist_listing(site: Site, slug: str, by_user_id: str | None, reason: str) -> Row:
    """Remove the app from the marketplace; installations stay. The author may submit it again.

    Raises NotFound, Forbidden, Refused when it isn't listed, and Invalid for `words`."""
    message = check_words(reason, "Say why, so that the author knows what to do.")
    async with site.db.transaction() as tx:
        before = await _lock(tx, slug, by_user_id)
        if before["standing"] != LISTED:
            raise Refused("The app isn't listed.")
        changes = _reviewed(site, by_user_id, message) | {"standing": DELISTED}
        await _store(tx, before, changes)
        await tx.update(apps, {"listed_at": None}, id=before["app_id"])
        await record_listing(tx, site, "listing.delisted", before, by_user_id, words=message)
    return before | changes


def version_of(listing: Row) -> str:
    """Identifies the submitted version, so that an operator approves only what they have seen."""
    return listing["submitted_at"].isoformat() if listing["submitted_at"] else ""


def check_words(words: str, missing: str) -> str:
    """The normalized message. Raises Invalid for `words`."""
    message = words.replace("\r\n", "\n").strip()
    if not message:
        raise Invalid({"words": [missing]})
    if len(message) > WORDS_LENGTH or not is_storable(message):
        raise Invalid({"words": [f"Use at most {WORDS_LENGTH:,} characters of plain text."]})
    return message


async def _lock(tx: Transaction, slug: str, by_user_id: str | None) -> Row:
    if by_user_id is not None:
        await require_operator(tx, by_user_id)
    found = await get_listing_by_slug(tx, slug)
    await tx.lock(apps, id=found["app_id"])  # before the listing, as authors do
    return await lock_listing(tx, found)


async def _store(tx: Transaction, listing: Row, changes: Row) -> None:
    await tx.update(listings, changes, workspace_id=listing["workspace_id"], id=listing["id"])


def _reviewed(site: Site, by_user_id: str | None, words: str = "") -> dict[str, Any]:
    now = site.clock.now()
    return {"review_words": words, "reviewed_at": now, "reviewed_by_id": by_user_id, "updated_at": now}


def _search_text(snapshot: Snapshot) -> str:
    category = BY_SLUG[snapshot.category].name
    return " ".join((snapshot.name, snapshot.tagline, snapshot.publisher, category)).lower()
