"""OpenAPI 3.1 from the same table that serves the routes, so the two can't disagree."""

import re
from typing import Any

import msgspec

from airside.rest.body import Body
from airside.rest.resource import Route
from airside.rest.routes import PREFIX, Table, list_routes

_ERROR = {"description": "The wire's error.", "content": {"application/json": {"schema": {"type": "object"}}}}


def describe_api(table: Table, origin: str, version: str) -> dict[str, Any]:
    """The OpenAPI document."""
    routes = list_routes(table)
    models = sorted({model for route in routes for model in _models(route)}, key=lambda model: model.__name__)
    _, components = msgspec.json.schema_components(models, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        for path in (route.path, *route.aliases):
            paths.setdefault(f"{PREFIX}/{path}/", {})[route.method.lower()] = _describe_operation(route, path)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Airside API", "version": version},
        "servers": [{"url": origin}],
        "security": [{"bearer": []}, {"apiKey": []}],
        "paths": paths,
        "components": {
            "schemas": {**components, "Page": _PAGE},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _describe_operation(route: Route, path: str) -> dict[str, Any]:
    suffix = "" if path == route.path else "_" + re.sub(r"\W+", "_", path.rsplit("/", 1)[-1]).strip("_")
    described: dict[str, Any] = {
        "operationId": route.name + suffix,
        "tags": [_tag(path)],
        "parameters": [
            *(
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in _names(path)
            ),
            *({"name": name, "in": "query", "schema": {"type": "string"}} for name in route.query),
        ],
        "responses": {str(route.status): _describe_answer(route), "4XX": _ERROR},
    }
    if path != route.path and _is_former(path):
        described["deprecated"] = True
    if route.scope:
        described["x-scope"] = route.scope
    if route.event:
        described["x-event"] = route.event
    if route.body:
        schema = _patch_schema(route.body) if route.partial else _reference(route.body)
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return described


def _is_former(path: str) -> bool:
    """Plane's paths from when work items were called issues."""
    return any("issue" in part for part in path.split("/"))


def _describe_answer(route: Route) -> dict[str, Any]:
    if route.status == 204 or route.shown is None:
        return {"description": "Done."}
    model = _model(route.shown)
    schema = _reference(model) if model is not None else {}
    if route.paged:
        items = {"type": "object", "properties": {"results": {"type": "array", "items": schema}}}
        schema = {"allOf": [{"$ref": "#/components/schemas/Page"}, items]}
    elif model is not route.shown:
        schema = {"type": "array", "items": schema}
    return {"description": "The answer.", "content": {"application/json": {"schema": schema}}}


def _patch_schema(body: type[Body]) -> dict[str, Any]:
    """The body's schema with nothing required: PATCH takes any subset."""
    (_,), components = msgspec.json.schema_components([body], ref_template="#/components/schemas/{name}")
    return {name: value for name, value in components[body.__name__].items() if name != "required"}


def _models(route: Route) -> list[Any]:
    shown = _model(route.shown)
    return [model for model in (route.body, shown) if model is not None]


def _model(shown: Any) -> Any:
    arguments = getattr(shown, "__args__", None)
    return arguments[0] if arguments else shown


def _reference(model: Any) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _names(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


def _tag(path: str) -> str:
    literals = [part for part in path.split("/") if not part.startswith("{") and part != "workspaces"]
    return literals[-1] if literals else "workspaces"


_PAGE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "grouped_by": {"type": ["string", "null"]},
        "sub_grouped_by": {"type": ["string", "null"]},
        "total_count": {"type": "integer"},
        "next_cursor": {"type": "string"},
        "prev_cursor": {"type": "string"},
        "next_page_results": {"type": "boolean"},
        "prev_page_results": {"type": "boolean"},
        "count": {"type": "integer"},
        "total_pages": {"type": "integer"},
        "total_results": {"type": "integer"},
        "extra_stats": {"type": "null"},
        "results": {"type": "array"},
    },
}
