"""One world for the whole contract suite: the cast, every route mounted, and a record for every id in a path."""

import re
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa

from airside.agents.reactions import watch_work
from airside.api.v1 import TABLE
from airside.api.v2 import TABLE as TABLE_V2
from airside.apps.registry import create_app
from airside.assets.storage import keep_file
from airside.db.base import Row, new_id
from airside.db.statements import Statement
from airside.events.tables import events
from airside.identity.tables import users
from airside.identity.users import new_user_row
from airside.installations.install import install_app
from airside.rest import gate
from airside.rest.face import Face
from airside.rest.record import Level
from airside.rest.route import Route
from airside.rest.routes import face_routes, list_routes, verb_route
from airside.runtime.site import Site
from airside.workspaces.members import add_member
from airside.workspaces.roles import MEMBER
from tests.cast import REDIRECT_URI, WEBHOOK_URL, Cast, make_cast
from tests.support.api import Client, serve_api

_numbers = count(1)

# For what no second database could answer otherwise.
on_one_database = pytest.mark.parametrize("world", ["sqlite"], indirect=True)


def name_of(route: Route) -> str:
    return f"{route.method} {route.path.removeprefix('workspaces/{workspace_slug}/')}"


class World:
    """A workspace with one record of everything, seen by its admin with an API key."""

    def __init__(self, site: Site, cast: Cast, slug: str, admin: Client) -> None:
        self.site, self.cast, self.slug, self.admin = site, cast, slug, admin
        self.known: dict[str, str] = {"workspace_slug": slug}
        self.anonymous = self.stranger = self.scopeless = self.outsider = self.foreign_bot = admin
        self.elsewhere = self.beside = self

    async def make(self, parameter: str) -> str:
        """A new record for this parameter of a path; its id."""
        return await MAKERS[parameter](self)

    async def known_id(self, parameter: str) -> str:
        """The record that stands for this parameter."""
        if parameter not in self.known:
            self.known[parameter] = await self.make(parameter)
        return self.known[parameter]

    async def foreign(self, parameter: str) -> str:
        """The id of such a record in another workspace."""
        return await self.elsewhere.known_id(parameter)

    async def in_other_project(self, parameter: str) -> str:
        """The id of such a record in another project of this workspace."""
        return await self.beside.known_id(parameter)

    async def make_deleted(self, parameter: str) -> str:
        """The id of such a record that was there and is deleted."""
        made, name = await self.make(parameter), parameter.removeprefix("workspace ")
        route = next(
            one
            for one in ROUTES
            if one.method == "DELETE"
            and one.path.endswith(f"/{{{name}}}")
            and maker_of(one.path, name) == parameter
            and "/properties/" not in one.path  # which removes it from its type
        )
        params = {**await self.params(route), name: made}
        await self.meet(route, params)
        assert (await self.admin.delete(route.path.format(**params))).status_code == 204
        return made

    async def clear(self, route: Route, params: dict[str, str], made: Any) -> None:
        """Delete what the route has just created, where that can be deleted; else each later record would take
        longer, as a work item does for each property with a default."""
        below = re.compile(re.escape(route.path) + r"/{\w+}")
        found = next((one for one in ROUTES if one.method == "DELETE" and below.fullmatch(one.path)), None)
        if found is not None and isinstance(made, dict) and "id" in made:
            answer = await self.admin.delete(f"{route.path.format(**params)}/{made['id']}")
            assert answer.status_code < 500, answer.text

    async def params(self, route: Route, *, fresh: bool = False) -> dict[str, str]:
        """A value for each parameter of the route; `fresh` creates another one for the last, which may be lost."""
        names = re.findall(r"{(\w+)}", route.path)
        found = {name: await self.known_id(maker_of(route.path, name)) for name in names}
        if fresh and names and names[-1] != "workspace_slug" and not route.name.endswith("_features"):
            found[names[-1]] = await self.make(maker_of(route.path, names[-1]))
        if route.name in SURROUNDINGS:
            await SURROUNDINGS[route.name](self, found)
        return found

    async def fresh_params(self, route: Route) -> dict[str, str]:
        """`params` with a record of its own, with which the route succeeds."""
        found = await self.params(route, fresh=True)
        await self.meet(route, found)
        return found

    async def meet(self, route: Route, params: dict[str, str]) -> None:
        """Change the records in these parameters into what the route takes."""
        if route.name in BEFORE:
            await BEFORE[route.name](self, params)

    async def body(self, route: Route) -> Any:
        """A body with which the route succeeds; None where it takes none."""
        if route.name in LIVE_BODIES:
            return await LIVE_BODIES[route.name](self)
        return BODIES[route.name]() if route.name in BODIES else None

    async def post(self, path: str, body: Any) -> Row:
        answer = await self.admin.post(f"workspaces/{self.slug}/{path}", body)
        assert answer.status_code in (200, 201), (path, answer.text)
        return answer.json

    async def events_of(self, entity_id: str) -> list[Row]:
        found = await self.site.db.find_all(events, entity_id=entity_id)
        return sorted(found, key=lambda row: row["sequence"])

    async def event_ids(self) -> set[str]:
        """Of all events so far. The ids alone, since the suite records thousands of events."""
        return {row["id"] for row in await self.site.db.fetch_all(_EVENT_IDS)}

    async def events_since(self, known: set[str]) -> list[Row]:
        """The events whose ids aren't among the known ones."""
        found = [await self.site.db.find(events, id=one) for one in sorted(await self.event_ids() - known)]
        return [event for event in found if event is not None]

    async def count_events(self) -> int:
        return await self.site.db.fetch_value(_COUNT_EVENTS)

    async def count_changes(self) -> int:
        """Its events but for people who come in: some bodies are made by letting somebody into the workspace."""
        return await self.site.db.fetch_value(_COUNT_CHANGES)

    def break_outbox(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From now on an event can't be stored."""

        async def fail(*_: Any, **__: Any) -> None:
            raise OutboxBroken

        for module in (
            gate,
            *(sys.modules[name] for name in list(sys.modules) if name.startswith("airside.")),
        ):
            if hasattr(module, "record_event"):
                monkeypatch.setattr(module, "record_event", fail)


_EVENT_IDS: Statement[Row] = Statement(sa.select(events.c.id))
_COUNT_EVENTS: Statement[Row] = Statement(sa.select(sa.func.count()).select_from(events))
_COUNT_CHANGES: Statement[Row] = Statement(
    sa.select(sa.func.count()).select_from(events).where(events.c.name != "workspace.member.created")
)


class OutboxBroken(Exception):
    """What a test lets the outbox say."""


@asynccontextmanager
async def make_world(site: Site) -> AsyncGenerator[World]:
    cast = await make_cast(site, is_mentionable=True)
    watch_work(site)
    api = serve_api(site, *TABLE, *TABLE_V2)
    async with AsyncExitStack() as stack:
        acting = stack.enter_async_context
        world = World(site, cast, "acme", await acting(api.acting_as(cast.ana["id"])))
        world.outsider = await acting(api.acting_as(cast.zoe["id"]))
        bot = cast.installation["bot_user_id"]
        world.scopeless = await acting(
            api.acting_as(bot, kind="bot", scopes=frozenset[str](), workspace_id=cast.acme["id"])
        )
        world.foreign_bot = await acting(api.acting_as(bot, kind="bot", workspace_id=cast.other["id"]))
        world.anonymous = await acting(api.acting_without())
        world.stranger = await acting(api.acting_with("Bearer pln_nobody_knows_this"))
        world.elsewhere = World(site, cast, "other", world.outsider)
        world.beside = World(site, cast, "acme", world.admin)
        yield world


def unique(word: str) -> str:
    return f"{word} {next(_numbers)}"


async def _make_project(world: World) -> str:
    """One that uses every feature."""
    made = await world.post("projects", {"name": unique("Project"), "identifier": f"P{next(_numbers)}"})
    features = f"workspaces/{world.slug}/projects/{made['id']}/features"
    flags = (await world.admin.get(features)).json
    assert (await world.admin.patch(features, dict.fromkeys(flags, True))).status_code == 200
    return made["id"]


async def _make_work_item(world: World) -> str:
    made = await world.post(
        f"projects/{await world.known_id('project_id')}/work-items", {"name": unique("Item")}
    )
    return made["id"]


async def _make_identifier(world: World) -> str:
    project_id, item = await world.known_id("project_id"), await world.make("work_item_id")
    base = f"workspaces/{world.slug}/projects/{project_id}"
    project = (await world.admin.get(base)).json
    return (
        f"{project['identifier']}-{(await world.admin.get(f'{base}/work-items/{item}')).json['sequence_id']}"
    )


def maker_of(path: str, parameter: str) -> str:
    """A record of both levels has a maker for each: its key, and that of the workspace's."""
    own = f"workspace {parameter}"
    return own if own in MAKERS and "{project_id}" not in path else parameter


async def _make_record(face: Face, world: World) -> str:
    """A record by its declaration's own example."""
    names = re.findall(r"{(\w+)}", face.path)
    ids = {name: await world.known_id(maker_of(face.path, name)) for name in names}
    return (await world.post(face.path.format(**ids), BODIES[verb_route(face, "create").name]()))["id"]


MAKERS: dict[str, Callable[[World], Awaitable[str]]] = {
    "project_id": _make_project,
    "work_item_id": _make_work_item,
    "related_work_item_id": _make_work_item,
    "identifier": _make_identifier,
}


async def _make_person(world: World) -> str:
    """Somebody new in the workspace, in no project of it."""
    site, name = world.site, unique("person").replace(" ", "")
    person = new_user_row(f"{name}@example.com", name, site.clock.now())
    person["email_proven_at"] = person["created_at"]
    async with site.db.transaction() as tx:
        await tx.insert(users, person)
    workspace = world.cast.acme if world.slug == "acme" else world.cast.other
    await add_member(site, workspace["id"], person["id"], MEMBER, by_user_id=workspace["owner_id"])
    return person["id"]


async def _make_member(world: World) -> str:
    body = {"member": await _make_person(world), "role": 15}
    return (await world.post(f"projects/{await world.known_id('project_id')}/project-members", body))["id"]


async def _make_person_in_project(world: World) -> str:
    """The user's own id."""
    person = await _make_person(world)
    body = {"member": person, "role": 15}
    await world.post(f"projects/{await world.known_id('project_id')}/project-members", body)
    return person


async def _find_role(world: World) -> str:
    roles = await world.admin.get(f"workspaces/{world.slug}/roles")
    return roles.json["results"][0]["id"]


async def _make_invitation(world: World) -> str:
    return (await world.post("invitations", BODIES["add_workspace_invitation"]()))["id"]


async def _make_webhook(world: World) -> str:
    return (await world.post("webhooks", BODIES["create_webhook"]()))["id"]


async def _make_app(world: World) -> str:
    """The client id of an app of the workspace that is installed there."""
    workspace = world.cast.acme if world.slug == "acme" else world.cast.other
    fields = {"name": unique("App"), "redirect_uris": [REDIRECT_URI], "webhook_url": WEBHOOK_URL}
    by = workspace["owner_id"]
    made = await create_app(world.site, workspace_id=workspace["id"], by_user_id=by, fields=fields)
    await install_app(world.site, made.app, workspace["id"], by)
    return made.app["client_id"]


async def _make_run(world: World) -> str:
    """A run of Courier's; in the other workspace it has to be installed first."""
    if world.slug == "other":
        await install_app(world.site, world.cast.courier, world.cast.other["id"], world.cast.zoe["id"])
    return (await world.post("runs", {"agent_slug": world.cast.courier["slug"]}))["id"]


async def _make_activity(world: World) -> str:
    run_id = await world.known_id("run_id")
    return (await world.post(f"runs/{run_id}/activities", BODIES["create_agent_run_activity"]()))["id"]


async def _make_listener(world: World) -> str:
    path = f"applications/{await world.known_id('client_id')}/listeners"
    return (await world.post(path, BODIES["open_listener"]()))["id"]


async def _make_asset(world: World) -> str:
    made = await world.admin.post("users/assets", BODIES["create_user_asset"]())
    return made.json["asset_id"]


async def _make_file(world: World, path: str) -> str:
    """One that is uploaded."""
    asked = await world.post(path, {"name": unique("a.txt"), "type": "text/plain", "size": 5})
    workspace = world.cast.acme if world.slug == "acme" else world.cast.other

    async def chunks() -> AsyncIterator[bytes]:
        yield b"hello"

    await keep_file(world.site, f"{workspace['id']}/{asked['asset_id']}", chunks())
    done = await world.admin.patch(f"workspaces/{world.slug}/{path}/{asked['asset_id']}", {})
    assert done.status_code in (200, 204), done.text
    return asked["asset_id"]


async def _make_attachment(world: World) -> str:
    project_id, item_id = await world.known_id("project_id"), await world.known_id("work_item_id")
    return await _make_file(world, f"projects/{project_id}/work-items/{item_id}/attachments")


async def _make_workspace_file(world: World) -> str:
    return await _make_file(world, "assets")


async def _find_activity(world: World) -> str:
    """The newest work item's first: that it was made."""
    project_id, item_id = await world.known_id("project_id"), await world.known_id("work_item_id")
    path = f"workspaces/{world.slug}/projects/{project_id}/work-items/{item_id}/activities"
    return (await world.admin.get(path)).json["results"][0]["id"]


async def _make_planned_item(world: World) -> str:
    """A work item in the cycle and the module that stand for all; by its id there."""
    project_id, item_id = await world.known_id("project_id"), await world.make("work_item_id")
    for plan in ("cycle", "module"):
        path = f"projects/{project_id}/{plan}s/{await world.known_id(f'{plan}_id')}/{plan}-issues"
        await world.post(path, {"issues": [item_id]})
    return item_id


async def _find_estimate(world: World) -> str:
    """A project has at most one."""
    return await _estimate_of(world, await world.known_id("project_id"))


async def _estimate_of(world: World, project_id: str) -> str:
    path = f"projects/{project_id}/estimates"
    found = await world.admin.get(f"workspaces/{world.slug}/{path}")
    return (found.json if found.status_code == 200 else await world.post(path, {"name": unique("Scale")}))[
        "id"
    ]


async def _make_point(world: World) -> str:
    path = f"projects/{await world.known_id('project_id')}/estimates/{await world.known_id('estimate_id')}"
    made: Any = await world.post(f"{path}/estimate-points", BODIES["create_estimate_points"]())
    return made[0]["id"]


async def _with_estimate(world: World, params: dict[str, str]) -> None:
    await _estimate_of(world, params["project_id"])


async def _without_estimate(world: World, params: dict[str, str]) -> None:
    params["project_id"] = await world.make("project_id")


async def _with_own_estimate(world: World, params: dict[str, str]) -> None:
    await _without_estimate(world, params)
    await _with_estimate(world, params)


async def _without_value(world: World, params: dict[str, str]) -> None:
    params |= {
        "property_id": await world.known_id("property_id"),
        "work_item_id": await world.make("work_item_id"),
    }


async def _with_value(world: World, params: dict[str, str]) -> None:
    await _without_value(world, params)
    item = f"projects/{params['project_id']}/work-items/{params['work_item_id']}"
    path = f"{item}/work-item-properties/{params['property_id']}/values"
    await world.post(path, {"value": (await _options_of(world, params["property_id"]))[0]})


# What has to be beside the records of a path, which it doesn't name.
SURROUNDINGS: dict[str, Callable[[World, dict[str, str]], Awaitable[None]]] = {
    "create_work_item_property_value": _without_value,
    **dict.fromkeys(
        (f"{verb}_work_item_property_value" for verb in ("retrieve", "update", "delete")), _with_value
    ),
    "retrieve_estimate": _with_estimate,
    "update_estimate": _with_estimate,
    "create_estimate": _without_estimate,
    "delete_estimate": _with_own_estimate,
}


async def _make_property_of_no_type(world: World) -> str:
    path = f"projects/{await world.known_id('project_id')}/work-item-properties"
    return (await world.post(path, BODIES["create_project_work_item_property"]()))["id"]


async def _file_request(world: World) -> str:
    """Something in the intake, which its work item's id stands for."""
    path = f"projects/{await world.known_id('project_id')}/intake-issues"
    return (await world.post(path, BODIES["create_intake_work_item"]()))["issue"]


MAKERS.update(
    {
        "issue_id": _make_planned_item,
        "intake_work_item_id": _file_request,
        "estimate_id": _find_estimate,
        "estimate_point_id": _make_point,
        "property_of_no_type": _make_property_of_no_type,
        "work_item_activity_id": _find_activity,
        "member_id": _make_member,
        "person_in_project": _make_person_in_project,
        "role_id": _find_role,
        "asset_id": _make_asset,
        "file_id": _make_workspace_file,
        "attachment_id": _make_attachment,
        "run_id": _make_run,
        "activity_id": _make_activity,
        "webhook_id": _make_webhook,
        "invitation_id": _make_invitation,
        "client_id": _make_app,
        "listener_id": _make_listener,
    }
)


async def _make_collection_member(world: World) -> str:
    path = f"collections/{await world.known_id('collection_id')}/members"
    return (await world.post(path, {"member": await _make_person(world), "access": 0}))["id"]


async def _make_collection_page(world: World) -> str:
    body = {"name": unique("Page"), "description_html": "<p>x</p>"}
    collection = {"collection_id": await world.known_id("collection_id")}
    return (await world.post("pages", body | collection))["page_collection_id"]


async def _make_work_item_page(world: World) -> str:
    project_id, item = await world.known_id("project_id"), await world.known_id("work_item_id")
    body = {"page_id": await world.make("page_id")}
    return (await world.post(f"projects/{project_id}/work-items/{item}/pages", body))["id"]


MAKERS.update(
    {
        "collection_member_id": _make_collection_member,
        "page_collection_id": _make_collection_page,
        "work_item_page_id": _make_work_item_page,
    }
)

# A body for each route that takes one; for a record's routes the example of its declaration, see `example_of`.
BODIES: dict[str, Callable[[], Row]] = {
    "create_project": lambda: {"name": unique("Project"), "identifier": f"P{next(_numbers)}"},
    "create_issue": lambda: {"name": unique("Item")},
    "update_project": lambda: {"description": unique("changed")},
    "create_estimate": lambda: {"name": unique("Scale"), "type": "points"},
    "update_estimate": lambda: {"name": unique("changed")},
    "create_estimate_points": lambda: {"estimate_points": [{"value": str(next(_numbers))}]},
    "update_estimate_point": lambda: {"description": unique("changed")},
    "update_issue": lambda: {"name": unique("changed")},
    "put_page": lambda: {"name": unique("changed"), "description_html": f"<p>{unique('changed')}</p>"},
    "put_workspace_page": lambda: {
        "name": unique("changed"),
        "description_html": f"<p>{unique('changed')}</p>",
    },
    "update_collection_member": lambda: {"access": 2},
    "update_project_member": lambda: {"role": 5},
    "create_user_asset": lambda: {
        "name": "me.png",
        "size": 100,
        "type": "image/png",
        "entity_type": "USER_AVATAR",
    },
    "update_user_asset": lambda: {"is_uploaded": False},
    **dict.fromkeys(
        ("create_attachment", "create_workspace_asset"),
        lambda: {"name": unique("a.txt"), "type": "text/plain", "size": 5},
    ),
    "update_attachment": lambda: {"external_id": unique("report"), "external_source": "courier"},
    "update_workspace_asset": lambda: {"is_uploaded": True},
    "search_work_items_advanced": lambda: {"query": "wheel"},
    "add_workspace_invitation": lambda: {"email": f"guest{next(_numbers)}@example.com", "role": 15},
    "update_workspace_invitation": lambda: {"role": 5},
    "create_webhook": lambda: {"url": f"https://courier.example/{next(_numbers)}", "name": unique("Webhook")},
    "update_webhook": lambda: {"name": unique("changed")},
    "test_webhook": lambda: {"event": "workitem.created"},
    "redeliver_webhook": lambda: {"since": "2026-01-01T00:00:00Z"},
    "redeliver_application": lambda: {"since": "2026-01-01T00:00:00Z"},
    "test_application": lambda: {"event": "workitem.created"},
    "create_agent_run_activity": lambda: {"type": "prompt", "content": {"type": "prompt", "body": "Hello?"}},
    "update_agent_run": lambda: {"external_link": f"https://courier.example/runs/{next(_numbers)}"},
    "stop_agent_run": dict,
    "open_listener": lambda: {
        "name": unique("laptop"),
        "forward_to": "http://127.0.0.1:9000/hook",
        "session": new_id(),
    },
    "answer_deliveries": lambda: {"answers": []},
    "create_intake_work_item": lambda: {"issue": {"name": unique("Request")}, "source": "Form"},
    "update_intake_work_item": lambda: {"source": unique("Form")},
    "decide_on_intake_work_item": lambda: {"status": -1},
}


def example_of(route: Route) -> Row:
    """The example of the route's body, with something new as its first text; of a change only that."""
    assert route.body is not None
    example = dict(route.body.example or {})
    first = next(name for name, value in example.items() if isinstance(value, str))
    example[first] += str(next(_numbers))
    return {first: example[first]} if route.partial else example


MAKERS_OF_RECORDS: list[str] = []
FACES = [entry for entry in TABLE if isinstance(entry, Face) and "create" in entry.verbs]
for _face in FACES:
    _is_second = _face.record.level is Level.BOTH and not _face.is_in_project
    _key = f"workspace {_face.key}" if _is_second else _face.key
    MAKERS.setdefault(_key, partial(_make_record, _face))
    MAKERS_OF_RECORDS.append(_key)
    for _route in face_routes(_face):
        if _route.body is not None and _route.body.example:
            BODIES.setdefault(_route.name, partial(example_of, _route))


async def _body_with_agent(world: World) -> Row:
    return {"agent_slug": world.cast.courier["slug"]}


async def _body_with_person(world: World) -> Row:
    return {"member": await _make_person(world)}


async def _body_with_reader(world: World) -> Row:
    return {"member": await _make_person(world), "access": 0}


async def _body_with_page(world: World) -> Row:
    return {"page_id": await world.make("page_id")}


async def _body_with_pages(world: World) -> Row:
    return {"page_ids": [await world.make("workspace page_id")]}


async def _body_with_placement(world: World) -> Row:
    """Below a new page of the collection."""
    page = {"name": unique("Page"), "description_html": "<p>x</p>"}
    made = await world.post("pages", page | {"collection_id": await world.known_id("collection_id")})
    return {"placement": {"type": "append", "parent_id": made["id"]}}


async def _body_with_cycle(world: World) -> Row:
    return {"new_cycle_id": await world.make("cycle_id")}


def _flip(path: str, flag: str) -> Callable[[World], Awaitable[Row]]:
    async def body(world: World) -> Row:
        full = path.format(project_id=await world.known_id("project_id"))
        return {flag: not (await world.admin.get(f"workspaces/{world.slug}/{full}")).json[flag]}

    return body


def _with_item(field: str, *, many: bool = True, **others: Any) -> Callable[[World], Awaitable[Row]]:
    """A body that names another work item."""

    async def body(world: World) -> Row:
        item = await world.known_id("related_work_item_id")
        return {**others, field: [item] if many else item}

    return body


async def _body_with_definition(world: World) -> Row:
    definition = await world.known_id("definition_id")
    named = _with_item("work_item_ids", relation_definition_type="implements")
    return await named(world) | {"relation_definition_id": definition}


async def _body_with_types(world: World) -> Row:
    return {"work_item_types": [await world.known_id("workspace type_id")]}


async def _body_with_property(world: World) -> Row:
    return {"properties": [await world.known_id("property_of_no_type")]}


async def _body_with_workspace_property(world: World) -> Row:
    return {"properties": [await world.known_id("workspace property_id")]}


async def _body_with_item(world: World) -> Row:
    return {"issues": [await world.make("work_item_id")]}


async def _body_for_epic(world: World) -> Row:
    return {"work_item_ids": [await world.make("work_item_id")]}


async def _body_with_known_item(world: World) -> Row:
    return {"issues": [await world.known_id("work_item_id")]}


def _with_option(position: int) -> Callable[[World], Awaitable[Row]]:
    """A body with one of the options that the property in the URL has."""

    async def body(world: World) -> Row:
        return {"value": (await _options_of(world, await world.known_id("property_id")))[position]}

    return body


async def _options_of(world: World, property_id: str) -> list[str]:
    path = f"workspaces/{world.slug}/projects/{await world.known_id('project_id')}/work-item-properties"
    return [one["id"] for one in (await world.admin.get(f"{path}/{property_id}")).json["options"]]


# Bodies that depend on what is there.
LIVE_BODIES: dict[str, Callable[[World], Awaitable[Row]]] = {
    "add_cycle_work_items": _body_with_item,
    "add_module_work_items": _body_with_item,
    "transfer_cycle_work_items": _body_with_cycle,
    "create_agent_run": _body_with_agent,
    "create_work_item_property_value": _with_option(0),
    "update_work_item_property_value": _with_option(1),
    "import_work_item_types": _body_with_types,
    "add_work_item_type_properties": _body_with_property,
    "add_workspace_work_item_type_properties": _body_with_workspace_property,
    "add_milestone_work_items": _body_with_item,
    "add_epic_work_items": _body_for_epic,
    "remove_milestone_work_items": _body_with_known_item,
    "create_project_member": _body_with_person,
    "create_collection_member": _body_with_reader,
    "create_work_item_page": _body_with_page,
    "add_collection_pages": _body_with_pages,
    "update_collection_page": _body_with_placement,
    "remove_workspace_member": _body_with_person,
    "create_relation": _with_item("issues", relation_type="relates_to"),
    "create_dependency": _with_item("work_item_ids", relation_type="blocking"),
    "create_custom_relation": _body_with_definition,
    "remove_relation": _with_item("related_issue", many=False),
    "update_project_features": _flip("projects/{project_id}/features", "views"),
    "update_workspace_features": _flip("features", "initiatives"),
}


async def _finish_item(world: World, params: dict[str, str]) -> None:
    base = f"workspaces/acme/projects/{params['project_id']}"
    states = (await world.admin.get(f"{base}/states", group="completed")).json["results"]
    await world.admin.patch(f"{base}/work-items/{params['work_item_id']}", {"state": states[0]["id"]})


async def _archive_item(world: World, params: dict[str, str]) -> None:
    await _finish_item(world, params)
    await world.admin.post(
        f"workspaces/acme/projects/{params['project_id']}/work-items/{params['work_item_id']}/archive"
    )


def _relate(creates: str, path: str) -> Callable[[World, dict[str, str]], Awaitable[None]]:
    """Relate the work item in the URL to the other one there, or to that of the body."""

    async def relate(world: World, params: dict[str, str]) -> None:
        body = await LIVE_BODIES[creates](world)
        if "related_work_item_id" in params:
            body["work_item_ids"] = [params["related_work_item_id"]]
        where = f"projects/{params['project_id']}/work-items/{params['work_item_id']}/{path}"
        await world.post(where, body)

    return relate


async def _add_to_type(world: World, params: dict[str, str]) -> None:
    path = f"workspaces/acme/work-item-types/{params['type_id']}/properties"
    await world.admin.post(path, {"properties": [params["property_id"]]})


async def _hold_item(world: World, params: dict[str, str]) -> None:
    path = f"projects/{params['project_id']}/milestones/{params['milestone_id']}/work-items"
    body = await _body_with_known_item(world)
    assert (await world.admin.post(f"workspaces/{world.slug}/{path}", body)).status_code == 204


async def _complete_cycle(world: World, params: dict[str, str]) -> None:
    path = f"workspaces/acme/projects/{params['project_id']}/cycles/{params['cycle_id']}"
    past = {"start_date": "2001-01-01", "end_date": "2001-01-14"}
    assert (await world.admin.patch(path, past)).status_code == 200


async def _archive_cycle(world: World, params: dict[str, str]) -> None:
    await _complete_cycle(world, params)
    path = f"workspaces/acme/projects/{params['project_id']}/cycles/{params['cycle_id']}/archive"
    assert (await world.admin.post(path)).status_code == 204


async def _complete_module(world: World, params: dict[str, str]) -> None:
    path = f"workspaces/acme/projects/{params['project_id']}/modules/{params['module_id']}"
    assert (await world.admin.patch(path, {"status": "completed"})).status_code == 200


async def _archive_module(world: World, params: dict[str, str]) -> None:
    await _complete_module(world, params)
    path = f"workspaces/acme/projects/{params['project_id']}/modules/{params['module_id']}/archive"
    assert (await world.admin.post(path)).status_code == 204


async def _fill_cycle(world: World, params: dict[str, str]) -> None:
    path = f"projects/{params['project_id']}/cycles/{params['cycle_id']}/cycle-issues"
    await world.post(path, {"issues": [await world.make("work_item_id")]})


async def _file_before(world: World, params: dict[str, str]) -> None:
    """The first one makes the project's triage state, too."""
    path = f"projects/{params['project_id']}/intake-issues"
    await world.post(path, BODIES["create_intake_work_item"]())


# What has to be so before a route can succeed.
BEFORE: dict[str, Callable[[World, dict[str, str]], Awaitable[None]]] = {
    "remove_milestone_work_items": _hold_item,
    "archive_work_item": _finish_item,
    "remove_workspace_work_item_type_property": _add_to_type,
    "unarchive_work_item": _archive_item,
    "create_intake_work_item": _file_before,
    "remove_relation": _relate("create_relation", "relations"),
    "remove_dependency": _relate("create_dependency", "dependencies"),
    "remove_custom_relation": _relate("create_custom_relation", "work-item-relations"),
    "archive_cycle": _complete_cycle,
    "archive_module": _complete_module,
    "unarchive_module": _archive_module,
    "transfer_cycle_work_items": _fill_cycle,
    "unarchive_cycle": _archive_cycle,
}


def _archive_first(route: Route) -> Callable[[World, dict[str, str]], Awaitable[None]]:
    async def archive(world: World, params: dict[str, str]) -> None:
        path = route.path.removesuffix("/archive").format(**params)
        assert (await world.admin.post(f"{path}/archive")).status_code == 204

    return archive


for _route in list_routes(TABLE):
    if _route.name.startswith("unarchive_") or _route.name in ("delete_page", "delete_workspace_page"):
        BEFORE.setdefault(_route.name, _archive_first(_route))

PAGE_LIMITS = {"list_roles": 100, "list_collection_pages": 100}  # of lists that aren't a face's own

# What a GET can't do without.
QUERIES: dict[str, dict[str, str]] = {
    "search_work_items": {"search": "wheel"},
    "follow_listener": {"seconds": "0"},  # else it goes on
}

UNKNOWN = new_id()


def list_missing(route: Route) -> list[str]:
    """What the suite would have to know about the row, in a sentence each."""
    makes = [name for name in re.findall(r"{(\w+)}", route.path) if name not in ("workspace_slug", *MAKERS)]
    missing = [f"{name_of(route)}: MAKERS doesn't make a {name}" for name in makes]
    if route.body is not None and route.name not in {*BODIES, *LIVE_BODIES}:
        missing.append(f"{name_of(route)}: BODIES has no example of {route.name}")
    return missing


# Refused while projects own their states; tests/work/test_states_of_the_workspace.py has the workspace own them.
REFUSED = frozenset({"create_workspace_state", "update_workspace_state", "delete_workspace_state"})

_ANSWERED = [route for route in list_routes(TABLE) if route.name not in REFUSED]
MISSING = [sentence for route in _ANSWERED for sentence in list_missing(route)]
ROUTES = [route for route in _ANSWERED if not list_missing(route)]
