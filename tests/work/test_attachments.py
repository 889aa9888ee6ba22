"""Attachments of a work item: requested, uploaded, confirmed, downloaded, renamed, deleted."""

from typing import Any

import pytest
from msgspec import convert

from airside.assets.files import name_of
from airside.assets.quota import MEGABYTE, find_usage
from airside.assets.tables import files
from airside.db.base import new_id
from airside.work.work_items.attachments import AttachmentOut, NewAttachmentOut
from tests.support.api import Client
from tests.support.uploads import attach, follow, upload
from tests.support.workshop import Workshop, unique

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOT_UPLOADED = {"error": "The asset is not uploaded.", "status": False}


async def attachments_of(workshop: Workshop) -> str:
    """The path of a new work item's attachments."""
    item = await workshop.make("work-items", name=unique("Item"))
    return workshop.path(f"work-items/{item['id']}/attachments")


async def history_of(client: Client, path: str) -> list[tuple[Any, ...]]:
    answer = await client.get(f"{path.rpartition('/')[0]}/activities")
    keys = ("verb", "field", "old_value", "new_value", "comment")
    return [tuple(one[key] for key in keys) for one in answer.json["results"][1:]]


def in_former_words(path: str) -> str:
    return path.replace("/work-items/", "/issues/").replace("/attachments", "/issue-attachments")


@pytest.mark.parametrize("former", [False, True])
async def test_a_file_is_attached_listed_downloaded_and_deleted(workshop: Workshop, former: bool) -> None:
    path, ben = await attachments_of(workshop), workshop.ben
    path = in_former_words(path) if former else path
    asked = await ben.post(path, {"name": "a b.txt", "type": "text/plain", "size": 9})
    assert asked.status_code == 200
    made = convert(asked.json, NewAttachmentOut)
    assert made.asset_id == made.id == made.attachment.id
    assert (await ben.get(path)).json == []
    assert (await upload(ben, made.upload_data.fields, b"hello")).status_code == 204
    done = await ben.patch(f"{path}/{made.id}", {"is_uploaded": True})
    assert done.status_code == 200
    convert(done.json, AttachmentOut)
    assert done.json["attributes"] == {"name": "a b.txt", "type": "text/plain", "size": 5}
    assert done.json["storage_metadata"]["ContentLength"] == 5
    assert (await ben.get(path)).json == [done.json]
    led = await workshop.gil.get(f"{path}/{made.id}")
    assert (led.status_code, led.headers["cache-control"]) == (302, "private, no-store")
    got = await follow(workshop.gil, led.headers["location"])
    assert (got.status_code, got.content, got.headers["content-type"]) == (200, b"hello", "text/plain")
    assert got.headers["content-length"] == "5"
    assert (await ben.delete(f"{path}/{made.id}")).status_code == 204
    assert (await ben.get(path)).json == []
    assert (await ben.get(f"{path}/{made.id}")).status_code == 404
    assert (await follow(ben, led.headers["location"])).status_code == 404


async def test_its_events_and_its_history_begin_when_it_is_complete(workshop: Workshop) -> None:
    path, ana = await attachments_of(workshop), workshop.ana
    asked = (await ana.post(path, {"name": "a.txt", "size": 5})).json
    assert await workshop.events_of(asked["id"]) == []
    assert await history_of(ana, path) == []
    await upload(ana, asked["upload_data"]["fields"], b"hello")
    one = f"{path}/{asked['id']}"
    done = (await ana.patch(one, {})).json
    await ana.patch(one, {"is_uploaded": True})
    renamed = (await ana.patch(one, {"attributes": {"name": "b.txt"}, "external_id": "7"})).json
    await ana.delete(one)
    recorded = await workshop.events_of(asked["id"])
    assert [event["name"].rpartition(".")[2] for event in recorded] == ["created", "updated", "deleted"]
    assert (recorded[0]["data"]["is_uploaded"], recorded[0]["data"]["asset"]) == (True, done["asset"])
    assert {change["field"] for change in recorded[1]["changes"]} == {"attributes", "external_id"}
    assert await history_of(ana, path) == [
        ("created", "attachment", None, done["asset"], "created an attachment"),
        ("updated", "attachment", done["asset"], renamed["asset"], "updated an attachment"),
        ("deleted", "attachment", renamed["asset"], None, "deleted the attachment"),
    ]
    assert (name_of(done["asset"]), name_of(renamed["asset"])) == ("a.txt", "b.txt")


