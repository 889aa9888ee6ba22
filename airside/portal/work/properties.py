"""A work item's properties, changed one at a time in a menu: a popover, or a page without scripts."""

from collections.abc import Sequence
from typing import Any

from falcon.asgi import Request, Response

from airside.errors import AirsideError, Forbidden, Invalid, NotFound, PageNotFound
from airside.portal.forms import Form
from airside.portal.rendering import redirect
from airside.portal.work import operations
from airside.portal.work.acting import Work
from airside.portal.work.item import REFUSALS, ItemPage, Opened, crumbs, find_parent, open_item, sentence_of
from airside.portal.work.people import find_people, list_people
from airside.portal.work.presentation import PRIORITIES
from airside.portal.work.return_to import came_from, read_next

# Path segment → title.
FIELDS = {
    "state": "State",
    "priority": "Priority",
    "assignees": "Assignees",
    "labels": "Labels",
    "start_date": "Start date",
    "target_date": "Due date",
    "parent": "Parent",
    "name": "Title",
}
SEVERAL = ("assignees", "labels")
DATES = ("start_date", "target_date")


class Property(ItemPage):
    """GET and POST /<workspace>/browse/<IDENTIFIER>-<number>/set/<field>/"""

    async def on_get(self, req: Request, resp: Response, slug: str, identifier: str, field: str) -> None:
        if field not in FIELDS:
            raise PageNotFound
        item = await self.open(req, resp, slug, identifier)
        await show_menu(req, item, field, came_from(self.site, req, item.href))

    async def on_post(self, req: Request, resp: Response, slug: str, identifier: str, field: str) -> None:
        work, form = await self.take_form(req, resp, slug)
        if field not in FIELDS:
            raise PageNotFound
        item = await open_item(work, identifier)
        back = read_next(form, item.href)
        try:
            await item.change(**{field: await read_value(work, field, form)})
        except REFUSALS as error:
            await show_menu(req, item, field, back, error=error)
            return
        redirect(self.site, resp, back)


async def read_value(work: Work, field: str, form: Form) -> Any:
    """The submitted value as the API takes it."""
    if field in SEVERAL:
        return form.texts("value")
    text = form.text("value").strip()
    if field == "parent":
        return await _find_parent_id(work, text) if text else None
    return (text or None) if field in DATES else text


async def _find_parent_id(work: Work, key: str) -> str:
    """Raises Invalid for a work item that is missing or invisible to this person."""
    try:
        call = await work.enter(operations.FIND_ITEM, {"identifier": key})
        return (await operations.FIND_ITEM.handler(call))["id"]
    except (Forbidden, NotFound, Invalid):
        raise Invalid({"parent": [f"There is no work item {key[:40]}."]}) from None


async def show_menu(
    req: Request, item: Opened, field: str, back: str, *, error: AirsideError | None = None
) -> None:
    """Render the menu: alone for an htmx request, else on a page of its own."""
    is_part = req.get_header("HX-Request") is not None
    template = "work/_menu.html" if is_part else "work/menu.html"
    if error is not None and is_part:  # the form targets the page; show its error in the menu
        item.work.visit.resp.set_headers(
            {"HX-Retarget": "#menu", "HX-Reswap": "innerHTML", "HX-Reselect": "#menu-part"}
        )
    item.work.visit.show(
        template,
        status=422 if error else 200,
        project=item.setting.project,
        crumbs=crumbs(item),
        key=item.key,
        name=item.row["name"],
        href=item.href,
        field=field,
        title=FIELDS[field],
        is_several=field in SEVERAL,
        kind="date" if field in DATES else "key" if field == "parent" else "choice",
        action=f"{item.href}set/{field}/",
        next=back,
        choices=await list_choices(item, field),
        value=await _show_value(item, field),
        error=sentence_of(error) if error else "",
        can_write=item.setting.project["can_write"],
    )


async def list_choices(item: Opened, field: str) -> Sequence[dict[str, Any]]:
    """The choices: value, label, icon data, and whether it is chosen."""
    row, setting = item.row, item.setting
    if field == "state":
        return [
            {"value": one["id"], "words": one["name"], "state": one, "is_chosen": one["id"] == row["state"]}
            for one in setting.states
        ]
    if field == "priority":
        return [
            {"value": one, "words": one.capitalize() if one != "none" else "No priority", "priority": one,
             "is_chosen": one == row["priority"]}
            for one in PRIORITIES
        ]  # fmt: skip
    if field == "labels":
        return [
            {"value": one["id"], "words": one["name"], "label": one, "is_chosen": one["id"] in row["labels"]}
            for one in setting.labels
        ]
    return await _list_assignable(item) if field == "assignees" else ()


async def _list_assignable(item: Opened) -> Sequence[dict[str, Any]]:
    """People who can be assigned, and the present assignees, including former members."""
    db, assigned = item.work.site.db, item.row["assignees"]
    people = await list_people(db, item.work.visit.workspace_id, item.project_id)
    found = [person for person in people if person.can_be_assigned or person.id in assigned]
    gone = set(assigned) - {person.id for person in found}
    found += (await find_people(db, gone)).values()
    return [
        {"value": one.id, "words": one.name, "person": one, "is_chosen": one.id in assigned} for one in found
    ]


async def _show_value(item: Opened, field: str) -> str:
    if field in DATES:
        value = item.row[field]
        return value.isoformat() if value else ""
    if field == "parent" and item.row["parent"]:
        parent = await find_parent(item)
        return parent["key"] if parent else ""
    return item.row["name"] if field == "name" else ""
