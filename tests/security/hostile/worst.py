"""The largest values that the documented bounds let through, by kind: what costs most to read, check and keep."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from airside.rest.json_bounds import MAX_VALUES

UNKNOWN = "019a2f6e-7c1b-7e0a-9d52-0b6f1a3c4d5e"
ROOM = 4_900_000  # bytes of a JSON body beside its other fields

# JSON, ready to be written behind a field's name.
FIELD_VALUES: dict[str, bytes] = {
    "a long text": b'"' + b"x" * ROOM + b'"',
    "a long text in other letters": b'"' + "\u00e9".encode() * (ROOM // 2) + b'"',
    "escapes": b'"' + b"\\n" * (ROOM // 2) + b'"',
    "markup": b'"' + b"<b>x</b>" * 2000 + b'"',
    "open markup": b'"' + b"<ul><li>" * 11_000 + b'"',
    "entities": b'"' + b"&lt;" * 100_000 + b'"',
    "100 kB of text": b'"' + b"a <" * 33_000 + b'"',
    "many ids": json.dumps([f"{number:08x}{UNKNOWN[8:]}" for number in range(MAX_VALUES - 50)]).encode(),
    "one id many times": json.dumps([UNKNOWN] * (MAX_VALUES - 50)).encode(),
    "many numbers": json.dumps(list(range(MAX_VALUES - 50))).encode(),
    "many names": json.dumps({f"name{number}": number for number in range(MAX_VALUES // 2 - 50)}).encode(),
    "a deep list": b"[" * 150 + b"]" * 150,
    "many words": json.dumps(["\\u0000"] * (MAX_VALUES - 50)).encode(),
}

# As a query's parameter or a form's field, within 60 kB.
TEXTS: dict[str, str] = {
    "letters": "x" * 60_000,
    "open brackets": "[" * 60_000,
    "pictures": "![" * 30_000,
    "quotes": ">" * 60_000,
    "nested lists": "".join(f"{' ' * (2 * number)}- x\n" for number in range(240)),
    "stars": "*a " * 20_000,
    "stars and lines": "*_" * 30_000,
    "ticks": "`" * 30_000 + " " + "`" * 29_000,
    "angles": "<" * 60_000,
    "markup": "<ul><li>" * 7_500,
    "links": "[a](b" * 12_000,
    "references": "[a]: b\n" * 8_500,
    "words": "a b " * 15_000,
    "lines": "\n" * 60_000,
    "table": "|a" * 20_000 + "\n" + "|-" * 9_000,
    "addresses": "http://a.b " * 5_400,
    "commas": "a," * 30_000,
    "parentheses": "(" * 30_000 + ")" * 30_000,
    "conditions": " OR ".join(["name = x"] * 5_000),
    "negations": "NOT " * 14_000 + "name = x",
    "JSON": json.dumps({"and": [{"name": "x"}] * 3_500}),
    "deep JSON": '{"and":[' * 7_000,
    "ids": ",".join([UNKNOWN] * 1_600),
    "flow YAML": "[" * 60_000,
    "aliases": "a: &a [x]\n" + "".join(f"k{number}: *a\n" for number in range(5_000)),
    "entries": "".join(f"k{number}: x\n" for number in range(6_000)),
    "digits": "9" * 60_000,
    "spaces": " " * 60_000,
}


def with_fields(good: Mapping[str, Any], names: Collection[str], value: bytes) -> bytes:
    """A JSON body with this value, as it stands, in these fields."""
    parts = {name: json.dumps(one).encode() for name, one in good.items()} | dict.fromkeys(names, value)
    return b"{" + b",".join(json.dumps(name).encode() + b":" + one for name, one in parts.items()) + b"}"
