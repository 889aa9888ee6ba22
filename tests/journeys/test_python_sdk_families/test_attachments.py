"""Attachments and assets: credentials, direct upload, completion, a signed download that ends, limits."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from plane import PlaneClient
from plane.errors import HttpError
from plane.models.users import UserAssetUploadRequest
from plane.models.work_items import (
    CreateWorkItem,
    UpdateWorkItemAttachment,
    WorkItemAttachmentUploadRequest,
)

from tests.journeys.conftest import Stage
from tests.journeys.test_python_sdk_families.recorded import list_recorded

SCRIPT = b"<svg xmlns='http://www.w3.org/2000/svg' onload='steal()'/>"


def test_7_a_file_is_attached_seen_downloaded_and_deleted(
    stage: Stage, ana: PlaneClient, project: Any
) -> None:
    item = ana.work_items.create("acme", project.id, CreateWorkItem(name="Bolt"))
    at, attachments = ("acme", project.id, item.id), ana.work_items.attachments
    made = attachments.upload_from_bytes(*at, SCRIPT, "plan.svg", "image/svg+xml")
    [listed] = attachments.list(*at)
    assert (listed.id, listed.is_uploaded, listed.size) == (made.id, True, len(SCRIPT))
    url = attachments.get_download_url(*at, made.id)
    got = requests.get(url, timeout=10)  # by nobody
    assert (got.status_code, got.content) == (200, SCRIPT)
    assert got.headers["Content-Disposition"].startswith("attachment;")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert requests.get(f"{url}0", timeout=10).status_code == 403
    again = attachments.update(*at, made.id, UpdateWorkItemAttachment(is_uploaded=True))
    assert again.attributes == {"name": "plan.svg", "type": "image/svg+xml", "size": len(SCRIPT)}

    page_path = f"/acme/browse/{project.identifier}-{item.sequence_id}/"
    page = open_page(stage, page_path)
    assert "plan.svg" in page
    [link] = re.findall(rf'href="({page_path}attachments/[^"]+)"', page)
    assert link == f"{page_path}attachments/{made.id}/"

    attachments.delete(*at, made.id)
    assert attachments.list(*at) == []
    assert requests.get(url, timeout=10).status_code == 404
    history = ana.work_items.activities.list("acme", project.id, item.id).results[1:]
    assert [line.comment for line in history] == [
        "created an attachment", "deleted the attachment",
    ]  # fmt: skip
    recorded = [name for name, data in list_recorded(stage, "workitem.attachment") if data["id"] == made.id]
    assert recorded == [f"workitem.attachment.{action}" for action in ("created", "deleted")]


def open_page(stage: Stage, path: str) -> str:
    """The page, as Ana sees it."""
    browser = stage.ana
    return browser.sign_in(browser.open(f"{stage.base_url}{path}")).text


def test_7_an_upload_step_by_step_with_its_limits(
    stage: Stage, ana: PlaneClient, client_of: Callable[[str], PlaneClient], project: Any
) -> None:
    item = ana.work_items.create("acme", project.id, CreateWorkItem(name="Nut"))
    at, attachments = ("acme", project.id, item.id), ana.work_items.attachments
    body = WorkItemAttachmentUploadRequest(
        name="a.txt", type="text/plain", size=5, external_id="1", external_source="courier"
    )
    made = attachments.create(*at, body)
    assert (made.is_uploaded, made.asset.endswith("-a.txt")) == (False, True)
    for attempt, status, said in (
        (lambda: attachments.create(*at, body), 409, made.id),
        (lambda: attachments.update(*at, made.id, UpdateWorkItemAttachment(is_uploaded=True)), 400, "not uploaded"),
        (lambda: attachments.get_download_url(*at, made.id), 400, "not uploaded"),
        (lambda: attachments.upload_from_bytes(*at, b"MZ", "a.exe", "application/x-msdownload"), 400, "Invalid"),
        (lambda: client_of("zoe").work_items.attachments.list(*at), 403, ""),
    ):  # fmt: skip
        with pytest.raises(HttpError) as error:
            attempt()
        assert error.value.status_code == status
        assert said in str(error.value.response)
    large = {"name": "a.txt", "type": "text/plain", "size": 10**9}
    with pytest.raises(HttpError, match="400"):
        attachments.create(*at, WorkItemAttachmentUploadRequest(**large))
    attachments.delete(*at, made.id)


def test_7_a_person_s_picture_is_uploaded_the_same_way(stage: Stage, ana: PlaneClient) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + b"\0" * 500
    asked = ana.users.upload_asset(
        UserAssetUploadRequest(name="me.png", size=len(picture), entity_type="USER_COVER")
    )
    form = asked["upload_data"]
    sent = requests.post(form["url"], data=form["fields"], files={"file": ("me.png", picture)}, timeout=10)
    assert sent.status_code == 204
    assert requests.get(f"{stage.base_url}{asked['asset_url']}", timeout=10).status_code == 404
