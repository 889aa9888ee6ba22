"""A listing as pages show it: to people who browse, to its author, to the operator who reviews it."""

from collections.abc import Iterable, Mapping
from typing import Any

from airside.apps.addresses import redirect_host
from airside.apps.scopes import ceiling_of, describe_scopes
from airside.db.base import Row
from airside.marketplace.categories import BY_SLUG
from airside.marketplace.content import Screenshot
from airside.marketplace.markdown import render_markdown
from airside.marketplace.pictures import picture_path
from airside.marketplace.snapshot import Snapshot, read_snapshot
from airside.portal.scope_choices import permission_groups


def show_snapshot(
    snapshot: Snapshot,
    scopes: Iterable[str],
    reasons: Mapping[str, str],
    *,
    logo_url: str = "",
    is_verified: bool = False,
) -> dict[str, Any]:
    """As the macro `listing_body` takes it. `scopes` and `reasons` are those that consent shows today.

    The description is HTML sanitized by marketplace/markdown.py, the only text here that templates don't escape."""
    category = BY_SLUG.get(snapshot.category)
    return {
        "name": snapshot.name,
        "logo_url": logo_url or picture_path(snapshot.logo_id),
        "tagline": snapshot.tagline,
        "description_html": render_markdown(snapshot.description),
        "category": {"slug": category.slug, "name": category.name} if category else None,
        "publisher_name": snapshot.publisher,
        "is_verified": is_verified,
        "is_mentionable": snapshot.is_mentionable,
        "website": snapshot.website or "",
        "privacy_policy_url": snapshot.privacy_policy_url or "",
        "terms_of_service_url": snapshot.terms_of_service_url or "",
        "support_url": snapshot.support_url or "",
        "contact_email": snapshot.contact_email,
        "install_host": redirect_host(snapshot.setup_url or snapshot.redirect_uris[0]),
        "screenshots": [show_screenshot(shot) for shot in snapshot.screenshots],
        "permissions": permission_groups(describe_scopes(ceiling_of(scopes)), reasons=reasons),
    }


def show_screenshot(shot: Screenshot) -> dict[str, Any]:
    return {
        "id": shot.asset_id,
        "src": picture_path(shot.asset_id),
        "width": shot.width,
        "height": shot.height,
        "caption": shot.caption,
    }


def show_card(listing: Row, verified: set[tuple[str, str]]) -> dict[str, Any]:
    """As the macro `app_card` takes it, of a listed app."""
    snapshot = read_snapshot(listing["published"])
    return {
        "slug": listing["slug"],
        "name": snapshot.name,
        "logo_url": picture_path(snapshot.logo_id),
        "tagline": snapshot.tagline,
        "publisher_name": snapshot.publisher,
        "is_verified": (listing["workspace_id"], snapshot.publisher) in verified,
        "category": BY_SLUG[snapshot.category].name,
        "installs": listing["installs"],
    }
