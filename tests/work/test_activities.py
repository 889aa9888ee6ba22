"""A work item's history: who changed what from what to what, kept beyond the events."""

from typing import Any

import msgspec

from airside.events.tables import events
from airside.runtime.site import Site
from airside.work.projects.labels import LABELS_V1
from airside.work.projects.states import STATES_V1
from airside.work.work_items.activities import WORK_ITEM_ACTIVITIES_V1, WorkItemActivityOut, activities
from airside.work.work_items.comments import COMMENTS_V1
from airside.work.work_items.links import LINKS_V1
from airside.work.work_items.work_items import WORK_ITEM_ROUTES, WORK_ITEMS_V1
from airside.work.work_items.worklogs import WORKLOGS_V1
from tests.cast import Cast, make_cast
from tests.support.api import Client, list_events, serve_api
from tests.work.scene import make_project

TABLE = (WORK_ITEMS_V1, WORK_ITEM_ACTIVITIES_V1, LINKS_V1, STATES_V1, LABELS_V1, *WORK_ITEM_ROUTES)


class Story:
    """Ben at one work item of Engine."""

    def __init__(self, ben: Client, clock: Any, project: str, item: str) -> None:
        self.ben, self.clock, self.item = ben, clock, item
        self.project = f"workspaces/acme/projects/{project}"
        self.path = f"{self.project}/work-items/{item}"

    async def change(self, **fields: Any) -> None:
        self.clock.advance(seconds=1)
        answer = await self.ben.patch(self.path, fields)
        assert answer.status_code == 200, answer.text

    async def recorded(self) -> list[tuple[Any, ...]]:
        """Field, old, new, old id, new id of each line after the first, which says that it was made."""
        listed = (await self.ben.get(f"{self.path}/activities")).json["results"]
        assert (listed[0]["verb"], listed[0]["field"]) == ("created", None)
        names = ("field", "old_value", "new_value", "old_identifier", "new_identifier")
        return [tuple(line[name] for name in names) for line in listed[1:]]


async def begin(ben: Client, site: Site, cast: Cast) -> Story:
    project = await make_project(site, cast)
    made = await ben.post(f"workspaces/acme/projects/{project}/work-items", {"name": "Bolt"})
    return Story(ben, site.clock, project, made.json["id"])


async def test_every_field_is_recorded_with_the_names_of_that_time(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *TABLE).acting_as(cast.ben["id"]) as ben:
        story = await begin(ben, site, cast)
        states = (await ben.get(f"{story.project}/states")).json["results"]
        label = (await ben.post(f"{story.project}/labels", {"name": "urgent"})).json
        parent = (await ben.post(f"{story.project}/work-items", {"name": "Engine"})).json
        await story.change(name="Nut")
        await story.change(priority="high")
        await story.change(state=states[2]["id"])
        await story.change(assignees=[cast.ben["id"]])
        await story.change(assignees=[cast.ana["id"]])
        await story.change(labels=[label["id"]])
        await story.change(target_date="2026-12-01")
        await story.change(target_date=None)
        await story.change(parent=parent["id"])
        await story.change(description_html="<p>Rusty</p>")
        recorded = await story.recorded()
    assert recorded == [
        ("name", "Bolt", "Nut", None, None),
        ("priority", "none", "high", None, None),
        ("state", "Backlog", "In Progress", states[0]["id"], states[2]["id"]),
        ("assignees", "", "Ben", None, cast.ben["id"]),
        ("assignees", "Ben", "", cast.ben["id"], None),
        ("assignees", "", "Ana", None, cast.ana["id"]),
        ("labels", "", "urgent", None, label["id"]),
        ("target_date", "", "2026-12-01", None, None),
        ("target_date", "2026-12-01", "", None, None),
        ("parent", "", "ENGIN-2", None, parent["id"]),
        ("description", "<p></p>", "<p>Rusty</p>", None, None),
    ]


async def test_one_line_is_shown_as_the_wire_has_it(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *TABLE).acting_as(cast.ben["id"]) as ben:
        story = await begin(ben, site, cast)
        await story.change(priority="urgent")
        listed = (await ben.get(f"{story.path}/activities", expand="actor")).json["results"][1]
        one = (await ben.get(f"{story.path}/activities/{listed['id']}")).json
    msgspec.convert(one, WorkItemActivityOut)
    assert listed["actor"]["display_name"] == "Ben"
    assert (one["actor"], one["workspace"], one["issue"]) == (cast.ben["id"], cast.acme["id"], story.item)
    assert (one["verb"], one["comment"]) == ("updated", "updated the priority to")
    assert one["epoch"] == int(site.clock.now().timestamp())


async def test_a_change_that_changes_nothing_leaves_no_line(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *TABLE).acting_as(cast.ben["id"]) as ben:
        story = await begin(ben, site, cast)
        await story.change(name="Bolt", priority="none")
        assert await story.recorded() == []


async def test_a_refused_change_leaves_neither_event_nor_line(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *TABLE).acting_as(cast.ben["id"]) as ben:
        story = await begin(ben, site, cast)
        refused = await ben.patch(story.path, {"start_date": "2026-12-02", "target_date": "2026-12-01"})
        assert refused.status_code == 400
        assert await story.recorded() == []
    assert len(await list_events(site, "workitem.")) == 1


