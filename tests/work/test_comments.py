"""Comments on a work item: whose they are, and who may change them."""

from typing import Any

import pytest

from airside.db.base import Row, new_id
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = '<p onclick="x()">kept<script>alert(1)</script></p><a href="javascript:x()">link</a>'
CLEAN = "<p>kept</p><a>link</a>"


async def comments_of(workshop: Workshop) -> str:
    """The path of a new work item's comments."""
    item = await workshop.make("work-items", name=unique("Item"))
    return workshop.path(f"work-items/{item['id']}/comments")


async def write(client: Any, path: str, text: str = "<p>Hello</p>", **body: Any) -> Row:
    answer = await client.post(path, {"comment_html": text} | body)
    assert answer.status_code == 201, answer.json
    return answer.json


async def test_a_comment_is_its_callers(workshop: Workshop) -> None:
    path, gil = await comments_of(workshop), workshop.cast.gil["id"]
    comment = await write(workshop.gil, path, actor=workshop.cast.ana["id"])  # guests take part
    assert (comment["actor"], comment["created_by"], comment["access"]) == (gil, gil, "INTERNAL")
    assert (comment["comment_stripped"], comment["comment_json"], comment["edited_at"]) == ("Hello", {}, None)
    listed = (await workshop.ana.get(path)).json["results"]
    assert [one["id"] for one in listed] == [comment["id"]]


async def test_html_is_sanitised_when_a_comment_is_written_and_when_it_is_changed(workshop: Workshop) -> None:
    path = await comments_of(workshop)
    written = await write(workshop.ana, path, HOSTILE)
    other = await write(workshop.ana, path)
    changed = (await workshop.ana.patch(f"{path}/{other['id']}", {"comment_html": HOSTILE})).json
    for comment in (written, changed):
        assert (comment["comment_html"], comment["comment_stripped"]) == (CLEAN, "kept link")


async def test_only_its_author_and_admins_of_the_project_change_and_delete_a_comment(
    workshop: Workshop,
) -> None:
    path = await comments_of(workshop)
    of_ana, of_gil = [await write(client, path) for client in (workshop.ana, workshop.gil)]
    for client in (workshop.ben, workshop.gil):
        one = f"{path}/{of_ana['id']}"
        assert (await client.patch(one, {"comment_html": "<p>x</p>"})).status_code == 403
        assert (await client.delete(one)).status_code == 403
        assert (await client.get(one)).json["comment_html"] == "<p>Hello</p>"
    for client in (workshop.gil, workshop.ana):
        answer = await client.patch(f"{path}/{of_gil['id']}", {"comment_html": "<p>Changed</p>"})
        assert (answer.status_code, answer.json["actor"]) == (200, workshop.cast.gil["id"])
    assert (await workshop.gil.delete(f"{path}/{of_gil['id']}")).status_code == 204
    other = await write(workshop.gil, path)
    assert (await workshop.ana.delete(f"{path}/{other['id']}")).status_code == 204


async def test_edited_at_is_when_its_text_was_changed_last(workshop: Workshop) -> None:
    path = await comments_of(workshop)
    comment = f"{path}/{(await write(workshop.ana, path))['id']}"
    for body in ({"access": "EXTERNAL"}, {"comment_html": "<p>Hello</p>"}, {"comment_json": None}):
        answer = (await workshop.ana.patch(comment, body)).json
        assert (answer["edited_at"], answer["comment_json"]) == (None, {}), body
    workshop.clock.advance(minutes=1)
    changed = (await workshop.ana.patch(comment, {"comment_html": "<p>Changed</p>"})).json
    assert changed["edited_at"] == changed["updated_at"] is not None


async def test_a_comment_may_be_empty(workshop: Workshop) -> None:
    path = await comments_of(workshop)
    for body in ({}, {"comment_html": None}):
        assert (await workshop.ana.post(path, body)).json["comment_html"] == "<p></p>"
    comment = f"{path}/{(await write(workshop.ana, path))['id']}"
    assert (await workshop.ana.patch(comment, {"comment_html": None})).json["comment_html"] == "<p></p>"


async def test_an_answer_outlives_what_it_answers(workshop: Workshop) -> None:
    path = await comments_of(workshop)
    first = await write(workshop.ana, path)
    answer = await write(workshop.ben, path, parent=first["id"])
    assert answer["parent"] == first["id"]
    assert (await workshop.ana.delete(f"{path}/{first['id']}")).status_code == 204
    assert (await workshop.ana.get(f"{path}/{answer['id']}")).json["parent"] is None
    again = await workshop.ben.post(path, {"comment_html": "<p>x</p>", "parent": first["id"]})
    assert (again.status_code, list(again.json)) == (400, ["parent"])


async def test_nobody_comments_on_what_is_not_there(workshop: Workshop) -> None:
    path = await comments_of(workshop)
    comment, item = await write(workshop.ana, path), path.removesuffix("/comments")
    other = path.replace(workshop.engine, workshop.garage)
    gone = workshop.path(f"work-items/{new_id()}/comments")
    await workshop.ana.delete(item)
    for one in (path, other, gone):
        body = {"comment_html": "<p>x</p>"}
        assert (await workshop.ana.post(one, body)).status_code == 404
        assert (await workshop.ana.get(one)).status_code == 404
        assert (await workshop.ana.patch(f"{one}/{comment['id']}", body)).status_code == 404
        assert (await workshop.ana.delete(f"{one}/{comment['id']}")).status_code == 404
