"""What a body names has to be there, in this workspace and where the field says; all else is refused alike."""

from dataclasses import replace
from typing import Any

import pytest

from airside.db.base import new_id
from airside.rest.record import Reference
from airside.work.projects.labels import LABELS_V1, Labels, labels
from tests.support.api import serve_api
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")


def unknown(value: str) -> str:
    return f'Invalid pk "{value}" - object does not exist.'


async def foreign_records(workshop: Workshop) -> dict[str, str]:
    """A record of each kind in Zoe's workspace."""
    base = f"workspaces/other/projects/{workshop.elsewhere}"
    state = (await workshop.zoe.get(f"{base}/states")).json["results"][0]
    label = (await workshop.zoe.post(f"{base}/labels", {"name": unique("Label")})).json
    item = (await workshop.zoe.post(f"{base}/work-items", {"name": "Theirs"})).json
    comment = await workshop.zoe.post(
        f"{base}/work-items/{item['id']}/comments", {"comment_html": "<p>x</p>"}
    )
    return {"state": state["id"], "label": label["id"], "item": item["id"], "comment": comment.json["id"]}


async def test_tn1_another_tenants_record_is_refused_like_one_that_was_never_there(
    workshop: Workshop,
) -> None:
    theirs, item = await foreign_records(workshop), await workshop.make("work-items", name="Ours")
    own = f"work-items/{item['id']}/comments"
    named: list[tuple[str, dict[str, Any], str, Any]] = [
        ("work-items", {"name": "A"}, "state", theirs["state"]),
        ("work-items", {"name": "A"}, "labels", [theirs["label"]]),
        ("work-items", {"name": "A"}, "parent", theirs["item"]),
        ("work-items", {"name": "A"}, "assignees", [workshop.cast.zoe["id"]]),
        ("labels", {"name": unique("Label")}, "parent", theirs["label"]),
        (own, {"comment_html": "<p>x</p>"}, "parent", theirs["comment"]),
    ]  # fmt: skip
    label, comment = await workshop.make("labels", name=unique("Label")), await workshop.make(own)
    paths = {"work-items": item["id"], "labels": label["id"], own: comment["id"]}
    for path, body, field, value in named:
        for one in (value, [new_id()] if isinstance(value, list) else new_id()):
            message = {"0": [unknown(one[0])]} if isinstance(one, list) else [unknown(one)]
            made = await workshop.ana.post(workshop.path(path), body | {field: one})
            changed = await workshop.ana.patch(workshop.path(f"{path}/{paths[path]}"), {field: one})
            for answer in (made, changed):
                assert (answer.status_code, answer.json) == (400, {field: message}), (path, field)


class LooseLabels(Labels):
    """Labels whose parent may stand in any project, and that nothing but the engine checks."""

    references = {"parent_id": Reference(labels)}


async def test_tn1_a_reference_that_no_project_narrows_stays_within_the_workspace(workshop: Workshop) -> None:
    theirs = (await foreign_records(workshop))["label"]
    garage = f"workspaces/acme/projects/{workshop.garage}/labels"
    ours = (await workshop.ana.post(garage, {"name": unique("Label")})).json["id"]
    face = replace(LABELS_V1, record=LooseLabels())
    async with serve_api(workshop.site, face).acting_as(workshop.cast.ana["id"]) as ana:
        made = await ana.post(workshop.path("labels"), {"name": unique("Label"), "parent": ours})
        assert (made.status_code, made.json["parent"]) == (201, ours)
        for answer in (
            await ana.post(workshop.path("labels"), {"name": unique("Label"), "parent": theirs}),
            await ana.patch(workshop.path(f"labels/{made.json['id']}"), {"parent": theirs}),
        ):
            assert (answer.status_code, answer.json) == (400, {"parent": [unknown(theirs)]})


async def test_a_reference_stays_within_the_project_where_it_says_so(workshop: Workshop) -> None:
    base = f"workspaces/acme/projects/{workshop.garage}"
    state = (await workshop.ana.get(f"{base}/states")).json["results"][0]["id"]
    label = (await workshop.ana.post(f"{base}/labels", {"name": unique("Label")})).json["id"]
    for body, error in (
        ({"state": state}, {"state": [unknown(state)]}),
        ({"labels": [label]}, {"labels": {"0": [unknown(label)]}}),
    ):
        answer = await workshop.ana.post(workshop.path("work-items"), {"name": "A"} | body)
        assert (answer.status_code, answer.json) == (400, error)


async def test_every_unknown_reference_is_named_at_once_and_by_its_place(workshop: Workshop) -> None:
    here, gone, state = (await workshop.make("labels", name=unique("Label")))["id"], new_id(), new_id()
    body = {"name": "A", "state": state, "labels": [here, gone]}
    answer = await workshop.ana.post(workshop.path("work-items"), body)
    assert answer.json == {"state": [unknown(state)], "labels": {"1": [unknown(gone)]}}


async def test_a_deleted_record_is_named_no_more_but_may_be_sent_back(workshop: Workshop) -> None:
    label = (await workshop.make("labels", name=unique("Label")))["id"]
    parent = (await workshop.make("work-items", name="Above"))["id"]
    item = await workshop.make("work-items", name="A", parent=parent, labels=[label])
    await workshop.ana.delete(workshop.path(f"labels/{label}"))
    refused = await workshop.ana.post(workshop.path("work-items"), {"name": "B", "labels": [label]})
    assert (refused.status_code, refused.json) == (400, {"labels": {"0": [unknown(label)]}})
    shown = (await workshop.ana.get(workshop.path(f"work-items/{item['id']}"))).json
    body = {name: shown[name] for name in ("name", "parent", "labels", "state", "assignees")}
    back = await workshop.ana.patch(workshop.path(f"work-items/{item['id']}"), body)
    assert back.status_code == 200


async def test_what_is_not_served_yet_may_only_be_null(workshop: Workshop) -> None:
    module = new_id()
    refused = await workshop.ana.post(workshop.path("work-items"), {"name": "A", "module": module})
    assert (refused.status_code, refused.json) == (400, {"module": [unknown(module)]})
    assert (await workshop.make("work-items", name="A", module=None))["id"]
