"""Parses the text of a query. Pure: the same text always gives the same expression."""

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, cast

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput, UnexpectedToken

from airside.db.base import is_uuid
from airside.errors import Invalid
from airside.pql.expression import (
    Either,
    Every,
    Expression,
    Negation,
    QueryError,
    check_depth,
    check_size,
    depth_of,
)
from airside.pql.fields import Field, Operator, custom_property, find_field
from airside.pql.grammar import GRAMMAR, TOKENS
from airside.pql.values import Written, check_text, make_condition, make_predicate

MAX_LENGTH = 8000  # characters; far above the queries that people write

_WORD = re.compile(r"\w{1,60}")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def parse_pql(text: str) -> Expression:
    """Parse the query. Raises Invalid, which names the position and what was expected there."""
    try:
        return _parse(text)
    except QueryError as error:
        raise Invalid({"pql": [str(error)]}) from None


@lru_cache(256)
def _parse(text: str) -> Expression:
    if len(text) > MAX_LENGTH:
        raise QueryError(f"A query has at most {MAX_LENGTH} characters.")
    try:
        found = cast(Expression, cast(Any, _reader()).parse(text))
    except UnexpectedInput as error:
        raise QueryError(_explain(error, text)) from None
    check_size(found)
    return found


@cache
def _reader() -> Lark:
    # Created on first use: it takes 30 ms, which would delay the start.
    return Lark(GRAMMAR, parser="lalr", transformer=_Builder())


class _Builder(Transformer[Token, Any]):
    """Called by the parser at each rule, innermost first, so that nothing recurses over the text."""

    def either(self, parts: list[Expression]) -> Expression:
        return _checked(Either(tuple(parts)))

    def every(self, parts: list[Expression]) -> Expression:
        return _checked(Every(tuple(parts)))

    def negate(self, parts: list[Expression]) -> Expression:
        return _checked(Negation(parts[0]))

    def compare(self, parts: list[Any]) -> Expression:
        operator = "!=" if parts[1] == "<>" else str(parts[1])
        return _condition(parts[0], cast(Operator, operator), [parts[2]])

    def among(self, parts: list[Any]) -> Expression:
        return _condition(parts[0], "in", parts[1])

    def outside(self, parts: list[Any]) -> Expression:
        return _condition(parts[0], "not in", parts[1])

    def missing(self, parts: list[Any]) -> Expression:
        return _condition(parts[0], "null", [])

    def present(self, parts: list[Any]) -> Expression:
        return _condition(parts[0], "not null", [])

    def between(self, parts: list[Any]) -> Expression:
        return _condition(parts[0], "between", parts[1:])

    def predicate(self, parts: list[tuple[int, Written]]) -> Expression:
        at, written = parts[0]
        try:
            return make_predicate(_bare_predicate(written))
        except QueryError as error:
            raise _at(at, error) from None

    def field(self, parts: list[Token]) -> tuple[int, Field]:
        name, at = str(parts[0]), parts[0].start_pos or 0
        found = find_field(name)
        if found is None:
            raise _at(at, QueryError(f"There is no field {name[:60]}."))
        return at, found

    def custom_property(self, parts: list[Token]) -> tuple[int, Field]:
        property_id, at = self.string(parts), parts[0].start_pos or 0
        if not is_uuid(property_id):
            raise _at(at, QueryError('cf[…] takes the id of a property, such as cf["<id>"].'))
        return at, custom_property(property_id)

    def items(self, parts: list[Any]) -> list[Any]:
        return parts

    def string(self, parts: list[Token]) -> str:
        return _ESCAPED.sub(r"\1", parts[0][1:-1])

    def number(self, parts: list[Token]) -> int | float:
        text = str(parts[0])
        if len(text) > 30:
            raise _at(parts[0].start_pos or 0, QueryError("This number is too long."))
        return float(text) if "." in text else int(text)

    def true(self, parts: list[Token]) -> bool:
        return True

    def false(self, parts: list[Token]) -> bool:
        return False

    def word(self, parts: list[Token]) -> str:
        return str(parts[0])

    def function(self, parts: list[Any]) -> tuple[int, Written]:
        name: Token = parts[0]
        return name.start_pos or 0, Written(str(name), [one for one in parts[1:] if one is not None])


def _condition(named: tuple[int, Field], operator: Operator, values: list[Any]) -> Expression:
    at, field = named
    try:
        return make_condition(field, operator, [_bare(value) for value in values])
    except QueryError as error:
        raise _at(at, error) from None


def _bare(value: Any) -> Any:
    """The value without its position. Arguments of a function are plain values, never functions."""
    if not isinstance(value, tuple):
        return value
    written = cast(tuple[int, Written], value)[1]
    if any(isinstance(one, tuple) for one in written.arguments):
        raise QueryError(f"{written.name}() doesn't take a function.")
    for one in written.arguments:
        if isinstance(one, str):
            check_text(one)
    return written


def _bare_predicate(written: Written) -> Written:
    """The predicate with its arguments as `_bare` gives them: of some the values of functions."""
    for one in written.arguments:
        if isinstance(one, str):
            check_text(one)
    return Written(written.name, [_bare(one) for one in written.arguments])


def _checked(expression: Expression) -> Expression:
    check_depth(depth_of(expression))
    return expression


def _at(position: int, error: QueryError) -> QueryError:
    return QueryError(f"At character {position + 1}: {error}")


def _explain(error: UnexpectedInput, text: str) -> str:
    expected = _expected(getattr(error, "allowed", None) or getattr(error, "expected", None) or ())
    ended = isinstance(error, UnexpectedToken) and cast(Any, error).token.type == "$END"
    at = error.pos_in_stream
    if ended or at is None or not 0 <= at < len(text):
        return f"At character {len(text) + 1}: the query ends too early, expected {expected}."
    word = _WORD.match(text, at)
    found = word[0] if word else text[at]
    if found.lower() in ("order", "limit"):
        return f"At character {at + 1}: {found.upper()} is no part of a query; use order_by and per_page."
    return f"At character {at + 1}: unexpected {found!r}, expected {expected}."


def _expected(names: Iterable[str]) -> str:
    found = {TOKENS.get(name) or name.strip("_") for name in names}
    return " or ".join(sorted(found)) or "something else"
