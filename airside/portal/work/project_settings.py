"""A project's settings, for its admins: name, visibility, features, archiving, deletion."""

from typing import Any

from falcon.asgi import Request, Response

from airside.errors import Conflict, Forbidden, Invalid
from airside.portal.visit import first_sentences
from airside.portal.work import operations
from airside.portal.work.acting import Work, WorkPage
from airside.portal.work.presentation import show_project
from airside.portal.work.projects import NETWORKS, project_errors, read_project
from airside.rest.call import Call
from airside.rest.record import ADMIN

TABS = (("", "General"), ("states", "States"), ("labels", "Labels"), ("members", "Members"))

FEATURES = {
    "pages": "Pages",
    "cycles": "Cycles",
    "modules": "Modules",
    "views": "Views",
    "intakes": "Intake",
    "work_item_types": "Work item types",
    "epics": "Epics",
}


class Managed:
    """A project, opened by one of its admins."""

    def __init__(self, work: Work, call: Call) -> None:
        self.work, self.call = work, call
        self.project = show_project(work.here, call.project, call.project_role)
        self.settings = f"{self.project['path']}/settings/"

    @property
    def path(self) -> dict[str, str]:
        return {"project_id": self.call.project_id}

    def show(self, template: str, here: str, *, status: int = 200, **context: Any) -> None:
        """A page below the settings' tabs; `here` is its tab."""
        tabs = [
            (words, f"{self.settings}{tab}/" if tab else self.settings, tab == here, None)
            for tab, words in TABS
        ]
        crumbs = [("Projects", f"{self.work.here}/projects/"), (self.project["name"], self.project["href"])]
        self.work.visit.show(
            template,
            status=status,
            project=self.project,
            crumbs=crumbs,
            tabs=tabs,
            settings=self.settings,
            **context,
        )


class SettingsPage(WorkPage):
    """A page below /<workspace>/projects/<id>/settings/"""

    async def open(self, req: Request, resp: Response, slug: str, project_id: str) -> Managed:
        return await manage(await self.enter(req, resp, slug), project_id)


async def manage(work: Work, project_id: str) -> Managed:
    """Raises NotFound, and Forbidden for people who aren't admins of the project."""
    call = await work.enter(operations.SHOW_PROJECT, {"project_id": project_id})
    if call.project_role < ADMIN:
        raise Forbidden("Only the project's admins can see and change this.")
    return Managed(work, call)


class ProjectSettings(SettingsPage):
    """GET and POST /<workspace>/projects/<id>/settings/"""

    async def on_get(self, req: Request, resp: Response, slug: str, project_id: str) -> None:
        managed = await self.open(req, resp, slug, project_id)
        await show_general(managed, managed.call.project)

    async def on_post(self, req: Request, resp: Response, slug: str, project_id: str) -> None:
        work, form = await self.take_form(req, resp, slug)
        managed = await manage(work, project_id)
        body = read_project(form)
        try:
            await work.perform(operations.UPDATE_PROJECT, managed.path, body=body)
        except (Invalid, Conflict) as error:
            await show_general(managed, body, project_errors(error))
            return
        work.visit.go(managed.settings, "project_saved")


class ProjectFeatures(SettingsPage):
    """POST /<workspace>/projects/<id>/settings/features/"""

    async def on_post(self, req: Request, resp: Response, slug: str, project_id: str) -> None:
        work, form = await self.take_form(req, resp, slug)
        managed = await manage(work, project_id)
        body = {name: form.has(name) for name in FEATURES}
        await work.perform(operations.UPDATE_FEATURES, managed.path, body=body)
        work.visit.go(managed.settings, "project_saved")


class ArchiveProject(SettingsPage):
    """POST /<workspace>/projects/<id>/settings/archive/, also to bring it back"""

    async def on_post(self, req: Request, resp: Response, slug: str, project_id: str) -> None:
        work, form = await self.take_form(req, resp, slug)
        managed = await manage(work, project_id)
        back = form.text("archived") == "no"
        await work.perform(operations.UNARCHIVE_PROJECT if back else operations.ARCHIVE_PROJECT, managed.path)
        work.visit.go(managed.settings, "project_unarchived" if back else "project_archived")


class DeleteProject(SettingsPage):
    """GET and POST /<workspace>/projects/<id>/settings/delete/"""

    async def on_get(self, req: Request, resp: Response, slug: str, project_id: str) -> None:
        show_delete(await self.open(req, resp, slug, project_id))

    async def on_post(self, req: Request, resp: Response, slug: str, project_id: str) -> None:
        work, form = await self.take_form(req, resp, slug)
        managed = await manage(work, project_id)
        if form.text("confirm").strip() != managed.project["identifier"]:
            show_delete(managed, {"confirm": f"Type {managed.project['identifier']}."})
            return
        await work.perform(operations.DELETE_PROJECT, managed.path)
        work.visit.go(f"{work.here}/projects/", "project_deleted")


async def show_general(managed: Managed, filled: Any, errors: dict[str, str] | None = None) -> None:
    features = await managed.work.perform(operations.SHOW_FEATURES, managed.path)
    managed.show(
        "work/settings/general.html",
        "",
        status=422 if errors else 200,
        filled=filled,
        errors=errors or {},
        networks=NETWORKS,
        features=[(name, words, features[name]) for name, words in FEATURES.items()],
    )


def show_delete(managed: Managed, errors: dict[str, str] | None = None) -> None:
    managed.show("work/settings/delete.html", "", status=422 if errors else 200, errors=errors or {})


def sentences(error: Invalid | Conflict) -> dict[str, str]:
    """Errors for the form of one record; a conflict is shown at the name."""
    return first_sentences(error) if isinstance(error, Invalid) else {"name": f"{error.sentence}."}
