"""Moving listings between instances: export as a file, for authors and operators, and import."""

from typing import Any

from falcon.asgi import Request, Response

from airside.db.base import Row
from airside.errors import Invalid
from airside.marketplace.export_bundle import SIZE_LIMIT, export_listing
from airside.marketplace.import_bundle import receive_listing
from airside.portal.applications.created import go_to_registered
from airside.portal.applications.listing import ListingPage
from airside.portal.marketplace.review import QUEUE, ReviewPage
from airside.portal.rendering import PAGE_HEADERS
from airside.portal.visit import Page, Visit, enter, first_sentences
from airside.workspaces.find import list_workspaces_of
from airside.workspaces.roles import ADMIN

FORM_LIMIT = SIZE_LIMIT + 64 * 1024  # bytes: the file and the fields around it


class ExportListing(ListingPage):
    """GET /<workspace>/settings/applications/<id>/listing/export/"""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        listing = await self.get_listing(visit, app)
        send_file(resp, listing, await export_listing(self.site, listing))


class ExportReviewed(ReviewPage):
    """GET /admin/review/<app>/export/"""

    async def on_get(self, req: Request, resp: Response, app_slug: str) -> None:
        _, listing = await self.enter_listing(req, resp, app_slug)
        send_file(resp, listing, await export_listing(self.site, listing))


class ImportListing(Page):
    """GET and POST /admin/import/: redirects to the page that shows the app's secrets once."""

    creates = True

    async def on_get(self, req: Request, resp: Response) -> None:
        visit = (await enter(self.site, req, resp)).require_operator()
        await self._show(visit, {})

    async def on_post(self, req: Request, resp: Response) -> None:
        visit = await enter(self.site, req, resp)
        form = await visit.read_form(upload_limit=FORM_LIMIT)
        visit.require_operator()
        chosen = next(
            (each for each in await self._list_places(visit) if each["slug"] == form.text("workspace")), None
        )
        try:
            if chosen is None:
                raise Invalid({"workspace": ["Choose a workspace."]})
            if "file" not in form.files:
                raise Invalid({"file": ["Choose a file first."]})
            received = await receive_listing(self.site, form.files["file"], chosen["id"], visit.user_id)
        except Invalid as error:
            await self._show(visit, first_sentences(error), form.text("workspace"))
            return
        visit.workspace, visit.role, visit.may_build = chosen, ADMIN, True
        await go_to_registered(visit, received.made)

    async def _list_places(self, visit: Visit) -> list[Row]:
        return [
            each for each in await list_workspaces_of(self.site.db, visit.user_id) if each["role"] == ADMIN
        ]

    async def _show(self, visit: Visit, errors: dict[str, str], workspace: str = "") -> None:
        places = await self._list_places(visit)
        visit.show(
            "review/import.html",
            status=422 if errors else 200,
            queue=QUEUE,
            places=[(each["slug"], each["name"]) for each in places],
            filled={"workspace": workspace},
            megabytes=SIZE_LIMIT // 1024 // 1024,
            errors=errors,
        )


def send_file(resp: Response, listing: Row, data: bytes) -> Any:
    """As a download named after the app; a slug is ASCII."""
    resp.content_type = "application/json"
    resp.downloadable_as = f"{listing['slug']}.airside-listing.json"
    resp.set_headers(PAGE_HEADERS)
    resp.data = data
