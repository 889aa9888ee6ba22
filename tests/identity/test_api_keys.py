"""Personal API keys."""

import pytest

from airside.errors import Forbidden, Invalid, NotFound
from airside.identity.api_keys import create_api_key, list_api_keys, resolve_api_key, revoke_api_key
from airside.identity.tables import api_keys
from airside.site import Site
from tests.cast import Cast, make_cast
from tests.support.clocks import FrozenClock


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site)


async def test_a_key_is_told_once_and_stored_by_its_hash(site: Site, cast: Cast) -> None:
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
