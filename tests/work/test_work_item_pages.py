"""Pages that are linked to a work item: which may be, who sees them, and what the history and webhooks say."""

from typing import Any

import pytest

from airside.db.base import Row
from tests.support.api import Client
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def write(client: Client, path: str, **fields: Any) -> Row:
    made = await client.post(path, {"name": unique("Page"), "description_html": "<p>x</p>"} | fields)
    assert made.status_code == 201, made.json
    return made.json


async def links_of(workshop: Workshop) -> tuple[str, str]:
    """The paths of a new work item and of its pages."""
    item = await workshop.make("work-items", name=unique("Item"))
    path = workshop.path(f"work-items/{item['id']}")
    return path, f"{path}/pages"


async def history_of(workshop: Workshop, item: str) -> list[Row]:
    listed = (await workshop.gil.get(f"{item}/activities")).json["results"]
    return [entry for entry in listed if entry["field"] == "page"]


async def test_pages_of_the_project_and_of_the_workspace_are_linked_once(workshop: Workshop) -> None:
    item, path = await links_of(workshop)
    for where, is_global in ((workshop.path("pages"), False), ("workspaces/acme/pages", True)):
        page = await write(workshop.ana, where)
        made = await workshop.ben.post(path, {"page_id": page["id"]})
        assert made.status_code == 201
        shown = {"id": page["id"], "name": page["name"], "is_global": is_global}
        assert made.json["page"] | shown == made.json["page"]
        assert made.json["issue"] == item.rpartition("/")[2]
        assert (await workshop.ana.get(f"{path}/{made.json['id']}")).json == made.json
        again = await workshop.ben.post(path, {"page_id": page["id"]})
        assert (again.status_code, again.json["id"]) == (409, made.json["id"])
    assert (await workshop.ana.get(path)).json["total_count"] == 2


async def test_a_link_has_its_event_and_its_place_in_the_history(workshop: Workshop) -> None:
    item, path = await links_of(workshop)
    page = await write(workshop.ana, workshop.path("pages"))
    link = (await workshop.ana.post(path, {"page_id": page["id"]})).json
    assert (await workshop.ana.delete(f"{path}/{link['id']}")).status_code == 204
    assert (await workshop.ana.get(f"{path}/{link['id']}")).status_code == 404
    names = [event["name"] for event in await workshop.events_of(link["id"])]
    assert names == ["workitem.page_link.created", "workitem.page_link.deleted"]
    history = [
        (entry["verb"], entry["old_value"], entry["new_value"]) for entry in await history_of(workshop, item)
    ]
    assert history == [("created", None, page["name"]), ("deleted", page["name"], "")]
    assert (await workshop.ana.get(workshop.path(f"pages/{page['id']}"))).status_code == 200


async def test_a_private_page_is_shown_to_its_owner_only(workshop: Workshop) -> None:
    item, path = await links_of(workshop)
    page = await write(workshop.ben, workshop.path("pages"), access=1)
    link = (await workshop.ben.post(path, {"page_id": page["id"]})).json
    assert [one["id"] for one in (await workshop.ben.get(path)).json["results"]] == [link["id"]]
    assert (await workshop.ana.get(path)).json["results"] == []
    assert (await workshop.ana.get(f"{path}/{link['id']}")).status_code == 404
    assert (await workshop.ana.delete(f"{path}/{link['id']}")).status_code == 404
    (entry,) = await history_of(workshop, item)
    assert entry["new_value"] == ""
    (event,) = await workshop.events_of(link["id"])
    assert event["is_private"] is True
    unseen = await workshop.ana.post(path, {"page_id": page["id"]})
    assert (unseen.status_code, list(unseen.json)) == (400, ["page_id"])


async def test_a_page_of_another_project_is_shown_to_whom_sees_that_project(workshop: Workshop) -> None:
    _, path = await links_of(workshop)
    page = await write(workshop.ana, f"workspaces/acme/projects/{workshop.garage}/pages")
    link = (await workshop.ana.post(path, {"page_id": page["id"]})).json
    assert [one["id"] for one in (await workshop.ben.get(path)).json["results"]] == [link["id"]]
    assert (await workshop.gil.get(path)).json["results"] == []
    foreign = await write(workshop.zoe, f"workspaces/other/projects/{workshop.elsewhere}/pages")
    refused = await workshop.ana.post(path, {"page_id": foreign["id"]})
    assert (refused.status_code, list(refused.json)) == (400, ["page_id"])


async def test_the_links_of_a_deleted_page_are_gone(workshop: Workshop) -> None:
    item, path = await links_of(workshop)
    page = await write(workshop.ana, workshop.path("pages"))
    link = (await workshop.ana.post(path, {"page_id": page["id"]})).json
    await workshop.ana.post(workshop.path(f"pages/{page['id']}/archive"))
    await workshop.ana.delete(workshop.path(f"pages/{page['id']}"))
    assert (await workshop.ana.get(path)).json["results"] == []
    assert [event["name"] for event in await workshop.events_of(link["id"])][
        -1
    ] == "workitem.page_link.deleted"
    assert [entry["verb"] for entry in await history_of(workshop, item)] == ["created", "deleted"]
