"""A workspace's app policy: which apps it blocks, who may register apps, and that it leaves installations alone."""

import asyncio
import contextlib
from typing import Any

import pytest

from airside.apps.policy import change_policy, find_policy, rule_app
from airside.apps.registry import create_app
from airside.apps.secrets import add_client_secret
from airside.apps.tables import apps
from airside.apps.unowned import insert_unowned, new_unowned_app
from airside.audit.tables import audit_log
from airside.db.base import Row
from airside.developer.delete_app import delete_app
from airside.developer.registration import update_app
from airside.errors import Forbidden, Invalid, NotFound
from airside.events.tables import events
from airside.installations.blocked_apps import list_blocked_apps
from airside.installations.install import install_app
from airside.installations.read import find_installation
from airside.runtime.site import Site
from tests.cast import Cast, make_cast


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await make_cast(site)


FIELDS: dict[str, Any] = {"name": "Tally", "redirect_uris": ["https://tally.example/"]}


async def register(site: Site, cast: Cast) -> Row:
    made = await create_app(site, workspace_id=cast.other["id"], by_user_id=cast.zoe["id"], fields=FIELDS)
    return made.app


async def choose(site: Site, cast: Cast, **choices: str) -> None:
    await change_policy(site, cast.acme["id"], cast.ana["id"], choices)


async def rule(site: Site, cast: Cast, app: Row, to: str) -> None:
    await rule_app(site, cast.acme["id"], cast.ana["id"], app["client_id"], to)


async def is_let_in(site: Site, cast: Cast, app: Row) -> bool:
    with contextlib.suppress(Forbidden):
        await install_app(site, app, cast.acme["id"], cast.ana["id"])
    return await find_installation(site.db, cast.acme["id"], app["id"]) is not None


@pytest.mark.parametrize(
    ("installs", "on_list", "is_listed", "is_in"),
    [
        ("any", "", False, True),
        ("any", "denied", True, False),
        ("listed", "", False, False),
        ("listed", "", True, True),
        ("listed", "allowed", False, True),
        ("listed", "denied", True, False),
        ("allowed", "", True, False),
        ("allowed", "allowed", False, True),
        ("allowed", "denied", False, False),
    ],
)
async def test_the_lists_are_stronger_than_the_rule_and_denial_than_all(
    site: Site, cast: Cast, installs: str, on_list: str, is_listed: bool, is_in: bool
) -> None:
    app = await register(site, cast)
    if is_listed:
        async with site.db.transaction() as tx:
            await tx.update(apps, {"listed_at": site.clock.now()}, id=app["id"])
    await choose(site, cast, installs=installs)
    await rule(site, cast, app, on_list)
    assert await is_let_in(site, cast, app) is is_in


async def test_an_app_is_on_one_list_at_a_time(site: Site, cast: Cast) -> None:
    app = await register(site, cast)
    await rule(site, cast, app, "allowed")
    await rule(site, cast, app, "denied")
    policy = await find_policy(site.db, cast.acme["id"])
    assert (policy.allowed, policy.denied) == ((), (app["id"],))
    await rule(site, cast, app, "")
    assert (await find_policy(site.db, cast.acme["id"])).denied == ()


async def test_what_is_installed_stays_and_can_be_granted_more(site: Site, cast: Cast) -> None:
    await rule(site, cast, cast.courier, "denied")
    await choose(site, cast, installs="allowed")
    installed = await find_installation(site.db, cast.acme["id"], cast.courier["id"])
    assert installed is not None
    assert installed["status"] == "installed"
    again = await install_app(site, cast.courier, cast.acme["id"], cast.ana["id"])
    assert again["id"] == installed["id"]
    [(row, why)] = await list_blocked_apps(site.db, cast.acme["id"])
    assert row["installation_id"] == installed["id"]
    assert "keeps Courier out" in why


async def test_one_workspaces_policy_is_nothing_to_another(site: Site, cast: Cast) -> None:
    await rule(site, cast, cast.courier, "denied")
    assert await install_app(site, cast.courier, cast.other["id"], cast.zoe["id"])


