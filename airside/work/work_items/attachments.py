"""Attachments: files of a work item. Requested, uploaded past the API, confirmed; shown from then on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from airside.assets.file_types import FileRefused
from airside.assets.files import (
    FileIn,
    Files,
    Settled,
    asset_of,
    complete_upload,
    settle_upload,
    sign_download,
)
from airside.assets.tables import files
from airside.assets.user_assets import UploadData
from airside.db.base import Row
from airside.errors import Forbidden, Invalid
from airside.events.outbox import Change
from airside.rest.body import Body, Key, Properties
from airside.rest.call import Call
from airside.rest.computed import Computed, constants
from airside.rest.endpoint import Redirect
from airside.rest.face import Face, Shown, to_columns, wire_names
from airside.rest.filters import filters_of
from airside.rest.gate import record_created
from airside.rest.record import ADMIN, MEMBER, Narrowing
from airside.rest.route import Route
from airside.rest.routes import place_of
from airside.rest.selection import check_parents, find_record, list_records, sortable_columns
from airside.rest.shaping import shape_rows
from airside.rest.verbs import (
    change_record,
    create,
    in_transaction,
    remove_record,
    show_record,
    store_changes,
)
from airside.rest.wires.v1.lists import read_order, read_shape
from airside.rest.wires.v1.paths import PREFIX, WORKSPACE
from airside.rest.wires.v1.query_parameters import fields_query, order_query
from airside.rest.wires.v1.wire import V1
from airside.work.work_items.activities import Happening, record_happenings
from airside.work.work_items.visible_items import below_work_item

LIST_LIMIT = 10_000  # of one work item; the list isn't paged
MAX_NAME = 255

_UPLOADED = Narrowing((files.c.is_uploaded.is_(sa.true()),))


class AttachmentIn(FileIn):
    example = {"name": "report.pdf", "type": "application/pdf", "size": 5}


class AttachmentChange(Body):
    example = {"external_id": "report-1", "external_source": "courier"}

    external_id: Key | None = None
    external_source: Key | None = None
    is_uploaded: bool | None = True  # an empty body completes the upload, as in Plane
    attributes: Properties | None = None  # of these only `name` can change


class AttachmentOut(Shown):
    id: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    attributes: dict[str, Any]
    asset: str
    entity_type: str
    entity_identifier: str | None
    is_deleted: bool
    is_archived: bool
    external_id: str | None
    external_source: str | None
    size: int
    is_uploaded: bool
    storage_metadata: dict[str, Any]
    created_by: str | None
    updated_by: str | None
    user: str | None
    workspace: str
    draft_issue: str | None
    project: str
    issue: str
    comment: str | None
    page: str | None
    name: str
    asset_url: str


class NewAttachmentOut(AttachmentOut):
    """The attachment, which is also in `attachment`, and where to upload its file: post the fields, then the part
    `file`."""

    upload_data: UploadData
    asset_id: str
    attachment: AttachmentOut


class NotUploader(Forbidden):
    code = "not_uploader"
    sentence = "Only admins of the project and who uploaded the file can delete it"


async def _load_urls(call: Call, rows: Sequence[Row]) -> Mapping[str, Any]:
    """Id → the path of the attachment, which leads to its file."""
    base = f"{PREFIX}/{WORKSPACE.format(workspace_slug=call.workspace['slug'])}projects"
    return {
        row["id"]: f"{base}/{row['project_id']}/work-items/{row['issue_id']}/attachments/{row['id']}/"
        for row in rows
    }


class Attachments(Files):
    noun = "Attachment"
    has_history = False
    event = "workitem.attachment"
    entity_type = "ISSUE_ATTACHMENT"
    parents = (below_work_item(),)
    computed = {
        **Files.computed,
        "is_deleted": Computed(of=lambda row: row["deleted_at"] is not None),
        "asset_url": Computed(load=_load_urls),
        **constants(
            entity_identifier=None, is_archived=False, user=None, draft_issue=None, comment=None, page=None
        ),
    }

    async def before_update(self, call: Call, row: Row, changes: Row, /) -> None:
        if changes.pop("is_uploaded", True) is False:
            raise FileRefused("An uploaded file stays uploaded. Delete the attachment instead.")
        given = changes.pop("attributes", None)
        if given is not None:
            changes["name"] = _check_attributes(row["attributes"], given)

    async def before_delete(self, call: Call, row: Row, /) -> None:
        if call.project_role < ADMIN and row["created_by_id"] != call.caller.user_id:
            raise NotUploader
        await super().before_delete(call, row)

    async def after_event(self, call: Call, action: str, row: Row, changes: Sequence[Change], /) -> None:
        name, file_id = asset_of(row), row["id"]
        if action == "created":
            entries = [Happening(action, "attachment", None, name, None, file_id, "created an attachment")]
        elif action == "deleted":
            entries = [Happening(action, "attachment", name, None, file_id, None, "deleted the attachment")]
        else:
            entries = [
                Happening(
                    action, "attachment", asset_of(row | {"name": change.old_value["name"]}), name,
                    file_id, file_id, "updated an attachment",
                )
                for change in changes
                if change.field == "attributes"
            ]  # fmt: skip
        await record_happenings(call, row["issue_id"], row["project_id"], entries)


class RequestedAttachments(Attachments):
    """Those that aren't uploaded: no list, event or history has them."""

    event = None
    eventless = "The attachment is recorded once its upload is complete."


