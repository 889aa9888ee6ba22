"""A project's states and labels: added, changed and taken away, each on its tab of the settings."""

from typing import Any

from falcon.asgi import Request, Response

from airside.db.base import Row
from airside.errors import Conflict, Invalid, Refused
from airside.portal.forms import Form
from airside.portal.work import operations
from airside.portal.work.acting import MOST
from airside.portal.work.project_settings import Managed, SettingsPage, manage, sentences
from airside.portal.work.showing import OPEN, show_color, show_label, show_state

GROUPS = {
    "backlog": "Backlog",
    "unstarted": "To do",
    "started": "In progress",
    "completed": "Done",
    "cancelled": "Cancelled",
}
COLORS = ("#60646c", "#3b82f6", "#8b5cf6", "#d946ef", "#ef4444", "#f59e0b", "#46a758", "#14b8a6")


class States(SettingsPage):
    """GET /<workspace>/projects/<id>/settings/states/, and POST to add one"""

    async def on_get(self, req: Request, resp: Response, slug: str, project_id: str) -> None:
        await show_states(await self.open(req, resp, slug, project_id))

    async def on_post(self, req: Request, resp: Response, slug: str, project_id: str) -> None:
        work, form = await self.take_form(req, resp, slug)
        managed = await manage(work, project_id)
        body = read_state(form)
        try:
            await work.perform(operations.CREATE_STATE, managed.path, body=body)
        except (Invalid, Conflict) as error:
            await show_states(managed, body, sentences(error))
            return
        work.visit.go(f"{managed.settings}states/", "state_saved")


class State(SettingsPage):
    """GET and POST /<workspace>/projects/<id>/settings/states/<id>/"""

    async def on_get(self, req: Request, resp: Response, slug: str, project_id: str, state_id: str) -> None:
        managed = await self.open(req, resp, slug, project_id)
        path = managed.path | {"state_id": state_id}
        show_state_form(managed, state_id, await managed.work.perform(operations.SHOW_STATE, path))

    async def on_post(self, req: Request, resp: Response, slug: str, project_id: str, state_id: str) -> None:
        work, form = await self.take_form(req, resp, slug)
        managed = await manage(work, project_id)
        path = managed.path | {"state_id": state_id}
        body = read_state(form) | ({"default": True} if form.has("default") else {})
        try:
            await work.perform(operations.UPDATE_STATE, path, body=body)
        except (Invalid, Conflict) as error:
            show_state_form(managed, state_id, {"default": False} | body, sentences(error))
            return
        work.visit.go(f"{managed.settings}states/", "state_saved")


class DeleteState(SettingsPage):
    """POST /<workspace>/projects/<id>/settings/states/<id>/delete/: an empty one that isn't the default"""

    async def on_post(self, req: Request, resp: Response, slug: str, project_id: str, state_id: str) -> None:
        work, _ = await self.take_form(req, resp, slug)
        managed = await manage(work, project_id)
        try:
            await work.perform(operations.DELETE_STATE, managed.path | {"state_id": state_id})
        except Refused as error:
            await show_states(managed, None, {"refused": f"{error.sentence}."})
            return
        work.visit.go(f"{managed.settings}states/", "state_deleted")


class Labels(SettingsPage):
    """GET /<workspace>/projects/<id>/settings/labels/, and POST to add one"""

    async def on_get(self, req: Request, resp: Response, slug: str, project_id: str) -> None:
        await show_labels(await self.open(req, resp, slug, project_id))

    async def on_post(self, req: Request, resp: Response, slug: str, project_id: str) -> None:
        work, form = await self.take_form(req, resp, slug)
        managed = await manage(work, project_id)
        body = read_label(form)
        try:
            await work.perform(operations.CREATE_LABEL, managed.path, body=body)
        except (Invalid, Conflict) as error:
            await show_labels(managed, body, sentences(error))
            return
        work.visit.go(f"{managed.settings}labels/", "label_saved")


