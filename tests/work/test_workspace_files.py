"""Files of a workspace: requested, uploaded, confirmed, downloaded by a URL that ends."""

from typing import Any

import pytest
from msgspec import convert

from airside.db.base import new_id
from airside.work.workspace_files import NewWorkspaceFileOut, WorkspaceFileOut
from tests.support.uploads import attach, follow, upload
from tests.support.workshop import Workshop

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "workspaces/acme/assets"


async def test_a_file_is_uploaded_confirmed_and_downloaded(workshop: Workshop) -> None:
    ben = workshop.ben
    asked = await ben.post(PATH, {"name": "a.svg", "type": "image/svg+xml", "size": 9})
    made = convert(asked.json, NewWorkspaceFileOut)
    one = f"{PATH}/{made.asset_id}"
    assert made.asset_url == f"/api/v1/{one}/"
    early = await ben.get(one)
    assert (early.status_code, early.json) == (400, {"error": "The asset is not uploaded.", "status": False})
    assert (await ben.patch(one, {"is_uploaded": True})).json == early.json
    await upload(ben, made.upload_data.fields, b"<svg/>")
    assert (await ben.patch(one, {"is_uploaded": False})).status_code == 204
    assert (await ben.get(one)).status_code == 400
    assert (await ben.patch(one, {"is_uploaded": True})).status_code == 204
    found = (await workshop.gil.get(one)).json
    convert(found, WorkspaceFileOut)
    assert found["attributes"] == {"name": "a.svg", "type": "image/svg+xml", "size": 6}
    got = await follow(ben, found["asset_url"])
    assert (got.status_code, got.content) == (200, b"<svg/>")
    assert got.headers["content-disposition"].startswith("attachment;")


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"name": "a.txt"}, {"error": "Invalid request.", "status": False}),
        (
            {"name": "a.exe", "type": "application/x-msdownload", "size": 5},
            {"error": "Invalid file type.", "status": False},
        ),
        ({"name": "a.txt", "size": 0}, {"size": ["Ensure this value is greater than or equal to 1."]}),
    ],
)
async def test_what_cannot_be_uploaded_is_refused(workshop: Workshop, body: Any, answer: Any) -> None:
    refused = await workshop.ana.post(PATH, body)
    assert (refused.status_code, refused.json) == (400, answer)


async def test_a_file_of_a_project_is_for_who_sees_the_project(workshop: Workshop) -> None:
    ana, ben, zoe = workshop.ana, workshop.ben, workshop.zoe
    secret = await ana.post(
        "workspaces/acme/projects", {"name": "Secret", "identifier": "SECR", "network": 0}
    )
    made = await attach(ana, PATH, b"hello", project_id=secret.json["id"])
    assert (await ana.get(f"{PATH}/{made['asset_id']}")).status_code == 200
    assert (await ben.get(f"{PATH}/{made['asset_id']}")).status_code == 404
    foreign = await zoe.post("workspaces/other/assets", {"name": "a.txt", "size": 5})
    assert (await ana.get(f"{PATH}/{foreign.json['asset_id']}")).status_code == 404
    for client, project_id in (
        (ben, secret.json["id"]),
        (ana, workshop.elsewhere),
        (ana, new_id()),
    ):
        answer = await client.post(PATH, {"name": "a.txt", "size": 5, "project_id": project_id})
        message = f'Invalid pk "{project_id}" - object does not exist.'
        assert (answer.status_code, answer.json) == (400, {"project_id": [message]})


async def test_an_external_id_stands_once_in_a_workspace_and_apart_from_attachments(
    workshop: Workshop,
) -> None:
    body = {"name": "a.txt", "size": 5, "external_id": "1", "external_source": "courier"}
    first, second = await workshop.ana.post(PATH, body), await workshop.ana.post(PATH, body)
    assert (second.status_code, second.json["id"]) == (409, first.json["asset_id"])
    item = await workshop.make("work-items", name="Item")
    attached = await workshop.ana.post(workshop.path(f"work-items/{item['id']}/attachments"), body)
    assert attached.status_code == 200
    assert (await workshop.ana.get(f"{PATH}/{attached.json['id']}")).status_code == 404


async def test_guests_upload_nothing(workshop: Workshop) -> None:
    assert (await workshop.gil.post(PATH, {"name": "a.txt", "size": 5})).status_code == 403
