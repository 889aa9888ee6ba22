"""The page that shows an app's secrets, once: after registration, or after one secret was created or revealed."""

from falcon.asgi import Request, Response

from airside.apps.registry import NewApp
from airside.db.base import Row
from airside.portal.applications.pages import AppPage, app_path, tab_path
from airside.portal.visit import Visit


class AppSecrets(AppPage):
    """GET /<workspace>/settings/applications/<id>/made/?answer=<of which form>"""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        shown = await visit.take_shown_once()
        if shown is None:
            visit.show_gone(
                "applications",
                "This was shown once",
                f"If you haven't stored the client secret of {app['name']}, make another one and end that one. The "
                "webhook secret can be shown again after you enter your password.",
                ("Credentials", tab_path(visit, app, "credentials")),
            )
            return
        visit.show("applications/created.html", app=app, client_id=app["client_id"], **shown)


async def go_to_registered(visit: Visit, made: NewApp) -> None:
    await _go(visit, made.app, "app", made.client_secret, made.webhook_secret)


async def go_to_client_secret(visit: Visit, app: Row, secret: str) -> None:
    await _go(visit, app, "client_secret", secret, "")


async def go_to_webhook_secret(visit: Visit, app: Row, secret: str, *, is_new: bool) -> None:
    await _go(visit, app, "webhook_secret" if is_new else "shown_webhook_secret", "", secret)


async def _go(visit: Visit, app: Row, what: str, client_secret: str, webhook_secret: str) -> None:
    await visit.go_to_show(
        f"{app_path(visit, app)}made/", what=what, client_secret=client_secret, webhook_secret=webhook_secret
    )
