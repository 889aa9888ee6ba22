"""Whose e-mail is proven to be theirs, and what proving it ends."""

import pytest

from airside.errors import Refused
from airside.identity.api_keys import create_api_key, resolve_api_key
from airside.identity.proof import UnprovenEmail, is_proven, prove_email, require_proven
from airside.identity.sessions import WrongSignIn, find_session, sign_in, start_session
from airside.identity.users import get_user
from airside.runtime.site import Site
from tests.cast import PASSWORD, make_cast
from tests.support.unproven import CEO, make_unproven

OTHER_PASSWORD = "one that only the owner knows"


async def test_an_account_from_a_link_gets_no_right_without_a_yes(site: Site) -> None:
    cast = await make_cast(site)
    stranger = await make_unproven(site, cast)
    with pytest.raises(UnprovenEmail, match=CEO):
        require_proven(stranger)
    require_proven(stranger, accept_unproven=True)
    for proven in (cast.ana, await get_user(site.db, cast.installation["bot_user_id"])):
        assert is_proven(proven)
        require_proven(proven)


async def test_verifying_an_email_revokes_all_that_the_former_holder_has(site: Site) -> None:
    stranger = await make_unproven(site, await make_cast(site))
    session, key = await start_session(site, stranger["id"]), await create_api_key(site, stranger["id"])
    assert await prove_email(site, stranger["id"], OTHER_PASSWORD) == 1
    assert await find_session(site, session) is None
    assert await resolve_api_key(site, key.token) is None
    with pytest.raises(WrongSignIn):
        await sign_in(site, CEO, PASSWORD)
    assert await sign_in(site, CEO, OTHER_PASSWORD)
    require_proven(await get_user(site.db, stranger["id"]))
    with pytest.raises(Refused):
        await prove_email(site, stranger["id"], OTHER_PASSWORD)
