"""How much JSON of any shape a body may hold: every field that takes it says so, and holds it."""

import json
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import msgspec
import pytest
from msgspec import Meta

from airside.errors import Invalid
from airside.rest.body import Body, Conditions, Document, Metadata, Properties, check_body, fields_of
from tests.contract.world import ROUTES

BODIES = {route.body for route in ROUTES if route.body is not None}
FIELDS = [
    (f"{body.__qualname__}.{info.encode_name}", info.type)
    for body in sorted(BODIES, key=lambda one: one.__qualname__)
    for info in msgspec.structs.fields(body)
]


def _unbounded(declared: Any, metas: tuple[Meta, ...] = ()) -> Iterator[str]:
    """What in the type may be as long as a body: texts and JSON without a bound."""
    if hasattr(declared, "__metadata__"):
        yield from _unbounded(get_args(declared)[0], declared.__metadata__)
    elif declared is str and all(meta.max_length is None for meta in metas):
        yield "text"
    elif declared is Any or get_origin(declared) is dict:
        if not any("json_bytes" in (meta.extra or {}) for meta in metas):
            yield "JSON"
    elif get_origin(declared) is list or "Union" in str(get_origin(declared)):
        for one in get_args(declared):
            yield from _unbounded(one)


def test_av1_every_field_of_a_body_says_how_long_it_may_be() -> None:
    assert list(_unbounded(dict[str, Any] | None)) == ["JSON"]
    assert len(FIELDS) > 100
    assert not [name for name, declared in FIELDS if list(_unbounded(declared))]


class Given(Body):
    properties: Properties | None = None
    conditions: Conditions | None = None
    metadata: Metadata | None = None
    document: Document | None = None


@pytest.mark.parametrize("field", fields_of(Given), ids=lambda field: field.name)
def test_av1_json_of_any_shape_ends_at_its_bytes(field: Any) -> None:
    room = field.json_bytes - len('{"a":""}')
    fits = {"a": "x" * room}
    assert check_body(Given, {field.name: fits}, partial=False) == {field.name: fits}
    for over in (
        {"a": "x" * (room + 1)},
        {"a": "\u00e9" * (room // 2 + 1)},
        {str(n): n for n in range(60_000)},
    ):
        with pytest.raises(Invalid) as refused:
            check_body(Given, {field.name: over}, partial=False)
        said = f"Ensure this field has no more than {field.json_bytes} bytes of JSON."
        assert json.loads(json.dumps(refused.value.fields)) == {field.name: [said]}
