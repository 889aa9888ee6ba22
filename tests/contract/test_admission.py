"""Who may call which row of the table: what its scope, role and `people_only` declare, for every kind of caller.

That what is allowed to write succeeds is tested in test_who_writes.py. One database is enough: what differs between
them are statements, and those run there.
"""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from falcon import testing

from airside.apps.scopes import BY_NAME
from airside.identity.api_keys import create_api_key, revoke_api_key
from airside.identity.tables import api_keys
from airside.oauth.tables import access_tokens
from airside.rest.route import Route
from airside.system.credentials import hash_credential
from airside.workspaces.roles import ADMIN, GUEST, MEMBER
from tests.contract.test_who_writes import make_person
from tests.contract.world import QUERIES, ROUTES, World, name_of, on_one_database
from tests.oauth.conftest import AppSide
from tests.support.api import Client, ServedApi, serve_api
from tests.support.apps import app_of
from tests.work.scene import join_project

pytestmark = [pytest.mark.asyncio(loop_scope="module"), on_one_database]

KINDS = ("api_key", "user", "bot")
# Rows that decide further for each record or app: webhooks are an admin's with a key, since they outlive any token;
# an app is its developers'; a run is seen by who opened it and by its agent; a sticky by its owner; a collection by
# its members, as its pages are; a state of the workspace by who sees its project; a request by who filed it.
OF_AN_ADMINS_KEY = {route.name for route in ROUTES if re.search(r"\b(webhooks|applications)\b", route.path)}
_FEW = re.compile(
    r"{(client_id|run_id|sticky_id|collection_id|intake_work_item_id)}|{workspace_slug}/(states|pages)/{"
)
OF_FEW_PEOPLE = {route.name for route in ROUTES if _FEW.search(route.path)}
APART = (
    "create_estimate",
    "delete_estimate",
)  # in projects of their own, which these people weren't let into


class Person(NamedTuple):
    """Roles of a caller: None where they don't belong."""

    workspace: int | None
    project: int | None  # in a private project
    is_limited: bool = False  # through an app that may access no project


PEOPLE = {
    "admin": Person(ADMIN, ADMIN),
    "member": Person(MEMBER, MEMBER),
    "guest": Person(GUEST, GUEST),
    "member who is a guest of the project": Person(MEMBER, GUEST),
    "guest of the workspace who was made the project's admin": Person(GUEST, GUEST),
    "member of no project": Person(MEMBER, None),
    "guest of no project": Person(GUEST, None),
    "outsider": Person(None, None),
    "admin through an app without the project": Person(ADMIN, None, True),
}
STORED_ROLE = {"guest of the workspace who was made the project's admin": ADMIN}


class Callers:
    """Clients for people and credentials, and the project that the requests name."""

    def __init__(self, world: World, api: ServedApi, stack: AsyncExitStack) -> None:
        self._world, self._api, self._stack = world, api, stack
        self._ids = {"outsider": world.cast.zoe["id"], "admin": world.cast.ana["id"]}

    async def find(self, who: str, kind: str, scopes: frozenset[str] = frozenset(BY_NAME)) -> Client:
        cast = self._world.cast
        granted = {} if kind == "api_key" else {"scopes": scopes, "workspace_id": cast.acme["id"]}
        if PEOPLE[who].is_limited:
            granted["projects"] = frozenset[str]()
        acting = self._api.acting_as(await self._find_user(who), kind=kind, **granted)
        return await self._stack.enter_async_context(acting)

    async def _find_user(self, who: str) -> str:
        if who not in self._ids:
            person = PEOPLE[who]
            self._ids[who] = await make_person(self._world, f"p{len(self._ids)}", person.workspace or GUEST)
            if person.project is not None and person.workspace != ADMIN:
                role, project = STORED_ROLE.get(who, person.project), await self._world.known_id("project_id")
                await join_project(self._world.site, self._world.cast, project, self._ids[who], role)
        return self._ids[who]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def callers(world: World) -> AsyncIterator[Callers]:
    project = f"workspaces/acme/projects/{await world.known_id('project_id')}"
    assert (await world.admin.patch(project, {"network": 0})).status_code == 200
    async with AsyncExitStack() as stack:
        yield Callers(world, serve_api(world.site, *ROUTES), stack)


def expected_status(route: Route, person: Person, kind: str) -> int:
    """What the row's declaration says."""
    if "{workspace_slug}" not in route.path:
        return route.status
    if person.workspace is None:
        return 403
    is_below_project = re.search(r"{(project_id|identifier)}", route.path) is not None
    if is_below_project and person.project is None:
        return 404
    role = person.project if is_below_project else person.workspace
    is_refused = (role or 0) < route.role or (route.people_only and kind == "bot")
    return 403 if is_refused else route.status


async def send(world: World, client: Client, route: Route) -> tuple[int, str]:
    return await send_prepared(client, route, *await prepare(world, route))


async def prepare(world: World, route: Route) -> tuple[str, Any]:
    """Path and body of a request, for which records may have to be made."""
    return route.path.format(**await world.params(route)), await world.body(route)


