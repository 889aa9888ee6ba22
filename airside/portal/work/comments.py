"""Comments on a work item: create, reply, edit, delete; and the people that a text can mention."""

from typing import Any

from falcon.asgi import Request, Response

from airside.db.base import Row
from airside.errors import Forbidden, Invalid
from airside.portal.rendering import redirect
from airside.portal.work import operations
from airside.portal.work.item import (
    ItemPage,
    Opened,
    as_stored,
    as_typed,
    crumbs,
    open_item,
    sentence_of,
    show_work_item,
)
from airside.portal.work.people import list_people
from airside.portal.work.thread import Item
from airside.portal.work.writing import is_blank
from airside.rest.record import ADMIN

SHOWN = 8  # people that the picker lists


class NewComment(ItemPage):
    """POST /<workspace>/browse/<IDENTIFIER>-<number>/comments/"""

    creates = True

    async def on_post(self, req: Request, resp: Response, slug: str, identifier: str) -> None:
        work, form = await self.read_form_for_writing(req, resp, slug)
        item = await open_item(work, identifier)
        typed, parent = form.text("text"), form.text("parent")
        try:
            stored = await as_stored(item, typed, form.texts("mentioned"))
            if is_blank(stored):
                raise Invalid({"text": ["Write something first."]})
            body: dict[str, Any] = {"comment_html": stored, **({"parent": parent} if parent else {})}
            await work.perform(operations.CREATE_COMMENT, item.path, body=body)
        except Invalid as error:
            errors = {"text": sentence_of(error)}
            await show_work_item(item, errors=errors, typed=typed, answering=parent)
            return
        redirect(self.site, resp, item.href)


class EditComment(ItemPage):
    """GET and POST /<workspace>/browse/<IDENTIFIER>-<number>/comments/<id>/"""

    async def on_get(self, req: Request, resp: Response, slug: str, identifier: str, comment_id: str) -> None:
        item = await self.open(req, resp, slug, identifier)
        comment = await get_own_comment(item, comment_id)
        show_form(item, comment, await as_typed(item.work, comment["comment_html"]))

    async def on_post(
        self, req: Request, resp: Response, slug: str, identifier: str, comment_id: str
    ) -> None:
        work, form = await self.read_form_for_writing(req, resp, slug)
        item = await open_item(work, identifier)
        comment = await get_own_comment(item, comment_id)
        typed = form.text("text")
        path = item.path | {"comment_id": comment_id}
        try:
            stored = await as_stored(item, typed, form.texts("mentioned"), comment["comment_html"])
            if is_blank(stored):
                raise Invalid({"text": ["Write something, or delete the comment."]})
            await work.perform(operations.UPDATE_COMMENT, path, body={"comment_html": stored})
        except Invalid as error:
            show_form(item, comment, typed, {"text": sentence_of(error)})
            return
        redirect(self.site, resp, f"{item.href}#comment-{comment_id}")


class DeleteComment(ItemPage):
    """GET and POST /<workspace>/browse/<IDENTIFIER>-<number>/comments/<id>/delete/"""

    async def on_get(self, req: Request, resp: Response, slug: str, identifier: str, comment_id: str) -> None:
        item = await self.open(req, resp, slug, identifier)
        await get_own_comment(item, comment_id)
        item.work.visit.show(
            "confirm.html",
            nav="projects",
            crumbs=crumbs(item),
            title="Delete the comment?",
            sentences=["It can't be brought back. Answers to it stay."],
            words="Delete the comment",
            action=f"{item.href}comments/{comment_id}/delete/",
            cancel_href=item.href,
            ask_password=False,
            errors={},
        )

    async def on_post(
        self, req: Request, resp: Response, slug: str, identifier: str, comment_id: str
    ) -> None:
        work, _ = await self.take_form(req, resp, slug)
        item = await open_item(work, identifier)
        await work.perform(operations.DELETE_COMMENT, item.path | {"comment_id": comment_id})
        redirect(self.site, resp, item.href)


class Mentionable(ItemPage):
    """GET /<workspace>/browse/<IDENTIFIER>-<number>/mentionable/?q=…: the picker's list, a part of a page"""

    async def on_get(self, req: Request, resp: Response, slug: str, identifier: str) -> None:
        item = await self.open(req, resp, slug, identifier)
        asked = (req.get_param("q") or "")[:60].casefold()
        people = await list_people(item.work.site.db, item.work.visit.workspace_id, item.project_id)
        found = [person for person in people if asked in person.name.casefold()]
        item.work.visit.show("work/_mentionable.html", people=found[:SHOWN])


async def get_own_comment(item: Opened, comment_id: str) -> Row:
    """Raises NotFound, and Forbidden for somebody else's comment."""
    row = await item.work.perform(operations.SHOW_COMMENT, item.path | {"comment_id": comment_id})
    if not may_change(item.thread, item.work.visit.user_id, row):
        raise Forbidden("Only the author and the project's admins may change this comment.")
    return row


def may_change(item: Item, user_id: str, comment: Row) -> bool:
    return comment["actor"] == user_id or item.role >= ADMIN


def show_form(item: Opened, comment: Row, text: str, errors: dict[str, str] | None = None) -> None:
    item.work.visit.show(
        "work/comment_form.html",
        status=422 if errors else 200,
        project=item.setting.project,
        crumbs=crumbs(item),
        href=item.href,
        action=f"{item.href}comments/{comment['id']}/",
        mentionable=f"{item.href}mentionable/",
        filled={"text": text},
        errors=errors or {},
    )
