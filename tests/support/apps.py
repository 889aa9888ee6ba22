"""The application as Airside serves it, made quickly: thousands of tests make one of their own.

async with testing.ASGIConductor(app_of(site)) as http: …

Falcon reads and compiles a table of two hundred paths in 25 ms. Here each process does it once for each table: what
paths match is the same for every site, only what answers isn't. Started servers route as Falcon does by itself.
"""

from functools import cache
from typing import Any

from falcon.routing import CompiledRouter, map_http_methods, set_default_responders

from airside.app import App, create_app
from airside.runtime.site import Site


def app_of(site: Site) -> App:
    return create_app(site, SharedRouter())


class SharedRouter:
    """One application's resources by their paths, which are matched as in every other one of the same paths."""

    def __init__(self) -> None:
        self._resources: dict[str, object] = {}
        self._methods: dict[str, dict[str, Any]] = {}  # responders of what was asked for already
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
