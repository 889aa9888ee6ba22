"""The workspace's audit log, for its admins: filtered by action, person and app, paged, and as an export."""

from typing import Any, cast
from urllib.parse import urlencode

from falcon.asgi import Request, Response

from airside.audit.actions import ACTIONS
from airside.audit.read import AuditFilter, export_audit, list_actors_seen, list_apps_seen, list_audit
from airside.audit.record import APP, OPERATOR
from airside.audit.routes import JSON_LINES
from airside.db.base import Row
from airside.db.text_rules import is_id
from airside.portal.rendering import PAGE_HEADERS
from airside.portal.visit import Page, Visit, enter_workspace

PAGE = 50  # rows
MAX_DETAIL = 300  # characters that a page shows; the export has the whole value
SHOWN_KINDS = {APP: "The app", OPERATOR: "An operator of this site"}


class AuditLog(Page):
    """GET /<workspace>/settings/audit/?action=…&actor=…&app=…&before=…"""

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        db, wanted = self.site.db, read_filter(visit, req)
        found = await list_audit(db, wanted, limit=PAGE + 1)
        filters = {"action": wanted.action, "actor": wanted.actor_id, "app": wanted.app_id}
        chosen = {name: value for name, value in filters.items() if value}
        here = f"{visit.here}/settings/audit/"
        actors = await list_actors_seen(db, visit.workspace_id)
        apps = await list_apps_seen(db, visit.workspace_id)
        visit.show(
            "audit/list.html",
            here=here,
            filled=chosen,
            actions=[("", "Everything"), *ACTIONS.items()],
            actors=[("", "Anybody"), *((row["actor_id"], row["actor_name"]) for row in actors)],
            apps=[("", "Any app"), *((row["app_id"], row["app_name"]) for row in apps)],
            entries=[show_row(row) for row in found[:PAGE]],
            export_href=_link(f"{here}export/", chosen),
            page={
                "prev_href": _link(here, chosen) if wanted.before else None,
                "next_href": _link(here, chosen | {"before": found[PAGE - 1]["id"]})
                if len(found) > PAGE
                else None,
                "words": "Newest first",
            },
        )


class AuditExport(Page):
    """GET /<workspace>/settings/audit/export/: JSON lines, oldest first, with the same filters."""

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        resp.content_type = JSON_LINES
        resp.downloadable_as = f"audit-{visit.workspace['slug']}.jsonl"
        resp.set_headers(PAGE_HEADERS)
        resp.stream = export_audit(self.site.db, read_filter(visit, req))


def read_filter(visit: Visit, req: Request) -> AuditFilter:
    """A filter that can't be parsed is ignored."""
    action = req.get_param("action") or ""
    actor, app, before = (
        value if is_id(value) else None
        for value in (req.get_param(name) or "" for name in ("actor", "app", "before"))
    )
    return AuditFilter(visit.workspace_id, action if action in ACTIONS else None, actor, app, None, before)


def show_row(row: Row) -> dict[str, Any]:
    """As audit/list.html takes it."""
    return {
        "at": row["created_at"],
        "words": ACTIONS.get(row["action"], row["action"]),
        "action": row["action"],
        "actor": row["actor_name"] or SHOWN_KINDS.get(row["actor_kind"], "Somebody unknown"),
        "app": row["app_name"] or "",
        "address": row["address"],
        "user_agent": row["user_agent"],
        "details": [
            (name.replace("_", " "), spell(value)) for name, value in row["details"].items() if value
        ],
    }


def spell(value: Any) -> str:
    """A detail on one line."""
    if isinstance(value, list):
        text = ", ".join(str(one) for one in cast(list[Any], value))
    elif isinstance(value, dict):
        changes = cast(dict[str, Any], value).items()
        text = "; ".join(f"{name}: {spell(old)} → {spell(new)}" for name, (old, new) in changes)
    else:
        text = str(value)
    return text if len(text) <= MAX_DETAIL else f"{text[:MAX_DETAIL]}…"


def _link(path: str, query: dict[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path
