"""What is known of Plane's operations, and what is served of them."""

from operator import attrgetter

from plane import PlaneClient

from airside.api.v1 import TABLE
from airside.rest.route import Route
from airside.rest.routes import list_routes
from tools.api_coverage import Operation, bare, read_operations

OPERATIONS = read_operations()
SERVED: dict[tuple[str, str], Route] = {
    (route.method, bare(path)): route for route in list_routes(TABLE) for path in (route.path, *route.aliases)
}


def route_of(operation: Operation) -> Route | None:
    return SERVED.get((operation.method, bare(operation.path)))


def scopes_of(operation: Operation) -> list[str]:
    return [operation.scope] if isinstance(operation.scope, str) else operation.scope or []


def test_every_operation_of_plane_is_known_once() -> None:
    known = [(one.method, bare(path)) for one in OPERATIONS for path in (one.path, *one.former)]
    assert len(set(known)) == len(known) == 459 + 54


def test_the_sdk_has_each_method_that_is_named_for_an_operation() -> None:
    client = PlaneClient(base_url="http://plane.example", api_key="key")
    for method in filter(None, (one.python for one in OPERATIONS)):
        assert callable(attrgetter(method)(client)), method


def test_an_operation_asks_for_the_scope_that_plane_documents_for_it() -> None:
    other = {
        f"{one.method} {one.path}: {route.scope}, documented is {one.scope}"
        for one in OPERATIONS
        if one.scope and (route := route_of(one)) and route.scope not in scopes_of(one)
    }
    assert other == set()
