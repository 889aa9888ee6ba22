"""The consent screen installs an app by an account there: made before the transaction, and only for an admin."""

from urllib.parse import urlencode

import pytest

from airside.db.base import Row
from airside.errors import Forbidden
from airside.gateway.install_errors import PasswordsOff, SessionEnded
from airside.identity.sessions import Session
from airside.identity.users import get_user
from airside.installations.read import find_installation
from airside.oauth.authorize import open_consent_request
from airside.oauth.consent import approve, ask
from tests.gateway.installs.stage import Front, mirror


async def asked(front: Front, app: Row, user_id: str) -> tuple[str, Session]:
    """A consent request that this person's session saw."""
    query = {
        "client_id": app["client_id"],
        "response_type": "code",
        "redirect_uri": app["redirect_uris"][0],
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    request_id = await open_consent_request(front.site, urlencode(query))
    session = Session("hash", await get_user(front.site.db, user_id))
    await ask(front.site, request_id, session, front.workspace_id)
    return request_id, session


async def test_an_admins_consent_installs_by_an_account_there(front: Front) -> None:
    app, project = await front.make_app(), await front.make_project("Mobile")
    request_id, session = await asked(front, app, front.ana_id)
    location = await approve(
        front.site, request_id, session, front.workspace_id, [project], front.ana.cookies
    )
    assert "code=" in location
    installation = await find_installation(front.site.db, front.workspace_id, app["id"])
    assert installation is not None
    (there,) = front.users_there()
    assert installation["bot_user_id"] == there["id"]
    assert front.projects_there(there["id"]) == {project}


async def test_a_refused_consent_stays_open_and_goes_on_later(front: Front) -> None:
    app = await front.make_app()
    request_id, session = await asked(front, app, front.ana_id)
    asking = (front.site, request_id, session, front.workspace_id, None)
    with pytest.raises(SessionEnded):
        await approve(*asking, {})
    front.upstream.site.configuration["ENABLE_EMAIL_PASSWORD"]["value"] = "0"
    with pytest.raises(PasswordsOff):
        await approve(*asking, front.ana.cookies)
    assert await find_installation(front.site.db, front.workspace_id, app["id"]) is None
    front.upstream.site.configuration["ENABLE_EMAIL_PASSWORD"]["value"] = "1"
    assert "code=" in await approve(*asking, front.ana.cookies)


async def test_a_members_consent_makes_no_account(front: Front) -> None:
    ben = await front.people.join("ben@acme.test", front.ana, "acme")
    ben_id, _ = await mirror(front.site, ben)
    app = await front.make_app()
    request_id, session = await asked(front, app, ben_id)
    with pytest.raises(Forbidden):
        await approve(front.site, request_id, session, front.workspace_id, None, ben.cookies)
    assert front.users_there() == []
    assert front.invitations_there() == []
