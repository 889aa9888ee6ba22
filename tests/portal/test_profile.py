"""A person's own pages."""

import pytest

from airside.db.base import Row, new_id
from airside.identity.api_keys import list_api_keys, resolve_api_key
from airside.identity.tables import users
from airside.oauth.tables import authorization_codes, token_families
from airside.oauth.tokens import ACCESS_LIFETIME, Bearer, issue_access_token, list_grants, resolve_token
from airside.runtime.site import Site
from tests.cast import PASSWORD, Cast
from tests.portal.visitor import signed_in, visiting
from tests.support.clocks import FrozenClock

KEYS, CONNECTED = "/profile/api-keys/", "/profile/connected-apps/"


async def test_a_name_is_changed(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana:
        page = await ana.get("/profile/")
        assert (await ana.submit(page, "/profile/", name="Ana L.")).status == 303
        assert "Ana L." in (await ana.get("/profile/")).text
        for wrong in ("", "  ", "x" * 81, "a\nb", "\0"):
            assert (await ana.submit(page, "/profile/", name=wrong)).status == 422
    assert (await site.db.find(users, id=cast.ana["id"]) or {})["display_name"] == "Ana L."


async def test_a_form_that_did_not_come_from_a_page_of_this_session_changes_nothing(
    site: Site, cast: Cast
) -> None:
    async with signed_in(site, "ana") as ana, signed_in(site, "ben") as ben:
        page, bens = await ana.get("/profile/"), await ben.get("/profile/")
        for token in ("", "x" * 80, bens.form("/profile/")["csrf_token"]):
            assert (await ana.submit(page, "/profile/", name="Mallory", csrf_token=token)).status == 403
        assert (await ana.post("/profile/", {"name": "Mallory"})).status == 403
    assert (await site.db.find(users, id=cast.ana["id"]) or {})["display_name"] == "Ana"


async def test_a_changed_password_signs_out_everywhere_else(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as here, signed_in(site, "ana") as there:
        page = await here.get("/profile/")
        filled = {"current_password": PASSWORD, "new_password": "another long one"}
        assert (await here.submit(page, "/profile/password/", **filled)).status == 303
        assert (await here.get("/")).status == 200
        assert (await there.get("/")).status == 303
        assert (await there.sign_in("ana@example.com", PASSWORD)).status == 401
        assert (await there.sign_in("ana@example.com", "another long one")).status == 303


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("wrong password", "another long one", "current_password"),
        (PASSWORD, "nine char", "new_password"),
        (PASSWORD, "", "new_password"),
        (PASSWORD, "password123", "new_password"),
        (PASSWORD, "x" * 257, "new_password"),
    ],
)
async def test_a_password_that_can_not_be_is_refused(
    site: Site, cast: Cast, current: str, new: str, field: str
) -> None:
    async with signed_in(site, "ana") as ana:
        page = await ana.get("/profile/")
        answer = await ana.submit(page, "/profile/password/", current_password=current, new_password=new)
        assert answer.status == 422
        assert f'id="{field}-error"' in answer.text
        assert "At least 10 characters." in answer.text
    async with visiting(site) as again:
        assert (await again.sign_in("ana@example.com")).status == 303


