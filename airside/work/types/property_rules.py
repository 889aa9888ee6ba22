"""What a property may be: its settings, relation, several values, and its default, by its type."""

from collections.abc import Sequence
from typing import Any, Literal, cast, get_args

from airside.db.base import Row
from airside.errors import Invalid

PropertyType = Literal[
    "TEXT",
    "DATETIME",
    "DECIMAL",
    "BOOLEAN",
    "OPTION",
    "RELATION",
    "URL",
    "EMAIL",
    "FILE",
    "FORMULA",
    "CASCADING",
]
RelationType = Literal["ISSUE", "USER", "RELEASE", "RICH_TEXT"]
TextFormat = Literal["single-line", "multi-line", "readonly"]
DateFormat = Literal["MMM dd, yyyy", "dd/MM/yyyy", "MM/dd/yyyy", "yyyy/MM/dd"]

FORMATS: dict[str, tuple[str, ...]] = {"TEXT": get_args(TextFormat), "DATETIME": get_args(DateFormat)}
WITH_OPTIONS = ("OPTION", "CASCADING")
MAX_DEFAULTS = 100


def check_definition(row: Row) -> None:
    """Complete a property's columns by its type. Raises Invalid with all that doesn't fit it."""
    errors: dict[str, list[str]] = {}
    _check_settings(row, errors)
    _check_relation(row, errors)
    if row["is_multi"] and not _takes_several(row):
        errors["is_multi"] = ["Only properties of the types OPTION and RELATION can have several values."]
    row["default_value"] = _read_default(row["default_value"], errors)
    if len(row["default_value"]) > 1 and not row["is_multi"]:
        errors["default_value"] = ["Only a property with is_multi has several default values."]
    if errors:
        raise Invalid(errors)


def _check_settings(row: Row, errors: dict[str, list[str]]) -> None:
    formats = FORMATS.get(row["property_type"])
    settings: Row = row["settings"] or {}
    row["settings"] = settings
    if formats is None:
        return
    if "display_format" not in settings:
        row["settings"] = {**settings, "display_format": formats[0]}
    elif settings["display_format"] not in formats:
        errors["settings"] = [f"display_format has to be one of: {'; '.join(formats)}."]


def _check_relation(row: Row, errors: dict[str, list[str]]) -> None:
    is_relation = row["property_type"] == "RELATION"
    if is_relation and row["relation_type"] is None:
        errors["relation_type"] = ["This field is required for RELATION properties."]
    if not is_relation and row["relation_type"] is not None:
        errors["relation_type"] = ["Only RELATION properties have a relation type."]


def _takes_several(row: Row) -> bool:
    if row["property_type"] == "RELATION":
        return row["relation_type"] in ("ISSUE", "USER", "RELEASE")
    return row["property_type"] == "OPTION"


def _read_default(value: Any, errors: dict[str, list[str]]) -> list[str]:
    """The default as a list of texts; clients also send one value by itself."""
    values = cast(Sequence[Any], value) if isinstance(value, list) else [] if value is None else [value]
    if len(values) > MAX_DEFAULTS or not all(isinstance(one, str | int | float | bool) for one in values):
        errors["default_value"] = [f"Expected a list of at most {MAX_DEFAULTS} texts."]
        return []
    return [_as_text(one) for one in values if one != ""]


def _as_text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
