"""OpenAPI's schemas, from the declared bodies and answers: msgspec's, and what only the engine knows of them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Any, Literal, get_args, get_origin

import msgspec

from airside.db.base import Id
from airside.rest.body import MAX_ITEMS, Body, fields_of, takes_list
from airside.rest.face import columns_of
from airside.rest.route import Route
from airside.rest.wire import Json, Wire

_TEMPLATE = "#/components/schemas/{name}"
_EXTERNAL = ("external_id",)  # ids that aren't Airside's own


def describe_models(wire: Wire, routes: Sequence[Route]) -> Json:
    """Every schema that the routes' bodies and answers refer to, by name."""
    models = sorted({model for route in routes for model in _models(route)}, key=lambda model: model.__name__)
    _, found = msgspec.json.schema_components(models, ref_template=_TEMPLATE)
    for struct in {struct for model in models for struct in _structs(model)}:
        _add_formats(struct, found[struct.__name__])
    for route in routes:
        if route.face is not None and route.shown is route.face.shown:
            _add_references(route, found[route.shown.__name__])
            if wire.is_sparse:
                found[route.shown.__name__]["required"] = ["id"]
        else:
            _add_expanded(route, found)
    for route in routes:
        if route.body is not None:
            _add_bounds(route.body, found[route.body.__name__])
            if route.partial:
                name = f"Patched{route.body.__name__}"
                found[name] = _without_required(found[route.body.__name__]) | {"title": name}
        if route.paged:
            found[f"{route.shown.__name__}Page"] = wire.page_schema(reference(route.shown))
    whole = {route.body.__name__ for route in routes if route.body and not route.partial}
    whole |= {one.__name__ for route in routes for one in _items(route)}
    patched = {route.body.__name__ for route in routes if route.body and route.partial}
    return {name: schema for name, schema in found.items() if name not in patched - whole}


def reference(model: Any) -> Json:
    return {"$ref": _TEMPLATE.format(name=model.__name__)}


def body_reference(route: Route) -> Json:
    """PATCH takes any subset, and changes nothing of what is absent, so its schema has no defaults either."""
    assert route.body is not None
    whole = {"$ref": _TEMPLATE.format(name=("Patched" if route.partial else "") + route.body.__name__)}
    field = next((field for field in fields_of(route.body) if field.name == route.bare), None)
    if field is None or field.items is None:
        return whole
    array = {"type": "array", "items": reference(field.items), "minItems": 1, "maxItems": MAX_ITEMS}
    return {"anyOf": [whole, array]}


def answer_schema(route: Route) -> Json:
    """What a route answers when it succeeds: a struct, a page or list of them, or a list of ids."""
    if route.paged:
        page = {"$ref": _TEMPLATE.format(name=f"{route.shown.__name__}Page")}
        is_bare = route.face is not None and route.face.is_bare is not None
        return {"anyOf": [page, {"type": "array", "items": reference(route.shown)}]} if is_bare else page
    return _schema_of(route.shown)


def _schema_of(shown: Any) -> Json:
    origin, arguments = get_origin(shown), get_args(shown)
    if shown is str:
        return {"type": "string", "format": "uuid"}
    if origin is UnionType:
        return {"anyOf": [_schema_of(one) for one in arguments]}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema_of(arguments[1])}
    return {"type": "array", "items": _schema_of(arguments[0])} if origin is list else reference(shown)


def item_of(shown: Any) -> Any:
    """The struct itself, or that of a list, or of the lists in an object with any names."""
    arguments = get_args(shown)
    return item_of(arguments[-1]) if arguments else shown


def _models(route: Route) -> list[Any]:
    return [model for model in (route.body, item_of(route.shown)) if model not in (None, str)]


def _items(route: Route) -> Iterator[type[Body]]:
    """The bodies in lists of the route's body."""
    for field in fields_of(route.body) if route.body else ():
        if field.items is not None:
            yield field.items


def _structs(model: Any) -> Iterator[type[msgspec.Struct]]:
    """The struct, and those within it."""
    if isinstance(model, type) and issubclass(model, msgspec.Struct):
        yield model
        for info in msgspec.structs.fields(model):
            yield from _structs(info.type)
    for part in get_args(model):
        yield from _structs(part)


def _without_required(schema: Json) -> Json:
    properties = {
        name: {word: value for word, value in one.items() if word != "default"}
        for name, one in schema["properties"].items()
    }
    return {word: value for word, value in schema.items() if word != "required"} | {"properties": properties}


def _add_formats(struct: type[msgspec.Struct], schema: Json) -> None:
    """Times, and ids, which are texts to msgspec."""
    for info in msgspec.structs.fields(struct):
        kinds, name = _flatten(info.type), info.encode_name
        one = schema["properties"][name]
        if datetime in kinds and str not in kinds:
            _set_format(one, "date-time")
        elif (name == "id" or name.endswith("_id")) and name not in _EXTERNAL:
            _set_format(one, "uuid")


def _add_references(route: Route, schema: Json) -> None:
    """What names another record is its id, and with `expand` an object in its place."""
    face = route.face
    assert face is not None
    properties, columns = schema["properties"], face.table.c
    for name, column in columns_of(face, tuple(properties)).items():
        one = properties[name]
        if column in columns and isinstance(columns[column].type, Id):
            if not one:
                one["anyOf"] = [{"type": "string"}, *([{"type": "null"}] if columns[column].nullable else [])]
            _set_format(one, "uuid")
        if name in face.expands:
            properties[name] = _or_object(one)


def _add_expanded(route: Route, found: Json) -> None:
    """The same of records in an answer that isn't the face's own, by the names that its `expand` takes."""
    names = set(_words_of(route.query.get("expand")))
    for struct in _structs(route.shown):
        properties = found[struct.__name__]["properties"]
        for name in sorted(names & properties.keys()):
            properties[name] = _or_object(properties[name])


def _or_object(schema: Json) -> Json:
    if schema.get("type") == "array":
        items = schema.get("items") or {"type": "string", "format": "uuid"}
        return {**schema, "items": _or_object(items)}
    options = schema.get("anyOf", [schema])
    return schema if {"type": "object"} in options else {"anyOf": [*options, {"type": "object"}]}


@cache
def _flatten(declared: Any) -> frozenset[Any]:
    """The types that a declaration is made of."""
    parts = get_args(declared)
    return frozenset({declared, *(kind for part in parts if part.__hash__ for kind in _flatten(part))})


def _words_of(declared: Any) -> Iterator[str]:
    """The words of the literals within a type."""
    if get_origin(declared) is Literal:
        yield from get_args(declared)
    else:
        for part in get_args(declared):
            yield from _words_of(part)


def _set_format(schema: Json, word: str) -> None:
    for one in (schema, *schema.get("anyOf", ())):
        if one.get("type") == "string" and "format" not in one and "enum" not in one:
            one["format"] = word


def _add_bounds(body: type[Body], schema: Json) -> None:
    """What is checked beside the types: how many items a list has, how much JSON a field takes."""
    for field in fields_of(body):
        one = schema["properties"][field.name]
        for option in (one, *one.get("anyOf", ())):
            if takes_list(field.type) and option.get("type") == "array":
                option["maxItems"] = MAX_ITEMS
                if field.items is not None:
                    option["minItems"] = 1
        if field.json_bytes is not None:
            one["x-max-json-bytes"] = field.json_bytes
