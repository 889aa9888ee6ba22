"""What the pages of an app share: finding it for those who may manage it, and how it is shown."""

from typing import Any

from falcon.asgi import Request, Response

from airside.apps.registry import get_app
from airside.db.base import Row
from airside.oauth.authorize import install_url
from airside.portal.logos import shown_picture
from airside.portal.scope_choices import spell_scopes
from airside.portal.visit import Page, Visit, enter_workspace


class AppPage(Page):
    """A page below /<workspace>/settings/applications/<id>/, for the workspace's admins."""

    async def enter_app(self, req: Request, resp: Response, slug: str, app_id: str) -> tuple[Visit, Row]:
        """Raises SignInNeeded, Forbidden, and NotFound for another workspace's app."""
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        return visit, await get_app(self.site.db, visit.workspace_id, app_id)

    def show_app(self, app: Row) -> dict[str, Any]:
        """As templates take it."""
        return {
            "id": app["id"],
            "name": app["name"],
            "logo_url": shown_picture(app["logo_url"]),
            "description": app["short_description"],
            "client_id": app["client_id"],
            "redirect_uris": app["redirect_uris"],
            "setup_url": app["setup_url"] or "",
            "webhook_url": app["webhook_url"] or "",
            "webhook_version": app["webhook_version"],
            "is_mentionable": app["is_mentionable"],
            "scopes": spell_scopes(app["scopes"]),
            "install_href": install_url(self.site, app),
        }


def list_path(visit: Visit) -> str:
    return f"{visit.here}/settings/applications/"


def app_path(visit: Visit, app: Row) -> str:
    return f"{list_path(visit)}{app['id']}/"


def crumbs(visit: Visit, app: Row) -> list[tuple[str, str]]:
    return [("Applications", list_path(visit)), (app["name"], app_path(visit, app))]
