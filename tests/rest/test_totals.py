"""The total of a list: exact, but for a large one, which is as old as its last count."""

import pytest

from airside.rest import totals
from tests.support.workshop import Workshop, unique

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("workshop", ["sqlite"], indirect=True),
]


@pytest.fixture
async def labels(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path of a list of four, which is large here."""
    monkeypatch.setattr(totals, "LARGE", 2)
    made = await workshop.ana.post(
        "workspaces/acme/projects", {"name": unique("Shed"), "identifier": unique("SH").replace(" ", "")}
    )
    path = f"workspaces/acme/projects/{made.json['id']}/labels"
    await add(workshop, path, 4)
    return path


async def add(workshop: Workshop, path: str, number: int) -> None:
    for _ in range(number):
        assert (await workshop.ana.post(path, {"name": unique("Label")})).status_code == 201


async def test_a_large_total_is_not_counted_again_after_each_write(workshop: Workshop, labels: str) -> None:
    before = await workshop.ana.get(labels, per_page=1)
    await add(workshop, labels, 1)
    after = await workshop.ana.get(labels, per_page=1)
    assert (before.json["total_count"], after.json["total_count"]) == (4, 4)
    assert after.json["next_page_results"] is True


async def test_a_total_that_is_not_large_is_exact(
    workshop: Workshop, labels: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "LARGE", 4)
    assert (await workshop.ana.get(labels, per_page=1)).json["total_count"] == 4
    await add(workshop, labels, 1)
    assert (await workshop.ana.get(labels, per_page=1)).json["total_count"] == 5


async def test_an_old_total_never_ends_a_list_before_its_last_record(workshop: Workshop, labels: str) -> None:
    await workshop.ana.get(labels, per_page=1)
    await add(workshop, labels, 3)
    page = (await workshop.ana.get(labels, per_page=4)).json
    assert (page["total_count"], page["next_page_results"]) == (7, True)
    last = (await workshop.ana.get(labels, per_page=4, cursor=page["next_cursor"])).json
    assert (last["count"], last["total_count"], last["next_page_results"]) == (3, 7, False)


async def test_a_page_behind_the_last_record_has_the_total(workshop: Workshop, labels: str) -> None:
    await workshop.ana.get(labels, per_page=1)
    await add(workshop, labels, 1)
    beyond = (await workshop.ana.get(labels, per_page=4, cursor="4:9:0")).json
    assert (beyond["count"], beyond["total_count"], beyond["next_page_results"]) == (0, 5, False)


async def test_a_large_total_is_counted_anew_once_it_is_old(
    workshop: Workshop, labels: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "_large", totals.Remembered[int](0.0, until_commit=False))
    await workshop.ana.get(labels, per_page=1)
    await add(workshop, labels, 1)
    assert (await workshop.ana.get(labels, per_page=1)).json["total_count"] == 5


async def test_what_a_record_holds_is_not_counted_again_where_it_holds_much(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "LARGE", 2)
    await workshop.ana.patch(workshop.path("features"), {"modules": True})
    shown = {number: await fill_module(workshop, number) for number in (1, 3)}
    assert shown == {1: [1, 2], 3: [3, 3]}


async def fill_module(workshop: Workshop, number: int) -> list[int]:
    """How many work items a new module shows with this number of them, and with one more."""
    path = workshop.path(f"modules/{(await workshop.make('modules', name=unique('Brakes')))['id']}")
    shown: list[int] = []
    for added in (number, 1):
        items = [(await workshop.make("work-items", name=unique("Item")))["id"] for _ in range(added)]
        assert (await workshop.ana.post(f"{path}/module-issues", {"issues": items})).status_code == 200
        shown.append((await workshop.ana.get(path)).json["total_issues"])
    return shown
