"""The catalog of scopes, and what an app may register."""

import pytest

from airside.apps.scopes import (
    BY_NAME,
    EVERYTHING,
    SCOPES,
    ceiling_of,
    check_registrable,
    describe_scopes,
    join_scopes,
)

SMALL = ["projects:read", "projects:write", "customers:read"]


def test_there_are_planes_83_scopes_and_more_each_with_a_sentence_of_its_own() -> None:
    assert len(SCOPES) == len(BY_NAME) >= 83
    assert len({(scope.group, scope.sentence) for scope in SCOPES}) == len(SCOPES)
    assert all(scope.sentence and scope.group for scope in SCOPES)


def test_an_app_without_registered_scopes_may_be_granted_everything() -> None:
    assert ceiling_of([]) == EVERYTHING
    assert ceiling_of(SMALL) == SMALL


def test_joining_is_the_union_without_umbrella_words() -> None:
    assert join_scopes(["read", "projects:read"], ["projects:write"]) == ["projects:read", "projects:write"]
    assert join_scopes(SMALL, ["*:read"]) == ["projects:write", "*:read"]


def test_an_app_registers_known_scopes_each_once() -> None:
    assert check_registrable(["projects:read", "projects:read"]) == ["projects:read"]
    assert check_registrable(["read", "projects:read", "projects:write"]) == ["*:read", "projects:write"]
    with pytest.raises(ValueError, match="nonsense"):
        check_registrable(["nonsense"])


def test_consent_is_asked_in_sentences_by_group() -> None:
    assert describe_scopes(["customers:read", "read", "projects:read", "projects:write"]) == {
        "Projects": ["See projects", "Create, change and archive projects"],
        "Customers": ["See customers"],
    }
    assert list(describe_scopes(EVERYTHING)) == ["Everything"]
