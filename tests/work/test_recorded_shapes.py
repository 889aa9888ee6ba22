"""Answers and webhooks in the shapes that a Community Edition was recorded with, where Airside's differed."""

from airside.api.v1 import TABLE
from airside.db.base import new_id
from airside.runtime.site import Site
from tests.cast import make_cast
from tests.support.api import serve_api
from tests.support.receivers import Receiver
from tests.webhooks.scenes import listen, work
from tests.work.scene import make_project

BASE = "workspaces/acme"


async def test_a_new_comment_and_a_new_link_are_updated_by_their_author_and_nothing_else_is(
    site: Site,
) -> None:
    cast = await make_cast(site)
    project = f"{BASE}/projects/{await make_project(site, cast)}"
    ben_id = cast.ben["id"]
    async with serve_api(site, *TABLE).acting_as(ben_id) as ben:
        item = (await ben.post(f"{project}/work-items", {"name": "Bolt"})).json
        path = f"{project}/work-items/{item['id']}"
        comment = (await ben.post(f"{path}/comments", {"comment_html": "<p>hi</p>"})).json
        link = (await ben.post(f"{path}/links", {"url": "https://a.example"})).json
        label = (await ben.post(f"{project}/labels", {"name": "red"})).json
        assert (await ben.get(f"{path}/comments/{comment['id']}")).json["updated_by"] == ben_id
    assert [one["created_by"] for one in (item, comment, link, label)] == [ben_id] * 4
    assert [one["updated_by"] for one in (item, comment, link, label)] == [None, ben_id, ben_id, None]


async def test_an_activity_that_is_not_there_has_its_own_words(site: Site) -> None:
    cast = await make_cast(site)
    project = f"{BASE}/projects/{await make_project(site, cast)}"
    async with serve_api(site, *TABLE).acting_as(cast.ben["id"]) as ben:
        item = (await ben.post(f"{project}/work-items", {"name": "Bolt"})).json
        missing = await ben.get(f"{project}/work-items/{item['id']}/activities/{new_id()}")
        elsewhere = await ben.get(f"{project}/work-items/{new_id()}/activities/{new_id()}")
    assert (missing.status_code, missing.json) == (
        404,
        {"message": "Activity not found.", "code": "NOT_FOUND"},
    )
    assert elsewhere.json == {"error": "The requested resource does not exist."}


async def test_an_address_is_invited_once(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana:
        body = {"email": "new@example.com", "role": 15}
        assert (await ana.post(f"{BASE}/invitations", body)).status_code == 201
        again = await ana.post(f"{BASE}/invitations", body)
    assert (again.status_code, again.json) == (400, {"non_field_errors": ["Email already invited"]})


async def test_webhooks_v1_carry_the_slug_and_a_work_item_its_description(
    site: Site, receiver: Receiver
) -> None:
    cast = await make_cast(site)
    project = f"{BASE}/projects/{await make_project(site, cast)}"
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana:
        await work(site)
        await listen(site, receiver.url, workspace_id=cast.acme["id"], installation_id=None)
        item = (await ana.post(f"{project}/work-items", {"name": "Bolt"})).json
        await ana.patch(f"{project}/work-items/{item['id']}", {"name": "Nut"})
        await ana.delete(f"{project}/work-items/{item['id']}")
    await work(site)
    made, changed, deleted = [one.body for one in receiver.received]
    assert {one["workspace_slug"] for one in (made, changed, deleted)} == {"acme"}
    for event in (made, changed):
        assert (event["data"]["description"], event["data"]["description_json"]) == ({}, {})
    assert "description" not in item, "the API itself doesn't show it"
