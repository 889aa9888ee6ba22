"""Links of a work item. That they are web addresses, once each, when they are added, test_activities.py says."""

import pytest

from airside.db.base import Row
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

TAKEN = {"error": "URL already exists for this Issue"}


async def links_of(workshop: Workshop) -> str:
    """The path of a new work item's links."""
    item = await workshop.make("work-items", name=unique("Item"))
    return workshop.path(f"work-items/{item['id']}/links")


async def add(workshop: Workshop, path: str, url: str) -> Row:
    answer = await workshop.ana.post(path, {"url": url})
    assert answer.status_code == 201, answer.json
    return answer.json


async def test_a_link_needs_only_an_address(workshop: Workshop) -> None:
    path = await links_of(workshop)
    link = await add(workshop, path, "  https://a.example/x?y=1#z ")
    assert (link["url"], link["title"], link["metadata"]) == ("https://a.example/x?y=1#z", None, {})
    assert link["issue"] == path.split("/")[-2]
    assert (await workshop.ana.post(path)).json == {"url": ["This field is required."]}


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "/relative", "https://", "https://a b.example", "ftp://a.example",
            "https://a.example/\x7f\n", "https://a.example/" + "x" * 2000, "https://[::1", ""],
)  # fmt: skip
async def test_an_address_is_of_the_web_when_it_is_added_and_when_it_is_changed(
    workshop: Workshop, url: str
) -> None:
    path = await links_of(workshop)
    link = await add(workshop, path, "https://a.example")
    for answer in (
        await workshop.ana.post(path, {"url": url}),
        await workshop.ana.patch(f"{path}/{link['id']}", {"url": url}),
    ):
        assert (answer.status_code, list(answer.json)) == (400, ["url"])
    assert (await workshop.ana.get(f"{path}/{link['id']}")).json["url"] == "https://a.example"


async def test_an_address_stands_once_at_an_item_also_after_a_change(workshop: Workshop) -> None:
    path = await links_of(workshop)
    first, second = (
        await add(workshop, path, "https://a.example"),
        await add(workshop, path, "https://b.example"),
    )
    again = await workshop.ana.post(path, {"url": "https://a.example"})
    changed = await workshop.ana.patch(f"{path}/{second['id']}", {"url": "https://a.example"})
    assert [(one.status_code, one.json) for one in (again, changed)] == [(400, TAKEN)] * 2
    itself = await workshop.ana.patch(f"{path}/{first['id']}", {"url": "https://a.example", "title": "A"})
    assert (itself.status_code, itself.json["title"]) == (200, "A")
    await add(workshop, await links_of(workshop), "https://a.example")
    await workshop.ana.delete(f"{path}/{first['id']}")
    await add(workshop, path, "https://a.example")


async def test_guests_read_links_and_write_none(workshop: Workshop) -> None:
    path = await links_of(workshop)
    link = await add(workshop, path, "https://a.example")
    assert (await workshop.gil.get(f"{path}/{link['id']}")).status_code == 200
    assert (await workshop.gil.post(path, {"url": "https://b.example"})).status_code == 403
    assert (await workshop.gil.patch(f"{path}/{link['id']}", {"title": "x"})).status_code == 403
    assert (await workshop.gil.delete(f"{path}/{link['id']}")).status_code == 403
    assert (await workshop.ben.delete(f"{path}/{link['id']}")).status_code == 204
