"""Courier as an agent in Acme: somebody mentions it, it works, it answers."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from airside.agents.reactions import watch_work
from airside.api.v1 import TABLE
from airside.apps.registry import create_app
from airside.db.base import Row
from airside.installations.install import install_app
from airside.runtime.site import Site
from tests.cast import REDIRECT_URI, Cast, make_cast
from tests.support.api import Client, list_events, serve_api
from tests.work.scene import make_project


class Scene:
    """Ana and Ben at a work item, and agents with their bot tokens."""

    def __init__(self, site: Site, cast: Cast, project: str, stack: AsyncExitStack) -> None:
        self.site, self.cast, self.project, self._stack = site, cast, project, stack
        self.api = serve_api(site, *TABLE)
        self.item = ""
        self.ana: Client
        self.ben: Client
        self.gil: Client
        self.courier: Client

    async def sign_in(self, installation: Row, **more: Any) -> Client:
        """An agent with its bot token."""
        defaults = {
            "kind": "bot",
            "workspace_id": installation["workspace_id"],
            "app_id": installation["app_id"],
            "installation_id": installation["id"],
        }
        return await self._stack.enter_async_context(
            self.api.acting_as(installation["bot_user_id"], **defaults | more)
        )

    async def person(self, user_id: str) -> Client:
        return await self._stack.enter_async_context(self.api.acting_as(user_id))

    async def another_agent(self, name: str, **fields: Any) -> tuple[Row, Client]:
        """One more agent, installed by Ana; its installation and itself at work."""
        defaults = {"name": name, "redirect_uris": [REDIRECT_URI], "is_mentionable": True} | fields
        made = await create_app(
            self.site, workspace_id=self.cast.acme["id"], by_user_id=self.cast.ana["id"], fields=defaults
        )
        installation = await install_app(self.site, made.app, self.cast.acme["id"], self.cast.ana["id"])
        return installation | {"slug": made.app["slug"]}, await self.sign_in(installation)

    @property
    def bot_id(self) -> str:
        return self.cast.installation["bot_user_id"]

    @property
    def items(self) -> str:
        return f"workspaces/acme/projects/{self.project}/work-items"

    async def comment(self, by: Client, html: str, **more: Any) -> Row:
        answer = await by.post(f"{self.items}/{self.item}/comments", {"comment_html": html} | more)
        assert answer.status_code == 201, answer.text
        return answer.json

    async def mention(
        self, text: str = "what's it like in Tokyo?", *, by: Client | None = None, **more: Any
    ) -> Row:
        """Ana, unless it is somebody else, asks Courier; the comment."""
        return await self.comment(by or self.ana, f"<p>{mention_of(self.bot_id)} {text}</p>", **more)

    async def runs(self, client: Client | None = None, **query: str) -> list[Row]:
        """The runs that the client can see, oldest first."""
        answer = await (client or self.ana).get("workspaces/acme/runs", **query)
        assert answer.status_code == 200, answer.text
        return answer.json["results"][::-1]

    async def open(self) -> Row:
        """A run of Courier's that a mention has opened."""
        await self.mention()
        return (await self.runs())[-1]

    async def say(self, client: Client, run: Row, kind: str, body: str = "…", **more: Any) -> Any:
        """The answer to posting an activity."""
        content: Row = {"type": kind, "body": body}
        if kind == "action":
            content = {"type": kind, "action": body, "parameters": {}}
        return await client.post(
            f"workspaces/acme/runs/{run['id']}/activities", {"type": kind, "content": content} | more
        )

    async def read(self, run: Row, client: Client | None = None) -> Row:
        answer = await (client or self.ana).get(f"workspaces/acme/runs/{run['id']}")
        assert answer.status_code == 200, answer.text
        return answer.json

    async def activities(self, run: Row) -> list[Row]:
        return (await self.ana.get(f"workspaces/acme/runs/{run['id']}/activities")).json["results"]

    async def comments(self) -> list[Row]:
        """Oldest first."""
        return (await self.ana.get(f"{self.items}/{self.item}/comments")).json["results"][::-1]

    async def sent_events(self) -> list[Row]:
        """The events that agents receive about their runs, in order."""
        rows = await list_events(self.site, "agent_run_")
        return sorted(rows, key=lambda row: (row["created_at"], row["id"]))


def mention_of(user_id: str) -> str:
    """Plane's mention element."""
    given = f'id="x" entity_identifier="{user_id}" entity_name="user_mention"'
    return f"<mention-component {given}></mention-component>"


@asynccontextmanager
async def set_scene(site: Site, **courier: Any) -> AsyncIterator[Scene]:
    """`courier` overrides fields of the agent's registration."""
    watch_work(site)
    cast = await make_cast(site, **{"is_mentionable": True} | courier)
    async with AsyncExitStack() as stack:
        scene = Scene(site, cast, await make_project(site, cast), stack)
        scene.ana, scene.ben, scene.gil = [
            await scene.person(one["id"]) for one in (cast.ana, cast.ben, cast.gil)
        ]
        scene.courier = await scene.sign_in(cast.installation)
        scene.item = (await scene.ana.post(scene.items, {"name": "Weather page"})).json["id"]
        yield scene
