"""An app's own part of the audit log of the workspace that builds it."""

from typing import Any

from falcon.asgi import Request, Response

from airside.audit.read import AuditFilter, list_audit
from airside.db.text_rules import is_id
from airside.portal.applications.pages import AppPage, tab_path
from airside.portal.audit import PAGE, show_row


class AppAudit(AppPage):
    """GET /<workspace>/settings/applications/<id>/audit/?before=…"""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        asked = req.get_param("before") or ""
        before = asked if is_id(asked) else None
        wanted = AuditFilter(visit.workspace_id, app_id=app["id"], before=before)
        found = await list_audit(self.site.db, wanted, limit=PAGE + 1)
        here = tab_path(visit, app, "audit")
        page: dict[str, Any] = {
            "prev_href": here if before else None,
            "next_href": f"{here}?before={found[PAGE - 1]['id']}" if len(found) > PAGE else None,
            "words": "Newest first",
        }
        # Where admins were is for admins; a member who manages the app sees who did what.
        hidden = {} if visit.is_admin else {"address": "", "user_agent": ""}
        entries = [show_row(row) | hidden for row in found[:PAGE]]
        self.show_tab(visit, app, "audit", "applications/audit.html", entries=entries, page=page)
