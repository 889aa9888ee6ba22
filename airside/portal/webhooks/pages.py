"""The workspace's own webhooks: list, create, update, test, delete."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from falcon.asgi import Request, Response

from airside.db.base import Row
from airside.errors import Invalid
from airside.portal.forms import Form
from airside.portal.visit import Page, Visit, enter_workspace, first_sentences
from airside.portal.webhooks.builder import OPERATORS, ROWS, join_filter, split_filter, typed_rows
from airside.portal.webhooks.builder import Row as FilterRow
from airside.pql.fields import PRIORITIES, STATE_GROUPS
from airside.webhooks.deliver import FORM
from airside.webhooks.deliveries import LogEntry, list_deliveries
from airside.webhooks.filters import FIELDS
from airside.webhooks.health import LIMIT
from airside.webhooks.signing import last_four, spell_whsec
from airside.webhooks.subscriptions import group_choices, list_choices
from airside.webhooks.tables import EndpointRow
from airside.workspaces.webhooks import (
    TITLE_LENGTH,
    create_webhook,
    delete_webhook,
    get_webhook,
    list_webhooks,
    try_webhook,
    update_webhook,
)

LATEST = 10  # deliveries on a webhook's page
NOTHING_TYPED: dict[str, Any] = {"version": "v2", "content_type": "application/json", "is_active": True}


class WebhookPage(Page):
    """A page below /<workspace>/settings/webhooks/<id>/, for the workspace's admins."""

    async def enter_webhook(
        self, req: Request, resp: Response, slug: str, webhook_id: str
    ) -> tuple[Visit, EndpointRow]:
        """Raises SignInNeeded, Forbidden, and NotFound for another workspace's webhook and an app's."""
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        return visit, await get_webhook(self.site.db, visit.workspace_id, webhook_id)

    async def take_form(
        self, req: Request, resp: Response, slug: str, webhook_id: str
    ) -> tuple[Visit, EndpointRow, Form]:
        """The same for a POST; the form is checked before anything is looked up."""
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        form = await visit.read_form()
        return visit, await get_webhook(self.site.db, visit.workspace_id, webhook_id), form


class Webhooks(Page):
    """GET /<workspace>/settings/webhooks/"""

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        found = await list_webhooks(self.site.db, visit.workspace_id)
        visit.show("webhooks/list.html", webhooks=[show_webhook(row) for row in found])


