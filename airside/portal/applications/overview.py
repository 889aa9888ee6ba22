"""An app's first tab: the checklist to its first webhook, warnings, installations, and the latest deliveries."""

from collections.abc import Sequence
from typing import Any

from falcon.asgi import Request, Response

from airside.apps.secrets import list_client_secrets
from airside.db.base import Row
from airside.developer.deliveries import list_app_endpoints
from airside.installations.read import list_installations_of
from airside.installations.tables import InstallationRow
from airside.oauth.authorize import install_url
from airside.portal.applications.deliveries import show_deliveries
from airside.portal.applications.installations import show_installations
from airside.portal.applications.pages import AppPage, live_topics, tab_path
from airside.portal.lookups import find_workspaces
from airside.portal.visit import Visit
from airside.portal.webhooks.pages import warning_of
from airside.webhooks.deliveries import LogEntry, list_deliveries
from airside.webhooks.log import read_log
from airside.webhooks.signing import SECRET
from airside.webhooks.tables import EndpointRow

LATEST = 10  # deliveries
SHOWN = 5  # installations


class Application(AppPage):
    """GET /<workspace>/settings/applications/<id>/"""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        db = self.site.db
        installed = await list_installations_of(db, app["id"])
        endpoints = await list_app_endpoints(db, app["id"])
        latest = await list_deliveries(db, endpoints, limit=LATEST)
        log = await read_log(db, endpoints, limit=LATEST)
        secrets = await list_client_secrets(db, app["id"])
        self.show_tab(
            visit,
            app,
            "overview",
            "applications/overview.html",
            topics=[f"workspace:{visit.workspace_id}", *live_topics(app, endpoints)],
            checklist=show_checklist(visit, app, installed, secrets, latest),
            warnings=[*self._warn_of_secret(app), *await self._warn_of(endpoints)],
            deliveries=await show_deliveries(db, log.entries),
            has_more=log.following is not None,
            installations=await show_installations(db, installed[:SHOWN], visit.workspace_id),
            installation_count=len(installed),
        )

    async def _warn_of(self, endpoints: list[EndpointRow]) -> list[dict[str, Any]]:
        """Warnings about live endpoints, each with its workspace."""
        ill = [row for row in endpoints if row["deleted_at"] is None and warning_of(row)]
        places = await find_workspaces(self.site.db, [row["workspace_id"] for row in ill])
        return [
            {
                "title": f"Webhooks for {places[row['workspace_id']]['name']}"
                + (" fail" if row["is_active"] else " are switched off"),
                "sentence": warning_of(row),
                "tone": "warn" if row["is_active"] else "bad",
            }
            for row in ill
        ]

    def _warn_of_secret(self, app: Row) -> list[dict[str, Any]]:
        try:
            self.site.sealer.unseal(app["webhook_secret_sealed"], SECRET)
        except ValueError:
            sentence = (
                "It was sealed with another AIRSIDE_SECRET_KEY, so nothing can be signed. Replace it, or ask "
                "an operator of this site to restore the earlier key."
            )
            return [{"title": "The webhook secret can't be read", "sentence": sentence, "tone": "bad"}]
        return []


def show_checklist(
    visit: Visit,
    app: Row,
    installed: list[InstallationRow],
    secrets: list[Row],
    deliveries: Sequence[LogEntry],
) -> list[dict[str, Any]]:
    """The steps to the first webhook, and which of them are done."""
    return [
        _step("Register the app", "It has a client ID and a secret.", is_done=True),
        _step(
            "Give it a webhook URL",
            "Changes in the workspaces that install the app are posted there, signed.",
            is_done=app["webhook_url"] is not None,
            href=f"{tab_path(visit, app, 'webhooks')}edit/",
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
            href=f"{tab_path(visit, app, 'oauth')}#code",
            words="See the code",
        ),
        _step(
            "Receive a webhook",
            "Change a work item, and answer what arrives with any status from 200 to 299.",
            is_done=any(delivery["state"] == "delivered" for delivery in deliveries),
        ),
    ]


def _step(title: str, sentence: str, *, is_done: bool, href: str = "", words: str = "") -> dict[str, Any]:
    return {"title": title, "sentence": sentence, "is_done": is_done, "href": href, "words": words}
