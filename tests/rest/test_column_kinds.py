"""A filter's kind follows from its column's type and from the shown field."""

from typing import Any, Literal

import pytest
import sqlalchemy as sa

from airside.db.base import Id as IdType
from airside.db.base import Instant
from airside.rest.column_kinds import kind_of
from airside.rest.parameters import Choice, Day, Decimal, Flag, Many, Moment, Number, Text


def test_a_field_of_words_is_filtered_by_any_of_several_of_them() -> None:
    for declared in (Literal["low", "high"], Literal["low", "high"] | None):
        kind = kind_of(sa.Text(), declared)
        assert isinstance(kind, Many)
        assert isinstance(kind.kind, Choice)
        assert kind.kind.choices == {"low": "low", "high": "high"}


def test_a_field_of_numbers_is_filtered_by_one_of_them_as_a_number() -> None:
    kind = kind_of(sa.Integer(), Literal[5, 15, 20])
    assert isinstance(kind, Choice)
    assert kind.choices == {"5": 5, "15": 15, "20": 20}


@pytest.mark.parametrize(
    ("stored", "kind"),
    [
        (IdType(), Many), (Instant(), Moment), (sa.Date(), Day), (sa.Boolean(), Flag),
        (sa.Float(), Decimal), (sa.Integer(), Number), (sa.Text(), Text), (sa.JSON(), type(None)),
    ],
)  # fmt: skip
def test_any_other_field_is_filtered_by_its_columns_type(stored: Any, kind: Any) -> None:
    assert type(kind_of(stored, str)) is kind
