"""One work item: its description, properties, sub-items, and its thread of comments and changes."""

from typing import Any

from falcon.asgi import Request, Response

from airside.db.base import Row
from airside.errors import AirsideError, Conflict, Invalid, Refused
from airside.portal.forms import WRITING_LIMIT, Form
from airside.portal.rendering import redirect
from airside.portal.visit import first_sentences
from airside.portal.work import operations
from airside.portal.work.acting import Work, WorkPage
from airside.portal.work.editing import read_editable, write_edited
from airside.portal.work.item_facts import find_facts
from airside.portal.work.items import LISTED
from airside.portal.work.linked_pages import list_linked_pages
from airside.portal.work.people import NOBODY, find_people, list_people
from airside.portal.work.presentation import (
    Setting,
    find_setting,
    item_href,
    people_of,
    show_item,
    today_of,
)
from airside.portal.work.related import name_items
from airside.portal.work.sources import SOURCES
from airside.portal.work.thread import Item, list_thread, read_steps
from airside.portal.work.writing import find_mentioned, is_blank, show_html
from airside.rest.call import Call
from airside.rest.record import ADMIN
from airside.rich_text.html import off_loop, weigh
from airside.rich_text.markdown import LARGE

CHILDREN = 100  # sub-items that are shown
LINKS = 100
ATTACHMENTS = 200


class Opened:
    """A work item on its page: its record, and its project with states and labels."""

    def __init__(self, work: Work, call: Call, row: Row, setting: Setting) -> None:
        self.work, self.call, self.row, self.setting = work, call, row, setting
        self.role = call.project_role
        self.project_id = call.project_id
        self.key = f"{setting.project['identifier']}-{row['sequence_id']}"
        self.href = item_href(work.here, self.key, row["id"])

    @property
    def path(self) -> dict[str, str]:
        """Path parameters for the operations on it."""
        return {"project_id": self.project_id, "work_item_id": self.row["id"]}

    @property
    def thread(self) -> Item:
        return Item(self.path, self.row, self.role, self.href)

    async def change(self, **body: Any) -> Row:
        """Update it as the API does."""
        return await self.work.perform(operations.UPDATE_ITEM, self.path, body=body)


class ItemPage(WorkPage):
    """A page below /<workspace>/browse/<IDENTIFIER>-<number>/"""

    async def read_form_for_writing(self, req: Request, resp: Response, slug: str) -> tuple[Work, Form]:
        """Like take_form, with the larger size limit for texts."""
        work = await self.enter(req, resp, slug)
        return work, await work.visit.read_form(form_limit=WRITING_LIMIT)

    async def open(self, req: Request, resp: Response, slug: str, identifier: str) -> Opened:
        return await open_item(await self.enter(req, resp, slug), identifier)


async def open_item(work: Work, identifier: str) -> Opened:
    """Raises NotFound, and Forbidden for a project that the person doesn't belong to."""
    call = await work.enter(operations.FIND_ITEM, {"identifier": identifier})
    row = await operations.FIND_ITEM.handler(call)
    return Opened(work, call, row, await find_setting(work, call))


class WorkItem(ItemPage):
    """GET /<workspace>/browse/<IDENTIFIER>-<number>/?earlier=N"""

    async def on_get(self, req: Request, resp: Response, slug: str, identifier: str) -> None:
        item = await self.open(req, resp, slug, identifier)
        await show_work_item(item, steps=read_steps(req.get_param("earlier")))


class EditWorkItem(ItemPage):
    """GET and POST /<workspace>/browse/<IDENTIFIER>-<number>/edit/: title and description."""

    async def on_get(self, req: Request, resp: Response, slug: str, identifier: str) -> None:
        item = await self.open(req, resp, slug, identifier)
        text = await as_typed(item.work, item.row["description_html"])
        show_edit(item, {"name": item.row["name"], "description": text})

    async def on_post(self, req: Request, resp: Response, slug: str, identifier: str) -> None:
        work, form = await self.read_form_for_writing(req, resp, slug)
        item = await open_item(work, identifier)
        typed = form.text("description")
        body: dict[str, Any] = {"name": form.text("name").strip()}
        try:
            stored = item.row["description_html"]
            text = await as_stored(item, typed, form.texts("mentioned"), stored)
            if text != stored:
                body["description_html"] = text
            await item.change(**body)
        except Invalid as error:
            filled = {"name": form.text("name"), "description": typed}
            names = {"description_html": "description", "text": "description"}
            show_edit(item, filled, first_sentences(error, names))
            return
        redirect(self.site, resp, item.href)


