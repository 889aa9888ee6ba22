"""A project's states and labels: create, update and delete, each on its tab of the settings.

Both are a `Vocabulary`; `States` and `Labels` declare the differences.
"""

from collections.abc import Mapping
from typing import Any

from falcon.asgi import Request, Response

from airside.db.base import Row
from airside.errors import Conflict, Invalid, Refused
from airside.portal.forms import Form
from airside.portal.work import operations
from airside.portal.work.acting import MAX_CHOICES
from airside.portal.work.presentation import OPEN, show_color, show_label, show_state
from airside.portal.work.project_settings import Managed, SettingsPage, manage, sentences
from airside.rest.call import Access
from airside.rest.route import Route
from airside.runtime.site import Site

GROUPS = {
    "backlog": "Backlog",
    "unstarted": "To do",
    "started": "In progress",
    "completed": "Done",
    "cancelled": "Cancelled",
}
COLORS = ("#60646c", "#3b82f6", "#8b5cf6", "#d946ef", "#ef4444", "#f59e0b", "#46a758", "#14b8a6")


class Vocabulary:
    """Named colors for a project's work items: its states, or its labels."""

    tab: str  # of the settings
    noun: str  # singular; prefix of the notices' names
    key: str  # of its id in the URL
    list_template: str
    form_template: str
    create: Route
    retrieve: Route
    update: Route
    delete: Route

    def read(self, form: Form) -> dict[str, Any]:
        return {"name": form.text("name").strip(), "color": form.text("color").strip()}

    def read_change(self, form: Form) -> dict[str, Any]:
        return self.read(form)

    async def list_shown(self, managed: Managed) -> dict[str, Any]:
        """Variables of the list's template; `filled` has the initial values of the form for a new one."""
        raise NotImplementedError

    def shown_in_form(self, entry: Row) -> dict[str, Any]:
        """Variables of the form's template."""
        return {"filled": entry | {"color": hex_of(entry["color"])}}

    async def show_list(
        self, managed: Managed, filled: Row | None = None, errors: dict[str, str] | None = None
    ) -> None:
        context = await self.list_shown(managed)
        if filled is not None:
            context["filled"] = filled
        status = 422 if errors else 200
        managed.show(self.list_template, self.tab, status=status, errors=errors or {}, **context)

    def show_form(
        self, managed: Managed, ids: Mapping[str, str], entry: Row, errors: dict[str, str] | None = None
    ) -> None:
        managed.show(
            self.form_template,
            self.tab,
            status=422 if errors else 200,
            form=f"{managed.settings}{self.tab}/{ids[self.key]}/",
            errors=errors or {},
            **self.shown_in_form(entry),
        )


class States(Vocabulary):
    tab, noun, key = "states", "state", "state_id"
    list_template, form_template = "work/settings/states.html", "work/settings/state.html"
    create, retrieve = operations.CREATE_STATE, operations.SHOW_STATE
    update, delete = operations.UPDATE_STATE, operations.DELETE_STATE

    def read(self, form: Form) -> dict[str, Any]:
        return super().read(form) | {"group": form.text("group")}

    def read_change(self, form: Form) -> dict[str, Any]:
        return self.read(form) | ({"default": True} if form.has("default") else {})

    async def list_shown(self, managed: Managed) -> dict[str, Any]:
        page = await managed.work.perform(
            operations.LIST_STATES, managed.path, query={"per_page": MAX_CHOICES}
        )
        states = [
            show_state(one)
            | {"kind": GROUPS.get(one["group"], one["group"]), "is_open": one["group"] in OPEN}
            for one in page["results"]
        ]
        filled = {"group": "unstarted", "color": COLORS[1]}
        return {"states": states, "filled": filled, "groups": list(GROUPS.items())}

    def shown_in_form(self, entry: Row) -> dict[str, Any]:
        return super().shown_in_form({"default": False} | entry) | {"groups": list(GROUPS.items())}


class Labels(Vocabulary):
    tab, noun, key = "labels", "label", "label_id"
    list_template, form_template = "work/settings/labels.html", "work/settings/label.html"
    create, retrieve = operations.CREATE_LABEL, operations.SHOW_LABEL
    update, delete = operations.UPDATE_LABEL, operations.DELETE_LABEL

    async def list_shown(self, managed: Managed) -> dict[str, Any]:
        query = {"per_page": MAX_CHOICES, "order_by": "name"}
        page = await managed.work.perform(operations.LIST_LABELS, managed.path, query=query)
        labels = [show_label(one) for one in page["results"]]
        return {"labels": labels, "filled": {"color": COLORS[len(labels) % len(COLORS)]}}


STATES = States()
LABELS = Labels()


class VocabularyPage(SettingsPage):
    """A page below /<workspace>/projects/<id>/settings/states/ or …/labels/"""

    def __init__(self, site: Site, access: Access, vocabulary: Vocabulary) -> None:
        super().__init__(site, access)
        self.vocabulary = vocabulary

    def go_back(self, managed: Managed, done: str) -> None:
        notice = f"{self.vocabulary.noun}_{done}"
        managed.work.visit.go(f"{managed.settings}{self.vocabulary.tab}/", notice)


class Entries(VocabularyPage):
    """GET all of them, and POST to add one"""

    creates = True

    async def on_get(self, req: Request, resp: Response, slug: str, project_id: str) -> None:
        await self.vocabulary.show_list(await self.open(req, resp, slug, project_id))

    async def on_post(self, req: Request, resp: Response, slug: str, project_id: str) -> None:
        work, form = await self.take_form(req, resp, slug)
        managed = await manage(work, project_id)
        body = self.vocabulary.read(form)
        try:
            await work.perform(self.vocabulary.create, managed.path, body=body)
        except (Invalid, Conflict) as error:
            await self.vocabulary.show_list(managed, body, sentences(error))
            return
        self.go_back(managed, "saved")


class Entry(VocabularyPage):
    """GET and POST …/<id>/"""

    async def on_get(self, req: Request, resp: Response, slug: str, project_id: str, **ids: str) -> None:
        managed = await self.open(req, resp, slug, project_id)
        found = await managed.work.perform(self.vocabulary.retrieve, managed.path | ids)
        self.vocabulary.show_form(managed, ids, found)

    async def on_post(self, req: Request, resp: Response, slug: str, project_id: str, **ids: str) -> None:
        work, form = await self.take_form(req, resp, slug)
        managed = await manage(work, project_id)
        body = self.vocabulary.read_change(form)
        try:
            await work.perform(self.vocabulary.update, managed.path | ids, body=body)
        except (Invalid, Conflict) as error:
            self.vocabulary.show_form(managed, ids, body, sentences(error))
            return
        self.go_back(managed, "saved")


class DeleteEntry(VocabularyPage):
    """POST …/<id>/delete/; of the states, an empty one that isn't the default"""

    async def on_post(self, req: Request, resp: Response, slug: str, project_id: str, **ids: str) -> None:
        work, _ = await self.take_form(req, resp, slug)
        managed = await manage(work, project_id)
        try:
            await work.perform(self.vocabulary.delete, managed.path | ids)
        except Refused as error:
            await self.vocabulary.show_list(managed, None, {"refused": f"{error.sentence}."})
            return
        self.go_back(managed, "deleted")


def hex_of(color: str) -> str:
    """As a color input takes it: #rrggbb."""
    shown = show_color(color)
    if len(shown) == 4 and shown[0] == "#":
        return "#" + "".join(2 * one for one in shown[1:])
    return shown if shown[0] == "#" else COLORS[0]
