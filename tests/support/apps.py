"""The application as Airside serves it, built fast, since thousands of tests build their own.

async with testing.ASGIConductor(app_of(site)) as http: …

Falcon parses and compiles the two hundred paths of the pages in 25 ms. Here each process does it once: the paths
are the same for every site, only the resources differ. Started servers use Falcon's own router.
"""

from functools import cache
from typing import Any

from falcon.routing import CompiledRouter, map_http_methods, set_default_responders

from airside.app import create_app, plain_endpoints
from airside.http.edge import Edge
from airside.oauth.callers import CallerCache
from airside.oauth.routes import oauth_endpoints
from airside.runtime.site import Site
from tests.support.api import show_v1


def app_of(site: Site) -> Edge:
    return create_app(site, SharedRouter())


def list_endpoints(site: Site) -> dict[str, Any]:
    """Path → endpoint of everything but the pages and the table of the API."""
    return {**plain_endpoints(site, show_v1), **oauth_endpoints(site, CallerCache(site), show_v1)}


class SharedRouter:
    """One application's resources by path; applications with the same paths share the compiled router."""

    def __init__(self) -> None:
        self._resources: dict[str, object] = {}
        self._methods: dict[str, dict[str, Any]] = {}  # responders of templates that were requested
        self._paths: CompiledRouter | None = None

    def add_route(self, uri_template: str, resource: object, **_: Any) -> None:
        self._resources[uri_template] = resource
        self._paths = None

    def find(self, uri: str, req: object = None) -> tuple[object, dict[str, Any], dict[str, Any], str] | None:
        if self._paths is None:
            self._paths = compile_paths(tuple(self._resources))
        found = self._paths.find(uri)
        if found is None:
            return None
        _, _, params, template = found
        assert template is not None
        resource = self._resources[template]
        if template not in self._methods:
            self._methods[template] = dict(map_http_methods(resource))
            set_default_responders(self._methods[template], asgi=True)
        return resource, self._methods[template], params, template


@cache
def compile_paths(templates: tuple[str, ...]) -> CompiledRouter:
    router = CompiledRouter()
    for template in templates:
        router.add_route(template, NOBODY, _asgi=True)
    return router


NOBODY = object()