class DeleteWorkItem(ItemPage):
    """GET and POST /<workspace>/browse/<IDENTIFIER>-<number>/delete/"""

    async def on_get(self, req: Request, resp: Response, slug: str, identifier: str) -> None:
        item = await self.open(req, resp, slug, identifier)
        item.work.visit.show(
            "confirm.html",
            nav="projects",
            crumbs=crumbs(item),
            title=f"Delete {item.key}?",
            sentences=[f"“{item.row['name']}” is deleted with its comments. It can't be brought back."],
            words="Delete the work item",
            action=f"{item.href}delete/",
            cancel_href=item.href,
            ask_password=False,
            errors={},
        )

    async def on_post(self, req: Request, resp: Response, slug: str, identifier: str) -> None:
        work, _ = await self.take_form(req, resp, slug)
        item = await open_item(work, identifier)
        await work.perform(operations.DELETE_ITEM, item.path)
        work.visit.go(item.setting.project["href"], "item_deleted")


class ArchiveWorkItem(ItemPage):
    """POST /<workspace>/browse/<IDENTIFIER>-<number>/archive/, also to bring it back"""

    async def on_post(self, req: Request, resp: Response, slug: str, identifier: str) -> None:
        work, form = await self.take_form(req, resp, slug)
        item = await open_item(work, identifier)
        back = form.text("archived") == "no"
        await work.perform(operations.UNARCHIVE_ITEM if back else operations.ARCHIVE_ITEM, item.path)
        redirect(self.site, resp, item.href)


class SubItems(ItemPage):
    """POST /<workspace>/browse/<IDENTIFIER>-<number>/sub-items/: a new one below this one"""

    creates = True

    async def on_post(self, req: Request, resp: Response, slug: str, identifier: str) -> None:
        work, form = await self.take_form(req, resp, slug)
        item = await open_item(work, identifier)
        body = {"name": form.text("name").strip(), "parent": item.row["id"]}
        try:
            await work.perform(operations.CREATE_ITEM, {"project_id": item.project_id}, body=body)
        except Invalid as error:
            await show_work_item(item, errors={"sub_item": first_sentences(error).get("name", "")})
            return
        redirect(self.site, resp, item.href)


class ItemLinks(ItemPage):
    """POST /<workspace>/browse/<IDENTIFIER>-<number>/links/"""

    creates = True

    async def on_post(self, req: Request, resp: Response, slug: str, identifier: str) -> None:
        work, form = await self.take_form(req, resp, slug)
        item = await open_item(work, identifier)
        body = {"url": form.text("url").strip(), "title": form.text("title").strip() or None}
        try:
            await work.perform(operations.CREATE_LINK, item.path, body=body)
        except (Invalid, Refused) as error:
            await show_work_item(item, errors={"url": error.sentence.removeprefix("url: ")})
            return
        redirect(self.site, resp, item.href)


class DeleteItemLink(ItemPage):
    """POST /<workspace>/browse/<IDENTIFIER>-<number>/links/<id>/delete/"""

    async def on_post(self, req: Request, resp: Response, slug: str, identifier: str, link_id: str) -> None:
        work, _ = await self.take_form(req, resp, slug)
        item = await open_item(work, identifier)
        await work.perform(operations.DELETE_LINK, item.path | {"link_id": link_id})
        redirect(self.site, resp, item.href)


