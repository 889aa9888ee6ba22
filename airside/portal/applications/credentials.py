"""An app's credentials as far as they can be shown again: its ids, and the last characters of its secrets."""

from datetime import datetime
from typing import Any

from falcon.asgi import Request, Response

from airside.apps.secrets import MAX_LIVE, list_client_secrets
from airside.apps.tables import PUBLIC
from airside.db.base import Row
from airside.portal.applications.pages import AppPage
from airside.portal.lookups import UNKNOWN, find_names
from airside.webhooks.signing import last_four


class Credentials(AppPage):
    """GET /<workspace>/settings/applications/<id>/credentials/"""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        secrets = await list_client_secrets(self.site.db, app["id"])
        names = await find_names(self.site.db, [row["created_by_id"] for row in secrets])
        self.show_tab(
            visit,
            app,
            "credentials",
            "applications/credentials.html",
            is_public=app["client_type"] == PUBLIC,
            secrets=[row | {"created_by": names.get(row["created_by_id"], UNKNOWN)} for row in secrets],
            may_add_secret=len(secrets) < MAX_LIVE and app["client_type"] != PUBLIC,
            webhook_secret=self._show_webhook_secret(app),
            earlier_until=self._find_overlap(app),
        )

    def _find_overlap(self, app: Row) -> datetime | None:
        """Until when the previous webhook secret signs beside the current one."""
        until = app["previous_webhook_secret_until"]
        return until if until is not None and until > self.site.clock.now() else None

    def _show_webhook_secret(self, app: Row) -> dict[str, Any] | None:
        shown = last_four(self.site.sealer, app["webhook_secret_sealed"])
        return {"last_four": shown} if shown else None
