"""Which passwords are taken: long enough, not too long, and not among the first that somebody would try."""

import random
import time

import pytest

from airside.errors import Invalid
from airside.identity.guessable import CHARACTERS, is_guessable
from airside.identity.passwords import MAX_LENGTH, hash_password, is_password
from airside.identity.proof import prove_email
from airside.identity.users import change_password, create_user, set_password
from airside.runtime.site import Site
from airside.workspaces.invitations import accept_as_new, create_invitation
from airside.workspaces.roles import MEMBER
from tests.cast import PASSWORD, make_cast
from tests.support.unproven import make_unproven

WEAK = "password123"
GUESSED = (
    WEAK, "Password123!", "P@ssw0rd123", "qwertyuiop", "Qwerty12345", "1234567890", "0987654321", "aaaaaaaaaa",
    "abcdefghij", "iloveyou2024", "letmein1234", "admin12345", "Summer2026!", "1q2w3e4r5t", "passwordpassword",
    "password" * 32, "a" * MAX_LENGTH, "airside1234", "ana@example.com", "example.com1", "AnaLind2026",
    "\ud800" * 12,
)  # fmt: skip
GOOD = (
    PASSWORD, "a long password", "another long one", "sturdy walnut 77 lamps", "vX3-kq9_LmZt2wQp",
    "солнце и картошка", "correct horse battery staple " * 8,
)  # fmt: skip
ABOUT = ("ana@example.com", "Ana Lind", "Ana", "Lind")


@pytest.mark.parametrize("password", GUESSED, ids=ascii)
def test_what_others_would_guess_is_found(password: str) -> None:
    assert is_guessable(password, ABOUT)


@pytest.mark.parametrize("password", GOOD, ids=ascii)
def test_words_that_have_nothing_to_do_with_each_other_are_good(password: str) -> None:
    assert not is_guessable(password, ABOUT)


async def test_every_way_to_set_a_password_refuses_one_that_is_guessed(site: Site) -> None:
    cast = await make_cast(site)
    stranger = await make_unproven(site, cast)
    link = await create_invitation(
        site, cast.acme["id"], cast.ana["id"], email="eve@example.com", role=MEMBER
    )
    for attempt in (
        create_user(site, email="nia@example.com", password=WEAK),
        set_password(site, cast.ana["id"], WEAK),
        change_password(site, cast.ana["id"], PASSWORD, WEAK, keep_session=""),
        prove_email(site, stranger["id"], WEAK),
        accept_as_new(site, link.token, name="Eve", password=WEAK),
        accept_as_new(site, link.token, name="Eve", password="eve@example.com"),
    ):
        with pytest.raises(Invalid, match="guess"):
            await attempt


async def test_a_password_that_was_taken_before_still_signs_in() -> None:
    from argon2 import PasswordHasher

    assert await is_password(WEAK, PasswordHasher(time_cost=1, memory_cost=1024).hash(WEAK))
    with pytest.raises(Invalid, match="guess"):
        await hash_password(WEAK)


def test_judging_the_worst_password_takes_little_time() -> None:
    """Unbounded, one of 256 characters that stand for several letters each takes minutes. By processor time, and
    with much room, so that load doesn't matter."""
    is_guessable("the lists are read once")
    chosen = random.Random(1)
    letters = "4@8({[<369&#!1/|\\0$57+%2^"
    worst = [
        letters * 10,
        "4@8({[<369" * 25,
        *("".join(chosen.choices(letters, k=MAX_LENGTH)) for _ in range(20)),
    ]
    longest = 0.0
    for password in [*worst, "\U0001f98a" * MAX_LENGTH, "aé" * 128]:
        started = time.thread_time()
        is_guessable(password, [password] * 30)
        longest = max(longest, time.thread_time() - started)
    assert CHARACTERS < MAX_LENGTH
    assert longest < 0.2
