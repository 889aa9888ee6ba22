"""The API's description, and whether an answer is what it says."""

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from airside.api.served import APIS
from airside.rest.route import Route
from airside.rest.wire import Wire
from airside.rest.wires.v1.wire import V1

ORIGIN = "https://airside.example"
DOCUMENTS: dict[Wire, Any] = {api.wire: api.describe(ORIGIN) for api in APIS}
DOCUMENT = DOCUMENTS[V1]

_registry = Registry().with_resources(
    (f"urn:openapi-{wire.name}", Resource(contents=document, specification=DRAFT202012))
    for wire, document in DOCUMENTS.items()
)
_formats = FormatChecker(["uuid", "date", "date-time"])


def wire_of(route: Route) -> Wire:
    """Plain routes without a face are v1's."""
    return route.face.wire if route.face else V1


def operation_of(route: Route) -> Any:
    wire = wire_of(route)
    return DOCUMENTS[wire]["paths"][f"{wire.prefix}/{route.path}/"][route.method.lower()]


def resolve(value: Any, wire: Wire = V1) -> Any:
    """What it refers to, or itself."""
    if "$ref" not in value:
        return value
    found: Any = DOCUMENTS[wire]
    for part in value["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return resolve(found, wire)


def check_answer(route: Route, answer: Any) -> None:
    """The status is among the operation's, and the body has that response's schema."""
    responses = operation_of(route)["responses"]
    assert str(answer.status_code) in responses, (answer.status_code, answer.text)
    wire = wire_of(route)
    content = resolve(responses[str(answer.status_code)], wire).get("content", {})
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    if not content:
        assert answer.text == ""
        return
    assert media_type in content, media_type
    if media_type.endswith("json"):
        check_value(content[media_type]["schema"], json.loads(answer.text), wire)


def check_value(schema: Any, value: Any, wire: Wire = V1) -> None:
    error = next(_validator(json.dumps(schema), wire).iter_errors(value), None)
    assert error is None, f"{error.json_path}: {error.message}"


@cache
def _validator(schema: str, wire: Wire) -> Draft202012Validator:
    """`schema` is JSON, whose references are the document's."""
    whole = json.loads(schema.replace('"#/', f'"urn:openapi-{wire.name}#/'))
    return Draft202012Validator(whole, registry=_registry, format_checker=_formats)
