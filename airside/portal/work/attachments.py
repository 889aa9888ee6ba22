"""Attachments on a work item's page: upload, download, delete."""

from collections.abc import Mapping
from typing import Any

from falcon.asgi import Request, Response

from airside.assets.storage import keep_file, upload_key_of
from airside.db.base import Row
from airside.errors import Invalid, Refused
from airside.portal.file_form import SentFile, receive_file
from airside.portal.rendering import forward, redirect
from airside.portal.work import operations
from airside.portal.work.acting import Work
from airside.portal.work.item import ItemPage, open_item, sentence_of, show_work_item

NAME_LENGTH = 255


class ItemAttachments(ItemPage):
    """POST /<workspace>/browse/<IDENTIFIER>-<number>/attachments/"""

    creates = True

    async def on_post(self, req: Request, resp: Response, slug: str, identifier: str) -> None:
        work = await self.enter(req, resp, slug)
        try:
            async with receive_file(work.visit, "file", self.site.settings.upload_max_bytes) as sent:
                item = await open_item(work, identifier)
                await attach(work, item.path, sent)
        except (Invalid, Refused) as error:
            item = await open_item(work, identifier)
            await show_work_item(item, errors={"file": sentence_of(error)})
            return
        redirect(self.site, resp, f"{item.href}#attachments")


class ItemAttachment(ItemPage):
    """GET /<workspace>/browse/<IDENTIFIER>-<number>/attachments/<id>/: leads to the file"""

    async def on_get(
        self, req: Request, resp: Response, slug: str, identifier: str, attachment_id: str
    ) -> None:
        item = await self.open(req, resp, slug, identifier)
        path = item.path | {"attachment_id": attachment_id}
        led = await item.work.perform(operations.DOWNLOAD_ATTACHMENT, path)
        forward(resp, led.location)


class DeleteItemAttachment(ItemPage):
    """POST /<workspace>/browse/<IDENTIFIER>-<number>/attachments/<id>/delete/"""

    async def on_post(
        self, req: Request, resp: Response, slug: str, identifier: str, attachment_id: str
    ) -> None:
        work, _ = await self.take_form(req, resp, slug)
        item = await open_item(work, identifier)
        await work.perform(operations.DELETE_ATTACHMENT, item.path | {"attachment_id": attachment_id})
        redirect(self.site, resp, f"{item.href}#attachments")


async def attach(work: Work, path: Mapping[str, str], sent: SentFile) -> None:
    """Request, store and confirm the attachment, as the API does. Raises Invalid and Refused."""
    body = {"name": sent.name[-NAME_LENGTH:] or "file", "type": sent.content_type, "size": sent.size}
    made: Row = await work.perform(operations.CREATE_ATTACHMENT, path, body=body)
    key = upload_key_of({"workspace_id": work.visit.workspace_id, "id": made["id"]})
    await keep_file(work.site, key, sent.chunks())
    confirmed: Any = {"is_uploaded": True}
    await work.perform(operations.UPDATE_ATTACHMENT, {**path, "attachment_id": made["id"]}, body=confirmed)
