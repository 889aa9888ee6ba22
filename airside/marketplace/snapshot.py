"""The public version of a listing, frozen on submission: later changes of the registration or the draft become
public only when approved, so that an app can't change after its review."""

from typing import Any

import msgspec

from airside.db.base import Row
from airside.marketplace.content import Content, Screenshot


class Snapshot(msgspec.Struct, frozen=True):
    """Content and registration together. `publisher` is the organization, else the workspace that registered it."""

    name: str
    publisher: str
    category: str
    tagline: str
    description: str
    audience: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    support_url: str | None = None
    setup_url: str | None = None
    website: str | None = None
    privacy_policy_url: str | None = None
    terms_of_service_url: str | None = None
    contact_email: str = ""
    is_mentionable: bool = False
    logo_id: str | None = None  # the asset with a copy of the logo
    screenshots: tuple[Screenshot, ...] = ()


# Fields whose change since the approval is reported to the reviewer.
WATCHED = {
    "name": "its name",
    "setup_url": "its setup URL",
    "redirect_uris": "its redirect URIs",
    "scopes": "its scopes",
    "is_mentionable": "whether it is an agent",
    "publisher": "who publishes it",
}


def read_snapshot(stored: Any) -> Snapshot:
    return msgspec.convert(stored, Snapshot)


def take_snapshot(content: Content, app: Row, workspace_name: str, logo_id: str | None) -> Snapshot:
    return Snapshot(
        name=app["name"],
        publisher=publisher_of(app, workspace_name),
        category=content.category,
        tagline=content.tagline,
        description=content.description,
        audience=content.audience,
        redirect_uris=tuple(app["redirect_uris"]),
        scopes=tuple(app["scopes"]),
        support_url=content.support_url,
        setup_url=app["setup_url"],
        website=app["website"],
        privacy_policy_url=app["privacy_policy_url"],
        terms_of_service_url=app["terms_of_service_url"],
        contact_email=app["contact_email"],
        is_mentionable=app["is_mentionable"],
        logo_id=logo_id,
        screenshots=content.screenshots,
    )


def publisher_of(app: Row, workspace_name: str) -> str:
    return app["organization_name"] or workspace_name


def changed_since(snapshot: Snapshot, app: Row, workspace_name: str) -> list[str]:
    """The WATCHED fields that differ from the snapshot now, in words."""
    now = take_snapshot(Content(), app, workspace_name, None)
    return [words for name, words in WATCHED.items() if getattr(now, name) != getattr(snapshot, name)]
