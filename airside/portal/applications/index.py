"""The list of apps that a workspace builds, and deleting one."""

from typing import Any

import sqlalchemy as sa
from falcon.asgi import Request, Response

from airside.apps.authors import is_author
from airside.apps.registry import list_apps
from airside.apps.secrets import list_client_secrets
from airside.db.base import Row
from airside.db.conditions import live
from airside.db.statements import Statement, any_of
from airside.developer.delete_app import delete_app
from airside.developer.deliveries import list_app_endpoints
from airside.installations.read import list_installations_of
from airside.installations.tables import installations
from airside.oauth.tables import access_tokens
from airside.portal.applications.pages import AppPage, list_path
from airside.portal.logos import forget_logo, shown_picture
from airside.portal.visit import Page, Visit, enter_workspace
from airside.webhooks.deliveries import list_deliveries
from airside.webhooks.tables import EndpointRow


class Applications(Page):
    """GET /<workspace>/settings/applications/"""

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_builder()
        registered = await list_apps(self.site.db, visit.workspace_id)
        found = [app for app in registered if is_author(app, visit.role, visit.user_id)]
        ids = [app["id"] for app in found]
        counts = {row["app_id"]: row["total"] for row in await self.site.db.fetch_all(_INSTALLED, ids=ids)}
        shown = [
            {
                "id": app["id"],
                "name": app["name"],
                "logo_url": shown_picture(app["logo_url"]),
                "description": app["short_description"],
                "installation_count": counts.get(app["id"], 0),
                **await self._show_activity(app),
            }
            for app in found
        ]
        visit.show("applications/list.html", apps=shown, page=None)

    async def _show_activity(self, app: Row) -> dict[str, Any]:
        """The health of its webhooks, and when it last used a secret or was sent a delivery."""
        endpoints = await list_app_endpoints(self.site.db, app["id"])
        latest = await list_deliveries(self.site.db, endpoints, limit=1)
        secrets = await list_client_secrets(self.site.db, app["id"])
        times = [row["last_used_at"] for row in secrets] + [row["created_at"] for row in latest]
        return {
            "webhook": show_health(app, [row for row in endpoints if row["deleted_at"] is None]),
            "last_at": max((time for time in times if time is not None), default=None),
        }


def show_health(app: Row, present: list[EndpointRow]) -> dict[str, str]:
    """The state of its worst endpoint: a word and its tone."""
    if app["webhook_url"] is None:
        return {"words": "No URL", "tone": ""}
    if not present:
        return {"words": "Not installed", "tone": ""}
    if any(not row["is_active"] for row in present):
        return {"words": "Switched off", "tone": "bad"}
    if any(row["first_failure_at"] is not None for row in present):
        return {"words": "Failing", "tone": "warn"}
    return {"words": "Healthy", "tone": "good"}


class DeleteApplication(AppPage):
    """GET and POST /<workspace>/settings/applications/<id>/delete/"""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        await self._show(visit, app, {})

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app, form = await self.take_form(req, resp, slug, app_id)
        if form.text("confirm").strip() != app["name"]:
            await self._show(visit, app, {"confirm": f"Type {app['name']}, exactly as it is spelled."})
            return
        await delete_app(self.site, visit.workspace_id, app["id"], visit.user_id)
        await forget_logo(self.site, app["logo_url"])
        visit.go(list_path(visit), "app_deleted")

    async def _show(self, visit: Visit, app: Row, errors: dict[str, str]) -> None:
        installed = await list_installations_of(self.site.db, app["id"])
        tokens = await self.site.db.fetch_value(
            _LIVE_TOKENS, ids=[row["id"] for row in installed], now=self.site.clock.now()
        )
        shown = {"id": app["id"], "name": app["name"]}
        visit.show(
            "applications/delete.html",
            status=422 if errors else 200,
            app=shown | {"installation_count": len(installed), "token_count": tokens},
            errors=errors,
        )


_INSTALLED = Statement(
    sa.select(installations.c.app_id, sa.func.count().label("total"))
    .where(any_of(installations.c.app_id, "ids"), live(installations))
    .group_by(installations.c.app_id)
)
_LIVE_TOKENS = Statement(
    sa.select(sa.func.count())
    .select_from(access_tokens)
    .where(
        any_of(access_tokens.c.installation_id, "ids"),
        access_tokens.c.revoked_at.is_(None),
        access_tokens.c.expires_at > sa.bindparam("now", type_=access_tokens.c.expires_at.type),
    )
)
