"""An app's delivery log: requests to its webhook URL, the responses, and redelivery."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from falcon.asgi import Request, Response

from airside.db.base import Row
from airside.db.database import Reader
from airside.db.text_rules import is_id
from airside.developer.deliveries import (
    get_app_delivery,
    list_app_endpoints,
    redeliver_to_app,
    redeliver_to_app_since,
)
from airside.errors import Refused
from airside.portal.applications.pages import AppPage, app_path, live_topics
from airside.portal.delivery_search import find_wrong, list_event_choices, read_asked, read_search
from airside.portal.forms import Form
from airside.portal.lookups import find_workspaces
from airside.portal.visit import Visit
from airside.system.clock import read_instant
from airside.webhooks.deliveries import STATUSES, LogEntry, NumberedAttempt, list_attempts
from airside.webhooks.log import LEFT_OUT, read_log
from airside.webhooks.send import MAX_ANSWER_BYTES

TIMINGS = {"dns": "name", "connect": "connection", "first_byte": "first byte"}
MAX_INDENTED = 200_000  # characters of a JSON body that is indented for reading


class Deliveries(AppPage):
    """GET /<workspace>/settings/applications/<id>/deliveries/?status=&event=&id=&workspace=&since=&until="""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        asked = read_asked(req, "workspace")
        before = req.get_param("before") or ""
        endpoints = await list_app_endpoints(self.site.db, app["id"])
        wrong = find_wrong(asked)
        searched = [row for row in endpoints if asked["workspace"] in ("", row["workspace_id"]) and not wrong]
        found = await read_log(
            self.site.db, searched, before=before if is_id(before) else None, search=read_search(asked)
        )
        places = await find_workspaces(self.site.db, [row["workspace_id"] for row in endpoints])
        here = f"{app_path(visit, app)}deliveries/"
        query = {name: value for name, value in asked.items() if value}
        more = query | {"before": found.following} if found.following else {}
        self.show_tab(
            visit,
            app,
            "webhooks",
            "applications/deliveries.html",
            topics=[] if is_id(before) else live_topics(app, endpoints),
            this=f"{here}?{urlencode(query)}",
            asked=asked,
            is_searched=bool(query),
            statuses=(*STATUSES, LEFT_OUT),
            kinds=list_event_choices(app["webhook_version"]),
            wrong=wrong,
            places=sorted(((key, row["name"]) for key, row in places.items()), key=lambda place: place[1]),
            deliveries=await show_deliveries(self.site.db, found.entries),
            page={
                "prev_href": f"{here}?{urlencode(query)}" if is_id(before) else None,
                "next_href": f"{here}?{urlencode(more)}" if more else None,
                "words": "Newest first",
            },
        )


class Delivery(AppPage):
    """GET /<workspace>/settings/applications/<id>/deliveries/<delivery id>/?attempt=N"""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str, delivery_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        delivery = await get_app_delivery(self.site.db, app["id"], delivery_id)
        attempts = await list_attempts(self.site.db, delivery["workspace_id"], delivery["id"])
        attempts.reverse()
        asked = req.get_param("attempt") or ""
        chosen = next((each for each in attempts if str(each["number"]) == asked), None)
        chosen = chosen or (attempts[0] if attempts else None)
        places = await find_workspaces(self.site.db, [delivery["workspace_id"]])
        shown = {
            "workspace_name": places[delivery["workspace_id"]]["name"],
            "can_redeliver": can_redeliver(delivery),
        }
        here = f"{app_path(visit, app)}deliveries/{delivery['id']}/"
        visit.show(
            "applications/delivery.html",
            app={"id": app["id"], "name": app["name"]},
            delivery=delivery | shown,
            asked=chosen["number"] if chosen and asked else "",
            attempts=[show_attempt(each, here, chosen) for each in attempts],
            request=show_request(chosen),
            response=show_response(chosen),
            failure=chosen["error"] if chosen else "",
        )


class Redeliver(AppPage):
    """POST /<workspace>/settings/applications/<id>/redeliver/ with `delivery` (any number) or `since`, and
    …/deliveries/<delivery id>/redeliver/."""

    creates = True

    async def on_post(
        self, req: Request, resp: Response, slug: str, app_id: str, delivery_id: str = ""
    ) -> None:
        visit, app, form = await self.take_form(req, resp, slug, app_id)
        here = f"{app_path(visit, app)}deliveries/"
        if delivery_id:
            delivery = await get_app_delivery(self.site.db, app["id"], delivery_id)
            await redeliver_to_app(self.site, app, visit.user_id, [delivery["id"]])
            visit.go(f"{here}{delivery['id']}/", "redelivered")
            return
        visit.go(here, "redelivered_some" if await self._redeliver(visit, app, form) else "redelivered_none")

    async def _redeliver(self, visit: Visit, app: Row, form: Form) -> int:
        """The number of deliveries queued again. Raises Refused, also when the form names none."""
        ids, since = form.texts("delivery"), read_instant(form.text("since"))
        if ids:
            return await redeliver_to_app(self.site, app, visit.user_id, ids)
        if since is None:
            raise Refused("Tick what to send again, or say since when.")
        where = form.text("workspace") or None
        return await redeliver_to_app_since(self.site, app, visit.user_id, since, where)


async def show_deliveries(reader: Reader, deliveries: Sequence[LogEntry]) -> list[dict[str, Any]]:
    """As _deliveries.html takes them."""
    places = await find_workspaces(reader, [delivery["workspace_id"] for delivery in deliveries])
    return [
        delivery | {"workspace_name": places[delivery["workspace_id"]]["name"], "at": delivery["created_at"]}
        for delivery in deliveries
    ]


def can_redeliver(delivery: LogEntry) -> bool:
    return delivery["state"] in ("delivered", "failed", "cancelled", "retrying", "missed")


def show_attempt(attempt: NumberedAttempt, here: str, chosen: NumberedAttempt | None) -> dict[str, Any]:
    timings = attempt["timings"] or {}
    return {
        "number": attempt["number"],
        "at": attempt["started_at"],
        "http_status": attempt["response_status"],
        "error": attempt["error"] or "No answer",
        "duration_ms": attempt["duration_ms"],
        "address": attempt["address"] or "",
        "timings": [(words, timings[name]) for name, words in TIMINGS.items() if name in timings],
        "href": f"{here}?attempt={attempt['number']}",
        "is_shown": attempt is chosen,
    }


def show_request(attempt: NumberedAttempt | None) -> dict[str, Any] | None:
    if attempt is None:
        return None
    return {"headers": attempt["request_headers"], "body": indent_json(attempt["request_body"])}


def show_response(attempt: NumberedAttempt | None) -> dict[str, Any] | None:
    if attempt is None or attempt["response_status"] is None:
        return None
    body = attempt["response_body"] or ""
    return {
        "http_status": attempt["response_status"],
        "headers": attempt["response_headers"] or [],
        "body": indent_json(body),
        "is_cut": len(body.encode()) >= MAX_ANSWER_BYTES,
    }


def indent_json(text: str) -> str:
    """Indent JSON for reading; any other text stays as it is."""
    if len(text) > MAX_INDENTED:
        return text
    try:
        return msgspec.json.format(text, indent=2)
    except (msgspec.DecodeError, RecursionError):
        return text
