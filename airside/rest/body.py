"""Validating a request's body: JSON, then each field against its declared type, with all errors at once.

A body is a msgspec Struct. A field without a default is required in POST; PATCH takes any subset, so absent
and null are distinct. Undeclared fields are ignored, as Plane documents it. Messages are the wire's.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, ClassVar, TypeGuard, cast, get_args, get_origin
from uuid import UUID

import msgspec
from msgspec import Meta

from airside.errors import WHOLE_BODY, BadRequest, Invalid
from airside.rest.json_bounds import SMALL_BYTES, check_bounds
from airside.system.clock import in_utc

MAX_INT32 = 2**31 - 1
MAX_ITEMS = 1_000  # of a list of ids, names …
MAX_ECHOED = 200  # characters of a value in an error message
WRONG_DAY = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."
WRONG_INSTANT = "Datetime has wrong format. Use a date, or a time such as 2026-01-31T12:00:00Z."
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_POSITION = re.compile(r"- at `\$\[(\d+)\]`$")  # of the wrong item of a list, in msgspec's words

_encode = msgspec.json.Encoder().encode
_NUL = re.compile(
    rb"(?<!\\)(?:\\\\)*\\u0000"
)  # of an even number of backslashes each stands for one in the text

Text = Annotated[str, Meta(max_length=100_000)]
Html = Annotated[
    str, Meta(max_length=5 * 1024 * 1024)
]  # the maximum of a body; the record's rules sanitize it
Name = Annotated[str, Meta(min_length=1, max_length=255, extra={"trims": True})]  # of a record, for people
Key = Annotated[str, Meta(min_length=1, max_length=255)]  # id of a record in another system
Short = Annotated[str, Meta(max_length=255)]
Label = Annotated[str, Meta(max_length=255, extra={"trims": True})]  # an optional name
Int32 = Annotated[int, Meta(ge=-MAX_INT32, le=MAX_INT32)]
Number = Annotated[float, Meta(ge=-1e15, le=1e15)]
Uuid = UUID  # declared in bodies; the validated value is its string

# JSON of any shape, stored unchanged. The declaration limits its size: `json_bytes`.
Properties = Annotated[
    dict[str, Any], Meta(extra={"json_bytes": 16 * 1024})
]  # an icon, how something is shown
AnyProperties = Annotated[Any, Meta(extra={"json_bytes": 16 * 1024})]
Conditions = Annotated[dict[str, Any], Meta(extra={"json_bytes": 64 * 1024})]  # a filter, a query
Metadata = Annotated[dict[str, Any], Meta(extra={"json_bytes": 100_000})]  # an app's own data
Document = Annotated[
    dict[str, Any], Meta(extra={"json_bytes": 512 * 1024})
]  # rich text in the editor's own format


class Body(msgspec.Struct, kw_only=True):
    """The body of POST and PATCH of one record. POST stores the default of an absent field."""

    example: ClassVar[Mapping[str, Any] | None] = None  # for OpenAPI; default: the required fields


_BodyType = type[Body]


class _Field(msgspec.Struct, frozen=True):
    name: str
    type: Any
    required: bool
    nullable: bool
    trims: bool  # whether white space around it is dropped
    json_bytes: int | None  # maximum size of its JSON; None when its type limits the length
    items: _BodyType | None  # a list of bodies, each of which is checked as one


@cache
def fields_of(body: type[Body]) -> tuple[_Field, ...]:
    found: list[_Field] = []
    for info in msgspec.structs.fields(body):
        nullable = type(None) in get_args(_plain(info.type))
        extra = _extra(info.type)
        trims, json_bytes = extra.get("trims", False), extra.get("json_bytes")
        items = next((part for part in get_args(_plain(info.type)) if _is_body(part)), None)
        found.append(_Field(info.encode_name, info.type, info.required, nullable, trims, json_bytes, items))
    return tuple(found)


@cache
def defaults_of(body: type[Body]) -> dict[str, Callable[[], Any]]:
    """Field → factory of its default, for fields with a default."""
    made: dict[str, Callable[[], Any]] = {}
    for info in msgspec.structs.fields(body):
        if info.default_factory is not msgspec.NODEFAULT:
            made[info.encode_name] = info.default_factory
        elif info.default is not msgspec.NODEFAULT:
            made[info.encode_name] = _constant(info.default)
    return made


async def read_json(raw: bytes) -> Any:
    """The JSON value. A large one is decoded in a thread. Raises BadRequest like `parse_json`."""
    return parse_json(raw) if len(raw) <= SMALL_BYTES else await asyncio.to_thread(parse_json, raw)


def parse_json(raw: bytes) -> Any:
    """The JSON value; an empty body is an empty object. Raises BadRequest for invalid JSON or above the bounds."""
    if not raw:
        return {}
    check_bounds(raw)
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"JSON parse error - {error}") from None


def check_object(value: Any) -> dict[str, Any]:
    """The value, if it is a JSON object. Raises Invalid with the wire's message."""
    if not isinstance(value, dict):
        raise Invalid.whole(f"Invalid data. Expected a dictionary, but got {type(value).__name__}.")
    return cast(dict[str, Any], value)


