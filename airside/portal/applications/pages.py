"""What the pages of an app share: finding it for people who may manage it, its tabs, and how it is shown."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from falcon.asgi import Request, Response

from airside.apps.authors import is_author
from airside.apps.registry import get_app
from airside.db.base import Row
from airside.oauth.authorize import install_url
from airside.portal.errors import AdminsOnly
from airside.portal.forms import Form
from airside.portal.logos import shown_picture
from airside.portal.scope_choices import spell_scopes
from airside.portal.visit import Page, Visit, enter_workspace
from airside.webhooks.tables import EndpointRow


class Tab(NamedTuple):
    key: str
    words: str
    path: str  # below the app's


TABS = (
    Tab("overview", "Overview", ""),
    Tab("credentials", "Credentials", "credentials/"),
    Tab("oauth", "OAuth", "oauth/"),
    Tab("webhooks", "Webhooks", "webhooks/"),
    Tab("agent", "Agent", "agent/"),
    Tab("installations", "Installations", "installations/"),
    Tab("listing", "Listing", "listing/"),
    Tab("usage", "Usage", "usage/"),
    Tab("manifest", "Manifest", "manifest/"),
    Tab("audit", "Audit", "audit/"),
    Tab("settings", "Settings", "edit/"),
)
MAX_FOLLOWED = 40  # endpoints whose deliveries one page watches live; the rest shows on reload
PATH_OF = {tab.key: tab.path for tab in TABS}


class AppPage(Page):
    """A page below /<workspace>/settings/applications/<id>/, for the workspace's admins and the app's author."""

    async def enter_app(self, req: Request, resp: Response, slug: str, app_id: str) -> tuple[Visit, Row]:
        """Raises SignInNeeded, Forbidden, and NotFound for another workspace's app."""
        visit = (await enter_workspace(self.site, req, resp, slug)).require_builder()
        return visit, require_own(visit, await get_app(self.site.db, visit.workspace_id, app_id))

    async def take_form(
        self, req: Request, resp: Response, slug: str, app_id: str
    ) -> tuple[Visit, Row, Form]:
        """The same for a POST; the form is checked before anything is looked up."""
        visit = (await enter_workspace(self.site, req, resp, slug)).require_builder()
        form = await visit.read_form()
        return visit, require_own(visit, await get_app(self.site.db, visit.workspace_id, app_id)), form

    def show_tab(self, visit: Visit, app: Row, tab: str, template: str, **context: Any) -> None:
        """Respond with a page below one of the app's tabs."""
        here = app_path(visit, app)
        shared: dict[str, Any] = {
            "app": self.show_app(app),
            "here": here,
            "tab_words": next(each.words for each in TABS if each.key == tab),
            "tab_entries": [(each.words, here + each.path, each.key == tab, None) for each in TABS],
        }
        visit.show(template, **(shared | context))

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
            "webhook_content_type": app["webhook_content_type"],
            "webhook_event_names": app["webhook_event_names"],
            "receives_own_events": app["receives_own_events"],
            "is_mentionable": app["is_mentionable"],
            "scopes": spell_scopes(app["scopes"]),
            "install_href": install_url(self.site, app),
        }


def require_own(visit: Visit, app: Row) -> Row:
    """The app. Raises Forbidden for a member who didn't register it."""
    if not is_author(app, visit.role, visit.user_id):
        sentence = (
            f"Only administrators of {visit.workspace['name']} and the app's author can manage this app."
        )
        raise AdminsOnly(sentence, visit.workspace_id)
    return app


def live_topics(app: Row, endpoints: Sequence[EndpointRow]) -> list[str]:
    """The topics that an app's pages watch: the app, and the deliveries of its live endpoints."""
    live = [row for row in endpoints if row["deleted_at"] is None]
    return [f"app:{app['id']}", *(f"deliveries:{row['id']}" for row in live[:MAX_FOLLOWED])]


def list_path(visit: Visit) -> str:
    return f"{visit.here}/settings/applications/"


def app_path(visit: Visit, app: Row) -> str:
    return f"{list_path(visit)}{app['id']}/"


def tab_path(visit: Visit, app: Row, tab: str) -> str:
    return app_path(visit, app) + PATH_OF[tab]


def crumbs(visit: Visit, app: Row, tab: str = "") -> list[tuple[str, str]]:
    """Breadcrumbs to a page below the app, or below one of its tabs."""
    way = [("Applications", list_path(visit)), (app["name"], app_path(visit, app))]
    found = [(each.words, tab_path(visit, app, tab)) for each in TABS if each.key == tab]
    return way + found