async def test_the_theme_is_kept_in_this_browser(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana:
        page = await ana.get("/profile/")
        assert "data-theme" not in page.text
        await ana.submit(page, "/profile/appearance/", theme="dark")
        assert 'data-theme="dark"' in (await ana.get("/profile/")).text
        await ana.submit(page, "/profile/appearance/", theme='"><script>')
        assert "data-theme" not in (await ana.get("/profile/")).text


async def test_an_api_key_is_shown_once_works_and_is_revoked(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana:
        filled = {"label": "Nightly <report>", "expires_in_days": "30", "password": PASSWORD}
        made = await ana.submit(await ana.get(KEYS), KEYS, **filled)
        token = made.text.split('value="plane_api_')[1].split('"')[0]
        caller = await resolve_api_key(site, f"plane_api_{token}")
        assert caller is not None
        assert caller.user_id == cast.ana["id"]
        page = await ana.get(KEYS)
        assert token not in page.text
        assert token[-4:] in page.text
        [key] = await list_api_keys(site.db, cast.ana["id"])
        assert (key["expires_at"] - site.clock.now()).days == 30
        revoke = f"{KEYS}{key['id']}/revoke/"
        assert (await ana.submit(await ana.get(revoke), revoke)).location == KEYS
        assert (await ana.get(revoke)).status == 404
        assert await resolve_api_key(site, f"plane_api_{token}") is None


@pytest.mark.parametrize(
    "wrong", [{"label": ""}, {"label": "x" * 300}, {"label": "\0"}, {"expires_in_days": "31"}]
)
async def test_a_key_needs_a_label_and_one_of_the_expiries(
    site: Site, cast: Cast, wrong: dict[str, str]
) -> None:
    async with signed_in(site, "ana") as ana:
        filled = {"label": "Nightly", "expires_in_days": "never", "password": PASSWORD} | wrong
        assert (await ana.submit(await ana.get(KEYS), KEYS, **filled)).status == 422
    assert await list_api_keys(site.db, cast.ana["id"]) == []


async def test_id3_a_session_alone_makes_no_api_key(site: Site, cast: Cast) -> None:
    async with signed_in(site, "ana") as ana:
        page = await ana.get(KEYS)
        for password in ("", "wrong password"):
            refused = await ana.submit(
                page, KEYS, label="Nightly", expires_in_days="never", password=password
            )
            assert (refused.status, "That is not your password." in refused.text) == (422, True)
            assert refused.form(KEYS)["label"] == "Nightly"
            assert refused.form(KEYS)["expires_in_days"] == "never"
        assert "password" not in page.form(KEYS) or page.form(KEYS)["password"] == ""
    assert await list_api_keys(site.db, cast.ana["id"]) == []


@pytest.mark.parametrize(("chosen", "days"), [(None, 90), ("", 90), ("365", 365), ("never", None)])
async def test_id3_an_api_key_expires_unless_never_is_chosen(
    site: Site, cast: Cast, chosen: str | None, days: int | None
) -> None:
    async with signed_in(site, "ana") as ana:
        filled = {"label": "Nightly", "password": PASSWORD}
        filled |= {} if chosen is None else {"expires_in_days": chosen}
        assert (await ana.submit(await ana.get(KEYS), KEYS, **filled)).status == 200
    [key] = await list_api_keys(site.db, cast.ana["id"])
    assert (key["expires_at"] and (key["expires_at"] - site.clock.now()).days) == days


async def grant(site: Site, cast: Cast, person: Row, scopes: list[str]) -> str:
    """What a consent leaves behind; an access token of it."""
    now, place = site.clock.now(), {"app_id": cast.courier["id"], "installation_id": cast.installation["id"]}
    who = place | {"workspace_id": cast.acme["id"], "user_id": person["id"], "scopes": scopes}
    family = {"id": new_id(), "created_at": now, "revoked_at": None, "revoked_reason": None, **who}
    code = {"family_id": new_id(), "redirect_uri": "x", "redirect_uri_given": False, "expires_at": now}
    async with site.db.transaction() as tx:
        await tx.insert(token_families, family)
        await tx.insert(authorization_codes, {"code_hash": new_id(), **code, **who})
        return await issue_access_token(tx, Bearer(**who, family_id=family["id"]), now)


async def test_an_app_whose_tokens_have_all_expired_acts_for_nobody(
    site: Site, cast: Cast, clock: FrozenClock
) -> None:
    await grant(site, cast, cast.ben, ["projects:read"])
    async with signed_in(site, "ben") as ben:
        assert "Disconnect Courier" in (await ben.get(CONNECTED)).text
        clock.advance(seconds=ACCESS_LIFETIME.total_seconds())
        assert "No app acts as you" in (await ben.get(CONNECTED)).text


async def test_disconnecting_an_app_ends_every_token_by_which_it_acts_as_the_person(
    site: Site, cast: Cast, clock: FrozenClock
) -> None:
    first = await grant(site, cast, cast.ben, ["projects:read"])
    second = await grant(site, cast, cast.ben, ["projects:read", "profile:read"])
    anas = await grant(site, cast, cast.ana, ["*:read", "*:write"])
    async with signed_in(site, "ben") as ben, signed_in(site, "ana") as ana:
        page = await ben.get(CONNECTED)
        assert page.text.count("Disconnect Courier") == 1
        assert "2 scopes" in page.text
        assert "Whatever you may do" in (await ana.get(CONNECTED)).text
        where = f"{CONNECTED}{cast.installation['id']}/disconnect/"
        answer = await ben.submit(await ben.get(where), where)
        assert (answer.status, answer.location) == (303, CONNECTED)
        assert "No app acts as you" in (await ben.get(CONNECTED)).text
        assert (await ben.get(where)).status == 404
    assert [await resolve_token(site, token) for token in (first, second)] == [None, None]
    assert await resolve_token(site, anas) is not None
    assert len(await list_grants(site, cast.ana["id"])) == 1
    [code] = await site.db.find_all(authorization_codes)
    assert code["user_id"] == cast.ana["id"]
