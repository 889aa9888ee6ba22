"""The operator's review pages: the queue, a listing with its automatic checks, and the decisions."""

from typing import Any

from falcon.asgi import Request, Response

from airside.apps.tables import apps
from airside.db.base import Row
from airside.errors import Invalid
from airside.marketplace.browse import count_installs
from airside.marketplace.checks import run_checks
from airside.marketplace.content import ANYBODY
from airside.marketplace.find import count_submitted, get_listing_by_slug, list_reviewed, list_submitted
from airside.marketplace.pictures import picture_path
from airside.marketplace.publishers import is_verified, set_verified
from airside.marketplace.review import (
    WORDS_LENGTH,
    approve_listing,
    delist_listing,
    request_changes,
    version_of,
)
from airside.marketplace.snapshot import Snapshot, changed_since, read_snapshot
from airside.marketplace.tables import LISTED, SUBMITTED
from airside.portal.forms import Form, Unreadable
from airside.portal.lookups import find_names, find_workspaces
from airside.portal.marketplace.view import show_snapshot
from airside.portal.pagination import cut_page, read_page
from airside.portal.visit import Page, Visit, enter, first_sentences

QUEUE = "/admin/review/"
PAGE = 30


class ReviewQueue(Page):
    """GET /admin/review/?show=reviewed"""

    async def on_get(self, req: Request, resp: Response) -> None:
        visit = (await enter(self.site, req, resp)).require_operator()
        shows_reviewed = req.get_param("show") == "reviewed"
        page = read_page(req, QUEUE, PAGE)
        listed = list_reviewed if shows_reviewed else list_submitted
        page, rows = cut_page(page, await listed(self.site.db, limit=PAGE + 1, offset=page.offset))
        places = await find_workspaces(self.site.db, [row["workspace_id"] for row in rows])
        links = page.links()
        if shows_reviewed:
            links |= {
                name: f"{links[name]}&show=reviewed" for name in ("prev_href", "next_href") if links[name]
            }
        visit.show(
            "review/list.html",
            shows_reviewed=shows_reviewed,
            waiting=await count_submitted(self.site.db),
            listings=[_show_row(row, places) for row in rows],
            page=links,
        )


class ReviewPage(Page):
    """A page below /admin/review/<app>/"""

    async def enter_listing(self, req: Request, resp: Response, app_slug: str) -> tuple[Visit, Row]:
        """Raises SignInNeeded, and NotFound for anybody but operators."""
        visit = (await enter(self.site, req, resp)).require_operator()
        return visit, await get_listing_by_slug(self.site.db, app_slug)

    async def enter_decision(self, req: Request, resp: Response, app_slug: str) -> tuple[Visit, Row, Form]:
        """Checks the form's CSRF token first. Raises ForgedForm, and what `enter_listing` raises."""
        visit = await enter(self.site, req, resp)
        form = await visit.read_form()
        return visit.require_operator(), await get_listing_by_slug(self.site.db, app_slug), form

    async def show_review(self, visit: Visit, listing: Row, errors: dict[str, str] | None = None) -> None:
        db = self.site.db
        app = await db.find(apps, id=listing["app_id"])
        assert app is not None  # a listing is found only with its app
        home = (await find_workspaces(db, [listing["workspace_id"]]))[listing["workspace_id"]]
        snapshot = _shown_snapshot(listing)
        people = (listing["submitted_by_id"], listing["reviewed_by_id"])
        names = await find_names(db, people)
        vouched = snapshot and await is_verified(db, listing["workspace_id"], snapshot.publisher)
        visit.show(
            "review/detail.html",
            status=422 if errors else 200,
            here=f"{QUEUE}{listing['slug']}/",
            queue=QUEUE,
            case=_show_row(listing, {home["id"]: home})
            | {
                "version": version_of(listing) if listing["state"] == SUBMITTED else "",
                "submitted_by": names.get(listing["submitted_by_id"], ""),
                "reviewed_by": names.get(listing["reviewed_by_id"], ""),
                "review_words": listing["review_words"],
                "imported_from": listing["imported_from"],
                "installs": await count_installs(db, app["id"]),
            },
            listing=snapshot
            and show_snapshot(snapshot, snapshot.scopes, app["scope_reasons"], is_verified=bool(vouched)),
            changed=changed_since(snapshot, app, home["name"]) if snapshot else [],
            checks=await run_checks(self.site, snapshot, app) if snapshot else [],
            words_length=WORDS_LENGTH,
            errors=errors or {},
        )


class Review(ReviewPage):
    """GET /admin/review/<app>/, and a POST with the decision: approve, changes or delist."""

    async def on_get(self, req: Request, resp: Response, app_slug: str) -> None:
        visit, listing = await self.enter_listing(req, resp, app_slug)
        await self.show_review(visit, listing)

    async def on_post(self, req: Request, resp: Response, app_slug: str) -> None:
        visit, listing, form = await self.enter_decision(req, resp, app_slug)
        decision, words = form.text("decision"), form.text("words")
        slug, by = listing["slug"], visit.user_id
        try:
            if decision == "approve":
                await approve_listing(self.site, slug, by, form.text("version"))
                visit.go(QUEUE, "listing_approved")
            elif decision == "changes":
                await request_changes(self.site, slug, by, words)
                visit.go(QUEUE, "listing_sent_back")
            elif decision == "delist":
                await delist_listing(self.site, slug, by, form.text("reason"))
                visit.go(f"{QUEUE}{slug}/", "listing_delisted")
            else:
                raise Unreadable
        except Invalid as error:
            where = "reason" if decision == "delist" else "words"
            await self.show_review(visit, listing, first_sentences(error, {"words": where}))


class VerifyPublisher(ReviewPage):
    """POST /admin/review/<app>/publisher/: verify its publisher, or withdraw that."""

    async def on_post(self, req: Request, resp: Response, app_slug: str) -> None:
        visit, listing, form = await self.enter_decision(req, resp, app_slug)
        snapshot = _shown_snapshot(listing)
        if snapshot is None or form.text("name") != snapshot.publisher:
            raise Unreadable("The publisher's name has changed. Look at the listing again.")
        vouch = form.text("do") == "verify"
        await set_verified(
            self.site, listing["workspace_id"], snapshot.publisher, visit.user_id, is_verified=vouch
        )
        visit.go(f"{QUEUE}{listing['slug']}/", "publisher_verified" if vouch else "publisher_unverified")


def _shown_snapshot(listing: Row) -> Snapshot | None:
    """The version that the operator reviews: the submitted one, else the public one."""
    stored = listing["submitted"] or listing["published"]
    return read_snapshot(stored) if stored else None


def _show_row(listing: Row, places: dict[str, Row]) -> dict[str, Any]:
    snapshot = _shown_snapshot(listing)
    return {
        "slug": listing["slug"],
        "name": snapshot.name if snapshot else listing["app_name"],
        "logo_url": picture_path(snapshot.logo_id) if snapshot else "",
        "tagline": snapshot.tagline if snapshot else "",
        "publisher_name": snapshot.publisher if snapshot else "",
        "workspace_name": places[listing["workspace_id"]]["name"],
        "state": listing["state"],
        "standing": listing["standing"],
        "is_listed": listing["standing"] == LISTED,
        "is_exportable": listing["standing"] == LISTED and listing["audience"] == ANYBODY,
        "submitted_at": listing["submitted_at"],
        "reviewed_at": listing["reviewed_at"],
    }