class NewWebhook(Page):
    """GET and POST /<workspace>/settings/webhooks/new/"""

    creates = True

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        show_form(visit, None, NOTHING_TYPED, [], [])

    async def on_post(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        form = await visit.read_form()
        try:
            made = await create_webhook(self.site, visit.workspace_id, visit.user_id, read_fields(form))
        except Invalid as error:
            show_form(visit, None, *as_typed(form), errors=first_sentences(error))
            return
        await go_to_secret(visit, made.webhook, made.secret, "The webhook is saved")


class Webhook(WebhookPage):
    """GET /<workspace>/settings/webhooks/<id>/"""

    async def on_get(self, req: Request, resp: Response, slug: str, webhook_id: str) -> None:
        visit, webhook = await self.enter_webhook(req, resp, slug, webhook_id)
        latest = await list_deliveries(self.site.db, [webhook], limit=LATEST)
        visit.show(
            "webhooks/detail.html",
            webhook=show_webhook(webhook)
            | {"last_four": last_four(self.site.sealer, webhook["secret_sealed"])},
            earlier_until=self._find_overlap(webhook),
            kinds=list_choices(),
            here=webhook_path(visit, webhook),
            deliveries=show_rows(visit, latest),
        )

    def _find_overlap(self, webhook: EndpointRow) -> datetime | None:
        """Until when the previous secret signs beside the current one."""
        until = webhook["previous_secret_until"]
        return until if until is not None and until > self.site.clock.now() else None


class WebhookMade(WebhookPage):
    """GET /<workspace>/settings/webhooks/<id>/made/?answer=<form key>: shows its secret, once."""

    async def on_get(self, req: Request, resp: Response, slug: str, webhook_id: str) -> None:
        visit, webhook = await self.enter_webhook(req, resp, slug, webhook_id)
        here, shown = webhook_path(visit, webhook), await visit.take_shown_once()
        if shown is None:
            visit.show_gone(
                "webhooks",
                "This was shown once",
                f"If you haven't stored the secret of {name_of(webhook)}, type your password to see it again.",
                ("Show the secret", f"{here}secret/"),
                ("Back to the webhook", here),
            )
            return
        whsec = spell_whsec(shown["secret"])
        visit.show("webhooks/secret.html", webhook=show_webhook(webhook), whsec=whsec, here=here, **shown)


class EditWebhook(WebhookPage):
    """GET and POST /<workspace>/settings/webhooks/<id>/edit/"""

    async def on_get(self, req: Request, resp: Response, slug: str, webhook_id: str) -> None:
        visit, webhook = await self.enter_webhook(req, resp, slug, webhook_id)
        split = split_filter(webhook["filter_pql"])
        show_form(
            visit,
            webhook,
            webhook | {"filter_shown": webhook["filter_pql"]},
            webhook["event_names"] or [],
            split,
        )

    async def on_post(self, req: Request, resp: Response, slug: str, webhook_id: str) -> None:
        visit, webhook, form = await self.take_form(req, resp, slug, webhook_id)
        try:
            await update_webhook(
                self.site, visit.workspace_id, webhook["id"], visit.user_id, read_fields(form)
            )
        except Invalid as error:
            show_form(visit, webhook, *as_typed(form), errors=first_sentences(error))
            return
        visit.go(webhook_path(visit, webhook), "webhook_saved")


class DeleteWebhook(WebhookPage):
    """GET and POST /<workspace>/settings/webhooks/<id>/delete/"""

    async def on_get(self, req: Request, resp: Response, slug: str, webhook_id: str) -> None:
        visit, webhook = await self.enter_webhook(req, resp, slug, webhook_id)
        here = webhook_path(visit, webhook)
        visit.show(
            "confirm.html",
            nav="webhooks",
            crumbs=crumbs(visit, webhook),
            title=f"Delete {name_of(webhook)}?",
            sentences=["Nothing more is sent there, including queued deliveries."],
            words="Delete the webhook",
            action=f"{here}delete/",
            cancel_href=here,
            ask_password=False,
            errors={},
        )

    async def on_post(self, req: Request, resp: Response, slug: str, webhook_id: str) -> None:
        visit, webhook, _ = await self.take_form(req, resp, slug, webhook_id)
        await delete_webhook(self.site, visit.workspace_id, webhook["id"], visit.user_id)
        visit.go(list_path(visit), "webhook_deleted")


class TryWebhook(WebhookPage):
    """POST /<workspace>/settings/webhooks/<id>/test/"""

    creates = True

    async def on_post(self, req: Request, resp: Response, slug: str, webhook_id: str) -> None:
        visit, webhook, form = await self.take_form(req, resp, slug, webhook_id)
        await try_webhook(self.site, visit.workspace_id, webhook["id"], visit.user_id, form.text("event"))
        visit.go(webhook_path(visit, webhook), "test_sent")


def list_path(visit: Visit) -> str:
    return f"{visit.here}/settings/webhooks/"


def webhook_path(visit: Visit, webhook: EndpointRow) -> str:
    return f"{list_path(visit)}{webhook['id']}/"


def crumbs(visit: Visit, webhook: EndpointRow) -> list[tuple[str, str]]:
    return [("Webhooks", list_path(visit)), (name_of(webhook), webhook_path(visit, webhook))]


def name_of(webhook: EndpointRow) -> str:
    return webhook["title"] or webhook["url"]


def show_webhook(row: EndpointRow) -> dict[str, Any]:
    """As templates take it."""
    names = row["event_names"]
    return {
        "id": row["id"],
        "name": name_of(row),
        "url": row["url"],
        "version": row["version"],
        "content_type": row["content_type"],
        "is_active": row["is_active"],
        "event_names": names,
        "events": "Every event" if names is None else f"{len(names)} event{'' if len(names) == 1 else 's'}",
        "filter": row["filter_pql"],
        "warning": warning_of(row),
    }


def warning_of(row: EndpointRow) -> str:
    """The warning on the page of an endpoint that fails or was disabled; also for apps' endpoints."""
    if row["disabled_reason"] == "failing":
        return (
            "It failed for five days and is switched off. What happens meanwhile is kept for 30 days: "
            "switch it on, then send again what it missed."
        )
    if row["disabled_reason"] == "gone":
        return "It answered 410, gone, and is switched off."
    if row["first_failure_at"] is not None and row["warned_percent"]:
        ends = row["first_failure_at"] + LIMIT
        return (
            f"Every attempt has failed since {row['first_failure_at']:%d %b, %H:%M} UTC. "
            f"If it keeps failing, it is disabled from {ends:%d %b, %H:%M} UTC on."
        )
    return ""


def show_rows(visit: Visit, deliveries: Sequence[LogEntry]) -> list[dict[str, Any]]:
    """As _deliveries.html takes them."""
    return [row | {"workspace_name": visit.workspace["name"], "at": row["created_at"]} for row in deliveries]


def read_fields(form: Form) -> dict[str, Any]:
    """The form's values as columns. Raises Invalid for a filter that was changed both as text and as rows."""
    return _read_plain(form) | {"filter_pql": join_filter(form), "filter_json": None}


def _read_plain(form: Form) -> dict[str, Any]:
    return {
        "title": form.text("title").strip(),
        "url": form.text("url").strip(),
        "version": form.text("version"),
        "content_type": form.text("content_type"),
        "is_active": form.has("is_active"),
        "event_names": None if form.text("which") == "all" else form.texts("event_names"),
    }


def as_typed(form: Form) -> tuple[dict[str, Any], list[str], list[FilterRow]]:
    """What to show again after a refusal: the fields, the chosen events, the builder's rows."""
    texts = {name: form.text(name) for name in ("filter_pql", "filter_shown", "which")}
    return _read_plain(form) | texts, form.texts("event_names"), typed_rows(form)


def show_form(
    visit: Visit,
    webhook: EndpointRow | None,
    filled: Row,
    chosen: list[str],
    split: list[FilterRow],
    errors: dict[str, str] | None = None,
) -> None:
    every = filled.get("event_names") is None
    visit.show(
        "webhooks/form.html",
        status=422 if errors else 200,
        webhook=webhook and {"id": webhook["id"], "name": name_of(webhook)},
        filled={**filled, "which": "all" if every else "some"},
        chosen=chosen,
        errors=errors or {},
        groups=group_choices(),
        filter_fields=list(FIELDS.values()),
        operators=OPERATORS,
        rows=[*split, *[("", "", "")] * (ROWS - len(split))],
        hints={"priority": ", ".join(PRIORITIES), "state_group": ", ".join(STATE_GROUPS)},
        lengths={"title": TITLE_LENGTH},
        form_type=FORM,
    )


async def go_to_secret(visit: Visit, webhook: EndpointRow, secret: str, title: str) -> None:
    """Redirect to the page that shows the secret once."""
    await visit.go_to_show(f"{webhook_path(visit, webhook)}made/", title=title, secret=secret)
