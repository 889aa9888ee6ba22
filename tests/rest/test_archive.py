"""Archiving and restoring, the same for every record that can be archived."""

from typing import Any

import pytest

from tests.rest.cars import cars
from tests.support.api import ServedApi
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def archivable(workshop: Workshop, kind: str) -> tuple[str, str, str]:
    """Paths of a new record, of archiving and of restoring it."""
    if kind == "project":
        name = unique("Project")
        made = await workshop.ana.post("workspaces/acme/projects", {"name": name, "identifier": name[-8:]})
        path = f"workspaces/acme/projects/{made.json['id']}"
    elif kind == "page":
        made_page = await workshop.make("pages", name=unique("Page"), description_html="<p>x</p>")
        path = workshop.path(f"pages/{made_page['id']}")
    else:
        state = await workshop.state_of("completed")
        path = workshop.path(
            f"work-items/{(await workshop.make('work-items', name='Done', state=state))['id']}"
        )
    return path, f"{path}/archive", f"{path}/unarchive" if kind == "work item" else f"{path}/archive"


@pytest.mark.parametrize("kind", ["project", "page", "work item"])
async def test_archiving_twice_is_one_event_as_restoring_twice_is(workshop: Workshop, kind: str) -> None:
    path, archive, restore = await archivable(workshop, kind)

    async def shown() -> Any:
        return (await workshop.ana.get(path)).json["archived_at"]

    async def actions() -> list[str]:
        return [
            event["name"].rpartition(".")[2] for event in await workshop.events_of(path.rpartition("/")[2])
        ]

    assert await shown() is None
    assert (await workshop.ana.delete(restore)).status_code == 204
    for _ in range(2):
        assert (await workshop.ana.post(archive)).status_code == 204
        assert str(await shown()).startswith(workshop.clock.now().date().isoformat())
    assert await actions() == ["created", "archived"]
    for _ in range(2):
        assert (await workshop.ana.delete(restore)).status_code == 204
        assert await shown() is None
    assert await actions() == ["created", "archived", "updated"]


async def test_an_unfinished_work_item_is_restored_but_not_archived(workshop: Workshop) -> None:
    item = await workshop.make("work-items", name="Open")
    refused = await workshop.ana.post(workshop.path(f"work-items/{item['id']}/archive"))
    assert (refused.status_code, refused.json) == (
        400,
        {"error": "Can only archive completed or cancelled state group work items"},
    )
    assert (await workshop.ana.delete(workshop.path(f"work-items/{item['id']}/unarchive"))).status_code == 204


async def test_only_its_owner_or_an_admin_archives_or_restores_a_page(workshop: Workshop) -> None:
    page = await workshop.make("pages", name=unique("Page"), description_html="<p>x</p>")
    path = workshop.path(f"pages/{page['id']}/archive")
    for method in ("POST", "DELETE"):
        refused = await workshop.ben.send(method, path)
        assert refused.json == {"error": "Only admin or owner can archive or delete the page"}


async def test_what_an_archived_record_has_is_read_and_not_changed_until_it_is_restored(
    workshop: Workshop,
) -> None:
    item = await workshop.make("work-items", name="Done", state=await workshop.state_of("completed"))
    path = workshop.path(f"work-items/{item['id']}")
    bodies = {
        "comments": {"comment_html": "<p>Hello</p>"},
        "links": {"url": "https://example.com/", "title": "One"},
        "worklogs": {"duration": 5, "description": "Cleaned"},
    }
    made = {name: (await workshop.ana.post(f"{path}/{name}", body)).json for name, body in bodies.items()}
    assert (await workshop.ana.post(f"{path}/archive")).status_code == 204
    for name, body in bodies.items():
        one = f"{path}/{name}/{made[name]['id']}"
        for method, at in (("POST", f"{path}/{name}"), ("PATCH", one), ("DELETE", one)):
            answer = await workshop.ana.send(method, at, body)
            refusal = {"error": "Archived work item cannot be updated"}
            assert (answer.status_code, answer.json) == (400, refusal), (method, at)
        assert (await workshop.ana.get(f"{path}/{name}")).status_code == 200
        events = [event["name"] for event in await workshop.events_of(made[name]["id"])]
        assert len([event for event in events if not event.endswith(".created")]) == 0
    assert (await workshop.ana.delete(f"{path}/unarchive")).status_code == 204
    for name in bodies:
        assert (await workshop.ana.delete(f"{path}/{name}/{made[name]['id']}")).status_code == 204


async def test_the_one_record_of_an_archived_parent_is_not_changed(
    workshop: Workshop, car_api: ServedApi
) -> None:
    async with car_api.acting_as(workshop.cast.ana["id"]) as ana:
        car = (await ana.post(workshop.path("cars"), {"name": unique("Car")})).json["id"]
        path = workshop.path(f"cars/{car}/insurance")
        async with workshop.site.db.transaction() as tx:
            await tx.update(cars, {"archived_at": workshop.clock.now()}, id=car)
        answer = await ana.patch(path, {"insurer": "Acme"})
        assert (answer.status_code, answer.json) == (400, {"error": "Archived car cannot be updated"})
        assert (await ana.get(path)).json["insurer"] is None
