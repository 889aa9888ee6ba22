"""Who may write what: every writing route of a workspace, for each role and each kind of credential."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import NamedTuple

import pytest
import pytest_asyncio

from airside.apps.scopes import BY_NAME
from airside.audit.tables import audit_log
from airside.db.base import new_id
from airside.identity.tables import users
from airside.identity.users import new_user_row
from airside.rest.route import Route
from airside.workspaces.members import add_member, set_member_role
from airside.workspaces.roles import ADMIN, GUEST, MEMBER
from tests.contract.world import BODIES, ROUTES, World, name_of
from tests.support.api import Client, ServedApi, serve_api
from tests.work.scene import join_project

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRITING = [
    route
    for route in ROUTES
    if route.method != "GET"
    and "{workspace_slug}" in route.path
    and route.name != "search_work_items_advanced"
]
EVERYBODY = "guest member chief admin bot"
WORKING = "member chief admin bot"
MANAGING = "chief admin bot"
PERSON = "admin"  # an admin of the workspace, and no bot
ADMINS = "admin bot"  # of the workspace
OWNER = "admin"  # Ana, whose own it is
KEY = "an admin's API key"  # not what an app does in an admin's name, since it would outlive the app
AGENT = "the run's opener, or the agent's app in the name of a member"
RUN = "the run's opener, or the agent's app"
PROMPT = "an admin without an app"

# Who may, of: a guest; a member; a chief, who is a member and an admin of the project; an admin; the app's bot,
# with every scope. The records are Ana's, so what only their author may do is left to those who manage.
MAY: Mapping[str, str] = {
    **dict.fromkeys(
        ["add_workspace_invitation", "update_workspace_invitation", "delete_workspace_invitation"], PERSON
    ),
    "remove_workspace_member": PERSON,
    "update_workspace_features": "admin bot",
    **dict.fromkeys(
        [
            "create_webhook", "update_webhook", "delete_webhook", "regenerate_webhook_secret",
            "switch_webhook_secret", "test_webhook", "redeliver_webhook", "redeliver_application",
            "switch_application_webhook_secret", "test_application", "open_listener", "close_listener",
            "answer_deliveries",
        ],
        KEY,
    ),
    "create_project": WORKING,
    **dict.fromkeys(["update_project", "delete_project", "archive_project", "unarchive_project"], MANAGING),
    **dict.fromkeys(["create_project_member", "update_project_member", "delete_project_member"], MANAGING),
    "update_project_features": MANAGING,
    **dict.fromkeys(["create_state", "update_state", "delete_state"], WORKING),
    **dict.fromkeys(["create_milestone", "update_milestone", "delete_milestone"], WORKING),
    **dict.fromkeys(["create_epic", "update_epic", "add_epic_work_items"], WORKING),
    "delete_epic": MANAGING,
    **dict.fromkeys(["add_milestone_work_items", "remove_milestone_work_items"], WORKING),
    **dict.fromkeys(["create_estimate", "update_estimate", "delete_estimate"], WORKING),
    **dict.fromkeys(
        ["create_estimate_points", "update_estimate_point", "delete_estimate_point"], WORKING
    ),
    **dict.fromkeys(["create_label", "update_label", "delete_label"], WORKING),
    **dict.fromkeys(["create_project_state", "update_project_state", "delete_project_state"], WORKING),
    **dict.fromkeys(["create_project_label", "update_project_label", "delete_project_label"], WORKING),
    **dict.fromkeys(["create_page", "update_page", "put_page"], WORKING),
    **dict.fromkeys(["delete_page", "archive_page", "unarchive_page"], MANAGING),
    **dict.fromkeys(["create_workspace_page", "update_workspace_page", "put_workspace_page"], WORKING),
    **dict.fromkeys(["delete_workspace_page", "archive_workspace_page", "unarchive_workspace_page"], ADMINS),
    "create_collection": WORKING,
    **dict.fromkeys(["update_collection", "delete_collection"], ADMINS),
    **dict.fromkeys(
        ["create_collection_member", "update_collection_member", "delete_collection_member"], ADMINS
    ),
    **dict.fromkeys(["add_collection_pages", "update_collection_page", "remove_collection_page"], WORKING),
    **dict.fromkeys(["create_work_item_page", "delete_work_item_page"], WORKING),
    **dict.fromkeys(["create_issue", "update_issue", "archive_work_item", "unarchive_work_item"], WORKING),
    "delete_issue": MANAGING,
    "create_work_item_comment": EVERYBODY,
    **dict.fromkeys(["update_work_item_comment", "delete_work_item_comment"], MANAGING),
    **dict.fromkeys(["create_work_item_link", "update_work_item_link", "delete_work_item_link"], WORKING),
    "create_sticky": EVERYBODY,
    **dict.fromkeys(["update_sticky", "delete_sticky"], OWNER),
    "create_worklog": WORKING,
    **dict.fromkeys(["update_worklog", "delete_worklog"], MANAGING),
    **dict.fromkeys(
        [
            "create_cycle", "update_cycle", "archive_cycle", "unarchive_cycle", "transfer_cycle_work_items",
            "add_cycle_work_items", "remove_cycle_work_item", "create_module", "update_module",
            "archive_module", "unarchive_module", "add_module_work_items", "remove_module_work_item",
            "create_relation", "remove_relation", "create_dependency", "remove_dependency",
            "create_custom_relation", "remove_custom_relation", "create_work_item_property_value",
            "update_work_item_property_value", "delete_work_item_property_value", "create_attachment",
            "update_attachment", "create_workspace_asset", "update_workspace_asset",
            "decide_on_intake_work_item", "update_intake_work_item",
        ],
        WORKING,
    ),
    "create_intake_work_item": EVERYBODY,
    **dict.fromkeys(
        ["delete_cycle", "delete_module", "delete_attachment", "delete_intake_work_item"], MANAGING
    ),
    **dict.fromkeys(
        [
            "create_work_item_type", "update_work_item_type", "delete_work_item_type", "import_work_item_types",
            "add_work_item_type_properties", "remove_work_item_type_property",
            *(f"{verb}_{noun}" for verb in ("create", "update", "delete") for noun in (
                "work_item_property", "project_work_item_property", "work_item_property_option",
            )),
        ],
        MANAGING,
    ),
    **dict.fromkeys(
        [
            "add_workspace_work_item_type_properties", "remove_workspace_work_item_type_property",
            *(f"{verb}_{noun}" for verb in ("create", "update", "delete") for noun in (
                "workspace_work_item_type", "workspace_work_item_property",
                "workspace_work_item_property_option", "relation_definition",
            )),
        ],
        ADMINS,
    ),
    "create_agent_run": EVERYBODY,
    "update_agent_run": AGENT,
    "stop_agent_run": RUN,
    "create_agent_run_activity": PROMPT,
}  # fmt: skip

IN_PLANES_WORDS = {
    "delete_page",
    "archive_page",
    "unarchive_page",
    "delete_workspace_page",
    "archive_workspace_page",
    "unarchive_workspace_page",
    "create_agent_run_activity",
}  # refused with 400
ROLES = {"guest": GUEST, "member": MEMBER, "chief": MEMBER}
IN_PROJECT = {"guest": GUEST, "member": MEMBER, "chief": ADMIN}


class Actors(NamedTuple):
    """Who writes: the ids of the people, and a client for each of their credentials and for the bot's token."""

    ids: dict[str, str]
    clients: dict[tuple[str, str], Client]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def actors(world: World) -> AsyncIterator[Actors]:
    api = serve_api(world.site, *ROUTES)
    ids = {who: await make_person(world, who, role) for who, role in ROLES.items()}
    ids["admin"] = world.cast.ana["id"]
    async with AsyncExitStack() as stack:
        clients = {
            (who, credential): await stack.enter_async_context(acting(api, world, user_id, credential))
            for who, user_id in ids.items()
            for credential in ("api_key", "session", "user")
        }
        bot = world.cast.installation["bot_user_id"]
        clients["bot", "bot"] = await stack.enter_async_context(acting(api, world, bot, "bot"))
        yield Actors(ids, clients)