async def send_prepared(client: Client, route: Route, path: str, body: Any) -> tuple[int, str]:
    answer = await client.send(route.method, path, body, **QUERIES.get(route.name, {}))
    return answer.status_code, answer.text


def is_answered_by_declaration(route: Route, person: Person, kind: str) -> bool:
    """Whether the row has no further rule of its own for this caller."""
    if route.name in OF_AN_ADMINS_KEY and kind != "api_key":
        return False
    return person == PEOPLE["admin"] or route.name not in OF_FEW_PEOPLE


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", PEOPLE)
async def test_id2_every_row_answers_a_caller_as_its_declaration_says(
    world: World, callers: Callers, who: str, kind: str
) -> None:
    person = PEOPLE[who]
    if person.is_limited and kind == "api_key":
        return  # a key belongs to no app
    requests = {route.name: await prepare(world, route) for route in ROUTES}
    client, events, wrong = await callers.find(who, kind), await world.count_changes(), list[str]()
    for route in ROUTES:
        if route.name in APART:
            continue
        status = expected_status(route, person, kind)
        if status < 400 and (route.method != "GET" or not is_answered_by_declaration(route, person, kind)):
            continue
        seen, text = await send_prepared(client, route, *requests[route.name])
        if seen != status:
            wrong.append(f"{name_of(route)}: {seen}, declared {status}: {text[:200]}")
    assert not wrong
    assert await world.count_changes() == events


@pytest.mark.parametrize("kind", ["user", "bot"])
async def test_br3_a_row_asks_for_its_scope_and_for_no_other(
    world: World, callers: Callers, kind: str
) -> None:
    wrong: list[str] = []
    for scope in sorted({route.scope for route in ROUTES if route.scope}):
        only = await callers.find("admin", kind, frozenset({scope}))
        others = await callers.find("admin", kind, frozenset(BY_NAME) - {scope})
        for route in (one for one in ROUTES if one.scope == scope):
            seen, text = await send(world, others, route)
            if seen != 403 or f"lacks the scope {scope}" not in text:
                wrong.append(f"{name_of(route)} without {scope}: {seen} {text[:200]}")
            may = expected_status(route, PEOPLE["admin"], kind)
            if route.method == "GET" and (seen := (await send(world, only, route))[0]) != may:
                wrong.append(f"{name_of(route)} with {scope} alone: {seen}, declared {may}")
    assert not wrong


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", ["expired", "revoked"])
async def test_br2_no_row_answers_a_credential_that_has_ended(world: World, kind: str, end: str) -> None:
    async with testing.ASGIConductor(app_of(world.site)) as http:
        app = AppSide(http, world.site, world.cast)
        headers = await ENDED[end, kind](app)
        wrong: list[str] = []
        for route in ROUTES:
            path, body = route.path.format(**await world.params(route)), await world.body(route)
            sent = {"json": body} if body is not None else {}
            answer = await http.simulate_request(route.method, f"/api/v1/{path}/", headers=headers, **sent)
            if (answer.status_code, "invalid_token" in answer.headers.get("www-authenticate", "")) != (
                401,
                True,
            ):
                wrong.append(f"{name_of(route)}: {answer.status_code}")
    assert not wrong


async def is_live(app: AppSide, headers: dict[str, str]) -> bool:
    return (await app.http.simulate_get("/api/v1/users/me/", headers=headers)).status_code == 200


async def take_token(app: AppSide, kind: str) -> str:
    """A live token of the installation's bot, or of Ana in the app."""
    answer = (await app.bot_token()).body if kind == "bot" else await app.user_tokens()
    return answer["access_token"]


async def expire_token(app: AppSide, kind: str) -> dict[str, str]:
    token = await take_token(app, kind)
    async with app.site.db.transaction() as tx:
        await tx.update(
            access_tokens, {"expires_at": app.site.clock.now()}, token_hash=hash_credential(token)
        )
    return {"Authorization": f"Bearer {token}"}


async def revoke_token(app: AppSide, kind: str) -> dict[str, str]:
    token = await take_token(app, kind)
    headers = {"Authorization": f"Bearer {token}"}
    assert await is_live(app, headers)
    await app.revoke(token)
    return headers


async def expire_key(app: AppSide) -> dict[str, str]:
    key = await create_api_key(app.site, app.cast.ana["id"])
    async with app.site.db.transaction() as tx:
        await tx.update(api_keys, {"expires_at": app.site.clock.now()}, id=key.id)
    return {"X-API-Key": key.token}


async def revoke_key(app: AppSide) -> dict[str, str]:
    key = await create_api_key(app.site, app.cast.ana["id"])
    headers = {"X-API-Key": key.token}
    assert await is_live(app, headers)
    await revoke_api_key(app.site, app.cast.ana["id"], key.id)
    return headers


ENDED = {
    ("expired", "api_key"): expire_key,
    ("revoked", "api_key"): revoke_key,
    **{("expired", kind): partial(expire_token, kind=kind) for kind in ("user", "bot")},
    **{("revoked", kind): partial(revoke_token, kind=kind) for kind in ("user", "bot")},
}