def check_body(body: type[Body], value: Any, *, partial: bool) -> dict[str, Any]:
    """The fields that were sent, converted. `partial` (PATCH) requires none. Raises Invalid."""
    sent = check_object(value)
    taken: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    codes: dict[str, str] = {}
    for field in fields_of(body):
        if field.name not in sent:
            if field.required and not partial:
                errors[field.name], codes[field.name] = ["This field is required."], "required"
            continue
        try:
            taken[field.name] = _convert(field, sent[field.name])
        except Invalid as error:
            errors[field.name] = error.fields
        except msgspec.ValidationError as error:
            errors[field.name] = [_message(field, sent[field.name], str(error))]
            codes[field.name] = next((code for sign, code in _CODES if sign in str(error)), "invalid")
    if errors:
        raise Invalid(errors, codes)
    return taken


def with_defaults(body: type[Body], sent: Mapping[str, Any]) -> dict[str, Any]:
    """What POST stores: the sent fields, and the declared defaults of absent ones."""
    made = {name: make() for name, make in defaults_of(body).items() if name not in sent}
    return {**made, **sent}


def _convert(field: _Field, value: Any) -> Any:
    if isinstance(value, list) and len(cast(list[Any], value)) > MAX_ITEMS and takes_list(field.type):
        raise msgspec.ValidationError("length <= items")
    if isinstance(value, str):
        if "\x00" in value:  # PostgreSQL can't store it
            raise msgspec.ValidationError("null characters")
        if field.trims and value:
            value = trim(value)
            if not value:
                raise msgspec.ValidationError("blank")
        if DAY.fullmatch(value) and _takes(field.type, datetime):
            value += "T00:00:00Z"
    elif isinstance(value, int | float) and not isinstance(value, bool) and _takes(field.type, str):
        value = str(value)
    _check_storable(field, value)
    if field.items is not None and isinstance(value, list):
        return _check_items(field.items, cast(list[Any], value))
    converted = msgspec.convert(value, field.type, strict=False)
    return _plain_value(converted)


def _check_items(body: type[Body], values: list[Any]) -> list[dict[str, Any]]:
    """What POST stores of each. Raises Invalid by position, ValidationError for none."""
    if not values:
        raise msgspec.ValidationError("no items")
    found: list[dict[str, Any]] = []
    errors: dict[str, Any] = {}
    for position, value in enumerate(values):
        try:
            found.append(with_defaults(body, check_body(body, value, partial=False)))
        except Invalid as error:
            errors[str(position)] = error.fields.get(WHOLE_BODY, error.fields)
    if errors:
        raise Invalid(errors)
    return found


def _is_body(declared: Any) -> TypeGuard[_BodyType]:
    return isinstance(declared, type) and issubclass(declared, Body)


def trim(text: str) -> str:
    """Strip white space; empty for a text without visible characters."""
    text = text.strip()
    return text if text.isascii() or any(one.isprintable() and not one.isspace() for one in text) else ""


