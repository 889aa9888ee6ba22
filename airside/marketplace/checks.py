"""Automatic checks of a listing, shown to the author with the draft and to the operator with the submitted version.
An unmet required check blocks the submission; the others are hints."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
import sqlalchemy as sa

from airside.apps.addresses import check_redirect_uri
from airside.db.base import Row
from airside.db.conditions import live
from airside.db.database import Reader
from airside.db.statements import Statement
from airside.installations.tables import installations
from airside.marketplace.content import THIS_INSTANCE
from airside.marketplace.snapshot import Snapshot
from airside.runtime.site import Site
from airside.webhooks.tables import webhook_deliveries, webhook_endpoints

MIN_DESCRIPTION = 80  # characters
RECENTLY = timedelta(days=14)  # in which a webhook should have been delivered


class Check(msgspec.Struct, frozen=True):
    """`words` describe the check, `detail` its result."""

    name: str
    words: str
    is_met: bool
    detail: str = ""
    is_required: bool = True


async def run_checks(site: Site, snapshot: Snapshot, app: Row) -> list[Check]:
    """All checks, required ones first."""
    found = [
        *_check_texts(snapshot),
        *_check_addresses(snapshot),
        _check_scopes(snapshot, app),
        await _check_webhook(site, app),
    ]
    return sorted(found, key=lambda check: not check.is_required)


def unmet(checks: list[Check]) -> list[Check]:
    """The checks that block the submission."""
    return [check for check in checks if check.is_required and not check.is_met]


def _check_texts(snapshot: Snapshot) -> list[Check]:
    length = len(snapshot.description)
    return [
        Check("category", "It has a category", bool(snapshot.category)),
        Check("tagline", "It has a tagline", bool(snapshot.tagline)),
        Check(
            "description",
            f"Its description has at least {MIN_DESCRIPTION} characters",
            length >= MIN_DESCRIPTION,
            f"{length:,} characters",
        ),
        Check("logo", "It has a logo of its own", snapshot.logo_id is not None),
        Check(
            "contact_email", "It names a contact e-mail", bool(snapshot.contact_email), snapshot.contact_email
        ),
        Check(
            "screenshots",
            "It has a screenshot",
            bool(snapshot.screenshots),
            f"{len(snapshot.screenshots)} uploaded",
            is_required=False,
        ),
    ]


def _check_addresses(snapshot: Snapshot) -> list[Check]:
    # An app for this instance only needs no privacy policy.
    is_public = snapshot.audience != THIS_INSTANCE
    odd = [uri for uri in snapshot.redirect_uris if not _is_web_or_loopback(uri)]
    return [
        Check(
            "redirect_uris",
            "Its redirect URIs are https or loopback",
            not odd,
            ", ".join(odd) or f"{len(snapshot.redirect_uris)} registered",
        ),
        Check(
            "setup_url",
            "Its setup URL is https",
            snapshot.setup_url is None or _is_https(snapshot.setup_url),
            snapshot.setup_url or "It has none: Install App leads straight to consent",
        ),
        _check_link("privacy_policy", "It links to a privacy policy", snapshot.privacy_policy_url, is_public),
        _check_link("terms", "It links to terms of service", snapshot.terms_of_service_url, is_public),
        _check_link("support", "It links to support", snapshot.support_url, is_required=False),
    ]


def _check_link(name: str, words: str, url: str | None, is_required: bool) -> Check:
    return Check(name, words, bool(url), url or "", is_required=is_required)


def _check_scopes(snapshot: Snapshot, app: Row) -> Check:
    words = "It says why it asks for each of its scopes"
    if not snapshot.scopes:
        return Check(
            "scopes", words, False, "It is limited by no scope: it may do all that a role allows", False
        )
    reasons: dict[str, Any] = app.get("scope_reasons") or {}
    without = [scope for scope in snapshot.scopes if not reasons.get(scope)]
    detail = f"{len(snapshot.scopes)} scopes, {len(without)} without a reason"
    return Check("scopes", words, not without, detail, is_required=False)


async def _check_webhook(site: Site, app: Row) -> Check:
    words = f"Its webhook has answered in the last {RECENTLY.days} days"
    if app["webhook_url"] is None:
        return Check("webhook", words, True, "It has no webhook", is_required=False)
    at = await find_last_delivery(site.db, app["id"])
    is_met = at is not None and site.clock.now() - at <= RECENTLY
    detail = f"Last on {at:%Y-%m-%d}" if at else "It has answered none so far"
    return Check("webhook", words, is_met, detail, is_required=False)


async def find_last_delivery(reader: Reader, app_id: str) -> Any:
    """When a webhook of the app was last delivered, in any workspace."""
    return await reader.fetch_value(_LAST_DELIVERED, app_id=app_id)


def _is_web_or_loopback(uri: str) -> bool:
    return urlsplit(uri).scheme in ("http", "https") and check_redirect_uri(uri) is None


def _is_https(url: str) -> bool:
    return urlsplit(url).scheme == "https"


_d = webhook_deliveries.c
_LAST_DELIVERED = Statement(
    sa.select(sa.func.max(_d.completed_at, type_=_d.completed_at.type).label("at"))
    .select_from(installations)
    .join(
        webhook_endpoints,
        sa.and_(
            webhook_endpoints.c.workspace_id == installations.c.workspace_id,
            webhook_endpoints.c.id == installations.c.webhook_id,
        ),
    )
    .join(
        webhook_deliveries,
        sa.and_(
            _d.workspace_id == webhook_endpoints.c.workspace_id, _d.endpoint_id == webhook_endpoints.c.id
        ),
    )
    .where(
        installations.c.app_id == sa.bindparam("app_id"),
        live(installations),
        _d.status == sa.literal_column("'delivered'"),
    )
)