async def test_one_that_was_never_uploaded_comes_and_goes_unseen(workshop: Workshop) -> None:
    path, ana = await attachments_of(workshop), workshop.ana
    asked = (await ana.post(path, {"name": "a.txt", "size": 5})).json
    one = f"{path}/{asked['id']}"
    for answer in (await ana.get(one), await ana.patch(one, {"is_uploaded": True}), await ana.patch(one, {})):
        assert (answer.status_code, answer.json) == (400, NOT_UPLOADED)
    still = await ana.patch(one, {"is_uploaded": False})
    assert (still.status_code, still.json["is_uploaded"]) == (200, False)
    assert (await ana.delete(one)).status_code == 204
    assert (await ana.get(one)).status_code == 404
    assert await workshop.events_of(asked["id"]) == []
    assert await history_of(ana, path) == []


async def test_what_is_uploaded_stays_so(workshop: Workshop) -> None:
    path, ana = await attachments_of(workshop), workshop.ana
    asked = (await ana.post(path, {"name": "a.txt", "size": 5})).json
    await upload(ana, asked["upload_data"]["fields"], b"hello")
    await ana.patch(f"{path}/{asked['id']}", {})
    assert (await ana.patch(f"{path}/{asked['id']}", {"is_uploaded": False})).status_code == 400
    again = await upload(ana, asked["upload_data"]["fields"], b"other")
    assert (again.status_code, again.json) == (403, {"detail": "This upload is over."})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": "a.exe", "type": "application/x-msdownload", "size": 5}, "Invalid file type."),
        ({"name": "a.exe", "size": 5}, "Invalid file type."),
        ({"name": "a.sh", "type": "text/x-sh", "size": 5}, "Invalid file type."),
        ({"name": "a", "type": "text/plain\r\nX: y", "size": 5}, "Invalid file type."),
        ({"name": "a", "type": "text", "size": 5}, "Invalid file type."),
        ({}, "Invalid request."),
        ({"name": "a.txt"}, "Invalid request."),
        ({"size": 5}, "Invalid request."),
    ],
)
async def test_what_cannot_be_attached_is_refused_in_plane_s_words(
    workshop: Workshop, body: dict[str, Any], said: str
) -> None:
    answer = await workshop.ana.post(await attachments_of(workshop), body)
    assert (answer.status_code, answer.json) == (400, {"error": said, "status": False})


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.txt", "text/plain"),
        ("a.png", "image/png"),
        ("a.pdf", "application/pdf"),
        ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.tar.gz", "application/octet-stream"),
        ("nothing", "application/octet-stream"),
    ],
)
async def test_a_type_that_is_not_declared_is_told_by_the_name(
    workshop: Workshop, name: str, found: str
) -> None:
    answer = await workshop.ana.post(await attachments_of(workshop), {"name": name, "size": 5})
    assert answer.json["attributes"]["type"] == found


async def test_a_file_is_bounded_by_the_setting_and_by_what_was_declared(workshop: Workshop) -> None:
    path, ana = await attachments_of(workshop), workshop.ana
    limit = workshop.site.settings.upload_max_bytes
    large = await ana.post(path, {"name": "a.txt", "size": limit + 1})
    assert (large.status_code, large.json) == (
        400,
        {"size": [f"Ensure this value is less than or equal to {limit}."]},
    )
    assert (await ana.post(path, {"name": "a.txt", "size": 0})).status_code == 400
    asked = (await ana.post(path, {"name": "a.txt", "size": 5})).json
    fields = asked["upload_data"]["fields"]
    assert (await upload(ana, fields, b"hello!")).status_code == 413
    assert (await upload(ana, fields, b"")).status_code == 400
    assert (await ana.patch(f"{path}/{asked['id']}", {})).json == NOT_UPLOADED


async def test_a_workspace_s_files_are_bounded_and_counted_as_they_come_and_go(workshop: Workshop) -> None:
    path, ana, site = await attachments_of(workshop), workshop.ana, workshop.site
    before = await find_usage(site.db, workshop.cast.acme["id"])

    async def used() -> int:
        return await find_usage(site.db, workshop.cast.acme["id"]) - before

    large = (await ana.post(path, {"name": "a.txt", "size": 1000})).json
    assert await used() == 1000
    await upload(ana, large["upload_data"]["fields"], b"x" * 400)
    await ana.patch(f"{path}/{large['id']}", {})
    assert await used() == 400
    site.settings.workspace_files_mb = before // MEGABYTE + 1
    try:
        room = site.settings.workspace_files_mb * MEGABYTE - before - 400
        full = await ana.post(path, {"name": "a.txt", "size": room + 1})
        fits = await ana.post(path, {"name": "a.txt", "size": room})
    finally:
        site.settings.workspace_files_mb = 10_240
    assert (full.status_code, full.json["status"], fits.status_code) == (400, False, 200)
    assert "may take up 1 MB" in full.json["error"]
    assert (await ana.delete(f"{path}/{fits.json['id']}")).status_code == 204
    assert await used() == 400
    await ana.delete(path.rpartition("/")[0])
    assert await used() == 0


