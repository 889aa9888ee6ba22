"""An app's webhooks tab: URL, events and version, a sample of any event, and the latest deliveries."""

from typing import Any

from falcon.asgi import Request, Response

from airside.db.base import Row
from airside.developer.deliveries import list_app_endpoints, send_app_sample, switch_on_app_endpoint
from airside.portal.applications.code import hook_snippets, listen_commands
from airside.portal.applications.deliveries import show_deliveries
from airside.portal.applications.form import EditApp
from airside.portal.applications.pages import AppPage, live_topics, tab_path
from airside.portal.forms import Form
from airside.portal.lookups import find_workspaces
from airside.portal.visit import Visit
from airside.portal.webhooks.pages import warning_of
from airside.webhooks.log import read_log
from airside.webhooks.signing import last_four
from airside.webhooks.subscriptions import group_choices, list_choices
from airside.webhooks.tables import EndpointRow
from airside.workspaces.webhooks import CONTENT_TYPES

LATEST = 10  # deliveries


class AppWebhooks(AppPage):
    """GET /<workspace>/settings/applications/<id>/webhooks/"""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        endpoints = await list_app_endpoints(self.site.db, app["id"])
        latest = await read_log(self.site.db, endpoints, limit=LATEST)
        live = [row for row in endpoints if row["deleted_at"] is None]
        self.show_tab(
            visit,
            app,
            "webhooks",
            "applications/webhooks.html",
            topics=live_topics(app, endpoints),
            last_four=last_four(self.site.sealer, app["webhook_secret_sealed"]),
            kinds=list_choices(),
            places=await self._list_workspaces(live),
            ill=await self._list_failing(live),
            snippets=hook_snippets(self.site.settings.origin),
            commands=listen_commands(self.site.settings.origin, app),
            deliveries=await show_deliveries(self.site.db, latest.entries),
        )

    async def _list_workspaces(self, live: list[EndpointRow]) -> list[tuple[str, str]]:
        """The workspaces with an active endpoint, to which a sample can be sent."""
        places = await find_workspaces(self.site.db, [row["workspace_id"] for row in live])
        return sorted(((key, row["name"]) for key, row in places.items()), key=lambda place: place[1])

    async def _list_failing(self, live: list[EndpointRow]) -> list[dict[str, Any]]:
        """The endpoints that fail or were disabled, each with its workspace."""
        ill = [row for row in live if warning_of(row)]
        places = await find_workspaces(self.site.db, [row["workspace_id"] for row in ill])
        return [
            {
                "id": row["id"],
                "is_active": row["is_active"],
                "workspace_name": places[row["workspace_id"]]["name"],
                "warning": warning_of(row),
            }
            for row in ill
        ]


class EditWebhooks(EditApp):
    """GET and POST /<workspace>/settings/applications/<id>/webhooks/edit/"""

    tab = "webhooks"
    template = "applications/webhooks_form.html"
    names = ("webhook_url", "webhook_version", "webhook_content_type")
    flags = ("receives_own_events",)

    def more(self, visit: Visit, app: Row, form: Form | None) -> dict[str, Any]:
        names: list[str] | None = app["webhook_event_names"] if form is None else read_event_names(form)
        return {
            "groups": group_choices(),
            "which": "all" if names is None else "some",
            "chosen": names or [],
            "content_types": [
                (CONTENT_TYPES[0], "JSON"),
                (CONTENT_TYPES[1], "Form: the JSON is its field payload"),
            ],
        }

    def read_more(self, form: Form) -> dict[str, Any]:
        return {"webhook_event_names": read_event_names(form)}


class TryApp(AppPage):
    """POST /<workspace>/settings/applications/<id>/webhooks/test/ with `event` and `workspace`"""

    creates = True

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app, form = await self.take_form(req, resp, slug, app_id)
        where = form.text("workspace") or None
        await send_app_sample(self.site, app, visit.user_id, form.text("event"), where)
        visit.go(tab_path(visit, app, "webhooks"), "test_sent")


class SwitchOn(AppPage):
    """POST /<workspace>/settings/applications/<id>/webhooks/<endpoint id>/switch-on/"""

    creates = True

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str, webhook_id: str) -> None:
        visit, app, _ = await self.take_form(req, resp, slug, app_id)
        await switch_on_app_endpoint(self.site, app, visit.user_id, webhook_id)
        visit.go(tab_path(visit, app, "webhooks"), "switched_on")


def read_event_names(form: Form) -> list[str] | None:
    return form.texts("event_names") if form.text("which") == "some" else None
