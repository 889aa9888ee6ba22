"""A workspace webhook's secret, its delivery log, and redelivery."""

from urllib.parse import urlencode

from falcon.asgi import Request, Response

from airside.db.text_rules import is_id
from airside.errors import Invalid, NotFound, Refused
from airside.portal.applications.deliveries import can_redeliver, show_attempt, show_request, show_response
from airside.portal.delivery_search import find_wrong, list_event_choices, read_asked, read_search
from airside.portal.visit import Visit, first_sentences
from airside.portal.webhooks.pages import (
    WebhookPage,
    crumbs,
    go_to_secret,
    name_of,
    show_rows,
    show_webhook,
    webhook_path,
)
from airside.system.clock import read_instant
from airside.webhooks.deliveries import (
    PAGE,
    STATUSES,
    find_delivery,
    list_attempts,
    list_deliveries,
    redeliver_selected,
    redeliver_since,
)
from airside.webhooks.tables import EndpointRow
from airside.workspaces.webhooks import replace_secret, reveal_secret, switch_secret

REVEAL, REPLACE = "reveal", "replace"


class SecretPage(WebhookPage):
    """GET and POST …/webhooks/<id>/secret/ and …/replace-secret/: asks for the password again."""

    creates = True
    what = REVEAL

    async def on_get(self, req: Request, resp: Response, slug: str, webhook_id: str) -> None:
        visit, webhook = await self.enter_webhook(req, resp, slug, webhook_id)
        self._ask(visit, webhook, {})

    async def on_post(self, req: Request, resp: Response, slug: str, webhook_id: str) -> None:
        visit, webhook, form = await self.take_form(req, resp, slug, webhook_id)
        try:
            await visit.check_password(form.text("password"))
        except Invalid as error:
            self._ask(visit, webhook, first_sentences(error))
            return
        act = reveal_secret if self.what == REVEAL else replace_secret
        secret = await act(self.site, visit.workspace_id, webhook["id"], visit.user_id)
        title = "Webhook secret" if self.what == REVEAL else "New webhook secret"
        await go_to_secret(visit, webhook, secret, title)

    def _ask(self, visit: Visit, webhook: EndpointRow, errors: dict[str, str]) -> None:
        here, reveals = webhook_path(visit, webhook), self.what == REVEAL
        visit.show(
            "confirm.html",
            status=422 if errors else 200,
            nav="webhooks",
            crumbs=crumbs(visit, webhook),
            title=f"{'Show' if reveals else 'Replace'} the secret of {name_of(webhook)}?",
            sentences=["It is shown in full, and the audit log keeps that you saw it."]
            if reveals
            else [
                "For 24 hours webhook-signature holds the signatures of both. X-Plane-Signature has room for one "
                "and keeps the old one's.",
                "When your server has the new one, say so on the webhook's page; then only that one signs. If the "
                "old one has leaked, do it at once.",
            ],
            words="Show the secret" if reveals else "Replace the secret",
            look="primary" if reveals else "danger-fill",
            action=f"{here}{'secret' if reveals else 'replace-secret'}/",
            cancel_href=here,
            ask_password=True,
            errors=errors,
        )


class ReplaceSecretPage(SecretPage):
    what = REPLACE


class SwitchSecret(WebhookPage):
    """POST …/webhooks/<id>/switch-secret/: stop signing with the previous secret."""

    async def on_post(self, req: Request, resp: Response, slug: str, webhook_id: str) -> None:
        visit, webhook, _ = await self.take_form(req, resp, slug, webhook_id)
        await switch_secret(self.site, visit.workspace_id, webhook["id"], visit.user_id)
        visit.go(webhook_path(visit, webhook), "secret_switched")


