"""Where the rows run: a started server with workspace Acme, Ana's clients, and what they requested."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from plane import PlaneClient
from plane.api.base_resource import BaseResource
from plane.models.projects import CreateProject, ProjectFeature
from plane.models.work_items import CreateWorkItem
from plane.models.workspaces import WorkspaceFeature

from tests.sdk_suites.workplace import Workplace, make_workplace
from tests.support.databases import kept_postgres
from tests.support.servers import running_server
from tools.api_coverage import Operation, is_path

SLUG = "acme"
# Flags that stay off: one that only a migration changes, and one that takes the types out of the projects' hands.
LEFT_OFF = {"states_owned_by_workspace", "work_item_types"}
_numbers = count(1)


class Exchange(NamedTuple):
    """A request and how it was answered."""

    method: str
    path: str
    status: int


@dataclass
class Place:
    """A workspace with every feature on, and a project in it that all rows use."""

    workplace: Workplace
    client: PlaneClient  # Ana's
    bot: PlaneClient  # Courier's
    requested: list[Exchange] = field(default_factory=list[Exchange])

    @property
    def project_id(self) -> str:
        return self.workplace.project_id

    @property
    def me(self) -> str:
        """Ana."""
        return self.workplace.user_id

    def item(self, **fields: Any) -> Any:
        """A new work item of the project."""
        data = CreateWorkItem(name=unique("Wheel"), **fields)
        return self.client.work_items.create(SLUG, self.project_id, data)

    def project(self) -> str:
        """The id of a new project, for what a project has one of."""
        name = unique("Hangar")
        data = CreateProject(name=name, identifier=f"H{name.split()[1]}")
        made = self.client.projects.create(SLUG, data)
        turn_on_project(self.client, made.id)
        return made.id

    def state(self, group: str) -> str:
        """The id of one of the project's states."""
        listed = self.client.states.list(SLUG, self.project_id).results
        return next(state.id for state in listed if state.group == group)


def unique(word: str) -> str:
    return f"{word} {next(_numbers)}"


@asynccontextmanager
async def place_on(kind: str, folder: Path) -> AsyncIterator[Place]:
    """A server on this kind of database."""
    if kind == "sqlite":
        with running_server(folder) as server:
            yield make_place(make_workplace(server))
        return
    async with kept_postgres() as url:
        with running_server(folder, {"AIRSIDE_DATABASE_URL": url}) as server:
            yield make_place(make_workplace(server))


def make_place(workplace: Workplace) -> Place:
    base_url = workplace.stage.base_url
    client = PlaneClient(base_url=base_url, api_key=workplace.api_key)
    bot = PlaneClient(base_url=base_url, access_token=workplace.bot_token)
    turn_on_features(client, workplace.project_id)
    place = Place(workplace, client, bot)
    for session in (*sessions_of(client), *sessions_of(bot)):
        session.hooks["response"].append(lambda answer, **_: place.requested.append(exchange_of(answer)))
    return place


def turn_on_features(client: PlaneClient, project_id: str) -> None:
    flags = client.workspaces.get_features(SLUG).model_dump().keys() - LEFT_OFF
    client.workspaces.update_features(SLUG, WorkspaceFeature(**dict.fromkeys(flags, True)))
    turn_on_project(client, project_id)


def turn_on_project(client: PlaneClient, project_id: str) -> None:
    flags = client.projects.get_features(SLUG, project_id).model_dump()
    client.projects.update_features(SLUG, project_id, ProjectFeature(**dict.fromkeys(flags, True)))


def sessions_of(thing: Any) -> Iterator[requests.Session]:
    """The sessions of a client, or of a resource and those below it."""
    for one in vars(thing).values():
        if isinstance(one, BaseResource):
            yield one.session
            yield from sessions_of(one)


def exchange_of(answer: requests.Response) -> Exchange:
    return Exchange(answer.request.method or "", urlsplit(answer.url).path, answer.status_code)


def check_requested(operation: Operation, exchanges: list[Exchange], *, is_refused: bool = False) -> None:
    """The operation was requested, with success unless it is refused, and something else to see its effect."""
    its = [one for one in exchanges if one.method == operation.method and is_path(operation.path, one.path)]
    assert its, f"the row never requested {operation.method} {operation.path}"
    assert any((one.status < 400) is not is_refused for one in its), its
    assert len(its) < len(exchanges), "the row reads nothing back"
