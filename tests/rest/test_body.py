"""Reading a body: every field against its declared type, every complaint at once, in the wire's words."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from airside.errors import WHOLE_BODY, BadRequest, Invalid
from airside.rest.body import (
    MAX_ITEMS,
    WRONG_INSTANT,
    Body,
    Int32,
    Key,
    Label,
    Name,
    Number,
    Short,
    Uuid,
    check_body,
    check_object,
    parse_json,
    trim,
    with_defaults,
)

ID = "019a2f6e-7c1b-7e0a-9d52-0b6f1a3c4d5e"


class Parcel(Body):
    name: Name
    key: Key | None = None
    note: Short = ""
    tag: Label = ""
    count: Int32 | None = None
    weight: Number = 0.0
    fragile: bool = False
    due: date | None = None
    sent_at: datetime | None = None
    owner: Uuid | None = None
    owners: list[Uuid] = []
    size: Literal["small", "large"] = "small"
    code: Annotated[str, Meta(pattern="^[a-z]+$")] = "a"
    extra: dict[str, Any] | None = None


def check(**sent: Any) -> dict[str, Any]:
    return check_body(Parcel, sent, partial=True)


def refusal(**sent: Any) -> Any:
    with pytest.raises(Invalid) as caught:
        check(**sent)
    assert list(caught.value.fields) == list(sent)
    return caught.value.fields


def test_post_requires_what_has_no_default_and_patch_nothing() -> None:
    with pytest.raises(Invalid) as caught:
        check_body(Parcel, {}, partial=False)
    assert caught.value.fields == {"name": ["This field is required."]}
    assert check_body(Parcel, {}, partial=True) == {}


def test_only_what_was_sent_is_taken_and_what_is_not_declared_is_ignored() -> None:
    assert check(name="A", key=None, surprise=1) == {"name": "A", "key": None}


def test_defaults_are_what_post_stores_for_what_was_not_sent() -> None:
    stored = with_defaults(Parcel, {"name": "A", "note": "kept"})
    assert (stored["note"], stored["size"], stored["owners"], stored["key"]) == ("kept", "small", [], None)
    assert stored["owners"] is not with_defaults(Parcel, {"name": "B"})["owners"]


def test_every_wrong_field_is_named_at_once() -> None:
    assert refusal(name=[], count="x", due="tomorrow") == {
        "name": ["Not a valid string."],
        "count": ["A valid integer is required."],
        "due": ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."],
    }


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", None, "This field may not be null."),
        ("name", "", "This field may not be blank."),
        ("name", " \t ", "This field may not be blank."),
        ("name", "\u200b", "This field may not be blank."),
        ("name", "x" * 256, "Ensure this field has no more than 255 characters."),
        ("name", "a\x00b", "Null characters are not allowed."),
        ("note", {}, "Not a valid string."),
        ("key", "", "This field may not be blank."),
        ("count", 2**31, "Ensure this value is less than or equal to 2147483647."),
        ("count", -(2**31), "Ensure this value is greater than or equal to -2147483647."),
        ("count", 1.5, "A valid integer is required."),
        ("weight", 1e16, "Ensure this value is less than or equal to 1000000000000000.0."),
        ("weight", "heavy", "A valid number is required."),
        ("fragile", "perhaps", "Must be a valid boolean."),
        ("fragile", None, "This field may not be null."),
        ("due", "2026-02-30", "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."),
        ("sent_at", "2026-02-30", WRONG_INSTANT),
        ("sent_at", "tomorrow", WRONG_INSTANT),
        ("sent_at", [], WRONG_INSTANT),
        ("owner", "x", "“x” is not a valid UUID."),
        ("owner", 5, "Must be a valid UUID."),
        ("owners", ID, "Expected a list of items."),
        ("owners", [ID] * (MAX_ITEMS + 1), f"Ensure this field has no more than {MAX_ITEMS} elements."),
        ("size", "huge", '"huge" is not a valid choice.'),
        ("size", "x" * 1000, f'"{"x" * 200}…" is not a valid choice.'),
        ("code", "A", "Enter a valid value."),
        ("extra", [], "Expected a dictionary of items."),
        ("extra", {"a": ["b\x00"]}, "Null characters are not allowed."),
        ("extra", {"a\x00": 1}, "Null characters are not allowed."),
    ],
)
def test_each_complaint_is_the_wires(field: str, value: Any, message: str) -> None:
    assert refusal(**{field: value}) == {field: [message]}


def test_an_id_that_is_none_is_found_in_a_list_too() -> None:
    assert refusal(owners=[ID, "x"])["owners"] == ["“x” is not a valid UUID."]


@pytest.mark.parametrize(
    ("field", "value", "taken"),
    [
        ("name", "  A  b ", "A  b"),
        ("tag", "  x ", "x"),
        ("tag", "", ""),
        ("note", "  x ", "  x "),  # what isn't a name stays as it was sent
        ("key", " x ", " x "),
        ("note", 5, "5"),
        ("name", "x" * 255, "x" * 255),
        ("count", "7", 7),
        ("weight", 3, 3.0),
        ("fragile", "true", True),
        ("due", "2026-02-03", date(2026, 2, 3)),
        ("sent_at", "2026-02-03", datetime(2026, 2, 3, tzinfo=UTC)),
        ("sent_at", "2026-02-03T10:00:00+02:00", datetime(2026, 2, 3, 8, tzinfo=UTC)),
        ("owner", ID.upper(), ID),
        ("owners", [ID.upper()], [ID]),
        ("owners", [ID] * MAX_ITEMS, [ID] * MAX_ITEMS),
        ("extra", {"a": "\\u0000 as text"}, {"a": "\\u0000 as text"}),
    ],
)
def test_what_can_be_meant_is_taken_in_one_form(field: str, value: Any, taken: Any) -> None:
    found = check(**{field: value})[field]
    assert (found, type(found)) == (taken, type(taken))


def test_a_moment_that_no_calendar_has_in_utc_is_refused() -> None:
    assert "sent_at" in refusal(sent_at="0001-01-01T00:00:00+14:00")


@pytest.mark.parametrize(("value", "kind"), [([], "list"), ("x", "str"), (None, "NoneType"), (5, "int")])
def test_a_body_is_an_object(value: Any, kind: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_object(value)
    assert caught.value.fields == {WHOLE_BODY: [f"Invalid data. Expected a dictionary, but got {kind}."]}


def test_no_body_is_an_empty_object_and_nonsense_is_none() -> None:
    assert parse_json(b"") == {}
    for raw in (b"{", b"nonsense", b"\xff", b'{"a": 1,}', b"NaN"):
        with pytest.raises(BadRequest, match="JSON parse error"):
            parse_json(raw)


def test_a_name_of_nothing_to_see_is_none() -> None:
    assert [trim(text) for text in ("  ", "\u200b\u200e", "\u3000", " ä ", "\u200bx")] == [
        "",
        "",
        "",
        "ä",
        "\u200bx",
    ]


@pytest.mark.parametrize("field", ["name", "key", "note", "tag"])
def test_a_short_text_has_255_characters_at_most(field: str) -> None:
    assert check(**{field: "x" * 255}) == {field: "x" * 255}
    assert refusal(**{field: "x" * 256})[field] == ["Ensure this field has no more than 255 characters."]


class _Wheel(Body):
    size: int
    tread: str = "deep"


class _Truck(Body):
    wheels: list[_Wheel]


def test_bodies_in_a_list_are_each_checked_and_completed() -> None:
    sent = {"wheels": [{"size": 5}, {"size": 6, "tread": "flat"}]}
    assert check_body(_Truck, sent, partial=False) == {
        "wheels": [{"size": 5, "tread": "deep"}, {"size": 6, "tread": "flat"}]
    }


@pytest.mark.parametrize(
    ("wheels", "said"),
    [
        (
            [{"size": 5}, {"size": "x"}, 7],
            {
                "1": {"size": ["A valid integer is required."]},
                "2": ["Invalid data. Expected a dictionary, but got int."],
            },
        ),
        ([{}], {"0": {"size": ["This field is required."]}}),
        ([], ["This list may not be empty."]),
        ("x", ["Expected a list of items."]),
        ([{"size": 1}] * 1001, ["Ensure this field has no more than 1000 elements."]),
    ],
)
def test_what_is_wrong_in_a_list_of_bodies_is_said_by_position(wheels: Any, said: Any) -> None:
    with pytest.raises(Invalid) as caught:
        check_body(_Truck, {"wheels": wheels}, partial=False)
    assert caught.value.fields == {"wheels": said}
