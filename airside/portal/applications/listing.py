"""An author's pages on an app's listing: its texts and screenshots, the preview, and sending it to review."""

from typing import Any

import msgspec
from falcon.asgi import Request, Response

from airside.db.base import Row
from airside.errors import Invalid
from airside.marketplace.categories import CATEGORIES
from airside.marketplace.checks import run_checks, unmet
from airside.marketplace.content import (
    ANYBODY,
    CAPTION_LENGTH,
    DESCRIPTION_LENGTH,
    MAX_SCREENSHOTS,
    TAGLINE_LENGTH,
    THIS_INSTANCE,
    read_content,
)
from airside.marketplace.drafts import (
    add_screenshot,
    move_screenshot,
    new_listing,
    remove_screenshot,
    save_listing,
)
from airside.marketplace.find import find_listing
from airside.marketplace.pictures import SIZE_LIMIT
from airside.marketplace.publishers import is_app_verified
from airside.marketplace.snapshot import Snapshot, changed_since, read_snapshot
from airside.marketplace.submit import (
    preview_listing,
    submit_listing,
    take_back_listing,
    withdraw_listing,
)
from airside.marketplace.tables import LISTED, SUBMITTED
from airside.portal.applications.pages import AppPage, crumbs, tab_path
from airside.portal.forms import Form
from airside.portal.logos import shown_picture
from airside.portal.marketplace.view import show_screenshot, show_snapshot
from airside.portal.visit import Visit, first_sentences
from airside.workspaces.find import get_workspace

TEXTS = ("category", "tagline", "description", "support_url", "audience")
AUDIENCES = [
    (ANYBODY, "Anybody who may see this marketplace; it can be exported to other instances"),
    (THIS_INSTANCE, "Only people of this instance; it is never exported"),
]


class ListingPage(AppPage):
    """A page below /<workspace>/settings/applications/<id>/listing/"""

    async def get_listing(self, visit: Visit, app: Row) -> Row:
        """The app's listing; an empty one that isn't stored when there is none."""
        found = await find_listing(self.site.db, visit.workspace_id, app["id"])
        return found or new_listing(self.site, app, visit.user_id)

    async def show_editor(
        self, visit: Visit, app: Row, form: Form | None = None, errors: dict[str, str] | None = None
    ) -> None:
        listing = await self.get_listing(visit, app)
        content = read_content(listing["content"])
        draft = await self.preview(app, listing)
        checks = await run_checks(self.site, draft, app)
        filled = msgspec.structs.asdict(content) | (
            {name: form.text(name) for name in TEXTS if form.has(name)} if form else {}
        )
        self.show_tab(
            visit,
            app,
            "listing",
            "applications/listing.html",
            status=422 if errors else 200,
            listing=await self._show_standing(listing, app),
            listing_href=listing_path(visit, app),
            filled=filled,
            errors=errors or {},
            categories=[("", "Choose a category"), *((each.slug, each.name) for each in CATEGORIES)],
            audiences=AUDIENCES,
            screenshots=[show_screenshot(shot) for shot in content.screenshots],
            limits={
                "tagline": TAGLINE_LENGTH,
                "description": DESCRIPTION_LENGTH,
                "caption": CAPTION_LENGTH,
                "screenshots": MAX_SCREENSHOTS,
                "kilobytes": SIZE_LIMIT // 1024,
            },
            checks=checks,
            missing=len(unmet(checks)),
        )

    async def preview(self, app: Row, listing: Row) -> Snapshot:
        """The draft as a snapshot; `logo_id` only says whether there is a logo."""
        draft = await preview_listing(self.site, app, listing)
        return msgspec.structs.replace(draft, logo_id="its own" if shown_picture(app["logo_url"]) else None)

    async def _show_standing(self, listing: Row, app: Row) -> dict[str, Any]:
        home = await get_workspace(self.site.db, app["workspace_id"])
        is_listed = listing["standing"] == LISTED
        approved = read_snapshot(listing["published"]) if is_listed else None
        return {
            "state": listing["state"],
            "standing": listing["standing"],
            "submitted_at": listing["submitted_at"],
            "review_words": listing["review_words"],
            "reviewed_at": listing["reviewed_at"],
            "published_at": listing["published_at"],
            "public_href": f"/{home['slug']}/marketplace/{listing['slug']}/" if is_listed else "",
            "changed": changed_since(approved, app, home["name"]) if approved else [],
            "is_exportable": listing["standing"] == LISTED and listing["audience"] == ANYBODY,
            "is_open": listing["state"] != SUBMITTED,
        }


