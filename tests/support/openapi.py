"""The API's description, and whether an answer is what it says."""

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from airside.api.v1 import describe_v1
from airside.rest.route import Route
from airside.rest.wires.v1.paths import PREFIX

ORIGIN = "https://airside.example"
DOCUMENT = describe_v1(ORIGIN)

_NAME = "urn:openapi-v1"
_registry = Registry().with_resource(_NAME, Resource(contents=DOCUMENT, specification=DRAFT202012))
_formats = FormatChecker(["uuid", "date", "date-time"])


def operation_of(route: Route) -> Any:
    return DOCUMENT["paths"][f"{PREFIX}/{route.path}/"][route.method.lower()]


def resolve(value: Any) -> Any:
    """What it refers to, or itself."""
    if "$ref" not in value:
        return value
    found: Any = DOCUMENT
    for part in value["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return resolve(found)


def check_answer(route: Route, answer: Any) -> None:
    """The status is among the operation's, and the body has that response's schema."""
    responses = operation_of(route)["responses"]
    assert str(answer.status_code) in responses, (answer.status_code, answer.text)
    content = resolve(responses[str(answer.status_code)]).get("content", {})
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    if not content:
        assert answer.text == ""
        return
    assert media_type in content, media_type
    if media_type == "application/json":
        check_value(content[media_type]["schema"], answer.json)


def check_value(schema: Any, value: Any) -> None:
    error = next(_validator(json.dumps(schema)).iter_errors(value), None)
    assert error is None, f"{error.json_path}: {error.message}"


@cache
def _validator(schema: str) -> Draft202012Validator:
    """`schema` is JSON, whose references are the document's."""
    whole = json.loads(schema.replace('"#/', f'"{_NAME}#/'))
    return Draft202012Validator(whole, registry=_registry, format_checker=_formats)
