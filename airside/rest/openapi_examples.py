"""Examples for OpenAPI, made from the schemas: the same ones each time, and valid by the schema they came from.

A declaration that wants another says so itself: `Meta(examples=[…])` on a field's type.
"""

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

Json = dict[str, Any]
Schemas = Mapping[str, Json]

_FORMATS = {"date": "2026-01-31", "date-time": "2026-01-31T12:00:00Z"}
_PLAIN: Json = {"integer": 1, "number": 1.0, "boolean": True, "null": None, "object": {}}
# Part of a field's name → what such a text looks like.
_TEXTS = {
    "email": "ana@example.com",
    "url": "https://example.com/",
    "html": "<p>Hello</p>",
    "color": "#3f76ff",
}


def make_example(schema: Json, schemas: Schemas, name: str = "") -> Any:
    """An answer of this schema, with every field."""
    return _make(schema, schemas, name, brief=False)


def make_brief_example(schema: Json, schemas: Schemas) -> Any:
    """A body of this schema, with the fields that are required; the first one where none is."""
    return _make(schema, schemas, "", brief=True)


def _make(schema: Json, schemas: Schemas, name: str, *, brief: bool) -> Any:
    if "$ref" in schema:
        return _make(schemas[schema["$ref"].rpartition("/")[2]], schemas, name, brief=brief)
    if "allOf" in schema:
        return {
            field: value
            for part in schema["allOf"]
            for field, value in _make(part, schemas, name, brief=brief).items()
        }
    for chosen in (schema.get("examples"), schema.get("enum")):
        if chosen:
            return chosen[0]
    if schema.get("default") is not None:
        return schema["default"]
    if "anyOf" in schema:
        if {"type": "string", "format": "date-time"} in schema["anyOf"]:
            return None  # what hasn't happened
        return _make(schema["anyOf"][0], schemas, name, brief=brief)
    return _make_plain(schema, schemas, name, brief=brief)


def _make_plain(schema: Json, schemas: Schemas, name: str, *, brief: bool) -> Any:
    match schema.get("type"):
        case "string":
            return _make_text(schema, name)
        case "array" if "prefixItems" in schema:
            return [_make(one, schemas, name, brief=brief) for one in schema["prefixItems"]]
        case "array":
            return [_make(schema["items"], schemas, name, brief=brief)] if schema.get("items") else []
        case "object" if schema.get("properties"):
            fields = list(schema["properties"])
            wanted = (schema.get("required") or fields[:1]) if brief else fields
            return {one: _make(schema["properties"][one], schemas, one, brief=brief) for one in wanted}
        case "integer" | "number" if "minimum" in schema:
            return max(schema["minimum"], _PLAIN[schema["type"]])
        case kind:
            return _PLAIN.get(kind) if isinstance(kind, str) else None


def _make_text(schema: Json, name: str) -> str:
    kind = schema.get("format")
    if kind == "uuid":
        return str(uuid5(NAMESPACE_URL, name))
    if kind is not None:
        return _FORMATS[kind]
    text = next((text for part, text in _TEXTS.items() if part in name), name.replace("_", " ").capitalize())
    return text[: schema.get("maxLength", len(text))]