async def test_an_external_id_stands_once_at_a_work_item(workshop: Workshop) -> None:
    path, ana = await attachments_of(workshop), workshop.ana
    body = {"name": "a.txt", "size": 5, "external_id": "1", "external_source": "courier"}
    first, second = await ana.post(path, body), await ana.post(path, body)
    assert (second.status_code, second.json["id"]) == (409, first.json["id"])
    other = await attach(ana, path, b"hello")
    taken = await ana.patch(f"{path}/{other['id']}", {"external_id": "1", "external_source": "courier"})
    assert (taken.status_code, taken.json["id"]) == (409, first.json["id"])
    assert (await ana.post(await attachments_of(workshop), body)).status_code == 200


async def test_only_the_uploader_and_the_project_s_admins_delete_one(workshop: Workshop) -> None:
    path, ana, ben, gil = await attachments_of(workshop), workshop.ana, workshop.ben, workshop.gil
    of_ana, of_ben = await attach(ana, path, b"hello"), await attach(ben, path, b"hello")
    refused = await ben.delete(f"{path}/{of_ana['id']}")
    assert (refused.status_code, list(refused.json)) == (403, ["error"])
    assert (await ana.delete(f"{path}/{of_ben['id']}")).status_code == 204
    for answer in (
        await gil.post(path, {"name": "a.txt", "size": 5}),
        await gil.patch(f"{path}/{of_ana['id']}", {"external_id": "1"}),
        await gil.delete(f"{path}/{of_ana['id']}"),
    ):
        assert answer.status_code == 403
    assert [one["id"] for one in (await gil.get(path)).json] == [of_ana["id"]]


@pytest.mark.parametrize(
    "attributes",
    [{"name": ""}, {"name": " "}, {"name": 1}, {"name": "x" * 256}, {"type": "text/html"}, {"size": 6}],
)
async def test_of_its_attributes_only_the_name_can_change(
    workshop: Workshop, attributes: dict[str, Any]
) -> None:
    path, ana = await attachments_of(workshop), workshop.ana
    made = await attach(ana, path, b"hello")
    answer = await ana.patch(f"{path}/{made['id']}", {"attributes": attributes})
    assert (answer.status_code, list(answer.json)) == (400, ["attributes"])
    same = await ana.patch(f"{path}/{made['id']}", {"attributes": made["attributes"]})
    assert (same.status_code, same.json["updated_at"]) == (200, made["updated_at"])


async def test_attachments_end_with_their_work_item(workshop: Workshop) -> None:
    path, ana = await attachments_of(workshop), workshop.ana
    made = await attach(ana, path, b"hello")
    link = (await ana.get(f"{path}/{made['id']}")).headers["location"]
    assert (await ana.delete(path.rpartition("/")[0])).status_code == 204
    assert (await follow(ana, link)).status_code == 404
    found = await workshop.site.db.find(files, id=made["id"], workspace_id=workshop.cast.acme["id"])
    assert found is not None
    assert found["deleted_at"] is not None


async def test_another_work_item_s_attachment_is_none_of_this_one(workshop: Workshop) -> None:
    path, other, ana = await attachments_of(workshop), await attachments_of(workshop), workshop.ana
    made = await attach(ana, path, b"hello")
    for file_id in (made["id"], new_id()):
        one = f"{other}/{file_id}"
        for answer in (await ana.get(one), await ana.patch(one, {}), await ana.delete(one)):
            assert answer.status_code == 404


async def test_a_list_is_ordered_and_shows_the_fields_that_are_asked_for(workshop: Workshop) -> None:
    path, ana = await attachments_of(workshop), workshop.ana
    for name in ("b.txt", "a.txt"):
        await attach(ana, path, b"hello", name=name)
        workshop.clock.advance(seconds=1)
    newest = await ana.get(path, fields="name")
    by_name = await ana.get(path, fields="name", order_by="-name")
    assert [one["name"] for one in newest.json] == ["a.txt", "b.txt"]
    assert by_name.json == [{"name": "b.txt"}, {"name": "a.txt"}]


async def test_an_archived_work_item_s_attachments_are_read_and_not_changed(workshop: Workshop) -> None:
    item = await workshop.make("work-items", name="Item", state=await workshop.state_of("completed"))
    path, ana = workshop.path(f"work-items/{item['id']}/attachments"), workshop.ana
    made = await attach(ana, path, b"hello")
    assert (await ana.post(workshop.path(f"work-items/{item['id']}/archive"))).status_code == 204
    one = f"{path}/{made['id']}"
    for answer in (
        await ana.post(path, {"name": "a.txt", "size": 5}),
        await ana.patch(one, {"external_id": "1"}),
        await ana.delete(one),
    ):
        assert (answer.status_code, answer.json) == (400, {"error": "Archived work item cannot be updated"})
    assert ((await ana.get(one)).status_code, len((await ana.get(path)).json)) == (302, 1)
