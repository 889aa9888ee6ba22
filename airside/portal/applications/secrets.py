"""An app's client secrets and webhook secret: made, replaced and ended by whoever types their password again."""

from typing import Any

from falcon.asgi import Request, Response

from airside.apps.registry import renew_webhook_secret, reveal_webhook_secret, switch_webhook_secret
from airside.apps.secrets import MAX_LIVE, add_client_secret, end_client_secret, list_client_secrets
from airside.db.base import Row
from airside.errors import Invalid, NotFound, Refused
from airside.portal.applications.pages import AppPage, app_path, crumbs, tab_path
from airside.portal.visit import Visit, first_sentences


class ClientSecrets(AppPage):
    """GET and POST /<workspace>/settings/applications/<id>/secrets/: a further client secret."""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        if len(await list_client_secrets(self.site.db, app["id"])) >= MAX_LIVE:
            raise Refused("The app has two secrets already. End one of them first.")
        self._ask(visit, app, {})

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app, form = await self.take_form(req, resp, slug, app_id)
        try:
            await visit.check_password(form.text("password"))
            secret = await add_client_secret(self.site, app, visit.user_id, form.text("name"))
        except Invalid as error:
            self._ask(visit, app, first_sentences(error), form.text("name"))
            return
        show_secret(visit, app, "client_secret", secret)

    def _ask(self, visit: Visit, app: Row, errors: dict[str, str], name: str = "") -> None:
        ask(
            visit,
            app,
            errors,
            ask_name=True,
            filled={"name": name},
            title=f"A new client secret for {app['name']}?",
            sentences=[
                "It is shown once, on the next page.",
                "The present one goes on working until you end it.",
            ],
            words="Make a secret",
            look="primary",
            path="secrets/",
        )


class EndClientSecret(AppPage):
    """GET and POST /<workspace>/settings/applications/<id>/secrets/<secret id>/end/"""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str, secret_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        self._ask(visit, app, await self._get_secret(app, secret_id), {})

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str, secret_id: str) -> None:
        visit, app, form = await self.take_form(req, resp, slug, app_id)
        secret = await self._get_secret(app, secret_id)
        try:
            await visit.check_password(form.text("password"))
            await end_client_secret(self.site, app, visit.user_id, secret["id"])
        except Invalid as error:
            self._ask(visit, app, secret, first_sentences(error))
            return
        visit.go(tab_path(visit, app, "credentials"), "secret_ended")

    async def _get_secret(self, app: Row, secret_id: str) -> Row:
        for secret in await list_client_secrets(self.site.db, app["id"]):
            if secret["id"] == secret_id:
                return secret
        raise NotFound("There is no such client secret.")

    def _ask(self, visit: Visit, app: Row, secret: Row, errors: dict[str, str]) -> None:
        ask(
            visit,
            app,
            errors,
            title=f"End the secret ending in {secret['last_four']}?",
            sentences=[
                "Servers that still use it can get no more tokens, from this moment on.",
                "Tokens they hold already go on working until they expire.",
            ],
            words="End this secret",
            look="danger-fill",
            path=f"secrets/{secret['id']}/end/",
        )


class WebhookSecret(AppPage):
    """GET and POST /<workspace>/settings/applications/<id>/webhook-secret/"""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        self._ask(visit, app, {})

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app, form = await self.take_form(req, resp, slug, app_id)
        try:
            await visit.check_password(form.text("password"))
        except Invalid as error:
            self._ask(visit, app, first_sentences(error))
            return
        secret = await renew_webhook_secret(self.site, app["id"], visit.user_id)
        show_secret(visit, app, "webhook_secret", secret)

    def _ask(self, visit: Visit, app: Row, errors: dict[str, str]) -> None:
        ask(
            visit,
            app,
            errors,
            title=f"Replace the webhook secret of {app['name']}?",
            sentences=[
                "For 24 hours webhook-signature holds the signatures of both. X-Plane-Signature has room for one "
                "and keeps the old one's, so your server goes on working.",
                "When it has the new one, say so on the app's page; then only that one signs. If the old one has "
                "leaked, do it at once.",
            ],
            words="Replace the secret",
            look="danger-fill",
            path="webhook-secret/",
        )


class SwitchWebhookSecret(AppPage):
    """POST /<workspace>/settings/applications/<id>/webhook-secret/switch/: the app's server has the new one."""

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app, _ = await self.take_form(req, resp, slug, app_id)
        await switch_webhook_secret(self.site, app["id"], visit.user_id)
        visit.go(f"{app_path(visit, app)}credentials/", "secret_switched")


class RevealWebhookSecret(AppPage):
    """GET and POST /<workspace>/settings/applications/<id>/webhook-secret/show/"""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        self._ask(visit, app, {})

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app, form = await self.take_form(req, resp, slug, app_id)
        try:
            await visit.check_password(form.text("password"))
        except Invalid as error:
            self._ask(visit, app, first_sentences(error))
            return
        secret = await reveal_webhook_secret(self.site, app["id"], visit.user_id)
        show_secret(visit, app, "shown_webhook_secret", secret)

    def _ask(self, visit: Visit, app: Row, errors: dict[str, str]) -> None:
        ask(
            visit,
            app,
            errors,
            title=f"Show the webhook secret of {app['name']}?",
            sentences=["It is shown in full, and the audit log keeps that you saw it."],
            words="Show the secret",
            look="primary",
            path="webhook-secret/show/",
        )


def ask(visit: Visit, app: Row, errors: dict[str, str], *, path: str, **context: Any) -> None:
    """Ask for the password before a secret is touched."""
    visit.show(
        "confirm.html",
        status=422 if errors else 200,
        nav="applications",
        crumbs=crumbs(visit, app, "credentials"),
        action=f"{app_path(visit, app)}{path}",
        cancel_href=tab_path(visit, app, "credentials"),
        ask_password=True,
        errors=errors,
        **context,
    )


def show_secret(visit: Visit, app: Row, what: str, secret: str) -> None:
    """The one page that writes it out."""
    visit.show(
        "applications/created.html",
        app=app,
        what=what,
        client_id=app["client_id"],
        client_secret=secret if what == "client_secret" else "",
        webhook_secret=secret if what != "client_secret" else "",
    )
