"""Stickies: a person's own notes, in the workspace."""

import pytest

from airside.events.tables import events
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "workspaces/acme/stickies"


async def test_an_empty_sticky_has_the_recorded_shape(workshop: Workshop) -> None:
    sticky = (await workshop.ana.post(PATH, {})).json
    assert (sticky["name"], sticky["description"], sticky["description_html"]) == (None, {}, "<p></p>")
    assert (sticky["description_stripped"], sticky["description_binary"], sticky["logo_props"]) == (
        "",
        None,
        {},
    )
    assert (sticky["owner"], sticky["workspace"]) == (workshop.cast.ana["id"], workshop.cast.acme["id"])


async def test_the_newest_comes_first_and_each_ten_thousand_after_the_last(workshop: Workshop) -> None:
    first, second = [(await workshop.ana.post(PATH, {"name": unique("Note")})).json for _ in range(2)]
    assert second["sort_order"] == first["sort_order"] + 10_000
    listed = (await workshop.ana.get(PATH)).json["results"]
    assert [one["id"] for one in listed[:2]] == [second["id"], first["id"]]


async def test_nobody_but_its_owner_finds_a_sticky(workshop: Workshop) -> None:
    sticky = (await workshop.ana.post(PATH, {"name": unique("Secret")})).json
    listed = (await workshop.ben.get(PATH)).json["results"]
    assert sticky["id"] not in [one["id"] for one in listed]
    for method, body in (("GET", None), ("PATCH", {"name": "Mine"}), ("DELETE", None)):
        answer = await workshop.ben.send(method, f"{PATH}/{sticky['id']}", body)
        assert answer.status_code == 404, method
    assert (await workshop.ana.get(f"{PATH}/{sticky['id']}")).json == sticky


async def test_its_text_is_sanitized_and_searched(workshop: Workshop) -> None:
    word = unique("wheel")
    body = {"description_html": f"<p onclick='x()'>Oil the {word}</p><script>1</script>"}
    sticky = (await workshop.ana.post(PATH, body)).json
    assert sticky["description_html"] == f"<p>Oil the {word}</p>"
    found = (await workshop.ana.get(PATH, query=word.upper())).json["results"]
    assert [one["id"] for one in found] == [sticky["id"]]
    cleared = await workshop.ana.patch(f"{PATH}/{sticky['id']}", {"description_html": None})
    assert (cleared.status_code, cleared.json["description_stripped"]) == (200, "")


async def test_it_has_no_events(workshop: Workshop) -> None:
    sticky = (await workshop.ana.post(PATH, {"name": unique("Note")})).json
    await workshop.ana.patch(f"{PATH}/{sticky['id']}", {"name": unique("Note")})
    assert (await workshop.ana.delete(f"{PATH}/{sticky['id']}")).status_code == 204
    assert await workshop.site.db.find_all(events, entity_id=sticky["id"]) == []
