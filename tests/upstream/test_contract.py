"""The contract that an instance is checked against: it holds on a stand-in with records of its own, and says what
an instance does differently."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from airside.gateway.contract.chain import ADMIN, WORKSPACE, Instance, chain_exchanges, check_instance
from airside.gateway.contract.comparison import Names, compare, compare_shapes
from tests.support.upstream.people import people_of
from tests.support.upstream.server import open_upstream
from tests.support.upstream.site import Settings

WEBHOOKS = "http://hooks.example.com:9000"


@asynccontextmanager
async def an_instance(*allowed: str) -> AsyncIterator[Instance]:
    """Another workspace and admin than the recorded ones, with a project already."""
    settings = Settings(api_key_limit=None, anonymous_limit=None, webhook_allowed_hosts=set(allowed))
    async with open_upstream(settings) as upstream, people_of(upstream) as people:
        rita = await people.first_admin("rita@team.test", "Rita")
        workspace = await rita.post("/api/workspaces/", {"name": "Team", "slug": "team"})
        await rita.post("/api/workspaces/team/projects/", {"name": "Older", "identifier": "OLD"})
        me = await rita.get("/api/users/me/")
        ids = {ADMIN: me["id"], WORKSPACE: workspace["id"]}
        cookies, places = rita.cookies, {"webhook_url": WEBHOOKS, "storage_url": upstream.storage_url}
        yield Instance(upstream.url, "team", "rita@team.test", cookies, ids, **places)


async def test_the_chain_holds_in_another_workspace_with_records_of_its_own() -> None:
    async with an_instance("hooks.example.com") as instance:
        assert await check_instance(instance) == {}


async def test_the_chain_can_be_checked_again_on_the_same_instance() -> None:
    async with an_instance("hooks.example.com") as instance:
        await check_instance(instance)
        again = Instance(**{**vars(instance), "mark": "0f0f0f"})
        assert await check_instance(again) == {}


async def test_an_instance_that_allows_no_webhook_host_is_named_by_the_exchanges_that_need_one() -> None:
    async with an_instance() as instance:
        differences = await check_instance(instance)
        assert differences.keys() == {88, 89, 373, 374, 375, 376}
        assert differences[88] == [
            '201 recorded, 400 given: b\'{"url":"Invalid or disallowed webhook URL."}\''
        ]


def test_one_recorded_id_stands_for_one_given_id() -> None:
    one, other = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
    names = Names()
    assert compare({"id": one, "owner": one}, {"id": other, "owner": other}, names) == []
    assert compare({"owner": one}, {"owner": one}, names) != []
    assert compare({"owner": other}, {"owner": other}, names) != []


def test_a_shape_is_names_and_types() -> None:
    assert compare_shapes({"a": 1, "b": [{"c": "x"}]}, {"a": 2, "b": [{"c": "y"}, {"c": "z"}]}, Names()) == []
    assert compare_shapes({"a": 1}, {"a": "1"}, Names()) == [".a: int recorded, str given"]
    assert compare_shapes({"a": 1}, {"b": 1}, Names()) == [
        ".a: recorded, not given",
        ".b: given, not recorded",
    ]


def test_no_exchange_of_the_chain_changes_the_instance_for_others() -> None:
    changing = ("/api/instances/", "/god-mode/")
    assert not [exchange.n for exchange in chain_exchanges() if exchange.path.startswith(changing)]
