"""Parses the parameters of a form, a JSON body or a query string alike: each name has one string value.

Anything else is `invalid_request`.
"""

import json
from typing import Any
from urllib.parse import parse_qsl

from airside.db.text_rules import is_storable
from airside.errors import TooLarge
from airside.http.request import Request
from airside.oauth.errors import BodyTooLarge, InvalidRequest

BODY_LIMIT = 16 * 1024  # bytes
FIELD_LIMIT = 100  # parameters
REPEATABLE = frozenset({"resource"})  # RFC 8707 §2; the token is bound to the first one
FORM, JSON = "application/x-www-form-urlencoded", "application/json"

Parameters = dict[str, str]


async def read_body(request: Request) -> Parameters:
    """The parameters of a POST. An empty value counts as absent (RFC 6749 §3.2). Raises InvalidRequest."""
    try:
        raw = await request.read_body(BODY_LIMIT)
    except TooLarge:
        raise BodyTooLarge(f"The body is larger than {BODY_LIMIT} bytes.") from None
    media_type = (request.content_type or FORM).partition(";")[0].strip().lower()
    if media_type == FORM:
        pairs = parse_form(_decode(raw))
    elif media_type == JSON:
        pairs = _parse_json(_decode(raw))
    else:
        raise InvalidRequest(f"Send the parameters as {FORM} or as {JSON}.")
    return unique(pairs)


def parse_form(text: str) -> list[tuple[str, Any]]:
    """The (name, value) pairs in order. Raises InvalidRequest."""
    if "%" not in text and "+" not in text and text.count("&") < FIELD_LIMIT:
        # Fast path without percent-decoding, as for most token requests: a third of the general parser's cost.
        parts = (part.partition("=") for part in text.split("&") if part)
        return [(name, value) for name, _, value in parts]
    try:
        return parse_qsl(
            text, keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=FIELD_LIMIT
        )
    except ValueError:
        raise InvalidRequest("The parameters can't be decoded as UTF-8 form fields.") from None


def repeated_names(pairs: list[tuple[str, Any]]) -> set[str]:
    seen: set[str] = set()
    return {name for name, _ in pairs if name in seen or seen.add(name)}


def unique(pairs: list[tuple[str, Any]]) -> Parameters:
    """Each name once, with a storable value; without empty values and JSON's null. Raises InvalidRequest."""
    repeated = repeated_names(pairs) - REPEATABLE
    if repeated:
        raise InvalidRequest(f"The parameter {min(repeated)[:80]} is repeated.")
    return {name: check_text(name, value) for name, value in reversed(pairs) if value not in ("", None)}


def check_text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidRequest(f"The parameter {name[:80]} must be a string.")
    if not is_storable(value):
        raise InvalidRequest(f"The parameter {name[:80]} has characters that can't be used.")
    return value


def require(parameters: Parameters, name: str) -> str:
    """Raises InvalidRequest."""
    try:
        return parameters[name]
    except KeyError:
        raise InvalidRequest(f"The parameter {name} is missing.") from None


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise InvalidRequest("The body is not UTF-8.") from None


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with all its members, repeated names included."""


def _parse_json(text: str) -> list[tuple[str, Any]]:
    try:
        parsed = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        raise InvalidRequest("The body is not valid JSON.") from None
    if not isinstance(parsed, _Pairs):
        raise InvalidRequest("The body must be a JSON object.")
    return parsed