def _check_attributes(present: Row, given: Row) -> str:
    """The name in them. Raises Invalid unless they are the present ones but for the name."""
    name = given.get("name", present["name"])
    same = all(given.get(part, present[part]) == present[part] for part in ("type", "size"))
    if not same or not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME:
        raise Invalid({"attributes": [f"Only the name can change, to at most {MAX_NAME} characters."]})
    return name.strip()


ATTACHMENTS = Attachments()


async def _list_uploaded(_: Call) -> Narrowing:
    return _UPLOADED


ATTACHMENTS_V1 = Face(
    ATTACHMENTS,
    wire=V1,
    path="projects/{project_id}/work-items/{work_item_id}/attachments",
    aliases=("projects/{project_id}/issues/{work_item_id}/issue-attachments",),
    key="attachment_id",
    body=AttachmentIn,
    shown=AttachmentOut,
    names={"type": "content_type"},
    scope="projects.work_items.attachments",
    verbs=(),
    create_status=200,
    listed=_list_uploaded,
)
REQUESTED_V1 = replace(ATTACHMENTS_V1, record=RequestedAttachments())
# The body of a change names other fields than that of a new one.
CHANGED_V1 = replace(ATTACHMENTS_V1, body=AttachmentChange)


async def list_attachments(call: Call) -> Any:
    """The uploaded attachments of one work item, as a plain list, newest first."""
    await check_parents(ATTACHMENTS_V1, call)
    order = read_order(ATTACHMENTS_V1, call.query)
    rows, _ = await list_records(ATTACHMENTS_V1, call, order, 0, LIST_LIMIT)
    return await shape_rows(call, ATTACHMENTS_V1, rows, read_shape(ATTACHMENTS_V1, call.query))


async def create_attachment(call: Call) -> Row:
    """Allow one upload. Raises FileRefused, Invalid, Conflict."""
    made = await create(REQUESTED_V1, call)
    return {**made, "upload_data": call.prepared["upload_data"], "asset_id": made["id"], "attachment": made}


async def download_attachment(call: Call) -> Redirect:
    """Leads to the file for a short time. Raises FileRefused before it was uploaded."""
    await check_parents(ATTACHMENTS_V1, call)
    row = await find_record(ATTACHMENTS_V1, call, call.path[ATTACHMENTS_V1.key])
    return Redirect(await sign_download(call, row))


