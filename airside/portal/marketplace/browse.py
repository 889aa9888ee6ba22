"""The marketplace: the listed apps by category and search, one app's page, and its install link."""

from typing import Any
from urllib.parse import urlencode

from falcon.asgi import Request, Response

from airside.apps.addresses import redirect_host
from airside.apps.policy import check_installable, find_policy
from airside.apps.registry import list_apps
from airside.apps.tables import apps
from airside.db.base import Row
from airside.errors import NotFound
from airside.installations.read import list_installations
from airside.marketplace.browse import SEARCH_LENGTH, count_by_category, get_listed, list_listed
from airside.marketplace.categories import BY_SLUG, CATEGORIES
from airside.marketplace.publishers import find_verified
from airside.marketplace.snapshot import read_snapshot
from airside.oauth.authorize import install_url, open_consent_request
from airside.oauth.consent import ask
from airside.portal.logos import shown_picture
from airside.portal.marketplace.view import show_card, show_snapshot
from airside.portal.pagination import Pagination, cut_page, read_page
from airside.portal.rendering import redirect, show_page
from airside.portal.return_path import consent_url
from airside.portal.signed_in import find_signed_in
from airside.portal.visit import NO_SUCH_PLACE, Page, Visit, enter, enter_workspace
from airside.runtime.site import Site

PAGE = 24  # cards


class Stranger:
    """A visitor who isn't signed in, in a marketplace that its operator made public."""

    workspace: Row = {}
    user_id = ""
    is_admin = False

    def __init__(self, site: Site, req: Request, resp: Response) -> None:
        self.site, self.req, self.resp = site, req, resp

    def show(self, template: str, **context: Any) -> None:
        shared: dict[str, Any] = {"viewer": None, "workspace": None, "csrf_token": "", "messages": []}
        show_page(self.site, self.req, self.resp, template, **shared, **context)


Visitor = Visit | Stranger


async def enter_as_visitor(site: Site, req: Request, resp: Response, slug: str | None) -> Visitor:
    """Raises SignInNeeded unless the marketplace is public, and NotFound and Forbidden as workspaces do."""
    if slug is not None:
        return (await enter_workspace(site, req, resp, slug)).require_member()
    if site.settings.marketplace_public and await find_signed_in(site, req) is None:
        return Stranger(site, req, resp)
    return await enter(site, req, resp)


class Marketplace(Page):
    """GET /marketplace/?q=…&category=… and /<workspace>/marketplace/"""

    async def on_get(self, req: Request, resp: Response, slug: str | None = None) -> None:
        visitor = await enter_as_visitor(self.site, req, resp, slug)
        here = base_path(visitor)
        search = (req.get_param("q") or "")[:SEARCH_LENGTH].strip()
        category = req.get_param("category") or ""
        category = category if category in BY_SLUG else ""
        asked = {name: value for name, value in (("q", search), ("category", category)) if value}
        page = read_page(req, here, PAGE)
        is_stranger = isinstance(visitor, Stranger)
        found = await list_listed(
            self.site.db,
            search=search,
            category=category,
            is_stranger=is_stranger,
            limit=PAGE + 1,
            offset=page.offset,
        )
        page, rows = cut_page(page, found)
        counts = await count_by_category(self.site.db, is_stranger=is_stranger)
        verified = await find_verified(self.site.db, [row["workspace_id"] for row in rows])
        installed = await self._list_installed(visitor)
        visitor.show(
            "marketplace/browse.html",
            here=here,
            search=search,
            category=BY_SLUG.get(category),
            categories=[
                {
                    "name": each.name,
                    "glyph": each.glyph,
                    "count": counts[each.slug],
                    "href": f"{here}?{urlencode({'category': each.slug})}",
                    "is_here": each.slug == category,
                }
                for each in CATEGORIES
                if each.slug in counts
            ],
            total=sum(counts.values()),
            cards=[show_card(row, verified) | {"is_installed": row["app_id"] in installed} for row in rows],
            own=[] if asked else await self._list_own(visitor, installed),
            page=_links(page, asked),
        )

    async def _list_installed(self, visitor: Visitor) -> set[str]:
        if not visitor.workspace:
            return set()
        return {row["app_id"] for row in await list_installations(self.site.db, visitor.workspace["id"])}

    async def _list_own(self, visitor: Visitor, installed: set[str]) -> list[dict[str, Any]]:
        """The workspace's own unlisted apps that aren't installed."""
        if not visitor.workspace:
            return []
        policy = await find_policy(self.site.db, visitor.workspace["id"])
        return [
            {
                "name": app["name"],
                "logo_url": shown_picture(app["logo_url"]),
                "description": app["short_description"],
                "install_href": install_url(self.site, app),
                "kept_out": policy.refusal_of(app),
            }
            for app in await list_apps(self.site.db, visitor.workspace["id"])
            if app["listed_at"] is None and app["id"] not in installed
        ]


