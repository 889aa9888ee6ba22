"""Whom a credential stands for."""

from airside.identity.me import ME_ROUTES
from airside.runtime.site import Site
from tests.cast import make_cast
from tests.support.api import serve_api


async def test_a_person_sees_the_seven_fields_of_themselves(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *ME_ROUTES).acting_as(cast.ana["id"]) as ana:
        answer = await ana.get("users/me")
    assert answer.status_code == 200
    assert answer.json == {
        "id": cast.ana["id"],
        "first_name": "Ana",
        "last_name": "",
        "email": "ana@example.com",
        "avatar": "",
        "avatar_url": None,
        "display_name": "Ana",
    }


async def test_a_token_without_the_scope_gets_403_naming_it(site: Site) -> None:
    cast = await make_cast(site)
    api = serve_api(site, *ME_ROUTES)
    async with api.acting_as(cast.ana["id"], kind="user", scopes=frozenset({"projects:read"})) as ana:
        answer = await ana.get("users/me")
    assert answer.status_code == 403
    assert 'scope="profile:read"' in answer.headers["www-authenticate"]


async def test_clients_may_ask_a_hundred_times_more_often_than_for_anything_else(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *ME_ROUTES).acting_as(cast.ana["id"]) as ana:
        answers = [await ana.get("users/me") for _ in range(70)]
    assert {answer.status_code for answer in answers} == {200}
