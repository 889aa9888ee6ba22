"""Which records a call sees, and in which order."""

import pytest

from airside.db.base import new_id
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_tn1_a_list_shows_this_workspace_only(workshop: Workshop) -> None:
    ours = (await workshop.ana.get("workspaces/acme/projects", per_page="1000")).json
    theirs = (await workshop.zoe.get("workspaces/other/projects")).json
    assert {one["workspace"] for one in ours["results"]} == {workshop.cast.acme["id"]}
    assert [one["id"] for one in theirs["results"]] == [workshop.elsewhere]
    assert ours["total_count"] == ours["count"]


async def test_tn1_another_tenants_record_is_not_found_below_ones_own_project(workshop: Workshop) -> None:
    made = await workshop.zoe.post(
        f"workspaces/other/projects/{workshop.elsewhere}/labels", {"name": unique("Label")}
    )
    label, missing = made.json["id"], {"error": "The requested resource does not exist."}
    for base in (
        f"workspaces/acme/projects/{workshop.engine}",
        f"workspaces/acme/projects/{workshop.elsewhere}",
    ):
        for method, body in (("GET", None), ("PATCH", {"name": "Mine"}), ("DELETE", None)):
            answer = await workshop.ana.send(method, f"{base}/labels/{label}", body)
            assert (answer.status_code, answer.json) == (404, missing)


async def test_a_record_of_another_project_is_not_found(workshop: Workshop) -> None:
    label = await workshop.make("labels", name=unique("Label"))
    for one in (label["id"], new_id()):
        answer = await workshop.ana.get(f"workspaces/acme/projects/{workshop.garage}/labels/{one}")
        assert answer.status_code == 404


async def test_a_list_has_an_order_of_its_own_that_can_be_turned(workshop: Workshop) -> None:
    made = [(await workshop.make("labels", name=unique("Label")))["id"] for _ in range(3)]
    names: dict[str, list[str]] = {}
    for order in ("", "created_at", "-created_at", "name", "-name", "created_by"):
        listed = await workshop.ana.get(workshop.path("labels"), order_by=order, per_page="1000")
        names[order] = [one["id"] for one in listed.json["results"] if one["id"] in made]
    assert names["created_at"] == names["name"] == names["created_by"] == made
    assert names[""] == names["-created_at"] == names["-name"] == made[::-1]


async def test_records_alike_in_what_they_are_ordered_by_still_have_one_order(workshop: Workshop) -> None:
    made = [(await workshop.make("labels", name=unique("Alike"), color="#same"))["id"] for _ in range(5)]
    for order, expected in (("color", made), ("-color", made[::-1])):
        seen: list[str] = []
        for page in range(20):
            listed = await workshop.ana.get(
                workshop.path("labels"), order_by=order, per_page="2", cursor=f"2:{page}:0"
            )
            seen += [one["id"] for one in listed.json["results"] if one["id"] in made]
        assert seen == expected


async def test_nothing_stands_last_in_either_direction(workshop: Workshop) -> None:
    with_date = await workshop.make("work-items", name="With", start_date="2026-01-01")
    without = await workshop.make("work-items", name="Without")
    for order in ("start_date", "-start_date"):
        listed = await workshop.ana.get(workshop.path("work-items"), order_by=order, per_page="1000")
        ids = [one["id"] for one in listed.json["results"]]
        assert ids.index(with_date["id"]) < ids.index(without["id"])


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("work-items", "last_activity_at"),  # a column that answers don't show
        ("work-items", "-description_json"),
        ("labels", "workspace_id; DROP TABLE labels"),
        ("labels", "--name"),
        ("labels", "-"),
        ("", "more_features"),
        ("", "last_sequence"),
    ],
)
async def test_a_list_is_not_ordered_by_what_it_does_not_show(
    workshop: Workshop, path: str, order: str
) -> None:
    asked = workshop.path(path) if path else "workspaces/acme/projects"
    answer = await workshop.ana.get(asked, order_by=order)
    assert (answer.status_code, answer.json) == (400, {"detail": "Invalid order_by parameter."})


async def test_a_filter_compares_its_column_and_nothing_else_is_one(workshop: Workshop) -> None:
    path = workshop.path("states")
    done = (await workshop.ana.get(path, group="completed")).json["results"]
    assert {one["group"] for one in done} == {"completed"}
    wrong = await workshop.ana.get(path, group="nothing")
    assert (wrong.status_code, wrong.json) == (400, {"group": ['"nothing" is not a valid choice.']})
    every = (await workshop.ana.get(path)).json["total_count"]
    for query in ({"group": ""}, {"nonsense": "Done"}, {"limit": "1"}):
        assert (await workshop.ana.get(path, **query)).json["total_count"] == every
    for name, message in (
        ("page", "Pages are requested by `cursor`: the `next_cursor` of the page before."),
        ("workspace_id", "This list is filtered by workspace."),
        ("cycle_view", "This list can't be filtered by cycle_view."),
    ):  # fmt: skip
        refused = await workshop.ana.get(path, **{name: "1"})
        assert (refused.status_code, refused.json) == (400, {name: [message]})


async def test_all_wrong_filters_are_named_at_once(workshop: Workshop) -> None:
    answer = await workshop.ana.get(
        workshop.path("work-items"), state="Todo", point="many", start_date="soon"
    )
    assert (answer.status_code, sorted(answer.json)) == (400, ["point", "start_date", "state"])
