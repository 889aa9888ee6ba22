"""The flags of a workspace's features."""

import pytest

from airside.runtime.site import Site
from airside.workspaces.features import FEATURE_ROUTES
from tests.cast import make_cast
from tests.support.api import list_events, serve_api

PATH = "workspaces/acme/features"


async def test_an_admin_turns_a_feature_on_and_everybody_sees_it(site: Site) -> None:
    cast = await make_cast(site)
    api = serve_api(site, *FEATURE_ROUTES)
    async with api.acting_as(cast.ana["id"]) as ana, api.acting_as(cast.gil["id"]) as gil:
        changed = await ana.patch(PATH, {"wiki": True})
        seen = await gil.get(PATH)
    assert changed.status_code == 200
    assert changed.json == seen.json
    assert [name for name, is_on in seen.json.items() if is_on] == ["wiki"]
    assert len(seen.json) == 9


async def test_the_change_has_one_event_with_the_previous_value(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *FEATURE_ROUTES).acting_as(cast.ana["id"]) as ana:
        await ana.patch(PATH, {"wiki": True, "pi": False})
        await ana.patch(PATH, {"wiki": True})
    (event,) = await list_events(site, "workspace.features")
    assert event["previous"] == {"wiki": False}
    assert event["actor"]["display_name"] == "Ana"
    assert event["data"]["wiki"] is True


async def test_what_a_client_read_it_may_send_back_whole(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *FEATURE_ROUTES).acting_as(cast.ana["id"]) as ana:
        features = (await ana.get(PATH)).json
        answer = await ana.patch(PATH, features | {"initiatives": True})
    assert answer.json == features | {"initiatives": True}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"wiki": "perhaps"}, "wiki"),
        ({"wiki": None}, "wiki"),
        ({"teams": [True]}, "teams"),
        ({"states_owned_by_workspace": "yes"}, "states_owned_by_workspace"),
    ],
)
async def test_a_flag_that_cannot_be_set_so_is_named(site: Site, body: dict[str, object], field: str) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *FEATURE_ROUTES).acting_as(cast.ana["id"]) as ana:
        answer = await ana.patch(PATH, {"customers": True} | body)
        after = await ana.get(PATH)
    assert answer.status_code == 400
    assert list(answer.json) == [field]
    assert not any(after.json.values())
    assert await list_events(site, "workspace.features") == []


async def test_a_member_cannot_change_features(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *FEATURE_ROUTES).acting_as(cast.ben["id"]) as ben:
        assert (await ben.patch(PATH, {"wiki": True})).status_code == 403
