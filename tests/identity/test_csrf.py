"""A form's token fits one browser and one form."""

import pytest

from airside.audit.sources import source_address
from airside.identity.csrf import ForgedForm, check_csrf_token, issue_csrf_token
from airside.runtime.site import Site


def test_a_token_fits_what_it_was_issued_for(site: Site) -> None:
    check_csrf_token(site, issue_csrf_token(site, "session"), "session")
    check_csrf_token(site, issue_csrf_token(site, "session", "request"), "session", "request")


def test_no_two_tokens_are_alike(site: Site) -> None:
    """A token that is constant in compressed pages can be guessed from their length (BREACH)."""
    one, other = issue_csrf_token(site, "session"), issue_csrf_token(site, "session")
    assert not [
        place for place in range(0, len(one), 8) if one[place : place + 8] == other[place : place + 8]
    ]


@pytest.mark.parametrize(
    ("bound_to", "about"),
    [("other", "request"), ("session", "other"), ("session", ""), ("", "request"), ("", "")],
)
def test_a_token_fits_nothing_else(site: Site, bound_to: str, about: str) -> None:
    token = issue_csrf_token(site, "session", "request")
    with pytest.raises(ForgedForm):
        check_csrf_token(site, token, bound_to, about)


@pytest.mark.parametrize("token", ["", "x", "\x00", "\ud800", "é" * 5000])
def test_a_made_up_token_is_refused(site: Site, token: str) -> None:
    with pytest.raises(ForgedForm):
        check_csrf_token(site, token, "session")


def test_no_token_is_bound_to_nothing(site: Site) -> None:
    with pytest.raises(ForgedForm):
        check_csrf_token(site, issue_csrf_token(site, ""), "")


@pytest.mark.parametrize(
    ("remote", "forwarded", "trusted", "found"),
    [
        ("192.0.2.1", None, [], "192.0.2.1"),
        ("192.0.2.1", "198.51.100.9", [], "192.0.2.1"),
        ("192.0.2.1", "198.51.100.9", ["10.0.0.0/8"], "192.0.2.1"),
        ("10.0.0.1", "198.51.100.9", ["10.0.0.0/8"], "198.51.100.9"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.9, 10.0.0.2", ["10.0.0.0/8"], "198.51.100.9"),
        ("10.0.0.1", "nonsense", ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", "nonsense, 198.51.100.9", ["10.0.0.0/8"], "198.51.100.9"),
        ("", "198.51.100.9", ["10.0.0.0/8"], ""),
    ],
)
def test_only_trusted_proxies_are_believed(
    remote: str, forwarded: str | None, trusted: list[str], found: str
) -> None:
    assert source_address(remote, forwarded, trusted) == found
