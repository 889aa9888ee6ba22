"""Personal API keys."""

import pytest

from airside.audit.tables import audit_log
from airside.errors import Forbidden, Invalid, NotFound
from airside.identity.api_keys import create_api_key, list_api_keys, resolve_api_key, revoke_api_key
from airside.identity.revoke_keys import count_live_keys, revoke_keys_of
from airside.identity.tables import api_keys
from airside.identity.users import set_password
from airside.runtime.site import Site
from tests.cast import Cast, make_cast
from tests.support.clocks import FrozenClock


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site)


async def test_a_key_is_shown_once_and_stored_by_its_hash(site: Site, cast: Cast) -> None:
    made = await create_api_key(site, cast.ana["id"], label="Laptop")
    assert made.token.startswith("plane_api_")
    assert made.token not in str(await site.db.find_all(api_keys))
    [listed] = await list_api_keys(site.db, cast.ana["id"])
    assert (listed["label"], listed["last_four"]) == ("Laptop", made.token[-4:])
    assert "token_hash" not in listed


async def test_the_last_use_is_written_once_a_minute(site: Site, cast: Cast, clock: FrozenClock) -> None:
    made = await create_api_key(site, cast.ana["id"])

    async def last_used() -> object:
        return (await list_api_keys(site.db, cast.ana["id"]))[0]["last_used_at"]

    assert await last_used() is None
    await resolve_api_key(site, made.token)
    first = clock.now()
    clock.advance(seconds=59)
    await resolve_api_key(site, made.token)
    assert await last_used() == first
    clock.advance(seconds=1)
    await resolve_api_key(site, made.token)
    assert await last_used() == clock.now()


async def test_a_key_expires_at_its_moment(site: Site, cast: Cast, clock: FrozenClock) -> None:
    made = await create_api_key(site, cast.ana["id"], expires_in_days=1)
    clock.advance(hours=23)
    assert await resolve_api_key(site, made.token)
    clock.advance(hours=1)
    assert await resolve_api_key(site, made.token) is None


async def test_only_its_owner_revokes_a_key(site: Site, cast: Cast) -> None:
    made = await create_api_key(site, cast.ana["id"])
    for who, key_id in ((cast.ben, made.id), (cast.ana, "x"), (cast.ana, cast.ana["id"])):
        with pytest.raises(NotFound):
            await revoke_api_key(site, who["id"], key_id)
    assert await resolve_api_key(site, made.token)
    await revoke_api_key(site, cast.ana["id"], made.id)
    assert await resolve_api_key(site, made.token) is None
    assert await list_api_keys(site.db, cast.ana["id"]) == []


async def test_a_bot_has_no_key(site: Site, cast: Cast) -> None:
    with pytest.raises(Forbidden):
        await create_api_key(site, cast.installation["bot_user_id"])


async def test_label_and_expiry_are_checked(site: Site, cast: Cast) -> None:
    for wrong in (
        {"label": "x" * 256},
        {"label": "a\x00"},
        {"expires_in_days": 0},
        {"expires_in_days": 10**9},
    ):
        with pytest.raises(Invalid):
            await create_api_key(site, cast.ana["id"], **wrong)  # type: ignore[arg-type]


async def test_an_operator_ends_every_key_of_one_person(site: Site, cast: Cast, clock: FrozenClock) -> None:
    ended = [await create_api_key(site, cast.ana["id"], label=label) for label in ("Laptop", "Server")]
    bens = await create_api_key(site, cast.ben["id"])
    await create_api_key(site, cast.ana["id"], label="Old", expires_in_days=1)
    clock.advance(hours=25)
    assert await count_live_keys(site.db, cast.ana["id"], clock.now()) == 2
    async with site.db.transaction() as tx:
        assert await revoke_keys_of(tx, cast.ana["id"], clock.now()) == 2
    assert [await resolve_api_key(site, key.token) for key in ended] == [None, None]
    assert await resolve_api_key(site, bens.token)
    rows = await site.db.find_all(audit_log, action="api_key.revoked")
    assert {(row["actor_kind"], row["actor_id"]) for row in rows} == {("operator", None)}
    assert sorted(row["details"]["label"] for row in rows) == ["Laptop", "Server"]
    assert {row["details"]["user"] for row in rows} == {cast.ana["id"]}


async def test_a_reset_password_ends_keys_only_where_that_is_asked_for(site: Site, cast: Cast) -> None:
    key = await create_api_key(site, cast.ana["id"])
    assert await set_password(site, cast.ana["id"], "another password") == 0
    assert await resolve_api_key(site, key.token)
    assert await set_password(site, cast.ana["id"], "one more password", revoke_keys=True) == 1
    assert await resolve_api_key(site, key.token) is None