def _extra(declared: Any) -> dict[str, Any]:
    """The declaration's metadata beyond msgspec's own constraints."""
    metas = [meta for part in (declared, *get_args(declared)) for meta in getattr(part, "__metadata__", ())]
    return {name: value for meta in metas for name, value in (meta.extra or dict[str, Any]()).items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        try:
            return in_utc(value)
        except OverflowError:
            raise msgspec.ValidationError("date") from None
    if isinstance(value, list):
        return [_plain_value(item) for item in cast(list[Any], value)]
    return value


def _check_storable(field: _Field, value: Any) -> None:
    """Raises ValidationError for a NUL in any string, or for JSON larger than the field allows."""
    if not isinstance(value, list | dict) and (field.json_bytes is None or not isinstance(value, str)):
        return
    written = _encode(value)
    if field.json_bytes is not None and len(written) > field.json_bytes:
        raise msgspec.ValidationError("length <= bytes")
    if b"\\u0000" in written and _NUL.search(written):
        raise msgspec.ValidationError("null characters")


def _message(field: _Field, value: Any, error: str) -> str:
    if value is None:
        return "This field may not be null."
    if error == "length <= items":
        return f"Ensure this field has no more than {MAX_ITEMS} elements."
    if error == "no items":
        return "This list may not be empty."
    if error == "length <= bytes":
        return f"Ensure this field has no more than {field.json_bytes} bytes of JSON."
    if error == "null characters":
        return "Null characters are not allowed."
    if isinstance(value, str) and not trim(value) and _takes(field.type, str):
        return "This field may not be blank."
    at = _POSITION.search(error)
    value = cast(list[Any], value)[int(at[1])] if at and isinstance(value, list) else value
    for sign, message in _MESSAGES:
        if sign in error:
            return message(field, value)
    return _WRONG_TYPE.get(_first_kind(field.type), f"Not a valid value: {error}.")


def _cut(value: Any) -> str:
    """The value as an error message repeats it, truncated."""
    text = str(value) if isinstance(value, str | int | float) else type(value).__name__
    return text if len(text) <= MAX_ECHOED else f"{text[:MAX_ECHOED]}\u2026"


def _limit(field: _Field, name: str) -> Any:
    for part in (field.type, *get_args(_plain(field.type))):
        for meta in getattr(part, "__metadata__", ()):
            if getattr(meta, name, None) is not None:
                return getattr(meta, name)
    return "?"


_MESSAGES: tuple[tuple[str, Callable[[_Field, Any], str]], ...] = (
    ("length <=", lambda f, v: f"Ensure this field has no more than {_limit(f, 'max_length')} characters."),
    ("length >=", lambda f, v: "This field may not be blank."),
    ("<= ", lambda f, v: f"Ensure this value is less than or equal to {_limit(f, 'le')}."),
    (">= ", lambda f, v: f"Ensure this value is greater than or equal to {_limit(f, 'ge')}."),
    ("Invalid enum value", lambda f, v: f'"{_cut(v)}" is not a valid choice.'),
    ("Invalid UUID", lambda f, v: f"\u201c{_cut(v)}\u201d is not a valid UUID."),
    ("matching regex", lambda f, v: "Enter a valid value."),
    ("date", lambda f, v: WRONG_INSTANT if _takes(f.type, datetime) else WRONG_DAY),
)

_CODES = (("length <=", "max_length"), ("Invalid enum value", "invalid_choice"))

_WRONG_TYPE = {
    "str": "Not a valid string.",
    "bool": "Must be a valid boolean.",
    "int": "A valid integer is required.",
    "float": "A valid number is required.",
    "list": "Expected a list of items.",
    "dict": "Expected a dictionary of items.",
    "UUID": "Must be a valid UUID.",
    "date": WRONG_DAY,
    "datetime": WRONG_INSTANT,
    "Literal": "Not a valid choice.",
}


def _first_kind(declared: Any) -> str:
    for part in (declared, *get_args(_plain(declared))):
        bare = _plain(part)
        if bare is type(None) or (get_origin(bare) is not None and "Union" in str(type(cast(object, bare)))):
            continue
        origin = cast(object, get_origin(bare) or bare)
        name = getattr(origin, "__name__", str(origin))
        if name in _WRONG_TYPE:
            return name
    return ""


def _takes(declared: Any, kind: type) -> bool:
    bare = _plain(declared)
    return bare is kind or any(_plain(part) is kind for part in get_args(bare))


@cache
def takes_list(declared: Any) -> bool:
    """Whether it is a list of typed items, each of which costs time to check."""
    bare = _plain(declared)
    return get_origin(bare) is list or any(get_origin(_plain(part)) is list for part in get_args(bare))


def _plain(declared: Any) -> Any:
    """The type without its Annotated constraints."""
    return get_args(declared)[0] if hasattr(declared, "__metadata__") else declared


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value
