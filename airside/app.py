"""From settings to a running ASGI application: reads top to bottom as the list of what is mounted."""

from importlib import import_module
from typing import Any

import falcon
import falcon.asgi
import msgspec
from falcon.asgi import Request, Response

from airside import __version__
from airside.credentials import Sealer
from airside.db.database import open_database
from airside.envelope import Envelope, Errors, ShowError
from airside.errors import AirsideError
from airside.health import Health, Readiness
from airside.settings import Settings
from airside.site import Site

App = falcon.asgi.App[Any, Any]


async def open_site(settings: Settings) -> Site:
    """Open the database and the keys. Raises OSError, sqlite3.Error, asyncpg.PostgresError or ValueError."""
    return Site(
        settings=settings, db=await open_database(settings.database), sealer=Sealer(settings.secret_key)
    )


def create_app(site: Site) -> App:
    """Everything that answers HTTP on this instance."""
    app: App = falcon.asgi.App(middleware=[Envelope()])
    app.req_options.strip_url_path_trailing_slash = True

    app.add_route("/healthz", Health())
    app.add_route("/readyz", Readiness(site))
    callers = mount_oauth(app, site)
    mount_api(app, site, callers)
    show_error = mount_portal(app, site, callers)

    errors = Errors(show_error)
    app.add_error_handler(Exception, errors.answer_unexpected)
    app.add_error_handler(falcon.HTTPError, errors.answer_http)
    app.add_error_handler(AirsideError, errors.answer)
    return app


def mount_oauth(app: App, site: Site) -> Any:
    """Airside as authorization server; the cache of resolved callers that everything else shares."""
    routes, callers = room("airside.oauth.routes"), room("airside.oauth.callers")
    if routes is None or callers is None:
        return None
    cache = callers.CallerCache(site)
    for path, resource in routes.oauth_routes(site, cache):
        app.add_route(path, resource)
    return cache


def mount_api(app: App, site: Site, callers: Any) -> None:
    """THE TABLE below /api/v1, and its description."""
    table = room("airside.api_v1")
    if table is None or callers is None:
        return
    from airside.rest.guard import Guard
    from airside.rest.routes import mount
    from airside.work.access import RoleAccess

    mount(app, Guard(site, callers, RoleAccess()), table.TABLE)
    app.add_route("/api/openapi.json", OpenApi(site, table.TABLE))


def mount_portal(app: App, site: Site, callers: Any) -> ShowError | None:
    """The pages for people; the page that shows them an error."""
    portal = room("airside.portal.routes")
    if portal is None:
        return None
    for path, resource in portal.portal_routes(site, callers):
        app.add_route(path, resource)
    return getattr(portal, "show_error", None)


def room(name: str) -> Any:
    """A room that another change brings; None until then."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and name.startswith(error.name):
            return None
        raise


class OpenApi:
    """The description of /api/v1, made at its first request."""

    def __init__(self, site: Site, table: Any) -> None:
        self._site = site
        self._table = table
        self._document: bytes | None = None

    async def on_get(self, req: Request, resp: Response) -> None:
        if self._document is None:
            from airside.rest.openapi import describe_api

            self._document = msgspec.json.encode(
                describe_api(self._table, self._site.settings.origin, __version__)
            )
        resp.data = self._document
