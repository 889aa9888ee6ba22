"""An app's webhooks tab: where they go, how they look, and what was sent last."""

from typing import Any

from falcon.asgi import Request, Response

from airside.apps.deliveries import list_app_endpoints
from airside.portal.app_deliveries import show_deliveries
from airside.portal.app_form import EditApp
from airside.portal.app_pages import AppPage
from airside.webhooks.deliveries import list_deliveries
from airside.webhooks.signing import SECRET

LATEST = 10  # deliveries


class AppWebhooks(AppPage):
    """GET /<workspace>/settings/applications/<id>/webhooks/"""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        endpoints = await list_app_endpoints(self.site.db, app["id"])
        latest = await list_deliveries(self.site.db, endpoints, limit=LATEST)
        shown: dict[str, Any] = {"last_four": self._last_four(app["webhook_secret_sealed"])}
        self.show_tab(
            visit,
            app,
            "webhooks",
            "applications/webhooks.html",
            webhook=shown,
            deliveries=await show_deliveries(self.site.db, latest),
        )

    def _last_four(self, sealed: str) -> str:
        try:
            return self.site.sealer.unseal(sealed, SECRET)[-4:]
        except ValueError:  # sealed under a key that this instance doesn't have any more
            return ""


class EditWebhooks(EditApp):
    """GET and POST /<workspace>/settings/applications/<id>/webhooks/edit/"""

    tab = "webhooks"
    template = "applications/webhooks_form.html"
    names = ("webhook_url", "webhook_version")
    flags = ("receives_own_events",)