async def make_person(world: World, name: str, role: int) -> str:
    row = new_user_row(f"{name}-{new_id()}@example.com", name, world.site.clock.now())
    row["email_proven_at"] = row["created_at"]
    async with world.site.db.transaction() as tx:
        await tx.insert(users, row)
    await add_member(world.site, world.cast.acme["id"], row["id"], role, by_user_id=world.cast.ana["id"])
    return row["id"]


def acting(api: ServedApi, world: World, user_id: str, credential: str):
    """As OAuth would say whom the credential stands for: a token works in one workspace, for one app."""
    if credential in ("api_key", "session"):
        return api.acting_as(user_id, kind=credential)
    return api.acting_as(
        user_id,
        kind=credential,
        scopes=frozenset(BY_NAME),
        workspace_id=world.cast.acme["id"],
        installation_id=world.cast.installation["id"],
        app_id=world.cast.courier["id"],
    )


def is_allowed(route: Route, who: str, credential: str) -> bool:
    is_app, is_admin = credential in ("user", "bot"), who == "admin"
    special = {
        KEY: is_admin and credential == "api_key",
        AGENT: is_admin or (is_app and who != "guest"),
        RUN: is_app or is_admin,
        PROMPT: is_admin and not is_app,
    }
    may = MAY[route.name]
    return special[may] if may in special else who in may.split()


