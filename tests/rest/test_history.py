"""The history of records: an entry for each change, in its transaction, of every record but private ones."""

from typing import Any

import pytest

from airside.db.base import Row
from airside.rest.history import MAX_VALUE_LENGTH, list_history, record_history
from tests.support.api import ServedApi
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def history_of(workshop: Workshop, record_id: str, limit: int = 50) -> list[Row]:
    """Oldest first."""
    acme = workshop.cast.acme["id"]
    return (await list_history(workshop.site.db, acme, record_id, limit))[::-1]


def entries(found: list[Row]) -> list[tuple[str, str, Any]]:
    return [(entry["noun"], entry["action"], entry["changes"]) for entry in found]


async def test_each_change_is_an_entry_with_old_and_new_values(workshop: Workshop) -> None:
    first, second = unique("Bug"), unique("Defect")
    label = await workshop.make("labels", name=first, color="#ff0000")
    path = workshop.path(f"labels/{label['id']}")
    await workshop.ana.patch(path, {"name": second, "color": "#00ff00"})
    await workshop.ana.patch(path, {"name": second})  # changes nothing
    await workshop.ana.delete(path)
    found = await history_of(workshop, label["id"])
    assert entries(found) == [
        ("Label", "created", []),
        ("Label", "updated", [["name", first, second], ["color", "#ff0000", "#00ff00"]]),
        ("Label", "deleted", []),
    ]
    assert {entry["actor_id"] for entry in found} == {workshop.cast.ana["id"]}


async def test_an_archived_record_says_so(workshop: Workshop) -> None:
    page = await workshop.make("pages", name=unique("Page"), description_html="<p>x</p>")
    await workshop.ana.post(workshop.path(f"pages/{page['id']}/archive"))
    found = entries(await history_of(workshop, page["id"]))
    assert [action for _, action, _ in found] == ["created", "archived"]
    assert [field for field, _, _ in found[1][2]] == ["archived_at"]


async def test_a_long_value_is_cut(workshop: Workshop) -> None:
    page = await workshop.make("pages", name=unique("Page"), description_html="<p>x</p>")
    text = "y" * (MAX_VALUE_LENGTH + 1)
    await workshop.ana.patch(workshop.path(f"pages/{page['id']}"), {"description_html": f"<p>{text}</p>"})
    changes = {field: new for field, _, new in (await history_of(workshop, page["id"]))[-1]["changes"]}
    assert changes["description_html"] == f"<p>{text}"[:MAX_VALUE_LENGTH] + "…"


async def test_a_private_record_has_none(workshop: Workshop) -> None:
    page = await workshop.make("pages", name=unique("Page"), description_html="<p>x</p>", access=1)
    assert await history_of(workshop, page["id"]) == []


async def test_a_refused_write_leaves_no_entry(workshop: Workshop) -> None:
    state = await workshop.state_of("backlog")
    before = len(await workshop.site.db.find_all(record_history))
    refused = await workshop.ana.delete(workshop.path(f"states/{state}"))
    assert refused.status_code == 400
    assert len(await workshop.site.db.find_all(record_history)) == before


async def test_what_is_linked_below_a_record_is_in_its_history(
    workshop: Workshop, car_api: ServedApi
) -> None:
    label = await workshop.make("labels", name=unique("Red"))
    async with car_api.acting_as(workshop.cast.ana["id"]) as ana:
        car = (await ana.post(workshop.path("cars"), {"name": unique("Car")})).json
        links = workshop.path(f"cars/{car['id']}/labels")
        assert (await ana.post(links, {"label_ids": [label["id"]]})).status_code == 200
        assert (await ana.delete(f"{links}/{label['id']}")).status_code == 204
    found = entries(await history_of(workshop, car["id"]))
    assert [(noun, action) for noun, action, _ in found] == [
        ("Car", "created"),
        ("Car label", "created"),
        ("Car label", "deleted"),
    ]
    newest = await history_of(workshop, car["id"], 2)
    assert [entry["action"] for entry in newest] == ["created", "deleted"]
