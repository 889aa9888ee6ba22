"""The pages' own ASGI application, on Falcon, below AIRSIDE_PAGES_PREFIX; and the endpoint that redirects to them.

It gets from the edge what isn't the API's or OAuth's.
"""

from typing import Any, cast

import falcon
import falcon.asgi
from falcon.asgi import Request, Response

from airside.errors import AirsideError, BadRequest, MethodNotAllowed, PageNotFound, TooLarge
from airside.http.failures import explain
from airside.http.request import REQUEST
from airside.http.rules import check_target
from airside.portal.errors import show_error
from airside.portal.rendering import Rendering
from airside.portal.routes import authorization_routes, portal_routes
from airside.portal.sent_once import SentOnce
from airside.rest.guard import check_ids
from airside.runtime.site import Site

Pages = falcon.asgi.App[Any, Any]


def create_pages(site: Site, router: Any = None) -> Pages:
    """`router` replaces Falcon's own."""
    pages: Pages = falcon.asgi.App(middleware=[Addresses(), SentOnce(site), Rendering()], router=router)
    pages.req_options.strip_url_path_trailing_slash = True
    for path, resource in authorization_routes(site):
        pages.add_route(path, resource)
    for path, resource in portal_routes(site):
        pages.add_route(site.settings.page_url(path).rstrip("/") or "/", resource)
    failures = Failures(site)
    pages.add_error_handler(Exception, failures.show)
    pages.add_error_handler(falcon.HTTPError, failures.show_http_error)
    return pages


class Addresses:
    """Refuses paths that can't be a page's, before a page uses a part of one as a record's key."""

    async def process_request(self, req: Request, resp: Response) -> None:
        check_target(req.scope[REQUEST])

    async def process_resource(self, req: Request, resp: Response, resource: Any, params: Any) -> None:
        check_ids(params)


class Failures:
    """Error handlers that show the error as a page."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def show(self, req: Request, resp: Response, error: Exception, params: Any) -> None:
        explained = explain(req.scope[REQUEST], error)
        resp.status = explained.status
        resp.set_headers(explained.headers)
        await show_error(self._site, req, resp, explained)

    async def show_http_error(
        self, req: Request, resp: Response, error: falcon.HTTPError, params: Any
    ) -> None:
        await self.show(req, resp, as_airside_error(req, error), params)


def as_airside_error(req: Request, error: falcon.HTTPError) -> AirsideError:
    """The framework's error as one of ours."""
    match error.status_code:
        case 404:
            return PageNotFound()
        case 405:
            return MethodNotAllowed(req.method, cast(dict[str, str], error.headers)["Allow"].split(", "))
        case 413:
            return TooLarge()
        case status:
            sentence = error.description or error.title
            found = BadRequest(sentence) if status < 500 else AirsideError()
            found.status = status
            return found
