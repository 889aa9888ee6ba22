"""Exports a listing as a file with its pictures, to import the app into another instance.

Ids and secrets aren't exported: they belong to one instance. The file isn't signed, since the importing instance
has no key to verify it with; it is untrusted input, and the imported draft goes through review like any other.
"""

from datetime import datetime
from typing import Any

import msgspec

from airside.apps.fields import CHECKS
from airside.apps.tables import apps
from airside.assets.storage import read_file
from airside.db.base import Row
from airside.db.text_rules import is_one_line
from airside.errors import Invalid, Refused
from airside.marketplace.content import ANYBODY, MAX_SCREENSHOTS
from airside.marketplace.snapshot import Snapshot, read_snapshot
from airside.marketplace.tables import LISTED
from airside.runtime.site import Site

FORMAT = "airside-listing/1"
SIZE_LIMIT = 12 * 1024 * 1024  # bytes: a logo and five screenshots of the largest kind, as base64
ORIGIN_LENGTH = 200  # characters

# The registration's fields, except the logo's URL on this instance.
REGISTRATION = tuple(name for name in CHECKS if name != "logo_url")
_FROZEN = (
    "name",
    "contact_email",
    "setup_url",
    "is_mentionable",
    "privacy_policy_url",
    "terms_of_service_url",
    "website",
)


class BundledScreenshot(msgspec.Struct, frozen=True):
    """`data` is base64 in the file."""

    data: bytes
    caption: str = ""


class ListingText(msgspec.Struct, frozen=True):
    category: str
    tagline: str
    description: str
    support_url: str | None = None


class ExportBundle(msgspec.Struct, frozen=True):
    """`app` has the fields of a registration, which are validated like any registration's."""

    format: str
    exported_from: str
    exported_at: datetime
    app: dict[str, Any]
    listing: ListingText
    logo: bytes | None = None
    screenshots: tuple[BundledScreenshot, ...] = ()


async def export_listing(site: Site, listing: Row) -> bytes:
    """The public version as a file. Raises Refused if it isn't listed, or is for this instance only."""
    if listing["standing"] != LISTED:
        raise Refused("Only a listed app can be exported.")
    if listing["audience"] != ANYBODY:
        raise Refused("This listing is for people of this instance only. Let anybody see it, then export it.")
    app = await site.db.find(apps, id=listing["app_id"])
    assert app is not None  # deleting an app keeps its row
    snapshot = read_snapshot(listing["published"])
    bundle = ExportBundle(
        format=FORMAT,
        exported_from=site.settings.origin,
        exported_at=site.clock.now(),
        app=_as_approved(app, snapshot),
        listing=ListingText(snapshot.category, snapshot.tagline, snapshot.description, snapshot.support_url),
        logo=await read_file(site, snapshot.logo_id) if snapshot.logo_id else None,
        screenshots=await _read_screenshots(site, snapshot),
    )
    return msgspec.json.format(msgspec.json.encode(bundle), indent=2)


def read_bundle(data: bytes) -> ExportBundle:
    """Parse an exported file. Raises Invalid for `file`."""
    if len(data) > SIZE_LIMIT:
        raise Invalid({"file": [f"Use a file of at most {SIZE_LIMIT // 1024 // 1024} MB."]})
    try:
        bundle = msgspec.json.decode(data, type=ExportBundle)
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise Invalid({"file": ["This is no listing that Airside exported."]}) from None
    if bundle.format != FORMAT:
        raise Invalid({"file": [f"The file isn't of the format {FORMAT}."]})
    if len(bundle.screenshots) > MAX_SCREENSHOTS:
        raise Invalid({"file": [f"A listing shows {MAX_SCREENSHOTS} screenshots at most."]})
    if not is_one_line(bundle.exported_from) or len(bundle.exported_from) > ORIGIN_LENGTH:
        raise Invalid({"file": ["It doesn't say properly where it comes from."]})
    unknown = sorted(set(bundle.app) - set(REGISTRATION))
    if unknown:
        raise Invalid({"file": [f"A listing's app has no field {unknown[0][:60]!r}."]})
    return bundle


def _as_approved(app: Row, snapshot: Snapshot) -> dict[str, Any]:
    """The registration, overridden by the approved version."""
    fields = {name: app[name] for name in REGISTRATION}
    fields |= {name: getattr(snapshot, name) for name in _FROZEN}
    if fields.get("scope_reasons"):  # of the current scopes: keep those of the approved ones
        fields["scope_reasons"] = {
            scope: words for scope, words in fields["scope_reasons"].items() if scope in snapshot.scopes
        }
    return fields | {"redirect_uris": list(snapshot.redirect_uris), "scopes": list(snapshot.scopes)}


async def _read_screenshots(site: Site, snapshot: Snapshot) -> tuple[BundledScreenshot, ...]:
    read = [(await read_file(site, shot.asset_id), shot.caption) for shot in snapshot.screenshots]
    return tuple(BundledScreenshot(data, caption) for data, caption in read if data is not None)
