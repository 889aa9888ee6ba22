"""An app limited to some projects: what its tokens can access, and what its webhook receives."""

from typing import Any

import pytest

from airside.db.base import Row, new_id
from airside.errors import Forbidden, Invalid, NotFound
from airside.events.outbox import NewEvent, record_event
from airside.installations.project_choice import choose_projects
from airside.installations.read import find_installation
from airside.installations.suspend import suspend_app, unsuspend_app
from airside.runtime.site import Site
from airside.webhooks.fanout import fan_out
from airside.webhooks.queue.database import DatabaseQueue
from airside.webhooks.reach import limit_endpoints_of
from airside.webhooks.tables import webhook_deliveries
from airside.work.projects.tables import project_members
from tests.cast import Cast, make_cast
from tests.oauth.conftest import AppSide
from tests.support.api import list_events
from tests.work.scene import make_project


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site)


@pytest.fixture
async def two(site: Site, cast: Cast) -> tuple[str, str]:
    """A project that Courier is let into, and one that it isn't."""
    inside, outside = await make_project(site, cast), await make_project(site, cast, "Wagon")
    await choose(site, cast, [inside])
    return inside, outside


async def choose(site: Site, cast: Cast, project_ids: list[str] | None) -> Row:
    return await choose_projects(site, cast.acme["id"], cast.installation["id"], cast.ana["id"], project_ids)


async def api(app_side: AppSide, token: str, method: str, path: str, body: Any = None) -> Any:
    kw = {} if body is None else {"json": body}
    return await app_side.http.simulate_request(
        method, f"/api/v1/workspaces/acme/{path}", headers={"Authorization": f"Bearer {token}"}, **kw
    )


async def tokens(app_side: AppSide) -> list[str]:
    """A bot's, and Ana's."""
    bot = (await app_side.bot_token()).body["access_token"]
    return [bot, (await app_side.user_tokens())["access_token"]]


async def test_both_kinds_of_token_reach_only_the_chosen_projects(
    app_side: AppSide, site: Site, cast: Cast, two: tuple[str, str]
) -> None:
    inside, outside = two
    for token in await tokens(app_side):
        assert (await api(app_side, token, "GET", f"projects/{inside}/")).status_code == 200
        refused = await api(app_side, token, "GET", f"projects/{outside}/states/")
        unknown = await api(app_side, token, "GET", f"projects/{new_id()}/states/")
        assert (refused.status_code, refused.text) == (404, unknown.text)
        listed = (await api(app_side, token, "GET", "projects/")).json["results"]
        assert [project["id"] for project in listed] == [inside]


