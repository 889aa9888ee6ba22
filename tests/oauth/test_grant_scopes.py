"""How requests for scopes become grants."""

import pytest

from airside.apps.scopes import BY_NAME, EVERYTHING
from airside.oauth.grant_scopes import ScopeRefused, caller_scopes, cap_scopes, choose_scopes, show_scopes

SMALL = ["projects:read", "projects:write", "customers:read"]


@pytest.mark.parametrize(
    ("requested", "ceiling", "granted", "returned"),
    [
        (None, EVERYTHING, None, "read write"),
        ("", EVERYTHING, None, "read write"),
        ("read write", EVERYTHING, None, "read write"),
        ("write", ["projects:write"], {"projects:write"}, "write projects:write"),
        (None, SMALL, set(SMALL), "projects:read projects:write customers:read"),
        ("read", SMALL, {"projects:read", "customers:read"}, "read projects:read customers:read"),
        ("read projects:write", SMALL, set(SMALL), "read projects:read customers:read projects:write"),
        ("projects:read", EVERYTHING, {"projects:read"}, "projects:read"),
        ("read write", ["projects:read"], {"projects:read"}, "read write projects:read"),
    ],
)  # fmt: skip
def test_a_request_within_the_ceiling(
    requested: str | None, ceiling: list[str], granted: set[str] | None, returned: str
) -> None:
    grant = choose_scopes(requested, ceiling)
    assert caller_scopes(grant) == granted
    assert show_scopes(grant) == returned


def test_one_umbrella_over_everything_is_every_scope_of_its_kind_and_the_word_itself() -> None:
    reading = caller_scopes(choose_scopes("read", EVERYTHING))
    assert reading is not None
    assert "read" in reading
    assert "write" not in reading
    assert {name for name in reading if ":" in name} == {name for name in BY_NAME if name.endswith(":read")}


@pytest.mark.parametrize(
    "requested", ["nonsense", "*:read", "projects", "projects:read x", "projects:READ", "écrire"]
)
def test_an_unknown_scope_is_refused(requested: str) -> None:
    with pytest.raises(ScopeRefused):
        choose_scopes(requested, EVERYTHING)


def test_a_scope_beyond_the_ceiling_is_refused() -> None:
    for requested, ceiling in (("customers:write", SMALL), ("write", ["projects:read"])):
        with pytest.raises(ScopeRefused):
            choose_scopes(requested, ceiling)


def test_a_cap_leaves_what_both_allow() -> None:
    assert cap_scopes(["read", "*:read", "projects:write"], SMALL) == [
        "read",
        "projects:write",
        "projects:read",
        "customers:read",
    ]
    assert cap_scopes(SMALL, EVERYTHING) == SMALL
    assert cap_scopes(EVERYTHING, EVERYTHING) == EVERYTHING
    assert cap_scopes(["projects:read"], ["customers:read"]) == []
