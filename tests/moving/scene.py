"""A workspace with a record of every family that moves, made through the API as its people do."""

from typing import Any, NamedTuple

from airside.db.base import Row
from tests.support.api import Client
from tests.support.uploads import attach, upload
from tests.support.workshop import Workshop

PICTURE = b"\x89PNG\r\n\x1a\n" + b"picture" * 40_000  # more than a chunk
FEATURES = ("epics", "modules", "cycles", "views", "pages", "intakes", "work_item_types", "parallel_cycles")


class Scene(NamedTuple):
    """What tests look for again."""

    project: str
    item: str


async def furnish(shop: Workshop) -> Scene:
    """Fill Acme, beside what the workshop has."""
    making = _Making(shop)
    await making.set_up_project()
    await making.define_types()
    await making.plan()
    await making.fill_items()
    await making.relate_items()
    await making.file_intake()
    await making.write_pages()
    await making.leave_traces()
    return Scene(making.project, making.item)


class _Making:
    def __init__(self, shop: Workshop) -> None:
        self.shop = shop
        self.cast = shop.cast
        self.project = self.item = ""

    async def make(self, path: str, by: Client | None = None, **body: Any) -> Any:
        return await self.send("POST", path, body, by)

    async def send(self, method: str, path: str, body: Any = None, by: Client | None = None) -> Any:
        """Below the workspace, or with `./` below the project; an hour passes."""
        self.shop.clock.advance(seconds=3_661.5)
        path = path.replace("./", f"projects/{self.project}/", 1) if path.startswith("./") else path
        answer = await (by or self.shop.ana).send(method, f"workspaces/acme/{path}", body)
        assert answer.status_code < 300, (path, answer.json)
        return answer.json if answer.text else None

    async def set_up_project(self) -> None:
        made = await self.make(
            "projects", name="Moon", identifier="MOON", description="<b>", timezone="Europe/Berlin",
            network=0, project_lead=self.cast.ben["id"], logo_props={"icon": "🌝"}, external_source="jira",
            external_id="10", description_html='<p>To the <a href="https://moon.example">moon</a></p>',
        )  # fmt: skip
        self.project = made["id"]
        await self.send("PATCH", "./features", dict.fromkeys(FEATURES, True))
        await self.make("./project-members", member=self.cast.gil["id"], role=5)
        self.bug = (
            await self.make("./labels", name="bug", color="#f00", external_source="jira", external_id="1")
        )["id"]
        self.deep = (await self.make("./labels", name="deep bug", parent=self.bug, description="deep"))["id"]
        self.review = (
            await self.make("./states", name="Review", color="#00f", group="started", sequence=40_000.5)
        )["id"]
        states = (await self.send("GET", "./states"))["results"]
        self.done = next(one["id"] for one in states if one["group"] == "completed")
        estimate = await self.make("./estimates", name="Points", type="points")
        path = f"./estimates/{estimate['id']}/estimate-points"
        points = await self.send("POST", path, [{"value": "1", "key": 0}, {"value": "5", "key": 1}])
        self.point = points[1]["id"]
        changes = {
            "estimate": estimate["id"],
            "default_state": self.review,
            "default_assignee": self.cast.ben["id"],
        }
        await self.send("PATCH", f"projects/{self.project}", changes)
        await self.make("project-states", name="Running", color="#0f0", group="started")
        await self.make("project-labels", name="internal", color="#0ff")
        self.second = (await self.make("projects", name="Mars", identifier="MARS"))["id"]

    async def define_types(self) -> None:
        self.kind = (
            await self.make("./work-item-types", name="Bug", logo_props={"icon": "x"}, is_default=True)
        )["id"]
        await self.make("./work-item-types", name="Old", is_active=False)
        await self.make("work-item-types", name="Shared", project_ids=[self.second, self.project])
        options = [{"name": "High", "is_default": True}, {"name": "Low"}]
        severity = await self.make(
            f"./work-item-types/{self.kind}/work-item-properties",
            display_name="Severity", property_type="OPTION", options=options, is_multi=True,
        )  # fmt: skip
        self.severity, self.options = severity["id"], [one["id"] for one in severity["options"]]
        path = f"./work-item-properties/{self.severity}/options"
        await self.make(path, name="Very low", parent=self.options[1], is_active=False)
        person = await self.make(
            "./work-item-properties", display_name="Asked by", property_type="RELATION", relation_type="USER",
            default_value=[self.cast.ben["id"]], is_active=True,
        )  # fmt: skip
        self.asked_by = person["id"]
        shared = await self.make("work-item-properties", display_name="Budget", property_type="DECIMAL")
        await self.make(f"./work-item-types/{self.kind}/properties", properties=[self.asked_by])
        types = await self.send("GET", "work-item-types")
        at = next(one["id"] for one in types if one["name"] == "Shared")
        await self.make(f"work-item-types/{at}/properties", properties=[shared["id"]])
        self.definition = (
            await self.make(
                "work-item-relation-definitions", name="Tests", outward="tests", inward="tested by"
            )
        )["id"]

    async def plan(self) -> None:
        self.cycle = (
            await self.make("./cycles", name="Sprint 1", start_date="2026-01-01", end_date="2031-01-14",
                            owned_by=self.cast.ben["id"])
        )["id"]  # fmt: skip
        await self.make("./cycles", name="Sprint 2", start_date="2026-01-01", end_date="2026-01-14")
        self.module = (
            await self.make("./modules", name="Rocket", lead=self.cast.ben["id"], start_date="2026-01-01",
                            members=[self.cast.gil["id"], self.cast.ana["id"]], status="paused")
        )["id"]  # fmt: skip
        finished = await self.make("./modules", name="Pad", status="completed")
        await self.send("POST", f"./modules/{finished['id']}/archive")
        self.milestone = (await self.make("./milestones", title="Launch", target_date="2031-02-03"))["id"]

    async def fill_items(self) -> None:
        asked = await self.make("assets", name="moon.png", type="image/png", size=len(PICTURE))
        assert (await upload(self.shop.ana, asked["upload_data"]["fields"], PICTURE)).status_code == 204
        await self.send("PATCH", f"assets/{asked['asset_id']}", {})
        html = (
            f'<p>See <mention-component entity_identifier="{self.cast.ben["id"]}" entity_name="user_mention">'
            f'</mention-component></p><image-component src="{asked["asset_id"]}" width="10"></image-component>'
        )
        made = await self.make(
            "./work-items", name="Fly", description_html=html, priority="high", state=self.review,
            labels=[self.deep, self.bug], assignees=[self.cast.ben["id"], self.cast.ana["id"]], point=3,
            estimate_point=self.point, start_date="2026-01-02", target_date="2031-01-03", module=self.module,
            external_source="jira", external_id="MOON-77",
        )  # fmt: skip
        self.item = made["id"]
        self.child = (await self.make("./work-items", name="Land", parent=self.item, state=self.done))["id"]
        first = await self.make("./work-items", name="First", by=self.shop.ben)
        # its parent was made after it, and it embeds what came later
        embed = f'<issue-embed-component entity_identifier="{self.item}"></issue-embed-component>'
        await self.send(
            "PATCH", f"./work-items/{first['id']}", {"parent": self.child, "description_html": embed}
        )
        gone = await self.make("./work-items", name="Gone")
        await self.make(f"./work-items/{gone['id']}/comments", comment_html="<p>gone</p>")
        await self.send("DELETE", f"./work-items/{gone['id']}")
        await self.make("./epics", name="Space", priority="low")
        await self.make("./work-items", name="Draft", is_draft=True)
        await self.send("PATCH", f"./work-items/{first['id']}", {"type_id": None})
        self.first = first["id"]
        path = f"./work-items/{self.item}/work-item-properties"
        await self.make(f"{path}/{self.severity}/values", value=self.options)
        await self.make(
            f"{path}/{self.asked_by}/values", value=self.cast.ana["id"], external_source="s", external_id="v"
        )

    async def relate_items(self) -> None:
        here = f"./work-items/{self.item}"
        mention = f'<mention-component entity_identifier="{self.cast.ana["id"]}" entity_name="user_mention">'
        html = f"<p>done {mention}</mention-component></p>"
        said = await self.make(f"{here}/comments", by=self.shop.ben, comment_html=html, access="EXTERNAL")
        await self.make(f"{here}/comments", by=self.shop.gil, comment_html="<p>well</p>", parent=said["id"])
        await self.send(
            "PATCH", f"{here}/comments/{said['id']}", {"comment_html": "<p>edited</p>"}, self.shop.ben
        )
        await self.make(f"{here}/links", url="https://moon.example/1", title="Moon")
        path = f"workspaces/acme/projects/{self.project}/work-items/{self.item}/attachments"
        given = {"external_source": "jira", "external_id": "f1"}
        await attach(self.shop.ben, path, PICTURE, name="fly.png", type="image/png", **given)
        await self.make(f"{here}/worklogs", description="flew", duration=90)
        await self.make(f"{here}/relations", relation_type="relates_to", issues=[self.first])
        await self.make(f"{here}/dependencies", relation_type="blocked_by", work_item_ids=[self.child])
        await self.make(f"{here}/work-item-relations", relation_definition_id=self.definition,
                        relation_definition_type="tested by", work_item_ids=[self.first])  # fmt: skip
        await self.make(f"./cycles/{self.cycle}/cycle-issues", issues=[self.item, self.child])
        await self.make(f"./modules/{self.module}/module-issues", issues=[self.child])
        await self.make(f"./milestones/{self.milestone}/work-items", issues=[self.item])
        await self.send("POST", f"./work-items/{self.child}/archive")

    async def file_intake(self) -> None:
        waiting = await self.make("./intake-issues", by=self.shop.gil, issue={"name": "Help"}, source="Mail")
        other = await self.make("./intake-issues", issue={"name": "Help again", "priority": "low"})
        path = f"./intake-issues/{other['issue']}/status"
        await self.send("PATCH", path, {"status": 2, "duplicate_to": self.item})
        taken = await self.make("./intake-issues", issue={"name": "Taken"})
        await self.send("PATCH", f"./intake-issues/{taken['issue']}/status", {"status": 1})
        assert waiting["status"] == -2

    async def write_pages(self) -> None:
        top = await self.make("./pages", name="Plan", description_html="<h1>Plan</h1>", logo_props={"a": 1})
        below = await self.make("./pages", name="Below", description_html="<p>b</p>", parent_id=top["id"])
        await self.make(
            "./pages", by=self.shop.ben, name="Ben's own", description_html="<p>mine</p>", access=1
        )
        await self.make(f"./work-items/{self.item}/pages", page_id=below["id"])
        old = await self.make("./pages", name="Old", description_html="<p>old</p>", is_locked=True)
        await self.send("POST", f"./pages/{old['id']}/archive")
        public = await self.make("collections", name="Handbook", logo_props={"b": 2})
        private = await self.make("collections", name="Board", access=1)
        await self.make(f"collections/{private['id']}/members", member=self.cast.ben["id"], access=1)
        one = await self.make("pages", name="Rules", description_html="<p>r</p>", collection_id=public["id"])
        await self.make("pages", name="Sub", description_html="<p>s</p>", parent_id=one["id"])
        await self.make("pages", name="Secret", description_html="<p>x</p>", collection_id=private["id"])

    async def leave_traces(self) -> None:
        await self.make(
            "stickies", by=self.shop.ben, name="Note", description_html="<p>oil</p>", color="#fff"
        )
        async with self.shop.api.acting_as(self.cast.installation["bot_user_id"]) as bot:
            await self.make(f"./work-items/{self.item}/comments", by=bot, comment_html="<p>beep</p>")
        await self.send("PATCH", "features", {"wiki": True})
        path = f"projects/{self.second}"
        await self.send("POST", f"{path}/archive")


def without_ids(row: Row, known: dict[str, str]) -> Any:
    """The row with each id replaced by what `known` says."""
    return {name: _replace(value, known) for name, value in row.items()}


def _replace(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_replace(one, known) for one in value]
    if isinstance(value, dict):
        return {known.get(name, name): _replace(one, known) for name, one in value.items()}
    if isinstance(value, str):
        for one in sorted({one for one in known if one in value}):
            value = value.replace(one, known[one])
    return value
