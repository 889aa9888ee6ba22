"""The same story on each implementation of the host: Acme's project Engine, where Ana and Ben are members and Gil
is not, and a work item of Ana's. Courier is installed as an agent."""

import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import msgspec
import sqlalchemy as sa

from airside.agents.reactions import watch_work
from airside.api.v1 import TABLE
from airside.db.base import Row, new_id
from airside.db.statements import Statement
from airside.db.tables import TABLE_FILES, load_tables
from airside.events.declared import TABLE_FILE
from airside.host.chosen import host_of
from airside.host.protocol import Comment, Host, Item, Project
from airside.rest.call import Call, Caller
from airside.runtime.site import Site
from tests.agents.scene import Scene, set_scene
from tests.cast import Cast, make_cast
from tests.host.memory import MemoryHost, MemoryProject, new_comment
from tests.support.api import ServedApi, serve_api
from tests.work.scene import archive, make_project


class Stage(ABC):
    """What a test does at the place where the workspace lives."""

    site: Site
    host: Host
    api: ServedApi
    cast: Cast
    project: str
    archived: str  # a project
    item: str

    async def call(self, user: Row, project_id: str | None = None, workspace: str = "acme") -> Call:
        """A call of the user's, in the project where one is named."""
        caller = Caller(user_id=user["id"], kind="session", budget="")
        call = Call(self.site, self.host.access, caller, self.site.clock.now(), "POST", {}, {})
        await self.host.access.enter_workspace(call, workspace)
        if project_id:
            await self.host.access.enter_project(call, project_id)
        return call

    @abstractmethod
    async def comment(self, user: Row, html: str, parent_id: str | None = None) -> str:
        """The new comment's id, once its event was taken in."""

    @abstractmethod
    async def edit(self, comment_id: str, html: str) -> None: ...

    @abstractmethod
    async def delete_comment(self, comment_id: str) -> None: ...

    @abstractmethod
    async def put_item(self, name: str, *assignees: str) -> str:
        """The id of a new work item of Ana's, once its event was taken in."""

    @abstractmethod
    async def delete_item(self, item_id: str) -> None: ...

    @abstractmethod
    async def settle(self) -> None:
        """Return when the host has sent and taken in everything."""

    @abstractmethod
    async def thread(self) -> list[tuple[str, str]]:
        """Author's id and text of the work item's comments, oldest first."""


class LocalStage(Stage):
    """Airside's own tables, written through the API."""

    def __init__(self, scene: Scene, archived: str) -> None:
        self.scene, self.site, self.cast = scene, scene.site, scene.cast
        self.host, self.api = host_of(scene.site), scene.api
        self.project, self.archived, self.item = scene.project, archived, scene.item

    async def comment(self, user: Row, html: str, parent_id: str | None = None) -> str:
        clients = {self.cast.ana["id"]: self.scene.ana, self.cast.ben["id"]: self.scene.ben}
        by = clients.get(user["id"], self.scene.courier)
        return (await self.scene.comment(by, html, parent=parent_id))["id"]

    async def edit(self, comment_id: str, html: str) -> None:
        path = f"{self.scene.items}/{self.item}/comments/{comment_id}"
        assert (await self.scene.ana.patch(path, {"comment_html": html})).status_code == 200

    async def delete_comment(self, comment_id: str) -> None:
        path = f"{self.scene.items}/{self.item}/comments/{comment_id}"
        assert (await self.scene.ana.delete(path)).status_code == 204

    async def put_item(self, name: str, *assignees: str) -> str:
        body = {"name": name, "description_html": "<p>Rain</p>", "assignees": list(assignees)}
        made = await self.scene.ana.post(self.scene.items, body)
        assert made.status_code == 201, made.text
        return made.json["id"]

    async def delete_item(self, item_id: str) -> None:
        assert (await self.scene.ana.delete(f"{self.scene.items}/{item_id}")).status_code == 204

    async def settle(self) -> None:
        pass  # everything is committed with its event

    async def thread(self) -> list[tuple[str, str]]:
        return [(row["actor"], row["comment_stripped"]) for row in await self.scene.comments()]