async def show_work_item(
    item: Opened,
    *,
    errors: dict[str, str] | None = None,
    typed: str = "",
    answering: str = "",
    steps: int = 0,
) -> None:
    """Render the page; `typed` is a refused comment, `answering` the one it replies to, `steps` how far back the
    thread starts."""
    work, row = item.work, item.row
    children = await list_children(item)
    found = await find_facts(item.call, row, work.here, item.setting.project["path"])
    named = await find_mentioned(row["description_html"]) | await found.people()
    people = await people_of(work, [row, *children], *named)
    today = today_of(work)
    links = await work.perform(operations.LIST_LINKS, item.path, query={"per_page": LINKS})
    attachments = await work.perform(operations.LIST_ATTACHMENTS, item.path)
    shown = show_item(work, item.setting, row, people, today)
    stored = row["description_html"]
    description = await off_loop(weigh(stored), lambda: show_html(stored, people))
    work.visit.show(
        "work/item.html",
        status=422 if errors else 200,
        project=item.setting.project,
        crumbs=crumbs(item),
        item=shown,
        description="" if is_blank(stored) else description,
        creator=people.get(row["created_by"], NOBODY),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        facts=await found.show(people),
        children=[show_item(work, item.setting, child, people, today) for child in children],
        links=[show_link(link, item.href) for link in links["results"]],
        attachments=[show_attachment(item, file) for file in attachments[:ATTACHMENTS]],
        max_mb=work.site.settings.upload_max_mb,
        pages=await list_linked_pages(work, item.path),
        thread=await list_thread(work, item.thread, SOURCES, steps),
        can_comment=item.role >= operations.CREATE_COMMENT.role,
        can_delete=item.role >= 20 or row["created_by"] == work.visit.user_id,
        viewer_is=work.visit.user_id,
        errors=errors or {},
        typed=typed,
        answering=answering,
    )


def crumbs(item: Opened) -> list[tuple[str, str]]:
    project = item.setting.project
    return [
        ("Projects", f"{item.work.here}/projects/"),
        (project["name"], project["href"]),
        (item.key, item.href),
    ]


async def list_children(item: Opened) -> list[Row]:
    pql = f'parent = "{item.row["id"]}"'
    query = {"pql": pql, "per_page": CHILDREN, "order_by": "created_at", "fields": LISTED}
    page = await item.work.perform(operations.LIST_ITEMS, {"project_id": item.project_id}, query=query)
    return page["results"]


async def find_parent(item: Opened) -> Row | None:
    """The parent work item, if the person may see it."""
    parent = item.row["parent"]
    return (await name_items(item.call, item.work.here, [parent])).get(parent) if parent else None


def show_link(link: Row, href: str) -> dict[str, str]:
    return {
        "url": link["url"],
        "words": link["title"] or link["url"],
        "delete": f"{href}links/{link['id']}/delete/",
    }


def show_attachment(item: Opened, file: Row) -> dict[str, Any]:
    href = f"{item.href}attachments/{file['id']}/"
    return {
        "name": file["name"],
        "size": show_size(file["size"]),
        "type": str(file["attributes"].get("type") or ""),
        "href": href,
        "delete": f"{href}delete/",
        "can_delete": item.role >= ADMIN or file["created_by"] == item.work.visit.user_id,
    }


def show_size(size: int) -> str:
    """As people read it: 244 kB."""
    for unit, step in (("GB", 1024**3), ("MB", 1024**2), ("kB", 1024)):
        if size >= step:
            return f"{size / step:.1f} {unit}" if size < 10 * step else f"{size // step} {unit}"
    return f"{size} bytes"


async def as_typed(work: Work, stored: str) -> str:
    """Stored HTML as Markdown for editing."""
    people = await find_people(work.site.db, await find_mentioned(stored))
    return await off_loop(weigh(stored), lambda: read_editable(stored, people).text, LARGE)


async def as_stored(item: Opened, typed: str, picked: list[str], stored: str = "") -> str:
    """Markdown with @names as the HTML to store in place of `stored`. Raises Invalid for `text`."""
    people = await list_people(item.work.site.db, item.work.visit.workspace_id, item.project_id)
    known = await find_people(item.work.site.db, await find_mentioned(stored))
    missing = [known[one] for one in known if one not in {person.id for person in people}]

    def write() -> str:
        return write_edited(typed, stored, [*people, *missing], [*picked, *known])

    return await off_loop(len(typed) + weigh(stored), write, LARGE)


def show_edit(item: Opened, filled: dict[str, str], errors: dict[str, str] | None = None) -> None:
    item.work.visit.show(
        "work/edit.html",
        status=422 if errors else 200,
        project=item.setting.project,
        crumbs=crumbs(item),
        key=item.key,
        href=item.href,
        filled=filled,
        errors=errors or {},
    )


def sentence_of(error: AirsideError) -> str:
    """The sentence for people about a refused change."""
    if isinstance(error, Invalid):
        return " ".join(first_sentences(error).values())
    return error.sentence


REFUSALS = (Invalid, Refused, Conflict)
