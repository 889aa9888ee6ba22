"""OpenAPI 3.1 from the same table that serves the routes, so the two can't disagree."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from airside.rest.face import Face
from airside.rest.idempotency import HEADER
from airside.rest.openapi_examples import make_brief_example, make_example
from airside.rest.openapi_responses import (
    HEADERS,
    IDEMPOTENCY_KEY,
    IF_NONE_MATCH,
    error_reference,
    error_responses,
    error_statuses,
    header_references,
    is_tagged,
    takes_key,
)
from airside.rest.openapi_schemas import answer_schema, body_reference, describe_models
from airside.rest.record import ADMIN, MEMBER
from airside.rest.route import Route
from airside.rest.routes import Table, list_routes, pluralize
from airside.rest.wire import Wire

Json = dict[str, Any]
OAUTH, API_KEY = "oauth", "apiKey"
_ROLES = {ADMIN: "an admin", MEMBER: "a member"}


class Tag(NamedTuple):
    """A group of operations: those whose path ends in one of these words, ids left out."""

    name: str
    sentence: str
    words: tuple[str, ...]


def record_tags(table: Table) -> list[Tag]:
    """The groups of the records that say what they are about, in the table's order. A second list of the same
    records, such as the archived ones, is in the group of the first."""
    tags: dict[tuple[str, bool], Tag] = {}
    for face in (entry for entry in table if isinstance(entry, Face) and entry.record.about):
        name, key = pluralize(face.noun or face.record.noun), (face.record.noun, face.is_in_project)
        tag = tags.setdefault(key, Tag(name, face.record.about, ()))
        tags[key] = tag._replace(words=(*tag.words, _literals(face.path)))
    return list(tags.values())


class _Document(NamedTuple):
    """What operations refer to; they add the examples and parameters that they are the first to need."""

    wire: Wire
    tags: Sequence[Tag]
    schemas: Mapping[str, Json]
    examples: Json
    parameters: Json


def describe_api(
    wire: Wire, table: Table, origin: str, version: str, tags: Sequence[Tag], flows: Json
) -> Json:
    """The OpenAPI document. `flows` are OAuth's, as its Security Scheme Object words them."""
    routes = list_routes(table)
    schemas = {**wire.schemas, **describe_models(wire, routes)}
    document = _Document(wire, tags, schemas, {}, {})
    paths: dict[str, Json] = {}
    for route in routes:
        for path in (route.path, *route.aliases):
            operation = _describe_operation(document, route, path)
            paths.setdefault(f"{wire.prefix}/{path}/", {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Airside API",
            "version": version,
            "summary": wire.summary,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": origin}],
        "security": [{OAUTH: []}, {API_KEY: []}],
        "tags": [{"name": tag.name, "description": tag.sentence} for tag in tags],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": error_responses(wire),
            "headers": HEADERS,
            "parameters": dict(sorted(document.parameters.items())),
            "examples": dict(sorted(document.examples.items())),
            "securitySchemes": {
                OAUTH: {
                    "type": "oauth2",
                    "description": "A bearer token of an app: a person's, or its bot's in one installation.",
                    "flows": flows,
                },
                API_KEY: {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-API-Key",
                    "description": "A person's own key, with that person's permissions.",
                },
            },
        },
    }


def _describe_operation(document: _Document, route: Route, path: str) -> Json:
    wire = document.wire
    suffix = "" if path == route.path else "_" + re.sub(r"\W+", "_", path.rsplit("/", 1)[-1]).strip("_")
    described: Json = {
        "operationId": route.name + suffix,
        "summary": route.summary,
        "description": _describe_conditions(route),
        "tags": [_tag(document.tags, route.path)],
        "parameters": [
            *(_path_parameter(document, name) for name in re.findall(r"{(\w+)}", path)),
            *(_query_parameter(document, route, name) for name in route.query),
            *([_share(document.parameters, IF_NONE_MATCH, "If-None-Match")] if is_tagged(route) else []),
            *([_share(document.parameters, IDEMPOTENCY_KEY, HEADER)] if takes_key(route) else []),
        ],
        "responses": {
            str(route.status): _describe_answer(document, route),
            **({"304": {"$ref": "#/components/responses/NotModified"}} if is_tagged(route) else {}),
            **{str(status): error_reference(wire, status) for status in error_statuses(wire, route)},
        },
        "security": [{OAUTH: [route.scope] if route.scope else []}, {API_KEY: []}],
    }
    if path != route.path and _is_former(path):
        described["deprecated"] = True
    if route.scope:
        described["x-scope"] = route.scope
    if route.event:
        described["x-event"] = route.event
    if route.body:
        described["requestBody"] = _describe_body(document, route)
    return described


