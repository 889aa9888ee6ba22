"""An app's installations, as its author may see them: workspace, date, scopes and projects, webhook state."""

from typing import Any

from falcon.asgi import Request, Response

from airside.apps.scopes import ceiling_of, describe_scopes
from airside.db.base import Row
from airside.db.database import Reader
from airside.installations.read import list_installations_of
from airside.installations.scope_requests import find_scope_request
from airside.installations.tables import INSTALLED, InstallationRow
from airside.portal.applications.pages import AppPage
from airside.portal.lookups import UNKNOWN, find_names, find_workspaces
from airside.portal.webhooks.pages import warning_of
from airside.webhooks.endpoints import find_endpoint
from airside.webhooks.tables import EndpointRow


class AppInstallations(AppPage):
    """GET /<workspace>/settings/applications/<id>/installations/"""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        installed = await list_installations_of(self.site.db, app["id"])
        shown = await show_installations(self.site.db, installed, visit.workspace_id)
        for row, entry in zip(installed, shown, strict=True):
            entry |= await self._show_state(app, row)
        self.show_tab(visit, app, "installations", "applications/installations.html", installations=shown)

    async def _show_state(self, app: Row, row: InstallationRow) -> dict[str, Any]:
        request = await find_scope_request(self.site.db, row["id"])
        endpoint_id = row["webhook_id"]
        endpoint = (
            await find_endpoint(self.site.db, row["workspace_id"], endpoint_id) if endpoint_id else None
        )
        asked = describe_scopes(request["scopes"]) if request else {}
        return {
            "waiting": [sentence for group in asked.values() for sentence in group],
            "has_all_scopes": set(row["scopes"]) >= set(ceiling_of(app["scopes"])),
            "project_count": None if row["project_ids"] is None else len(row["project_ids"]),
            "webhook": show_webhook_state(row, endpoint),
        }


def show_webhook_state(installation: InstallationRow, endpoint: EndpointRow | None) -> dict[str, str]:
    """The state of its webhook: a word and its tone."""
    if endpoint is None or endpoint["disabled_reason"] == "no_url":
        return {"words": "None", "tone": ""}
    if installation["status"] != INSTALLED:
        return {"words": "Paused", "tone": "warn"}
    if not endpoint["is_active"]:
        return {"words": "Switched off", "tone": "bad"}
    if warning_of(endpoint) or endpoint["first_failure_at"] is not None:
        return {"words": "Failing", "tone": "warn"}
    return {"words": "Healthy", "tone": "good"}


async def show_installations(
    reader: Reader, installed: list[InstallationRow], workspace_id: str
) -> list[dict[str, Any]]:
    """The installer's name is shown only for installations in the author's own workspace."""
    places = await find_workspaces(reader, [row["workspace_id"] for row in installed])
    own = [row["installed_by_id"] for row in installed if row["workspace_id"] == workspace_id]
    names = await find_names(reader, own)
    return [
        {
            "id": row["id"],
            "workspace_name": places[row["workspace_id"]]["name"],
            "is_own": row["workspace_id"] == workspace_id,
            "status": row["status"],
            "installed_by": names.get(row["installed_by_id"], UNKNOWN)
            if row["workspace_id"] == workspace_id
            else "",
            "installed_at": row["created_at"],
        }
        for row in installed
    ]
