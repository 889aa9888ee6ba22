"""The largest values that the documented bounds let through, by kind: what costs most to read, check and keep."""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from airside.rest.endpoint import MAX_BODY_BYTES
from airside.rest.json_bounds import MAX_VALUES

Filling = Callable[[int], bytes]

UNKNOWN = "019a2f6e-7c1b-7e0a-9d52-0b6f1a3c4d5e"
ROOM = MAX_BODY_BYTES - 20_000  # for what is written here, beside a body's other fields


def _text(piece: str) -> Filling:
    """As many of a piece as there is room for."""
    raw = piece.encode()
    return lambda among: b'"' + raw * (ROOM // among // len(raw)) + b'"'


def _short(piece: str, length: int) -> Filling:
    return lambda among: b'"' + piece.encode() * min(length // len(piece), ROOM // among // len(piece)) + b'"'


def _list(make: Callable[[int], Any], most: int = MAX_VALUES - 200) -> Filling:
    def fill(among: int) -> bytes:
        return json.dumps([make(number) for number in range(most // among)], separators=(",", ":")).encode()

    return fill


def _names(size: int, value: str = "1") -> Filling:
    """An object of so many bytes in which each name has one value."""

    def fill(among: int) -> bytes:
        count = min(size // len(f'"name1000":{value},'), (MAX_VALUES // 2 - 100) // among)
        return (
            b"{" + ",".join(f'"name{number}":{value}' for number in range(1000, 1000 + count)).encode() + b"}"
        )

    return fill


# What a field of a JSON body is given, by how many fields share the body: JSON, ready to be written behind a name.
FILLINGS: dict[str, Filling] = {
    "a long text": _text("x"),
    "a long text in other letters": _text("\u00e9"),
    "escapes": _text("\\n"),
    "ampersands": _text("&"),
    "open angles": _text("a <"),
    "100,000 letters": _short("x", 100_000),
    "100,000 angles": _short("<", 100_000),
    "markup": _short("<b>x</b>", 160_000),
    "markup at its bound": _short("<p>x</p>", 8 * 19_000),
    "open markup": _short("<ul><li>", 88_000),
    "styles": _short("<p style='color:red;top:1px'>x", 500_000),
    "mentions": _short(f"<mention-component entity_identifier='{UNKNOWN}'></mention-component>", 1_500_000),
    "attributes": _short("<p a=b c=d e=f g=h i=j k=l>x", 500_000),
    "many ids": _list(lambda number: f"{number:08x}{UNKNOWN[8:]}"),
    "1,000 ids": _list(lambda number: f"{number:08x}{UNKNOWN[8:]}", 1_000),
    "1,000 words": _list(lambda number: f"{number:05}" + "x" * 250, 1_000),
    "many numbers": _list(lambda number: number),
    "many words": _list(lambda number: "\\u0000"),
    "many objects": _list(lambda number: {"id": "x"}, MAX_VALUES // 3 - 200),
    "many names": _names(MAX_BODY_BYTES),
    "a deep list": lambda among: b"[" * 150 + b"]" * 150,
    **{f"JSON of {kb} kB": _names(kb * 1000) for kb in (16, 64, 99, 500)},
    **{f"objects of {kb} kB": _names(kb * 1000, '{"a":"b"}') for kb in (16, 64, 99, 500)},
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