async def test_lists_and_searches_of_the_workspace_are_narrowed_too(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    inside, outside = await make_project(site, cast), await make_project(site, cast, "Wagon")
    bot, _ = await tokens(app_side)
    for project_id in (inside, outside):
        made = await api(app_side, bot, "POST", f"projects/{project_id}/work-items/", {"name": "wheel"})
        assert made.status_code == 201
    everything = {"outside": 2, "inside": 1}
    for chosen, expected in (("outside", None), ("inside", [inside])):
        await choose(site, cast, expected)
        count = everything[chosen]
        found = await api(app_side, bot, "GET", "work-items/search/?search=wheel")
        assert len(found.json["issues"]) == count
        advanced = await api(app_side, bot, "POST", "work-items/advanced-search/", {"query": "wheel"})
        assert len(advanced.json) == count
        listed = await api(app_side, bot, "GET", "work-items/")
        assert len(listed.json["results"]) == count
        assert str(outside) in listed.text or chosen == "inside"
        spread = await api(app_side, bot, "GET", "project-role-distribution/")
        assert spread.json["total_memberships"] == 2 * count


async def test_tn1_a_work_item_names_no_parent_that_the_app_may_not_reach(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    """Nor labels, states and assignees, which are looked for in the project alone."""
    inside, outside = await make_project(site, cast), await make_project(site, cast, "Wagon")
    bot, _ = await tokens(app_side)
    items, foreign = f"projects/{inside}/work-items/", f"projects/{outside}/work-items/"
    axle = (await api(app_side, bot, "POST", foreign, {"name": "axle"})).json
    wheel = (await api(app_side, bot, "POST", items, {"name": "wheel", "parent": axle["id"]})).json
    label = (await api(app_side, bot, "POST", f"projects/{outside}/labels/", {"name": "wood"})).json
    await choose(site, cast, [inside])
    for named in ({"parent": axle["id"]}, {"state": axle["state"]}, {"labels": [label["id"]]}):
        made = await api(app_side, bot, "POST", items, {"name": "spoke"} | named)
        assert (made.status_code, "does not exist" in made.text) == (400, True), named
    rim = (await api(app_side, bot, "POST", items, {"name": "rim", "parent": wheel["id"]})).json
    changed = await api(app_side, bot, "PATCH", f"{items}{rim['id']}/", {"parent": axle["id"]})
    assert changed.status_code == 400
    assert (await api(app_side, bot, "PATCH", f"{items}{rim['id']}/", {"parent": None})).status_code == 200
    for path in (items, f"{items}{wheel['id']}/", "work-items/"):
        assert "axle" not in (await api(app_side, bot, "GET", f"{path}?expand=parent")).text, path
    same = await api(app_side, bot, "PATCH", f"{items}{wheel['id']}/", {"name": "hub", "parent": axle["id"]})
    assert same.status_code == 200, "what it was before isn't named again"


async def test_tn1_nobody_names_a_parent_in_a_secret_project_of_others(
    app_side: AppSide, site: Site, cast: Cast
) -> None:
    open_, secret = await make_project(site, cast), await make_project(site, cast, "Vault", network=0)
    async with site.db.transaction() as tx:
        await tx.delete(project_members, project_id=secret, member_id=cast.ben["id"])
    ana, ben = [(await app_side.user_tokens(one))["access_token"] for one in (cast.ana, cast.ben)]
    hidden = (await api(app_side, ana, "POST", f"projects/{secret}/work-items/", {"name": "gold"})).json
    named = {"name": "key", "parent": hidden["id"]}
    assert (await api(app_side, ben, "POST", f"projects/{open_}/work-items/", named)).status_code == 400
    assert (await api(app_side, ana, "POST", f"projects/{open_}/work-items/", named)).status_code == 201
    for token, sees in ((ana, True), (ben, False)):
        listed = await api(app_side, token, "GET", f"projects/{open_}/work-items/?expand=parent")
        assert ("gold" in listed.text) == sees


async def test_a_change_bites_on_the_next_call_and_can_be_taken_back(
    app_side: AppSide, site: Site, cast: Cast, two: tuple[str, str]
) -> None:
    inside, outside = two
    bot, _ = await tokens(app_side)
    assert (await api(app_side, bot, "GET", f"projects/{outside}/")).status_code == 404
    await choose(site, cast, [outside])
    assert (await api(app_side, bot, "GET", f"projects/{outside}/")).status_code == 200
    assert (await api(app_side, bot, "GET", f"projects/{inside}/")).status_code == 404
    await choose(site, cast, None)
    assert (await api(app_side, bot, "GET", f"projects/{inside}/")).status_code == 200


async def test_a_project_that_the_app_makes_is_added_to_its_choice(
    app_side: AppSide, site: Site, cast: Cast, two: tuple[str, str]
) -> None:
    bot, _ = await tokens(app_side)
    made = await api(app_side, bot, "POST", "projects/", {"name": "Sail", "identifier": "SAIL"})
    assert made.status_code == 201
    assert (await api(app_side, bot, "GET", f"projects/{made.json['id']}/states/")).status_code == 200
    installation = await find_installation(site.db, cast.acme["id"], cast.courier["id"])
    assert installation is not None
    assert installation["project_ids"] == [two[0], made.json["id"]]
    changed = (await list_events(site, "app.projects_changed"))[-1]
    assert changed["id"] not in await delivered_ids(site), "it did that itself"
    await choose(site, cast, [two[0]])
    changed = (await list_events(site, "app.projects_changed"))[-1]
    assert changed["id"] in await delivered_ids(site)


async def test_people_and_their_keys_are_not_limited_by_an_apps_choice(
    app_side: AppSide, cast: Cast, site: Site, two: tuple[str, str]
) -> None:
    from airside.identity.api_keys import create_api_key

    key = await create_api_key(site, cast.ana["id"])
    listed = await app_side.http.simulate_get(
        "/api/v1/workspaces/acme/projects/", headers={"X-API-Key": key.token}
    )
    assert len(listed.json["results"]) == 2


async def test_only_admins_choose_and_nonsense_is_refused(site: Site, cast: Cast) -> None:
    project_id, where = await make_project(site, cast), (cast.acme["id"], cast.installation["id"])
    for who in (cast.ben["id"], cast.gil["id"], cast.installation["bot_user_id"]):
        with pytest.raises(Forbidden):
            await choose_projects(site, *where, who, [project_id])
    with pytest.raises(NotFound):
        await choose_projects(site, cast.other["id"], cast.installation["id"], cast.zoe["id"], None)
    for wrong in ([], ["x"], [project_id, ""]):
        with pytest.raises(Invalid):
            await choose_projects(site, *where, cast.ana["id"], wrong)


# -- webhooks --


async def happen(site: Site, cast: Cast, name: str, project_id: str | None = None) -> str:
    event = NewEvent(
        workspace_id=cast.acme["id"],
        name=name,
        entity_id=new_id(),
        actor_id=cast.ana["id"],
        at=site.clock.now(),
        data={},
        project_id=project_id,
    )
    async with site.db.transaction() as tx:
        return await record_event(tx, site.wakeups, event)


async def delivered_ids(site: Site) -> set[str]:
    """The ids of the events that something was queued for."""
    while await fan_out(site, DatabaseQueue(site)):
        pass
    return {row["event_id"] for row in await site.db.find_all(webhook_deliveries)}


async def test_wh11_events_of_other_projects_are_not_sent(
    site: Site, cast: Cast, two: tuple[str, str]
) -> None:
    inside, outside = two
    received = [
        await happen(site, cast, "workitem.created", inside),
        await happen(site, cast, "workspace.updated"),
    ]
    skipped = [
        await happen(site, cast, "workitem.created", outside),
        await happen(site, cast, "state.updated", outside),
    ]
    assert set(received) <= await delivered_ids(site)
    assert not set(skipped) & await delivered_ids(site)


@pytest.mark.parametrize(
    ("scopes", "name", "is_sent"),
    [
        (["projects.work_items:read"], "workitem.updated", True),
        (["projects.work_items:write"], "workitem.updated", False),
        (["projects.work_items:read"], "workitem.comment.created", False),
        (["projects.work_items.comments:read"], "workitem.comment.created", True),
        (["projects:read"], "project.updated", True),
        (["projects:read"], "workspace.member.created", False),
        (["workspaces.members:read"], "workspace.member.created", True),
        (["projects.work_items:read"], "workspace.updated", False),
        (None, "workspace.updated", True),
    ],
)
async def test_wh11_events_beyond_the_granted_scopes_are_not_sent(
    site: Site, cast: Cast, scopes: list[str] | None, name: str, is_sent: bool
) -> None:
    async with site.db.transaction() as tx:
        await limit_endpoints_of(
            tx, cast.installation["id"], readable_scopes=scopes, project_ids=None, is_suspended=False
        )
    happened = await happen(site, cast, name, new_id() if name.startswith("workitem") else None)
    assert (happened in await delivered_ids(site)) is is_sent


async def test_wh11_what_was_queued_before_a_suspension_is_never_sent(site: Site, cast: Cast) -> None:
    first = await happen(site, cast, "workitem.created", new_id())
    assert first in await delivered_ids(site)
    where = (site, cast.acme["id"], cast.installation["id"], cast.ana["id"])
    await suspend_app(*where)
    assert first not in await delivered_now(site)
    meanwhile = await happen(site, cast, "workitem.created", new_id())
    assert meanwhile not in await delivered_ids(site)
    await unsuspend_app(*where)
    after = await happen(site, cast, "workitem.created", new_id())
    assert after in await delivered_ids(site)
    assert first not in await delivered_now(site)


async def delivered_now(site: Site) -> set[str]:
    """The pending deliveries."""
    rows = await site.db.find_all(webhook_deliveries, status="pending")
    return {row["event_id"] for row in rows}
