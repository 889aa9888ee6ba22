"""Signing in, sessions, and who can't."""

import time
from datetime import datetime

import pytest

from airside.errors import Conflict, Invalid
from airside.identity.passwords import is_password
from airside.identity.sessions import (
    IDLE,
    MAX_AGE,
    WrongSignIn,
    end_session,
    find_session,
    sign_in,
    start_session,
)
from airside.identity.tables import sessions, users
from airside.identity.users import (
    change_password,
    count_people,
    create_user,
    deactivate_user,
    find_user,
    find_user_by_email,
    set_password,
)
from airside.runtime.site import Site
from airside.system.credentials import hash_credential
from tests.cast import PASSWORD, Cast, make_cast
from tests.support.clocks import FrozenClock


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site)


async def last_seen(site: Site, session_id: str) -> datetime:
    row = await site.db.find(sessions, id_hash=hash_credential(session_id))
    assert row is not None
    return row["last_seen_at"]


async def test_a_person_signs_in_with_any_case_of_the_email(site: Site, cast: Cast) -> None:
    session = await find_session(site, await sign_in(site, " ANA@Example.com ", PASSWORD))
    assert session is not None
    assert session.user_id == cast.ana["id"]
    assert "password_hash" not in session.user


async def test_every_sign_in_has_a_new_id_and_ends_the_one_it_replaces(site: Site, cast: Cast) -> None:
    first = await sign_in(site, "ana@example.com", PASSWORD)
    second = await sign_in(site, "ana@example.com", PASSWORD, replaces=first)
    assert first != second
    assert await find_session(site, first) is None
    assert await find_session(site, second)


async def test_an_id_that_the_browser_chose_is_never_adopted(site: Site, cast: Cast) -> None:
    assert await sign_in(site, "ana@example.com", PASSWORD, replaces="fixed") != "fixed"
    assert await find_session(site, "fixed") is None


async def test_the_session_id_is_not_stored(site: Site, cast: Cast) -> None:
    session_id = await sign_in(site, "ana@example.com", PASSWORD)
    assert session_id not in str(await site.db.find_all(sessions))


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ana@example.com", "wrong"),
        ("ana@example.com", ""),
        ("ana@example.com", PASSWORD + "x" * 1000),
        ("nobody@example.com", PASSWORD),
        ("", ""),
        ("nul\x00@example.com", "\x00"),
        ("\ud800@example.com", "\ud800"),
    ],
)
async def test_a_wrong_sign_in_is_always_the_same_error(
    site: Site, cast: Cast, email: str, password: str
) -> None:
    with pytest.raises(WrongSignIn):
        await sign_in(site, email, password)


async def test_an_unknown_email_takes_as_long_as_a_wrong_password(site: Site) -> None:
    await create_user(site, email="slow@example.com", password=PASSWORD)

    async def seconds(email: str) -> float:
        """Of processor time, which a busy machine doesn't stretch as it does the wait."""
        started = time.process_time()
        with pytest.raises(WrongSignIn):
            await sign_in(site, email, "wrong")
        return time.process_time() - started

    took = [(await seconds("slow@example.com"), await seconds("unknown@example.com")) for _ in range(4)]
    known, unknown = (min(times) for times in zip(*took, strict=True))
    assert 0.5 < known / unknown < 2


async def test_a_deactivated_person_is_signed_out_and_stays_out(site: Site, cast: Cast) -> None:
    session_id = await sign_in(site, "ben@example.com", PASSWORD)
    await deactivate_user(site, cast.ben["id"])
    assert await find_session(site, session_id) is None
    with pytest.raises(WrongSignIn):
        await sign_in(site, "ben@example.com", PASSWORD)


async def test_a_bot_with_a_password_still_cannot_sign_in(site: Site, cast: Cast) -> None:
    bot = await find_user(site.db, cast.installation["bot_user_id"])
    assert bot is not None
    async with site.db.transaction() as tx:
        changes = {"password_hash": cast.ana["password_hash"]}
        await tx.update(users, changes, id=bot["id"])
    with pytest.raises(WrongSignIn):
        await sign_in(site, bot["email"], PASSWORD)
    assert await find_session(site, await start_session(site, bot["id"])) is None
    with pytest.raises(Invalid):
        await set_password(site, bot["id"], PASSWORD)


async def test_a_session_slides_while_it_is_used_and_ends_when_it_is_not(
    site: Site, cast: Cast, clock: FrozenClock
) -> None:
    session_id = await sign_in(site, "ana@example.com", PASSWORD)
    clock.advance(seconds=IDLE.total_seconds() - 1)
    assert await find_session(site, session_id)
    clock.advance(seconds=IDLE.total_seconds() - 1)
    assert await find_session(site, session_id)
    clock.advance(seconds=IDLE.total_seconds())
    assert await find_session(site, session_id) is None