class Listing(ListingPage):
    """GET and POST …/listing/: the texts."""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        await self.show_editor(visit, app)

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app, form = await self.take_form(req, resp, slug, app_id)
        given = {name: form.text(name) for name in TEXTS if form.has(name)}
        try:
            await save_listing(self.site, app, visit.user_id, given)
        except Invalid as error:
            await self.show_editor(visit, app, form, first_sentences(error))
            return
        visit.go(listing_path(visit, app), "listing_saved")


class Screenshots(ListingPage):
    """POST …/listing/screenshots/: adds one; GET shows the editor."""

    creates = True

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        await self.show_editor(visit, app)

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app, form = await self.take_form(req, resp, slug, app_id)
        try:
            picture = form.files.get("screenshot")
            if picture is None:
                raise Invalid({"screenshot": ["Choose a picture first."]})
            await add_screenshot(self.site, app, visit.user_id, picture, form.text("caption"))
        except Invalid as error:
            await self.show_editor(visit, app, None, first_sentences(error))
            return
        visit.go(f"{listing_path(visit, app)}#screenshots", "screenshot_added")


class Screenshot(ListingPage):
    """POST …/listing/screenshots/<picture>/: remove it, or move it towards the front."""

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str, picture_id: str) -> None:
        visit, app, form = await self.take_form(req, resp, slug, app_id)
        change = move_screenshot if form.text("do") == "forward" else remove_screenshot
        await change(self.site, app, visit.user_id, picture_id)
        visit.go(f"{listing_path(visit, app)}#screenshots", "screenshots_saved")


class ListingPreview(ListingPage):
    """GET …/listing/preview/: the draft as people would see it."""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        listing = await self.get_listing(visit, app)
        draft = await preview_listing(self.site, app, listing)
        visit.show(
            "applications/listing_preview.html",
            here=listing_path(visit, app),
            crumbs=crumbs(visit, app, "listing"),
            listing=show_snapshot(
                draft,
                app["scopes"],
                app["scope_reasons"],
                logo_url=shown_picture(app["logo_url"]),
                is_verified=await is_app_verified(self.site.db, app),
            ),
        )


class SubmitListing(ListingPage):
    """POST …/listing/submit/; GET shows the editor."""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        await self.show_editor(visit, app)

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app, _ = await self.take_form(req, resp, slug, app_id)
        try:
            await submit_listing(self.site, app, visit.user_id)
        except Invalid as error:
            await self.show_editor(visit, app, None, first_sentences(error))
            return
        visit.go(listing_path(visit, app), "listing_submitted")


class TakeBackListing(ListingPage):
    """POST …/listing/take-back/"""

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app, _ = await self.take_form(req, resp, slug, app_id)
        await take_back_listing(self.site, app, visit.user_id)
        visit.go(listing_path(visit, app), "listing_taken_back")


class WithdrawListing(ListingPage):
    """GET and POST …/listing/withdraw/"""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        here = listing_path(visit, app)
        visit.show(
            "confirm.html",
            nav="applications",
            title=f"Take {app['name']} out of the marketplace?",
            crumbs=crumbs(visit, app, "listing"),
            sentences=[
                "Nobody finds it there any more.",
                "Where it is installed it stays installed.",
                "To list it again it goes through review again.",
            ],
            words="Withdraw the listing",
            action=f"{here}withdraw/",
            cancel_href=here,
            ask_password=False,
            errors={},
        )

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app, _ = await self.take_form(req, resp, slug, app_id)
        await withdraw_listing(self.site, app, visit.user_id)
        visit.go(listing_path(visit, app), "listing_withdrawn")


def listing_path(visit: Visit, app: Row) -> str:
    return tab_path(visit, app, "listing")
