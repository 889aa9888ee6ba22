"""Webhooks v1 send one delivery for each field that the request named and that changed; v2 one for the change."""

from collections.abc import Callable
from typing import Any

from airside.api.v1 import TABLE
from airside.runtime.site import Site
from tests.cast import Cast, make_cast
from tests.support.api import Client, list_events, serve_api
from tests.support.receivers import Receiver
from tests.webhooks.scenes import listen, work
from tests.work.scene import make_project


class Records:
    """What of Acme is changed, by name."""

    def __init__(self, ana: Client, cast: Cast, project: str) -> None:
        self.ana, self.cast = ana, cast
        self.base = f"workspaces/acme/projects/{project}"
        self.paths: dict[str, str] = {"project": self.base}
        self.ids: dict[str, str] = {}

    async def make(self) -> None:
        await self._post("item", "work-items", name="Wheel", description_html="<p>round</p>")
        await self._post("comment", f"work-items/{self.ids['item']}/comments", comment_html="<p>hi</p>")
        await self._post("link", f"work-items/{self.ids['item']}/links", url="https://a.example", title="A")
        await self._post("page", "pages", name="Manual", description_html="<p>on</p>")
        await self._post("state", "states", name="Review", color="#123456")
        for label in ("red", "blue"):
            await self._post(label, "labels", name=label)
        states = (await self.ana.get(f"{self.base}/states")).json["results"]
        self.ids["done"] = next(one["id"] for one in states if one["name"] == "Done")
        self.ids |= {"ana": self.cast.ana["id"], "ben": self.cast.ben["id"]}
        self.ids["bot"] = self.cast.installation["bot_user_id"]

    async def _post(self, name: str, path: str, /, **body: Any) -> None:
        made = await self.ana.post(f"{self.base}/{path}", body)
        assert made.status_code in (200, 201), made.text
        self.ids[name], self.paths[name] = made.json["id"], f"{self.base}/{path}/{made.json['id']}"


Body = Callable[[dict[str, str]], dict[str, Any]]
# One after the other: what is changed, the body, and the fields that are sent.
CHANGES: list[tuple[str, Body, list[str]]] = [
    ("comment", lambda ids: {"comment_html": "<p>ho</p>"}, ["comment_html"]),
    ("comment", lambda ids: {"comment_html": "<p>ho</p>", "access": "EXTERNAL"}, ["access"]),
    ("item", lambda ids: {"name": "Wheel"}, []),
    ("item", lambda ids: {"description_html": "<p>flat</p>"}, ["description_html"]),
    ("item", lambda ids: {"state": ids["done"]}, ["state"]),
    ("item", lambda ids: {"name": "Wheel", "priority": "high", "state": ids["state"]}, ["priority", "state"]),
    (
        "item",
        lambda ids: {"assignees": [ids["ana"], ids["ben"]], "labels": [ids["red"], ids["blue"]]},
        ["assignees", "labels"],
    ),
    ("page", lambda ids: {"description_html": "<p>off</p>"}, ["description_html"]),
    ("page", lambda ids: {"name": "Guide", "description_html": "<p>mid</p>"}, ["description_html", "name"]),
    ("state", lambda ids: {"name": "In review"}, ["name"]),
    ("red", lambda ids: {"name": "crimson", "color": "#dc143c"}, ["color", "name"]),
    ("link", lambda ids: {"url": "https://b.example"}, ["url"]),
    ("project", lambda ids: {"cover_image": "https://a.example/1.png"}, ["cover_image"]),
    ("project", lambda ids: {"module_view": True, "cycle_view": True}, ["cycle_view", "module_view"]),
]


async def test_a_change_is_delivered_once_for_each_named_field_that_changed(
    site: Site, receiver: Receiver
) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana:
        records = Records(ana, cast, project)
        await records.make()
        for version in ("v1", "v2"):
            await listen(
                site, receiver.url, version=version, workspace_id=cast.acme["id"], installation_id=None
            )
        await work(site)
        for record, body, fields in CHANGES:
            receiver.received.clear()
            answer = await ana.patch(records.paths[record], body(records.ids))
            assert answer.status_code == 200, answer.text
            await work(site)
            sent = [one.body for one in receiver.received]
            assert sorted(one["activity"]["field"] for one in sent if "activity" in one) == fields, fields
            assert sum("version" in one for one in sent) == bool(fields), "v2 has one, whatever the number"


async def test_what_follows_from_a_change_stands_in_the_previous_values_of_v2(site: Site) -> None:
    cast = await make_cast(site)
    project = await make_project(site, cast)
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana:
        records = Records(ana, cast, project)
        await records.make()
        await ana.patch(records.paths["item"], {"state": records.ids["done"]})
        await ana.patch(records.paths["comment"], {"comment_html": "<p>ho</p>"})
    (item,) = await list_events(site, "workitem.updated")
    (comment,) = await list_events(site, "workitem.comment.updated")
    assert set(item["previous"]) == {"state_id", "completed_at"}
    assert set(comment["previous"]) == {"comment_html", "comment_stripped", "edited_at"}


async def test_of_several_new_assignees_an_app_receives_its_own_bot(site: Site, receiver: Receiver) -> None:
    """As plane-adk looks for itself: in `new_identifier`."""
    cast = await make_cast(site)
    project = await make_project(site, cast)
    bot_id = cast.installation["bot_user_id"]
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana:
        records = Records(ana, cast, project)
        await records.make()
        await work(site)
        for bot in (bot_id, None):
            await listen(
                site, receiver.url, workspace_id=cast.acme["id"], ignored_actor_id=bot,
                installation_id=None,
            )  # fmt: skip
        assignees = [records.ids["ana"], bot_id, records.ids["ben"]]
        answer = await ana.patch(records.paths["item"], {"assignees": assignees})
        assert answer.status_code == 200, answer.text
    await work(site)
    sent = [one.body["activity"] for one in receiver.received]
    assert {one["new_identifier"] for one in sent} == {bot_id, records.ids["ana"]}
    assert [one["new_value"] for one in sent] == [assignees, assignees]
