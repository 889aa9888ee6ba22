"""The members of a workspace as API clients list them."""

import msgspec
import pytest

from airside.runtime.site import Site
from airside.workspaces.members import remove_member
from airside.workspaces.people import PEOPLE_ROUTES, MemberOut
from tests.cast import make_cast
from tests.support.api import serve_api


async def test_the_list_is_bare_and_shows_bots_beside_people(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *PEOPLE_ROUTES).acting_as(cast.ben["id"]) as ben:
        answer = await ben.get("workspaces/acme/members")
    members = {member["id"]: member for member in answer.json}
    assert set(members) == {
        cast.ana["id"], cast.ben["id"], cast.gil["id"], cast.installation["bot_user_id"]
    }  # fmt: skip
    assert members[cast.ana["id"]]["role"] == 20
    assert members[cast.gil["id"]] == {
        "id": cast.gil["id"],
        "first_name": "Gil",
        "last_name": "",
        "email": "gil@example.com",
        "avatar": "",
        "avatar_url": None,
        "display_name": "Gil",
        "role": 5,
        "role_slug": "guest",
        "is_active": True,
        "is_bot": False,
    }
    msgspec.convert(answer.json, list[MemberOut])


@pytest.mark.parametrize("slug", ["acme", "other", "nowhere"])
async def test_guests_and_outsiders_get_the_same_refusal_as_for_an_unknown_workspace(
    site: Site, slug: str
) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *PEOPLE_ROUTES).acting_as(cast.gil["id"]) as gil:
        answer = await gil.get(f"workspaces/{slug}/members")
    assert answer.status_code == 403
    assert answer.json == {"detail": "You do not have permission to perform this action."}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"first_name": "AN"}, ["Ana"]),
        ({"email": "@example.com"}, ["Ana", "Ben", "Gil"]),
        ({"display_name": "%"}, []),
        ({"role_slug": "member", "is_bot": "false"}, ["Ben"]),
        ({"is_bot": "False"}, ["Ana", "Ben", "Gil"]),
        ({"is_active": "false"}, []),
    ],
)
async def test_members_can_be_filtered(site: Site, query: dict[str, str], names: list[str]) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *PEOPLE_ROUTES).acting_as(cast.ana["id"]) as ana:
        bare = await ana.get("workspaces/acme/members", order_by="first_name", fields="first_name", **query)
        page = await ana.get("workspaces/acme/members-lite", order_by="first_name", **query)
    assert bare.json == [{"first_name": name} for name in names]
    assert [member["first_name"] for member in page.json["results"]] == names
    assert page.json["total_count"] == len(names)


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ({"is_bot": "yes"}, {"is_bot": ["Must be a valid boolean."]}),
        ({"role_slug": "emperor"}, {"role_slug": ['"emperor" is not a valid choice.']}),
        ({"order_by": "password_hash"}, {"detail": "Invalid order_by parameter."}),
        ({"per_page": "1001"}, {"detail": "Invalid per_page value. Cannot exceed 1000."}),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(
    site: Site, query: dict[str, str], body: dict[str, object]
) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *PEOPLE_ROUTES).acting_as(cast.ana["id"]) as ana:
        answer = await ana.get("workspaces/acme/members-lite", **query)
    assert answer.status_code == 400
    assert answer.json == body


async def test_somebody_who_left_is_listed_only_when_asked_for(site: Site) -> None:
    cast = await make_cast(site)
    await remove_member(site, cast.acme["id"], cast.gil["id"], by_user_id=cast.ana["id"])
    async with serve_api(site, *PEOPLE_ROUTES).acting_as(cast.ana["id"]) as ana:
        there = await ana.get("workspaces/acme/members", fields="id")
        gone = await ana.get("workspaces/acme/members", fields="id,is_active", is_active="false")
    assert {"id": cast.gil["id"]} not in there.json
    assert gone.json == [{"id": cast.gil["id"], "is_active": False}]


async def test_pages_of_members_follow_each_other(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *PEOPLE_ROUTES).acting_as(cast.ana["id"]) as ana:
        first = await ana.get("workspaces/acme/members-lite", per_page=3)
        second = await ana.get("workspaces/acme/members-lite", per_page=3, cursor=first.json["next_cursor"])
    assert (first.json["count"], second.json["count"], second.json["total_count"]) == (3, 1, 4)
    assert first.json["next_page_results"] is True
    assert second.json["next_page_results"] is False


async def test_a_page_past_the_end_of_the_members_says_how_many_there_are(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *PEOPLE_ROUTES).acting_as(cast.ana["id"]) as ana:
        past = await ana.get("workspaces/acme/members-lite", per_page=2, cursor="2:7:0")
    assert (past.json["count"], past.json["total_count"], past.json["total_pages"]) == (0, 4, 2)
