"""The apps in a workspace: which are installed, which can be, what each may do, and uninstalling one."""

from typing import Any

import sqlalchemy as sa
from falcon.asgi import Request, Response

from airside.apps.registry import list_apps
from airside.apps.tables import apps
from airside.db.base import Row
from airside.db.statements import Statement
from airside.identity.users import get_user
from airside.installations.read import get_installation, list_installations
from airside.installations.uninstall import uninstall_app
from airside.oauth.authorize import install_url
from airside.oauth.scopes import describe_scopes
from airside.oauth.tables import access_tokens
from airside.portal.logos import shown_picture
from airside.portal.lookups import UNKNOWN, find_names
from airside.portal.scope_choices import permission_groups
from airside.portal.visit import Page, Visit, enter_workspace
from airside.webhooks.deliveries import list_deliveries
from airside.webhooks.endpoints import find_endpoint
from airside.workspaces.find import get_workspace
from airside.workspaces.members import find_member
from airside.workspaces.roles import get_role

LOOKED_AT = 20  # deliveries that the state of a webhook is told from


class Integrations(Page):
    """GET /<workspace>/settings/integrations/"""

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_member()
        installed = await list_installations(self.site.db, visit.workspace_id)
        names = await find_names(self.site.db, [row["installed_by_id"] for row in installed])
        present = {row["app_id"] for row in installed}
        registered = await list_apps(self.site.db, visit.workspace_id)
        visit.show(
            "integrations/list.html",
            installed=[show_installed(row, names) for row in installed],
            available=[self._show_available(app, visit) for app in registered if app["id"] not in present],
            may_install=visit.is_admin,
        )

    def _show_available(self, app: Row, visit: Visit) -> dict[str, Any]:
        return {
            "name": app["name"],
            "logo_url": shown_picture(app["logo_url"]),
            "description": app["short_description"],
            "publisher_name": app["organization_name"] or visit.workspace["name"],
            "is_verified": False,
            "install_href": install_url(self.site, app),
        }


class Integration(Page):
    """GET /<workspace>/settings/integrations/<installation id>/"""

    async def on_get(self, req: Request, resp: Response, slug: str, installation_id: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_member()
        installation = await get_installation(self.site.db, visit.workspace_id, installation_id)
        app = await self.site.db.find(apps, id=installation["app_id"])
        assert app is not None  # a registration is kept for the record
        visit.show(
            "integrations/installed.html",
            installation=await self._show(visit, installation),
            app=show_app(app) | {"publisher_name": await self._publisher(app)},
            permissions=permission_groups(describe_scopes(installation["scopes"])),
            may_uninstall=visit.is_admin,
        )

    async def _show(self, visit: Visit, installation: Row) -> dict[str, Any]:
        db = self.site.db
        names = await find_names(db, [installation["installed_by_id"], installation["bot_user_id"]])
        bot = await find_member(db, visit.workspace_id, installation["bot_user_id"])
        return {
            "id": installation["id"],
            "status": installation["status"],
            "installed_by": names.get(installation["installed_by_id"], UNKNOWN),
            "installed_at": installation["created_at"],
            "bot_name": names.get(installation["bot_user_id"], "its bot"),
            "bot_role": get_role(bot["role"]).name if bot else "none",
            "last_token_at": await db.fetch_value(_LAST_TOKEN, installation_id=installation["id"]),
            **await self._show_webhook(visit, installation),
        }

    async def _show_webhook(self, visit: Visit, installation: Row) -> dict[str, str]:
        endpoint_id = installation["webhook_id"]
        endpoint = await find_endpoint(self.site.db, visit.workspace_id, endpoint_id) if endpoint_id else None
        if endpoint is None or (not endpoint["is_active"] and endpoint["disabled_reason"] == "no_url"):
            return {"webhook_url": "", "webhook_state": ""}
        if not endpoint["is_active"]:
            return {"webhook_url": endpoint["url"], "webhook_state": "Switched off: it answered 410, gone."}
        latest = await list_deliveries(self.site.db, [endpoint], limit=LOOKED_AT)
        return {"webhook_url": endpoint["url"], "webhook_state": webhook_sentence(latest)}

    async def _publisher(self, app: Row) -> str:
        return app["organization_name"] or (await get_workspace(self.site.db, app["workspace_id"]))["name"]


class Uninstall(Page):
    """GET and POST /<workspace>/settings/integrations/<installation id>/uninstall/"""

    async def on_get(self, req: Request, resp: Response, slug: str, installation_id: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        installation = await get_installation(self.site.db, visit.workspace_id, installation_id)
        app = await self.site.db.find(apps, id=installation["app_id"])
        assert app is not None  # a registration is kept for the record
        bot = await get_user(self.site.db, installation["bot_user_id"])
        visit.show(
            "integrations/uninstall.html",
            app={"name": app["name"]},
            installation={"id": installation["id"], "bot_name": bot["display_name"]},
        )

    async def on_post(self, req: Request, resp: Response, slug: str, installation_id: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        await visit.read_form()
        await uninstall_app(self.site, visit.workspace_id, installation_id, visit.user_id)
        visit.go(f"{visit.here}/settings/integrations/", "uninstalled")


def show_installed(row: Row, names: dict[str | None, str]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "app": {
            "name": row["app_name"],
            "logo_url": shown_picture(row["app_logo_url"]),
            "description": row["app_short_description"],
        },
        "status": row["status"],
        "installed_by": names.get(row["installed_by_id"], UNKNOWN),
        "installed_at": row["created_at"],
    }


def show_app(app: Row) -> dict[str, Any]:
    """What an app says of itself; its links were checked to be http(s) when it was registered."""
    return {
        "name": app["name"],
        "logo_url": shown_picture(app["logo_url"]),
        "description": app["short_description"],
        "website": app["website"] or "",
        "privacy_policy_url": app["privacy_policy_url"] or "",
        "terms_of_service_url": app["terms_of_service_url"] or "",
        "contact_email": app["contact_email"],
        "is_verified": False,
    }


def webhook_sentence(latest: list[Row]) -> str:
    """How the last deliveries went."""
    done = [delivery["state"] for delivery in latest if delivery["state"] != "pending"]
    if not done:
        return "Nothing has been sent yet."
    arrived = done.count("delivered")
    if arrived == len(done):
        return "The last delivery arrived." if arrived == 1 else f"The last {arrived} deliveries arrived."
    return f"{arrived} of the last {len(done)} deliveries arrived."


_LAST_TOKEN = Statement(
    sa.select(sa.func.max(access_tokens.c.created_at, type_=access_tokens.c.created_at.type)).where(
        access_tokens.c.installation_id == sa.bindparam("installation_id")
    )
)