async def test_no_session_lives_longer_than_its_bound(site: Site, cast: Cast, clock: FrozenClock) -> None:
    session_id = await sign_in(site, "ana@example.com", PASSWORD)
    for _ in range(MAX_AGE.days - 1):
        clock.advance(days=1)
        assert await find_session(site, session_id)
    clock.advance(days=1)
    assert await find_session(site, session_id) is None


async def test_the_last_use_is_written_once_a_minute(site: Site, cast: Cast, clock: FrozenClock) -> None:
    session_id = await sign_in(site, "ana@example.com", PASSWORD)
    started = clock.now()
    clock.advance(seconds=59)
    await find_session(site, session_id)
    assert await last_seen(site, session_id) == started
    clock.advance(seconds=1)
    await find_session(site, session_id)
    assert await last_seen(site, session_id) == clock.now()


async def test_signing_out_ends_the_session(site: Site, cast: Cast) -> None:
    session_id = await sign_in(site, "ana@example.com", PASSWORD)
    await end_session(site, session_id)
    assert await find_session(site, session_id) is None


async def test_a_changed_password_ends_the_other_sessions(site: Site, cast: Cast) -> None:
    mine, other = [await sign_in(site, "ana@example.com", PASSWORD) for _ in range(2)]
    keep = hash_credential(mine)
    with pytest.raises(Invalid):
        await change_password(site, cast.ana["id"], "wrong", "another password", keep_session=keep)
    with pytest.raises(Invalid):
        await change_password(site, cast.ana["id"], PASSWORD, "short", keep_session=keep)
    await change_password(site, cast.ana["id"], PASSWORD, "another password", keep_session=keep)
    assert await find_session(site, mine)
    assert await find_session(site, other) is None
    assert await sign_in(site, "ana@example.com", "another password")
    with pytest.raises(WrongSignIn):
        await sign_in(site, "ana@example.com", PASSWORD)


async def test_a_password_set_by_the_operator_ends_every_session(site: Site, cast: Cast) -> None:
    session_id = await sign_in(site, "ana@example.com", PASSWORD)
    await set_password(site, cast.ana["id"], "another password")
    assert await find_session(site, session_id) is None


async def test_a_hostile_browser_cannot_break_the_session_row(site: Site, cast: Cast) -> None:
    agent, source = "x\x00\ud800" * 1000, "\x00" * 100
    assert await sign_in(site, "ana@example.com", PASSWORD, user_agent=agent, source=source)


async def test_a_created_person_can_sign_in(site: Site) -> None:
    made = await create_user(
        site, email=" New@Example.com ", password="a new password", first_name="Nia", last_name="New"
    )
    assert (made["email"], made["display_name"], made["is_bot"]) == ("new@example.com", "Nia", False)
    assert await sign_in(site, "new@example.com", "a new password")
    assert await find_user_by_email(site.db, "NEW@example.com") == await find_user(site.db, made["id"])
    assert await count_people(site.db) == 1
    with pytest.raises(Conflict):
        await create_user(site, email="new@EXAMPLE.com")


async def test_without_a_password_nobody_signs_in(site: Site) -> None:
    await create_user(site, email="new@example.com")
    with pytest.raises(WrongSignIn):
        await sign_in(site, "new@example.com", "")


@pytest.mark.parametrize(
    "email",
    [
        *(
            "",
            "x",
            "@",
            "a@",
            "@b",
            "a b@c.d",
            "a@b@c",
            "a\x00@b.c",
            "a@\ud800",
            "x" * 250 + "@b.cd",
            "<a@b>",
        ),
        *("ana\u200b@example.com", "ana@example.com\u2060", "\u202eana@example.com", "ana@example.com\ufe0f"),
    ],
)
async def test_an_email_must_look_like_one(site: Site, email: str) -> None:
    with pytest.raises(Invalid) as caught:
        await create_user(site, email=email)
    assert list(caught.value.fields) == ["email"]


async def test_names_and_passwords_are_checked(site: Site) -> None:
    for wrong in ({"first_name": "x" * 256}, {"last_name": "a\nb"}, {"display_name": "\x00"}):
        with pytest.raises(Invalid):
            await create_user(site, email="a@example.com", **wrong)
    for password in ("short", "x" * 257):
        with pytest.raises(Invalid):
            await create_user(site, email="a@example.com", password=password)


async def test_no_password_matches_no_hash() -> None:
    assert not await is_password("", None)
    assert not await is_password("x", "not a hash")