async def test_history_stays_when_the_events_are_purged(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *TABLE).acting_as(cast.ben["id"]) as ben:
        story = await begin(ben, site, cast)
        await story.change(name="Nut")
        async with site.db.transaction() as tx:
            await tx.delete(events, workspace_id=cast.acme["id"])
        assert await story.recorded() == [("name", "Bolt", "Nut", None, None)]


async def test_a_deleted_state_keeps_its_name_in_recorded_activities(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *TABLE).acting_as(cast.ben["id"]) as ben:
        story = await begin(ben, site, cast)
        states = (await ben.get(f"{story.project}/states")).json["results"]
        review = (await ben.post(f"{story.project}/states", {"name": "Review", "color": "#123456"})).json
        await story.change(state=review["id"])
        await story.change(state=states[0]["id"])
        assert (await ben.delete(f"{story.project}/states/{review['id']}")).status_code == 204
        assert [line[1:3] for line in await story.recorded()] == [
            ("Backlog", "Review"),
            ("Review", "Backlog"),
        ]


async def test_links_are_web_addresses_once_each_and_stand_in_the_history(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *TABLE).acting_as(cast.ben["id"]) as ben:
        story = await begin(ben, site, cast)
        for url in (
            "nope",
            "javascript:alert(1)",
            "ftp://a.example",
            "https://",
            "https://a b",
            "//a.example",
        ):
            refused = await ben.post(f"{story.path}/links", {"url": url})
            assert (refused.status_code, refused.json) == (400, {"url": ["Invalid URL format."]}), url
        made = await ben.post(f"{story.path}/links", {"url": "https://a.example/1", "title": "A"})
        assert made.status_code == 201
        again = await ben.post(f"{story.path}/links", {"url": "https://a.example/1"})
        assert (again.status_code, again.json) == (400, {"error": "URL already exists for this Issue"})
        one = f"{story.path}/links/{made.json['id']}"
        story.clock.advance(seconds=1)
        assert (await ben.patch(one, {"url": "https://a.example/2"})).json["url"] == "https://a.example/2"
        story.clock.advance(seconds=1)
        assert (await ben.delete(one)).status_code == 204
        assert [line[:3] for line in await story.recorded()] == [
            ("link", None, "https://a.example/1"),
            ("link", "https://a.example/1", "https://a.example/2"),
            ("link", "https://a.example/2", ""),
        ]
    names = sorted(event["name"] for event in await list_events(site, "workitem.link"))
    assert names == ["workitem.link.created", "workitem.link.deleted", "workitem.link.updated"]


async def test_its_words_are_those_of_plane(site: Site) -> None:
    """As a Community Edition wrote them; it lists no comments here, since they have a list of their own."""
    cast = await make_cast(site)
    tables = (*TABLE, WORKLOGS_V1, COMMENTS_V1)
    async with serve_api(site, *tables).acting_as(cast.ana["id"]) as ana:
        story = await begin(ana, site, cast)
        states = (await ana.get(f"{story.project}/states")).json["results"]
        label = (await ana.post(f"{story.project}/labels", {"name": "urgent"})).json["id"]
        parent = (await ana.post(f"{story.project}/work-items", {"name": "Engine"})).json["id"]
        for fields in ({"assignees": [cast.ben["id"]], "labels": [label]}, {"assignees": [], "labels": []},
                       {"start_date": "2026-12-01"}, {"target_date": "2026-12-24"}, {"parent": parent},
                       {"state": states[3]["id"]}):  # fmt: skip
            await story.change(**fields)
        for method, tail in (("POST", "archive"), ("DELETE", "unarchive")):
            story.clock.advance(seconds=1)
            assert (await ana.send(method, f"{story.path}/{tail}")).status_code == 204
        story.clock.advance(seconds=1)
        log = (await ana.post(f"{story.path}/worklogs", {"duration": 30})).json["id"]
        for method, body in (("PATCH", {"duration": 45}), ("PATCH", {"description": "x"}), ("DELETE", None)):
            story.clock.advance(seconds=1)
            await ana.send(method, f"{story.path}/worklogs/{log}", body)
        await ana.post(f"{story.path}/comments", {"comment_html": "<p>Done</p>"})
        story.clock.advance(seconds=1)
        lines = (await ana.get(f"{story.path}/activities")).json["results"][1:]
        assert (await ana.delete(story.path)).status_code == 204
    names = ("verb", "field", "old_value", "new_value", "comment")
    assert [tuple(line[name] for name in names) for line in lines] == [
        ("updated", "assignees", "", "Ben", "added assignee "),
        ("updated", "labels", "", "urgent", "added label "),
        ("updated", "assignees", "Ben", "", "removed assignee "),
        ("updated", "labels", "urgent", "", "removed label "),
        ("updated", "start_date", "", "2026-12-01", "updated the start date to "),
        ("updated", "target_date", "", "2026-12-24", "updated the target date to"),
        ("updated", "parent", "", "ENGIN-2", "updated the parent issue to"),
        ("updated", "state", "Backlog", "Done", "updated the state to"),
        ("updated", "archived_at", None, "manual_archive", "has archived the issue"),
        ("updated", "archived_at", "archive", "restore", "has restored the issue"),
        ("created", "worklog", None, "30", "created a worklog"),
        ("updated", "worklog", "30", "45", "updated a worklog"),
        ("deleted", "worklog", "45", None, "deleted a worklog"),
    ]
    last = max(await site.db.find_all(activities, issue_id=story.item), key=lambda row: row["created_at"])
    assert (last["verb"], last["field"], last["comment"]) == ("deleted", "issue", "deleted the issue")