async def update_attachment(call: Call) -> Row:
    """Complete the upload, or change an attachment that is complete."""
    sent, file_id = to_columns(CHANGED_V1, call.body), call.path[CHANGED_V1.key]
    completes = sent.get("is_uploaded", True) is not False
    with wire_names(CHANGED_V1):
        if not completes:
            return await in_transaction(call, lambda: _update(call, file_id, sent))
        await check_parents(CHANGED_V1, call)
        async with settle_upload(call, await find_record(CHANGED_V1, call, file_id)) as settled:
            return await in_transaction(call, lambda: _complete(call, file_id, sent, settled))


async def _complete(call: Call, file_id: str, sent: Row, settled: Settled | None) -> Row:
    """The attachment is recorded now, if it wasn't complete before, and then changed."""
    await check_parents(CHANGED_V1, call, to_write=True)
    row = await find_record(CHANGED_V1, call, file_id, lock=True)
    if not row["is_uploaded"]:
        row = await store_changes(CHANGED_V1, call, row, await complete_upload(call, row, settled))
        await record_created(call, CHANGED_V1, row)
    return await show_record(call, CHANGED_V1, await change_record(CHANGED_V1, call, row, sent))


async def _update(call: Call, file_id: str, sent: Row) -> Row:
    """Nothing changes before the upload is complete."""
    await check_parents(CHANGED_V1, call, to_write=True)
    row = await find_record(CHANGED_V1, call, file_id, lock=True)
    if row["is_uploaded"]:
        row = await change_record(CHANGED_V1, call, row, sent)
    return await show_record(call, CHANGED_V1, row)


async def delete_attachment(call: Call) -> None:
    """Raises NotUploader."""

    async def work() -> None:
        await check_parents(ATTACHMENTS_V1, call, to_write=True)
        row = await find_record(ATTACHMENTS_V1, call, call.path[ATTACHMENTS_V1.key], lock=True)
        await remove_record(ATTACHMENTS_V1 if row["is_uploaded"] else REQUESTED_V1, call, row)

    await in_transaction(call, work)


_ONE = place_of(ATTACHMENTS_V1, f"/{{{ATTACHMENTS_V1.key}}}")
_READ, _WRITE = f"{ATTACHMENTS_V1.scope}:read", f"{ATTACHMENTS_V1.scope}:write"

ATTACHMENT_ROUTES = [
    Route(
        method="GET",
        **place_of(ATTACHMENTS_V1),
        handler=list_attachments,
        scope=_READ,
        name="list_attachments",
        summary="List the attachments of a work item",
        shown=list[AttachmentOut],
        face=ATTACHMENTS_V1,
        query={
            **fields_query(AttachmentOut),
            **order_query(sortable_columns(ATTACHMENTS_V1), ATTACHMENTS_V1.order_by[0]),
            **filters_of(ATTACHMENTS_V1).describe(),
        },
    ),
    Route(
        method="POST",
        **place_of(ATTACHMENTS_V1),
        handler=create_attachment,
        scope=_WRITE,
        name="create_attachment",
        summary="Begin the upload of an attachment",
        role=MEMBER,
        body=AttachmentIn,
        shown=NewAttachmentOut,
        face=REQUESTED_V1,
        eventless=RequestedAttachments.eventless,
        may_conflict=True,
    ),
    Route(
        method="GET",
        **_ONE,
        handler=download_attachment,
        scope=_READ,
        name="retrieve_attachment",
        summary="Download an attachment, from the URL to which this leads",
        status=302,
        face=ATTACHMENTS_V1,
    ),
    Route(
        method="PATCH",
        **_ONE,
        handler=update_attachment,
        scope=_WRITE,
        name="update_attachment",
        summary="Confirm that an attachment has been uploaded, or change it",
        role=MEMBER,
        body=AttachmentChange,
        partial=True,
        shown=AttachmentOut,
        face=CHANGED_V1,
        event="workitem.attachment.updated",
        other_event="workitem.attachment.created",
        may_conflict=True,
    ),
    Route(
        method="DELETE",
        **_ONE,
        handler=delete_attachment,
        scope=_WRITE,
        name="delete_attachment",
        summary="Delete an attachment",
        role=MEMBER,
        status=204,
        face=ATTACHMENTS_V1,
        event="workitem.attachment.deleted",
    ),
]