class MemoryStage(Stage):
    """A server that keeps its records outside of our database."""

    host: MemoryHost

    def __init__(self, site: Site, cast: Cast, host: MemoryHost) -> None:
        self.site, self.cast, self.host = site, cast, host
        self.api = serve_api(site, *TABLE, access=host.access)
        insiders = [cast.ana["id"], cast.ben["id"], cast.installation["bot_user_id"]]
        members = dict.fromkeys(insiders, 15)
        self.project, self.archived = new_id(), new_id()
        for one, name in ((self.project, "Engine"), (self.archived, "Old")):
            shown = Project(id=one, name=name, identifier=name[:5].upper())
            host.projects[one] = MemoryProject(
                workspace_id=cast.acme["id"], shown=shown, members=members, is_archived=name == "Old"
            )

    async def comment(self, user: Row, html: str, parent_id: str | None = None) -> str:
        comment = new_comment(self.host.items[self.item], html, parent_id)
        await self._take_in(user, comment)
        return comment.id

    async def edit(self, comment_id: str, html: str) -> None:
        written = new_comment(self.host.items[self.item], html)
        _, before = self.host.comments[comment_id]
        after = msgspec.structs.replace(before, html=written.html, text=written.text)
        await self._take_in(self.cast.ana, after)

    async def _take_in(self, user: Row, comment: Comment) -> None:
        self.host.put_comment(self.cast.acme["id"], user["id"], comment)
        await self.settle()

    async def delete_comment(self, comment_id: str) -> None:
        del self.host.comments[comment_id]

    async def put_item(self, name: str, *assignees: str) -> str:
        key = f"ENGIN-{len(self.host.items) + 1}"
        item = Item(
            id=new_id(), key=key, name=name, project_id=self.project, text="Rain", assignees=assignees
        )
        self.host.put_item(self.cast.acme["id"], self.cast.ana["id"], item)
        await self.settle()
        return item.id

    async def delete_item(self, item_id: str) -> None:
        del self.host.items[item_id]

    async def settle(self) -> None:
        await self.host.settle(self.cast.acme["id"])

    async def thread(self) -> list[tuple[str, str]]:
        return [(author, comment.text) for author, comment in self.host.comments.values()]


@asynccontextmanager
async def open_local(site: Site) -> AsyncIterator[Stage]:
    async with set_scene(site) as scene:
        old = await make_project(site, scene.cast, "Old")
        await archive(site, old)
        yield LocalStage(scene, old)


@asynccontextmanager
async def open_memory(site: Site) -> AsyncIterator[Stage]:
    """Without the tables of project management records, so that what still reads one fails."""
    host = MemoryHost()
    site = replace(site, host=host)
    async with without_records(site):
        stage = MemoryStage(site, await make_cast(site, is_mentionable=True), host)
        watch_work(site)
        stage.item = await stage.put_item("Weather page")
        yield stage


@asynccontextmanager
async def without_records(site: Site) -> AsyncIterator[None]:
    names = list_record_tables()
    assert {"projects", "project_members", "work_items", "comments"} <= names
    await _rename(site, {name: f"{name}_hidden" for name in names})
    try:
        yield
    finally:
        await _rename(site, {f"{name}_hidden": name for name in names})


def list_record_tables() -> set[str]:
    """The names of the tables that `work/` declares."""
    load_tables()
    records = [name for name in sys.modules if name.startswith("airside.work.")]
    others = [name for name in TABLE_FILES if name != TABLE_FILE]
    return _list_tables(records) - _list_tables(others)


def _list_tables(modules: Sequence[str]) -> set[str]:
    values = [value for name in modules for value in vars(sys.modules[name]).values()]
    return {value.name for value in values if isinstance(value, sa.Table)}


async def _rename(site: Site, names: Mapping[str, str]) -> None:
    async with site.db.transaction() as tx:
        for old, new in names.items():
            await tx.fetch_all(Statement(sa.text(f'ALTER TABLE "{old}" RENAME TO "{new}"')))


STAGES = {"local": open_local, "memory": open_memory}
