"""A Community Edition's workspace with a record of every kind that its API v1 serves."""

# pyright: basic

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp

from tests.support.upstream.people import Person, people_of
from tests.support.upstream.server import Upstream, open_upstream
from tests.support.upstream.site import Settings

PICTURE = b"\x89PNG\r\n\x1a\n" + b"picture" * 40_000


class Orbit(NamedTuple):
    """A running one, with its people: Ana the admin, Ben a member, and Kim, who left."""

    upstream: Upstream
    ana: Person
    ben: Person
    project: str
    items: list[str]


@asynccontextmanager
async def open_orbit(*, ana: str = "ana@example.com", **settings: Any) -> AsyncIterator[Orbit]:
    limits: dict[str, Any] = {"api_key_limit": None, "anonymous_limit": None}
    chosen = Settings(seeds_project=False, **{**limits, **settings})
    async with open_upstream(chosen) as upstream, people_of(upstream) as people:
        admin = await people.first_admin(ana, "Ana")
        await admin.post("/api/workspaces/", {"name": "Orbit Ltd.", "slug": "orbit"})
        ben = await people.join("ben@example.com", admin, "orbit")
        kim = await people.join("kim@example.com", admin, "orbit")
        making = _Making(admin)
        await making.fill(ben, kim)
        await admin.post("/api/v1/workspaces/orbit/projects/", {"name": "Quiet", "identifier": "QUIET"})
        await ben.post("/api/v1/workspaces/orbit/projects/", {"name": "Ben's", "identifier": "BENS"})
        await kim.post("/api/workspaces/orbit/members/leave/")
        yield Orbit(upstream, admin, ben, making.project, making.items)


class _Making:
    def __init__(self, ana: Person) -> None:
        self.ana = ana
        self.project = ""
        self.items: list[str] = []

    async def make(self, path: str, by: Person | None = None, **body: Any) -> Any:
        below = f"projects/{self.project}/" if self.project else ""
        return await (by or self.ana).post(f"/api/v1/workspaces/orbit/{below}{path}/", body)

    async def fill(self, ben: Person, kim: Person) -> None:
        self.project = (
            await self.make("projects", name="Ship", identifier="SHIP", description="To sea", cycle_view=True)
        )["id"]
        ids = {person: (await person.get("/api/v1/users/me/"))["id"] for person in (ben, kim)}
        for person in (ben, kim):
            await self.make("project-members", member=ids[person], role=15)
        state = (await self.make("states", name="Afloat", color="#00f", group="started"))["id"]
        wet = (await self.make("labels", name="wet", color="#00f"))["id"]
        deep = (await self.make("labels", name="deep", color="#004", parent=wet))["id"]
        first = await self.make(
            "work-items", name="Sail", description_html="<p>to <b>sea</b></p>", priority="high", state=state,
            labels=[wet, deep], assignees=[ids[ben]], start_date="2026-01-02", target_date="2026-02-03",
        )  # fmt: skip
        self.items.append(first["id"])
        for name in ("Row", "Swim"):
            self.items.append((await self.make("work-items", name=name, parent=first["id"]))["id"])
        self.items.append(
            (await self.make("work-items", by=kim, name="Dive", external_id="7", external_source="x"))["id"]
        )
        here = f"work-items/{first['id']}"
        await self.make(f"{here}/comments", comment_html="<p>ahoy</p>")
        await self.make(f"{here}/comments", by=kim, comment_html="<p>glub</p>")
        await self.make(f"{here}/links", url="https://sea.example/1", title="Sea")
        await self.make(f"{here}/relations", relation_type="blocking", issues=[self.items[1]])
        await self.make(f"{here}/relations", relation_type="relates_to", issues=[self.items[2]])
        await self.make(f"{here}/relations", relation_type="start_after", issues=[self.items[3]])
        await self.attach(here)
        cycle = await self.make("cycles", name="Week", project_id=self.project)
        await self.make(f"cycles/{cycle['id']}/cycle-issues", issues=self.items[:2])
        await self.ana.send(
            "PATCH", f"/api/v1/workspaces/orbit/projects/{self.project}/{here}/", {"priority": "low"}
        )

    async def attach(self, here: str) -> None:
        made = await self.make(f"{here}/attachments", name="sea.png", type="image/png", size=len(PICTURE))
        form = aiohttp.FormData(made["upload_data"]["fields"])
        form.add_field("file", PICTURE, filename="sea.png")
        async with (
            aiohttp.ClientSession() as client,
            client.post(made["upload_data"]["url"], data=form) as sent,
        ):
            assert sent.status < 300, await sent.text()
        path = f"/api/v1/workspaces/orbit/projects/{self.project}/{here}/attachments/{made['asset_id']}/"
        await self.ana.patch(path, {"is_uploaded": True})
