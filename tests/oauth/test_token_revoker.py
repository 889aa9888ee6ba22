"""Tokens are revoked with what they depend on, by whatever opened the site; without that nothing ends."""

from pathlib import Path

import pytest

from airside.cli.instance import open_instance
from airside.db.migrate import migrate
from airside.identity.users import create_user, deactivate_user, find_user
from airside.installations.read import find_installation
from airside.installations.uninstall import uninstall_app
from airside.runtime.site import Site
from airside.settings import Settings
from airside.workspaces.members import find_member, remove_member
from tests.cast import Cast, make_cast


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site)


async def test_nothing_ends_on_a_site_that_cant_revoke_tokens(site: Site, cast: Cast) -> None:
    bare = Site(site.settings, site.db, site.sealer, site.clock)
    acme, ana, ben = cast.acme["id"], cast.ana["id"], cast.ben["id"]
    for ending in (
        deactivate_user(bare, ben),
        remove_member(bare, acme, ben, by_user_id=ana),
        uninstall_app(bare, acme, cast.installation["id"], ana),
    ):
        with pytest.raises(RuntimeError, match="revokes tokens"):
            await ending
    user = await find_user(site.db, ben)
    assert user is not None
    assert user["is_active"]
    assert await find_member(site.db, acme, ben) is not None
    assert await find_installation(site.db, acme, cast.courier["id"]) is not None


async def test_a_command_opens_a_site_that_revokes_tokens(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, secret_key="0" * 64)
    await migrate(settings.database)
    site = await open_instance(settings)
    try:
        user = await create_user(site, email="dan@acme.example")
        await deactivate_user(site, user["id"])
        found = await find_user(site.db, user["id"])
        assert found is not None
        assert not found["is_active"]
    finally:
        await site.close()
