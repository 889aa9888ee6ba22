"""The apps that a workspace builds, each with its overview, and the end of one."""

from typing import Any

import sqlalchemy as sa
from falcon.asgi import Request, Response

from airside.apps.delete import delete_app
from airside.apps.deliveries import list_app_endpoints
from airside.apps.registry import list_apps
from airside.apps.secrets import MAX_LIVE, list_client_secrets
from airside.db.base import Row
from airside.db.statements import Statement, any_of
from airside.installations.read import list_installations_of
from airside.installations.tables import installations
from airside.oauth.authorize import install_url
from airside.oauth.tables import access_tokens
from airside.portal.app_deliveries import show_deliveries
from airside.portal.app_pages import AppPage, app_path, list_path
from airside.portal.logos import forget_logo, shown_picture
from airside.portal.lookups import UNKNOWN, find_names, find_workspaces
from airside.portal.visit import Page, Visit, enter_workspace
from airside.webhooks.deliveries import list_deliveries
from airside.webhooks.signing import SECRET

LATEST = 10  # deliveries on an app's page


class Applications(Page):
    """GET /<workspace>/settings/applications/"""

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        found = await list_apps(self.site.db, visit.workspace_id)
        ids = [app["id"] for app in found]
        counts = {row["app_id"]: row["total"] for row in await self.site.db.fetch_all(_INSTALLED, ids=ids)}
        shown = [
            {
                "id": app["id"],
                "name": app["name"],
                "logo_url": shown_picture(app["logo_url"]),
                "description": app["short_description"],
                "client_id": app["client_id"],
                "installation_count": counts.get(app["id"], 0),
                "last_delivery": await self._last_delivery(app),
            }
            for app in found
        ]
        visit.show("applications/list.html", apps=shown, page=None)

    async def _last_delivery(self, app: Row) -> dict[str, Any] | None:
        endpoints = await list_app_endpoints(self.site.db, app["id"])
        for delivery in await list_deliveries(self.site.db, endpoints, limit=1):
            return {"state": delivery["state"], "at": delivery["created_at"]}
        return None


class Application(AppPage):
    """GET /<workspace>/settings/applications/<id>/"""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        db = self.site.db
        installed = await list_installations_of(db, app["id"])
        secrets = await list_client_secrets(db, app["id"])
        names = await find_names(
            db, [row["created_by_id"] for row in secrets] + [row["installed_by_id"] for row in installed]
        )
        endpoints = await list_app_endpoints(db, app["id"])
        deliveries = await list_deliveries(db, endpoints, limit=LATEST)
        visit.show(
            "applications/detail.html",
            app=self.show_app(app),
            consent_url=install_url(self.site, app | {"setup_url": None}),
            checklist=show_checklist(visit, app, installed, secrets, deliveries),
            secrets=[row | {"created_by": names.get(row["created_by_id"], UNKNOWN)} for row in secrets],
            may_add_secret=len(secrets) < MAX_LIVE,
            webhook_secret=self._show_webhook_secret(app),
            deliveries=await show_deliveries(db, deliveries),
            deliveries_href=f"{app_path(visit, app)}deliveries/" if len(deliveries) == LATEST else "",
            installations=await self._show_installations(installed, names),
        )

    def _show_webhook_secret(self, app: Row) -> dict[str, str] | None:
        try:
            return {"last_four": self.site.sealer.unseal(app["webhook_secret_sealed"], SECRET)[-4:]}
        except ValueError:  # sealed under a key that this instance doesn't have any more
            return None

    async def _show_installations(
        self, installed: list[Row], names: dict[str | None, str]
    ) -> list[dict[str, Any]]:
        places = await find_workspaces(self.site.db, [row["workspace_id"] for row in installed])
        return [
            {
                "id": row["id"],
                "workspace_name": places[row["workspace_id"]]["name"],
                "workspace_slug": places[row["workspace_id"]]["slug"],
                "status": row["status"],
                "installed_by": names.get(row["installed_by_id"], UNKNOWN),
                "installed_at": row["created_at"],
            }
            for row in installed
        ]


class DeleteApplication(AppPage):
    """GET and POST /<workspace>/settings/applications/<id>/delete/"""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        await self._show(visit, app, {})

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        form = await visit.read_form()
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


def show_checklist(
    visit: Visit, app: Row, installed: list[Row], secrets: list[Row], deliveries: list[Row]
) -> list[dict[str, Any]]:
    """The way to the first webhook, and how far the app has come."""
    edit = f"{app_path(visit, app)}edit/#webhook_url"
    return [
        _step("Register the app", "It has a client ID and a secret.", is_done=True),
        _step(
            "Give it a webhook URL",
            "Changes in the workspaces that install the app are posted there, signed.",
            is_done=app["webhook_url"] is not None,
            href=edit,
            words="Add the URL",
        ),
        _step(
            "Install it",
            "In this workspace first: you see what its users will see.",
            is_done=bool(installed),
            href=install_url(visit.site, app),
            words="Install App",
        ),
        _step(
            "Get a token",
            "Post the app_installation_id that came to your redirect URI to /auth/o/token/.",
            is_done=any(secret["last_used_at"] for secret in secrets),
        ),
        _step(
            "Receive a webhook",
            "Change a work item, and answer what arrives with any status from 200 to 299.",
            is_done=any(delivery["state"] == "delivered" for delivery in deliveries),
        ),
    ]


def _step(title: str, sentence: str, *, is_done: bool, href: str = "", words: str = "") -> dict[str, Any]:
    return {"title": title, "sentence": sentence, "is_done": is_done, "href": href, "words": words}


_INSTALLED = Statement(
    sa.select(installations.c.app_id, sa.func.count().label("total"))
    .where(any_of(installations.c.app_id, "ids"), installations.c.deleted_at.is_(None))
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
