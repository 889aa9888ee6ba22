"""An app's client secrets and webhook secret: create, replace, revoke; each asks for the password again."""

from collections.abc import Mapping
from typing import NamedTuple

from falcon.asgi import Request, Response

from airside.apps.secrets import MAX_LIVE, add_client_secret, end_client_secret, list_client_secrets
from airside.db.base import Row
from airside.developer.webhook_secret import (
    renew_webhook_secret,
    reveal_webhook_secret,
    switch_webhook_secret,
)
from airside.errors import Invalid, NotFound, Refused
from airside.portal.applications.created import go_to_client_secret, go_to_webhook_secret
from airside.portal.applications.pages import AppPage, app_path, crumbs, tab_path
from airside.portal.forms import Form
from airside.portal.visit import Visit, first_sentences

Ids = Mapping[str, str]  # in a page's URL, after the app's


class Confirmation(NamedTuple):
    """What confirm.html asks, on the page at `path` below the app's."""

    path: str
    title: str
    sentences: tuple[str, ...]
    words: str
    look: str
    ask_name: bool = False


class PasswordPage(AppPage):
    """GET asks for the password; POST performs the action, or asks again."""

    creates = True

    async def get_confirmation(self, app: Row, ids: Ids) -> Confirmation:
        raise NotImplementedError

    async def act(self, visit: Visit, app: Row, form: Form, ids: Ids) -> None:
        """Perform the action and respond. Raises Invalid for fields to ask for again."""
        raise NotImplementedError

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str, **ids: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        ask(visit, app, await self.get_confirmation(app, ids))

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str, **ids: str) -> None:
        visit, app, form = await self.take_form(req, resp, slug, app_id)
        confirmation = await self.get_confirmation(app, ids)
        try:
            await visit.check_password(form.text("password"))
            await self.act(visit, app, form, ids)
        except Invalid as error:
            ask(visit, app, confirmation, first_sentences(error), form.text("name"))


class ClientSecrets(PasswordPage):
    """/<workspace>/settings/applications/<id>/secrets/: adds a client secret."""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str, **ids: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        if len(await list_client_secrets(self.site.db, app["id"])) >= MAX_LIVE:
            raise Refused("The app has two secrets already. End one of them first.")
        ask(visit, app, await self.get_confirmation(app, ids))

    async def get_confirmation(self, app: Row, ids: Ids) -> Confirmation:
        return Confirmation(
            path="secrets/",
            title=f"A new client secret for {app['name']}?",
            sentences=(
                "It is shown once, on the next page.",
                "The current one works until you revoke it.",
            ),
            words="Make a secret",
            look="primary",
            ask_name=True,
        )

    async def act(self, visit: Visit, app: Row, form: Form, ids: Ids) -> None:
        secret = await add_client_secret(self.site, app, visit.user_id, form.text("name"))
        await go_to_client_secret(visit, app, secret)


class EndClientSecret(PasswordPage):
    """/<workspace>/settings/applications/<id>/secrets/<secret id>/end/"""

    async def get_confirmation(self, app: Row, ids: Ids) -> Confirmation:
        live = await list_client_secrets(self.site.db, app["id"])
        secret = next((one for one in live if one["id"] == ids["secret_id"]), None)
        if secret is None:
            raise NotFound("There is no such client secret.")
        return Confirmation(
            path=f"secrets/{secret['id']}/end/",
            title=f"End the secret ending in {secret['last_four']}?",
            sentences=(
                "Servers that still use it can get no more tokens, from this moment on.",
                "Tokens that were already issued work until they expire.",
            ),
            words="End this secret",
            look="danger-fill",
        )

    async def act(self, visit: Visit, app: Row, form: Form, ids: Ids) -> None:
        await end_client_secret(self.site, app, visit.user_id, ids["secret_id"])
        visit.go(tab_path(visit, app, "credentials"), "secret_ended")


class WebhookSecret(PasswordPage):
    """/<workspace>/settings/applications/<id>/webhook-secret/: replaces it."""

    async def get_confirmation(self, app: Row, ids: Ids) -> Confirmation:
        return Confirmation(
            path="webhook-secret/",
            title=f"Replace the webhook secret of {app['name']}?",
            sentences=(
                "For 24 hours webhook-signature holds the signatures of both. X-Plane-Signature has room for one "
                "and keeps the old one's, so your server keeps working.",
                "When it has the new one, say so on the app's page; then only that one signs. If the old one has "
                "leaked, do it at once.",
            ),
            words="Replace the secret",
            look="danger-fill",
        )

    async def act(self, visit: Visit, app: Row, form: Form, ids: Ids) -> None:
        secret = await renew_webhook_secret(self.site, app["id"], visit.user_id)
        await go_to_webhook_secret(visit, app, secret, is_new=True)


class RevealWebhookSecret(PasswordPage):
    """/<workspace>/settings/applications/<id>/webhook-secret/show/"""

    async def get_confirmation(self, app: Row, ids: Ids) -> Confirmation:
        return Confirmation(
            path="webhook-secret/show/",
            title=f"Show the webhook secret of {app['name']}?",
            sentences=("It is shown in full, and the audit log keeps that you saw it.",),
            words="Show the secret",
            look="primary",
        )

    async def act(self, visit: Visit, app: Row, form: Form, ids: Ids) -> None:
        secret = await reveal_webhook_secret(self.site, app["id"], visit.user_id)
        await go_to_webhook_secret(visit, app, secret, is_new=False)


class SwitchWebhookSecret(AppPage):
    """POST /<workspace>/settings/applications/<id>/webhook-secret/switch/: stop signing with the previous one."""

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app, _ = await self.take_form(req, resp, slug, app_id)
        await switch_webhook_secret(self.site, app["id"], visit.user_id)
        visit.go(tab_path(visit, app, "credentials"), "secret_switched")


def ask(
    visit: Visit, app: Row, confirmation: Confirmation, errors: dict[str, str] | None = None, name: str = ""
) -> None:
    """Ask for the password, and for the new secret's name."""
    visit.show(
        "confirm.html",
        status=422 if errors else 200,
        nav="applications",
        crumbs=crumbs(visit, app, "credentials"),
        action=f"{app_path(visit, app)}{confirmation.path}",
        cancel_href=tab_path(visit, app, "credentials"),
        ask_password=True,
        filled={"name": name},
        errors=errors or {},
        **confirmation._asdict(),
    )
