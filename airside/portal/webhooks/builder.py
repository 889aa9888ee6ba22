"""A webhook's filter as rows of a form, and back: the builder beside the same filter as text.

There is one filter. A text of conditions joined by `and` fills the rows; whichever of the two was changed in the
form applies.
"""

from datetime import date

from airside.errors import Invalid
from airside.portal.forms import Form
from airside.pql.expression import Condition, Every, Value
from airside.webhooks.filters import FIELDS

ROWS = 4
OPERATORS = ("=", "!=", "in", "not in", "<", "<=", ">", ">=", "is null", "is not null")
_SPELLED = {"null": "is null", "not null": "is not null"}

Row = tuple[str, str, str]  # field, operator, value; several values with commas between them


def join_filter(form: Form) -> str:
    """The form's filter. Raises Invalid when both the rows and the text were changed."""
    typed, rows = form.text("filter_pql").strip(), _join(typed_rows(form))
    shown = form.text("filter_shown").strip()
    shown_rows = _join(split_filter(shown))
    if rows == shown_rows:
        return typed
    if not shown_rows:  # the text has no rows: the conditions are added to it
        return f"({typed}) and {rows}" if typed and rows else typed or rows
    if typed != shown:
        raise Invalid({"filter_pql": ["Change the text or the conditions below it, not both."]})
    return rows


def split_filter(text: str) -> list[Row]:
    """The equivalent rows; none when rows can't express the filter."""
    from airside.pql.parse import parse_pql  # importing lark would slow down the start

    if not text.strip():
        return []
    try:
        found = parse_pql(text)
    except Invalid:
        return []
    parts = found.parts if isinstance(found, Every) else (found,)
    rows = [_as_row(part) for part in parts if isinstance(part, Condition)]
    split = [row for row in rows if row is not None]
    return split if len(split) == len(parts) <= ROWS else []


def typed_rows(form: Form) -> list[Row]:
    """The form's rows, including empty ones."""
    return [
        (form.text(f"field_{n}"), form.text(f"operator_{n}"), form.text(f"value_{n}").strip())
        for n in range(ROWS)
    ]


def build_condition(field: str, operator: str, value: str) -> str:
    """One row as a query; empty for an empty row. Values are quoted, so they stay values."""
    if field not in FIELDS.values() or operator not in OPERATORS:
        return ""
    if operator in _SPELLED.values():
        return f"{field} {operator}"
    several = operator in ("in", "not in")
    values = [one.strip() for one in value.split(",")] if several else [value]
    quoted = [quote_value(one) for one in values if one]
    if not quoted:
        return ""
    return f"{field} {operator} ({', '.join(quoted)})" if several else f"{field} {operator} {quoted[0]}"


def _join(rows: list[Row]) -> str:
    built = [build_condition(*row) for row in rows]
    return " and ".join(one for one in built if one)


def _as_row(condition: Condition) -> Row | None:
    """None for what a row can't express: a function, `between`, a value with a comma among several."""
    field = FIELDS.get(condition.field.name, "")
    operator = _SPELLED.get(condition.operator, condition.operator)
    values = [_spell(value) for value in condition.values]
    if not field or operator not in OPERATORS or any(not value or "," in value for value in values):
        return None
    return field, operator, ", ".join(values)


def _spell(value: Value) -> str:
    """Empty for a value that isn't a plain word."""
    if isinstance(value, str):
        return value
    return value.isoformat() if type(value) is date else ""


def quote_value(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