def _is_former(path: str) -> bool:
    """Plane's paths from when work items were called issues."""
    return any("issue" in part for part in path.split("/"))


def _describe_conditions(route: Route) -> str:
    """Who may do it, and what follows."""
    place = "project" if "{project_id}" in route.path else "workspace"
    found = [f"A token needs the scope `{route.scope}`." if route.scope else "No scope is needed."]
    if route.role in _ROLES:
        found.append(f"The caller is at least {_ROLES[route.role]} of the {place}.")
    if route.people_only:
        found.append("Bots are refused.")
    if route.event:
        other = f" or `{route.other_event}`" if route.other_event else ""
        found.append(f"The event is `{route.event}`{other}.")
    return " ".join(found)


def _path_parameter(document: _Document, name: str) -> Json:
    schema: Json = {"type": "string"}
    if name.endswith("_id"):
        schema["format"] = "uuid"
        sentence = f"The id of the {name.removesuffix('_id').replace('_', ' ')}."
    else:
        sentence = f"The {name.replace('_', ' ')}."
    described: Json = {
        "name": name,
        "in": "path",
        "required": True,
        "description": sentence,
        "schema": schema,
    }
    return _share(document.parameters, described, f"path.{name}")


def _query_parameter(document: _Document, route: Route, name: str) -> Json:
    schema = msgspec.json.schema(route.query[name])
    described: Json = {
        "name": name,
        "in": "query",
        "description": schema.pop("description"),
        "schema": schema,
    }
    if schema.get("type") == "array":
        described |= {"style": "form", "explode": False}
    key = name if document.parameters.get(name, described) == described else f"{route.name}.{name}"
    return _share(document.parameters, described, key)


def _share(parameters: Json, described: Json, key: str) -> Json:
    """A reference to this parameter, which is described once, under the first key."""
    key = next((one for one, known in parameters.items() if known == described), key)
    parameters[key] = described
    return {"$ref": f"#/components/parameters/{key}"}


def _describe_body(document: _Document, route: Route) -> Json:
    schema = body_reference(route)
    example = (route.body and route.body.example) or make_brief_example(schema, document.schemas)
    return {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}


def _describe_answer(document: _Document, route: Route) -> Json:
    names = ("ETag", "Cache-Control", "Vary") if is_tagged(route) else ()
    names += ("Idempotent-Replayed",) if takes_key(route) else ()
    headers = header_references("X-RateLimit-Remaining", "X-RateLimit-Reset", *names)
    if route.status == 204:
        return {"description": "Done; there is no body.", "headers": headers}
    if route.status == 302:
        headers |= header_references("Location")
        return {"description": "It is at another URL, which is valid for a short time.", "headers": headers}
    content: Json = {}
    if route.shown is not None:
        schema = answer_schema(route)
        content["application/json"] = {"schema": schema, "examples": {"whole": _example(document, schema)}}
    if route.streams is not None:
        content[route.streams] = {"schema": {"type": "string"}}
    return {"description": "Success.", "headers": headers, "content": content}


def _example(document: _Document, schema: Json) -> Json:
    """A reference to the example of this schema, or of the first that it may be; of a list of ids the example."""
    schema = schema.get("anyOf", [schema])[0]
    name, inner = "", schema
    while "$ref" not in inner:
        if inner.get("type") == "string":
            return {"value": make_example(schema, document.schemas)}
        if "anyOf" in inner:
            inner = inner["anyOf"][0]
            continue
        name += "List" if "items" in inner else "ByName"
        inner = inner.get("items") or inner["additionalProperties"]
    name = inner["$ref"].rpartition("/")[2] + name
    if name not in document.examples:
        document.examples[name] = {"value": make_example(schema, document.schemas)}
    return {"$ref": f"#/components/examples/{name}"}


def _literals(path: str) -> str:
    return "/".join(part for part in path.split("/") if not part.startswith("{"))


def _tag(tags: Sequence[Tag], path: str) -> str:
    """That of the last word of the path which any tag has."""
    literals = f"/{_literals(path)}/"
    ends = [
        (at + len(word), len(word), tag.name)
        for tag in tags
        for word in tag.words
        if (at := literals.rfind(f"/{word}/")) >= 0
    ]
    return max(ends)[2]
