"""The one page that writes secrets out: of an app just registered, or one secret that was made or asked for."""

from airside.apps.registry import NewApp
from airside.db.base import Row
from airside.portal.visit import Visit


def show_registered(visit: Visit, made: NewApp) -> None:
    _show(visit, made.app, "app", made.client_secret, made.webhook_secret)


def show_client_secret(visit: Visit, app: Row, secret: str) -> None:
    _show(visit, app, "client_secret", secret, "")


def show_webhook_secret(visit: Visit, app: Row, secret: str, *, is_new: bool) -> None:
    _show(visit, app, "webhook_secret" if is_new else "shown_webhook_secret", "", secret)


def _show(visit: Visit, app: Row, what: str, client_secret: str, webhook_secret: str) -> None:
    visit.show(
        "applications/created.html",
        app=app,
        what=what,
        client_id=app["client_id"],
        client_secret=client_secret,
        webhook_secret=webhook_secret,
    )