class Label(SettingsPage):
    """GET and POST /<workspace>/projects/<id>/settings/labels/<id>/"""

    async def on_get(self, req: Request, resp: Response, slug: str, project_id: str, label_id: str) -> None:
        managed = await self.open(req, resp, slug, project_id)
        path = managed.path | {"label_id": label_id}
        show_label_form(managed, label_id, await managed.work.perform(operations.SHOW_LABEL, path))

    async def on_post(self, req: Request, resp: Response, slug: str, project_id: str, label_id: str) -> None:
        work, form = await self.take_form(req, resp, slug)
        managed = await manage(work, project_id)
        body = read_label(form)
        try:
            await work.perform(operations.UPDATE_LABEL, managed.path | {"label_id": label_id}, body=body)
        except (Invalid, Conflict) as error:
            show_label_form(managed, label_id, body, sentences(error))
            return
        work.visit.go(f"{managed.settings}labels/", "label_saved")


class DeleteLabel(SettingsPage):
    """POST /<workspace>/projects/<id>/settings/labels/<id>/delete/"""

    async def on_post(self, req: Request, resp: Response, slug: str, project_id: str, label_id: str) -> None:
        work, _ = await self.take_form(req, resp, slug)
        managed = await manage(work, project_id)
        await work.perform(operations.DELETE_LABEL, managed.path | {"label_id": label_id})
        work.visit.go(f"{managed.settings}labels/", "label_deleted")


def read_state(form: Form) -> dict[str, Any]:
    return read_label(form) | {"group": form.text("group")}


def read_label(form: Form) -> dict[str, Any]:
    return {"name": form.text("name").strip(), "color": form.text("color").strip()}


async def show_states(
    managed: Managed, filled: Row | None = None, errors: dict[str, str] | None = None
) -> None:
    page = await managed.work.perform(operations.LIST_STATES, managed.path, query={"per_page": MOST})
    managed.show(
        "work/settings/states.html",
        "states",
        status=422 if errors else 200,
        states=[
            show_state(one)
            | {"kind": GROUPS.get(one["group"], one["group"]), "is_open": one["group"] in OPEN}
            for one in page["results"]
        ],
        filled=filled or {"group": "unstarted", "color": COLORS[1]},
        errors=errors or {},
        groups=list(GROUPS.items()),
    )


def show_state_form(
    managed: Managed, state_id: str, filled: Row, errors: dict[str, str] | None = None
) -> None:
    managed.show(
        "work/settings/state.html",
        "states",
        status=422 if errors else 200,
        form=f"{managed.settings}states/{state_id}/",
        filled=filled | {"color": hex_of(filled["color"])},
        errors=errors or {},
        groups=list(GROUPS.items()),
    )


async def show_labels(
    managed: Managed, filled: Row | None = None, errors: dict[str, str] | None = None
) -> None:
    query = {"per_page": MOST, "order_by": "name"}
    page = await managed.work.perform(operations.LIST_LABELS, managed.path, query=query)
    managed.show(
        "work/settings/labels.html",
        "labels",
        status=422 if errors else 200,
        labels=[show_label(one) for one in page["results"]],
        filled=filled or {"color": COLORS[len(page["results"]) % len(COLORS)]},
        errors=errors or {},
    )


def show_label_form(
    managed: Managed, label_id: str, filled: Row, errors: dict[str, str] | None = None
) -> None:
    managed.show(
        "work/settings/label.html",
        "labels",
        status=422 if errors else 200,
        form=f"{managed.settings}labels/{label_id}/",
        filled=filled | {"color": hex_of(filled["color"])},
        errors=errors or {},
    )


def hex_of(color: str) -> str:
    """As a colour field takes it: #rrggbb."""
    shown = show_color(color)
    if len(shown) == 4 and shown[0] == "#":
        return "#" + "".join(2 * one for one in shown[1:])
    return shown if shown[0] == "#" else COLORS[0]