class MarketplaceApp(Page):
    """GET /marketplace/<app>/ and /<workspace>/marketplace/<app>/"""

    async def on_get(self, req: Request, resp: Response, app_slug: str, slug: str | None = None) -> None:
        visitor = await enter_as_visitor(self.site, req, resp, slug)
        listing = await get_listed(self.site.db, app_slug, is_stranger=isinstance(visitor, Stranger))
        app = await get_registration(self.site, listing)
        snapshot = read_snapshot(listing["published"])
        verified = await find_verified(self.site.db, [listing["workspace_id"]])
        here = base_path(visitor)
        visitor.show(
            "marketplace/app.html",
            here=here,
            listing=show_snapshot(
                snapshot,
                app["scopes"],
                app["scope_reasons"],
                is_verified=(listing["workspace_id"], snapshot.publisher) in verified,
            )
            | {"installs": listing["installs"], "published_at": listing["published_at"]},
            install_href=f"{here}{listing['slug']}/install/",
            installation_id=await self._find_installed(visitor, app),
            may_install=not visitor.workspace or visitor.is_admin,
            kept_out=(await find_policy(self.site.db, visitor.workspace["id"])).refusal_of(app)
            if visitor.workspace
            else "",
        )

    async def _find_installed(self, visitor: Visitor, app: Row) -> str:
        if not visitor.workspace:
            return ""
        found = await list_installations(self.site.db, visitor.workspace["id"])
        return next((row["id"] for row in found if row["app_id"] == app["id"]), "")


class MarketplaceInstall(Page):
    """GET /marketplace/<app>/install/ and /<workspace>/marketplace/<app>/install/: on to the app's setup URL, or to
    consent, which asks for the workspace unless one is given."""

    async def on_get(self, req: Request, resp: Response, app_slug: str, slug: str | None = None) -> None:
        visit = await (
            enter(self.site, req, resp) if slug is None else enter_workspace(self.site, req, resp, slug)
        )
        if slug is not None:
            visit.require_admin()
        listing = await get_listed(self.site.db, app_slug)
        app = await get_registration(self.site, listing)
        if visit.workspace:
            await check_installable(self.site.db, visit.workspace_id, app)
        approved = read_snapshot(listing["published"])
        if approved.setup_url:
            # Not a redirect: after the sign-in form, the CSP's form-action would block one to another origin.
            host = redirect_host(approved.setup_url)
            visit.show("oauth/continue.html", location=approved.setup_url, redirect_host=host)
            return
        request_id = await open_consent_request(
            self.site, install_url(self.site, app | {"setup_url": None}).partition("?")[2]
        )
        if visit.workspace:
            await ask(self.site, request_id, visit.session, visit.workspace_id)
        redirect(self.site, resp, consent_url(request_id))


async def get_registration(site: Site, listing: Row) -> Row:
    """Raises NotFound for an app that was deleted meanwhile."""
    app = await site.db.find(apps, id=listing["app_id"])
    if app is None or app["deleted_at"] is not None:
        raise NotFound(NO_SUCH_PLACE)
    return app


def base_path(visitor: Visitor) -> str:
    """The path of the marketplace that the visitor browses: the site's or the workspace's."""
    return f"/{visitor.workspace['slug']}/marketplace/" if visitor.workspace else "/marketplace/"


def _links(page: Pagination, asked: dict[str, str]) -> dict[str, str | None]:
    """Links to the previous and next page, with the search parameters."""
    links = page.links()
    if not asked:
        return links
    more = urlencode(asked)
    return links | {name: f"{links[name]}&{more}" for name in ("prev_href", "next_href") if links[name]}
