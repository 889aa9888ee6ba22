"""Somebody at the pages of project Engine in Acme: Ana is its admin, Ben a member, Gil a guest of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from airside.api.v1 import TABLE
from airside.db.base import Row
from airside.runtime.site import Site
from tests.cast import Cast
from tests.portal.visitor import Shown, Visitor, signed_in
from tests.support.api import Client, list_events, serve_api
from tests.work.scene import join_project, make_project


@dataclass
class Desk:
    """`who` at a browser, and the API as Ana to look and to prepare with."""

    site: Site
    cast: Cast
    who: Visitor
    api: Client
    project_id: str

    @property
    def project(self) -> str:
        """The path of its pages."""
        return f"/acme/projects/{self.project_id}"

    @property
    def items(self) -> str:
        return f"{self.project}/work-items/"

    @property
    def records(self) -> str:
        """The path of its records in the API."""
        return f"workspaces/acme/projects/{self.project_id}"

    async def make_item(self, name: str = "Bolt", **fields: Any) -> Row:
        made = await self.api.post(f"{self.records}/work-items", {"name": name} | fields)
        assert made.status_code == 201, made.text
        return made.json

    async def states(self) -> dict[str, str]:
        found = (await self.api.get(f"{self.records}/states")).json["results"]
        return {state["name"]: state["id"] for state in found}

    async def item(self, number: int = 1) -> Row:
        return (await self.api.get(f"workspaces/acme/work-items/ENGIN-{number}")).json

    async def comments(self, item: Row) -> list[Row]:
        return (await self.api.get(f"{self.records}/work-items/{item['id']}/comments")).json["results"]

    async def token(self) -> str:
        return (await self.who.get("/profile/")).form("/profile/")["csrf_token"]

    async def post(self, path: str, **fields: Any) -> Shown:
        """Send a form with the session's token; a list stands for a field that is sent several times."""
        values = [("csrf_token", await self.token())]
        for name, value in fields.items():
            values += [(name, one) for one in value] if isinstance(value, list) else [(name, value)]
        return await self.who.post(path, values)

    async def events_of(self, path: str, **fields: Any) -> list[str]:
        """The names of the events that this form records."""
        before = {event["id"] for event in await list_events(self.site)}
        answer = await self.post(path, **fields)
        assert answer.status == 303, (answer.status, answer.text)
        return [event["name"] for event in await list_events(self.site) if event["id"] not in before]


@asynccontextmanager
async def at_desk(site: Site, cast: Cast, name: str = "ben") -> AsyncIterator[Desk]:
    project_id = await make_project(site, cast)
    await join_project(site, cast, project_id, cast.gil["id"], 5)
    async with signed_in(site, name) as who, serve_api(site, *TABLE).acting_as(cast.ana["id"]) as api:
        yield Desk(site, cast, who, api, project_id)