async def test_each_change_is_one_event_and_one_row_on_record(site: Site, cast: Cast) -> None:
    app = await register(site, cast)
    for _ in range(2):  # the second changes nothing
        await choose(site, cast, installs="listed", registers="members")
        await rule(site, cast, app, "allowed")
    recorded = [
        row for row in await site.db.find_all(events) if row["name"] == "workspace.app_policy.updated"
    ]
    assert len(recorded) == 2
    assert {name for row in recorded for name in row["previous"]} == {"installs", "registers", "allowed"}
    logged = [row for row in await site.db.find_all(audit_log) if row["action"] == "workspace.policy_changed"]
    assert len(logged) == 2
    assert logged[0]["actor_id"] == cast.ana["id"]


async def test_only_admins_choose(site: Site, cast: Cast) -> None:
    for person, error in ((cast.ben, Forbidden), (cast.gil, Forbidden), (cast.zoe, NotFound)):
        with pytest.raises(error):
            await change_policy(site, cast.acme["id"], person["id"], {"installs": "any"})
        with pytest.raises(error):
            await rule_app(site, cast.acme["id"], person["id"], cast.courier["client_id"], "denied")
    bot = cast.installation["bot_user_id"]
    with pytest.raises(Forbidden):
        await change_policy(site, cast.acme["id"], bot, {"installs": "listed"})


@pytest.mark.parametrize(
    "choices", [{"installs": "none"}, {"registers": ""}, {"allowed": "x"}, {"id": "any"}]
)
async def test_only_what_there_is_to_choose_is_taken(site: Site, cast: Cast, choices: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        await choose(site, cast, **choices)


@pytest.mark.parametrize("client_id", ["", " ", "nobody", "\x00", "\ud800", "x" * 5000, "*:read"])
async def test_what_is_no_app_goes_on_no_list(site: Site, cast: Cast, client_id: str) -> None:
    with pytest.raises(Invalid) as refused:
        await rule_app(site, cast.acme["id"], cast.ana["id"], client_id, "denied")
    assert list(refused.value.fields) == ["client_id"]


async def test_an_app_that_registered_itself_is_kept_out_like_any_other(site: Site, cast: Cast) -> None:
    app = new_unowned_app(site, "dynamic", "a-client-of-its-own", FIELDS)
    async with site.db.transaction() as tx:
        await insert_unowned(tx, app)
    await choose(site, cast, installs="listed")
    assert not await is_let_in(site, cast, app)
    await rule(site, cast, app, "allowed")
    assert await is_let_in(site, cast, app)


async def test_members_register_where_they_may_and_manage_their_own_only(site: Site, cast: Cast) -> None:
    acme, ben = cast.acme["id"], cast.ben["id"]
    with pytest.raises(Forbidden):
        await create_app(site, workspace_id=acme, by_user_id=ben, fields=FIELDS)
    await choose(site, cast, registers="members")
    mine = (await create_app(site, workspace_id=acme, by_user_id=ben, fields=FIELDS)).app
    await update_app(site, mine["id"], ben, {"short_description": "Counts"})
    await add_client_secret(site, mine, ben)
    for person, error in ((cast.ben, Forbidden), (cast.gil, Forbidden), (cast.zoe, NotFound)):
        with pytest.raises(error):
            await update_app(site, cast.courier["id"], person["id"], {"name": "Mine"})
        with pytest.raises(error):
            await add_client_secret(site, cast.courier, person["id"])
        with pytest.raises(error):
            await delete_app(site, acme, cast.courier["id"], person["id"])
    with pytest.raises(Forbidden):
        await create_app(site, workspace_id=acme, by_user_id=cast.gil["id"], fields=FIELDS)
    with pytest.raises(Forbidden, match="Only admins"):
        await install_app(site, mine, acme, ben)
    await update_app(site, mine["id"], cast.ana["id"], {"short_description": "Admins may, too"})
    await choose(site, cast, registers="admins")
    with pytest.raises(Forbidden):
        await update_app(site, mine["id"], ben, {"name": "Still mine"})


async def test_two_admins_at_once_lose_nothing(site: Site, cast: Cast) -> None:
    app = await register(site, cast)
    await asyncio.gather(
        choose(site, cast, installs="listed"),
        choose(site, cast, registers="members"),
        rule(site, cast, app, "allowed"),
        rule(site, cast, cast.courier, "denied"),
    )
    policy = await find_policy(site.db, cast.acme["id"])
    assert (policy.installs, policy.registers) == ("listed", "members")
    assert (policy.allowed, policy.denied) == ((app["id"],), (cast.courier["id"],))
