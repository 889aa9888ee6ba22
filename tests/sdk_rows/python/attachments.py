"""Attachments of work items: announced, uploaded, completed, downloaded."""

from typing import Any

import requests
from plane.models.work_items import UpdateWorkItemAttachment, WorkItemAttachmentUploadRequest

from tests.sdk_rows.place import SLUG, Place
from tests.sdk_rows.rows import row

DRAWING = b"%PDF-1.7 a wheel"


def announce(place: Place, item_id: str) -> Any:
    data = WorkItemAttachmentUploadRequest(name="wheel.pdf", type="application/pdf", size=len(DRAWING))
    return place.client.work_items.attachments.create(SLUG, place.project_id, item_id, data)


def upload(place: Place, item_id: str) -> Any:
    given = (SLUG, place.project_id, item_id, DRAWING, "wheel.pdf", "application/pdf")
    return place.client.work_items.attachments.upload_from_bytes(*given)


def list_of(place: Place, item_id: str) -> list[str]:
    return [one.id for one in place.client.work_items.attachments.list(SLUG, place.project_id, item_id)]


@row("work_items.attachments.create")
def create(place: Place) -> None:
    item_id = place.item().id
    made = announce(place, item_id)
    assert made.attributes["name"] == "wheel.pdf"
    assert list_of(place, item_id) == []  # nothing is uploaded yet
    uploaded = upload(place, item_id)
    assert list_of(place, item_id) == [uploaded.id]


@row("work_items.attachments.list")
def list_attachments(place: Place) -> None:
    item_id = place.item().id
    made = [upload(place, item_id).id for _ in range(2)]
    assert sorted(list_of(place, item_id)) == sorted(made)
    assert list_of(place, place.item().id) == []


@row("work_items.attachments.retrieve")
def retrieve(place: Place) -> None:
    item_id = place.item().id
    made = upload(place, item_id)
    attachments = place.client.work_items.attachments
    url = attachments.get_download_url(SLUG, place.project_id, item_id, made.id)
    assert requests.get(url, timeout=20).content == DRAWING


@row("work_items.attachments.update")
def update(place: Place) -> None:
    item_id = place.item().id
    made = announce(place, item_id)
    there = made.upload_data
    files = {"file": ("wheel.pdf", DRAWING, "application/pdf")}
    requests.post(there["url"], data=there["fields"], files=files, timeout=20).raise_for_status()
    data = UpdateWorkItemAttachment(is_uploaded=True)
    attachments = place.client.work_items.attachments
    assert attachments.update(SLUG, place.project_id, item_id, made.id, data).is_uploaded
    assert list_of(place, item_id) == [made.id]


@row("work_items.attachments.delete")
def delete(place: Place) -> None:
    item_id = place.item().id
    made, left = upload(place, item_id), upload(place, item_id)
    place.client.work_items.attachments.delete(SLUG, place.project_id, item_id, made.id)
    assert list_of(place, item_id) == [left.id]