class WebhookDeliveries(WebhookPage):
    """GET …/webhooks/<id>/deliveries/?status=&event=&id=&since=&until=&before="""

    async def on_get(self, req: Request, resp: Response, slug: str, webhook_id: str) -> None:
        visit, webhook = await self.enter_webhook(req, resp, slug, webhook_id)
        before, asked = req.get_param("before") or "", read_asked(req)
        wrong = find_wrong(asked)
        found = await list_deliveries(
            self.site.db,
            [] if wrong else [webhook],
            limit=PAGE + 1,
            before=before if is_id(before) else None,
            search=read_search(asked),
        )
        here, shown = webhook_path(visit, webhook), found[:PAGE]
        more = urlencode({name: value for name, value in asked.items() if value} | {"before": ""})
        this = f"{more}{before if is_id(before) else ''}"
        visit.show(
            "webhooks/deliveries.html",
            webhook=show_webhook(webhook),
            here=here,
            this=f"{here}deliveries/?{this}",
            asked=asked,
            statuses=STATUSES,
            kinds=list_event_choices(webhook["version"]),
            wrong=wrong,
            deliveries=show_rows(visit, shown),
            page={
                "prev_href": f"{here}deliveries/" if is_id(before) else None,
                "next_href": f"{here}deliveries/?{more}{shown[-1]['id']}" if len(found) > PAGE else None,
                "words": "Newest first",
            },
        )


class WebhookDelivery(WebhookPage):
    """GET …/webhooks/<id>/deliveries/<delivery id>/?attempt=N"""

    async def on_get(
        self, req: Request, resp: Response, slug: str, webhook_id: str, delivery_id: str
    ) -> None:
        visit, webhook = await self.enter_webhook(req, resp, slug, webhook_id)
        found = (
            await find_delivery(self.site.db, visit.workspace_id, delivery_id) if is_id(delivery_id) else None
        )
        if found is None or found["endpoint_id"] != webhook["id"]:
            raise NotFound("There is no such delivery.")
        attempts = await list_attempts(self.site.db, visit.workspace_id, found["id"])
        attempts.reverse()
        asked = req.get_param("attempt") or ""
        chosen = next((each for each in attempts if str(each["number"]) == asked), None)
        chosen = chosen or (attempts[0] if attempts else None)
        here = f"{webhook_path(visit, webhook)}deliveries/{found['id']}/"
        shown = {"workspace_name": visit.workspace["name"], "can_redeliver": can_redeliver(found)}
        visit.show(
            "applications/delivery.html",
            nav="webhooks",
            list_words="Webhooks",
            list_path=f"{visit.here}/settings/webhooks/",
            app={"id": webhook["id"], "name": name_of(webhook)},
            delivery=found | shown,
            asked=chosen["number"] if chosen and asked else "",
            attempts=[show_attempt(each, here, chosen) for each in attempts],
            request=show_request(chosen),
            response=show_response(chosen),
            failure=chosen["error"] if chosen else "",
        )


class RedeliverWebhook(WebhookPage):
    """POST …/webhooks/<id>/redeliver/ with `delivery` (any number) or `since`, and …/deliveries/<id>/redeliver/."""

    creates = True

    async def on_post(
        self, req: Request, resp: Response, slug: str, webhook_id: str, delivery_id: str = ""
    ) -> None:
        visit, webhook, form = await self.take_form(req, resp, slug, webhook_id)
        ids = [delivery_id] if delivery_id else form.texts("delivery")
        since = read_instant(form.text("since"))
        if ids:
            ids = [one for one in ids if is_id(one)]
            now = self.site.clock.now()
            async with self.site.db.transaction() as tx:
                count = await redeliver_selected(tx, self.site.wakeups, endpoint=webhook, ids=ids, now=now)
            if delivery_id and not count:
                raise NotFound("There is no such delivery.")
        elif since is not None:
            await redeliver_since(self.site, endpoint=webhook, since=since)
        else:
            raise Refused("Tick what to send again, or say since when.")
        here = f"{webhook_path(visit, webhook)}deliveries/"
        visit.go(f"{here}{delivery_id}/" if delivery_id else here, "redelivered")
