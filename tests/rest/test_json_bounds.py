"""How deep a body may nest and how many values it may hold, known before anything is done with it."""

import pytest

from airside.errors import BadRequest
from airside.rest.body import parse_json
from airside.rest.json_bounds import MAX_DEPTH, MAX_VALUES, SMALL_BYTES, check_bounds

DEEP = f"nested deeper than {MAX_DEPTH} levels"
MANY = f"more than {MAX_VALUES:,} values"


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    "raw",
    [
        nested(MAX_DEPTH),
        b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH,
        b"[" + b"0," * (MAX_VALUES - 3) + b"0]",
        b"[" + b'"a",' * (MAX_VALUES - 3) + b'"a"]',
        b'["' + b"[{," * SMALL_BYTES + b'"]',  # text, not structure
        b'["' + b'\\"[' * SMALL_BYTES + b'"]',
        b'["\\\\",' + b"[]," * 300 + b"0]",
        b"[" + b"[]," * 1_000 + b"0]",
    ],
    ids=["depth", "depth of objects", "values", "texts", "brackets in a text", "quotes in a text", "backslashes",
         "side by side"],
)  # fmt: skip
def test_what_people_and_apps_send_is_within_the_bounds(raw: bytes) -> None:
    check_bounds(raw)
    parse_json(raw)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (nested(MAX_DEPTH + 1), DEEP),
        (b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), DEEP),
        (b'["\\\\",' + nested(MAX_DEPTH) + b"]", DEEP),
        (b"[" + b"[]," * 300 + nested(MAX_DEPTH) + b"]", DEEP),
        (b"[" + b"{}," * 300 + nested(MAX_DEPTH) + b"]", DEEP),
        (b"[" * 100_000, MANY),
        (b"[" + b"0," * MAX_VALUES + b"0]", MANY),
        (b"[" + b"[]," * (MAX_VALUES // 3 + 1) + b"0]", MANY),
        (b"{" + b'"":0,' * MAX_VALUES + b'"":0}', MANY),
        (b"[" + b'""' * (2 * MAX_VALUES + 1) + b"]", MANY),
    ],
    ids=["lists", "objects", "after a backslash", "after lists", "after objects", "open lists", "numbers",
         "empty lists", "names", "texts"],
)  # fmt: skip
def test_beyond_the_bounds_a_body_is_refused_before_it_is_read(raw: bytes, sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence):
        check_bounds(raw)
    with pytest.raises(BadRequest, match=sentence):
        parse_json(raw)