async def attempt(
    world: World, actors: Actors, route: Route, client: Client, *, fresh: bool
) -> tuple[int, str]:
    params = await world.params(route, fresh=fresh)
    if project_id := params.get("project_id"):
        await let_in(world, actors, project_id)
    if fresh:
        await world.meet(route, params)
    answer = await client.send(route.method, route.path.format(**params), await world.body(route))
    return answer.status_code, answer.text


_joined: set[str] = set()


async def let_in(world: World, actors: Actors, project_id: str) -> None:
    if project_id not in _joined:
        _joined.add(project_id)
        for who, role in IN_PROJECT.items():
            await join_project(world.site, world.cast, project_id, actors.ids[who], role)


@pytest.mark.parametrize("route", [route for route in WRITING if route.name in MAY], ids=name_of)
async def test_id2_a_route_is_written_by_whom_the_table_says_with_any_credential(
    world: World, actors: Actors, route: Route
) -> None:
    for (who, credential), client in actors.clients.items():
        allowed = is_allowed(route, who, credential)
        if allowed and credential == "session" and who != "admin":
            continue  # what may be done is tried with a key, an app's token and the admin's session
        status, text = await attempt(world, actors, route, client, fresh=allowed)
        refused = (400, 403, 404) if route.name in IN_PLANES_WORDS else (403, 404)
        expected = (route.status,) if allowed else refused
        assert status in expected, (who, credential, status, text)


async def test_every_writing_route_says_who_may() -> None:
    assert {route.name for route in WRITING} == set(MAY)


async def test_id2_no_bot_writes_its_own_place_in_a_project(world: World, actors: Actors) -> None:
    bot, bot_id = actors.clients["bot", "bot"], world.cast.installation["bot_user_id"]
    made = await bot.post("workspaces/acme/projects", BODIES["create_project"]())
    own, other = made.json["id"], await world.make("project_id")
    path = "workspaces/acme/projects/{}"
    answers = [
        await bot.post(f"{path}/members".format(other), {"member": bot_id, "role": GUEST}),
        await bot.patch(path.format(other), {"project_lead": bot_id}),
        await bot.patch(f"{path}/members/{bot_id}".format(own), {"role": GUEST}),
        await bot.delete(f"{path}/members/{bot_id}".format(own)),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4
    raised = await bot.post(f"{path}/members".format(own), {"member": actors.ids["member"], "role": ADMIN})
    assert raised.status_code == 201, "an admin of the project may make somebody else one"


@pytest.mark.parametrize("named_by", ["member", "email"])
async def test_id2_no_bot_removes_the_owner_although_there_is_another_admin(
    world: World, actors: Actors, named_by: str
) -> None:
    chief, ana = actors.ids["chief"], world.cast.ana
    await set_member_role(world.site, world.cast.acme["id"], chief, ADMIN, by_user_id=ana["id"])
    try:
        named = ana["email"] if named_by == "email" else ana["id"]
        answer = await actors.clients["bot", "bot"].post("workspaces/acme/members/remove", {named_by: named})
        assert answer.status_code == 403
        assert (await world.admin.get("workspaces/acme/members")).status_code == 200
    finally:
        await set_member_role(world.site, world.cast.acme["id"], chief, MEMBER, by_user_id=ana["id"])


@pytest.mark.parametrize(
    ("who", "credential", "kind"),
    [("admin", "api_key", "person"), ("admin", "user", "person"), ("bot", "bot", "app")],
)
async def test_op2_the_audit_log_says_who_acted_and_through_which_app(
    world: World, actors: Actors, who: str, credential: str, kind: str
) -> None:
    """It comes from the caller: no handler says that a person did what a bot did."""
    route = next(route for route in ROUTES if route.name == "update_workspace_features")
    seen = {row["id"] for row in await world.site.db.find_all(audit_log)}
    status, _ = await attempt(world, actors, route, actors.clients[who, credential], fresh=True)
    assert status == 200
    [row] = [row for row in await world.site.db.find_all(audit_log) if row["id"] not in seen]
    app_id = None if credential == "api_key" else world.cast.courier["id"]
    assert (row["action"], row["actor_kind"], row["app_id"]) == ("workspace.policy_changed", kind, app_id)


async def test_op2_who_is_removed_through_an_app_was_removed_by_a_person_through_it(
    world: World, actors: Actors
) -> None:
    somebody = await make_person(world, "somebody", MEMBER)
    answer = await actors.clients["admin", "user"].post(
        "workspaces/acme/members/remove", {"member": somebody}
    )
    assert answer.status_code == 204
    [row] = await world.site.db.find_all(audit_log, action="member.removed", target_id=somebody)
    assert (row["actor_kind"], row["actor_id"], row["app_id"]) == (
        "person",
        world.cast.ana["id"],
        world.cast.courier["id"],
    )
