"""An app's manifest: view and download it, and apply one after its diff was shown."""

import asyncio
from datetime import datetime
from typing import Any

from falcon.asgi import Request, Response

from airside.apps.registry import slug_of
from airside.db.base import Row
from airside.developer.manifest import (
    Plan,
    apply_manifest,
    create_from_manifest,
    export_manifest,
    plan_manifest,
)
from airside.errors import WHOLE_BODY, Invalid, Refused
from airside.portal.applications.code import manifest_commands
from airside.portal.applications.created import go_to_registered
from airside.portal.applications.pages import AppPage, tab_path
from airside.portal.forms import Form
from airside.portal.rendering import PAGE_HEADERS
from airside.portal.visit import Page, Visit, enter_workspace


class AppManifest(AppPage):
    """GET /<workspace>/settings/applications/<id>/manifest/; a POST shows what a manifest would change."""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        self._show(visit, app, "")

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app, form = await self.take_form(req, resp, slug, app_id)
        text = read_text(form)
        try:
            plan = await asyncio.to_thread(plan_manifest, text, app)
        except Invalid as error:
            self._show(visit, app, text, list_wrong(error))
            return
        self.show_tab(
            visit,
            app,
            "manifest",
            "applications/manifest_plan.html",
            text=text,
            as_of=app["updated_at"].isoformat(),
            **show_plan(plan),
        )

    def _show(self, visit: Visit, app: Row, typed: str, wrong: list[str] | None = None) -> None:
        self.show_tab(
            visit,
            app,
            "manifest",
            "applications/manifest.html",
            status=422 if wrong else 200,
            manifest=export_manifest(app),
            commands=manifest_commands(app, visit.session.user["email"]),
            filled={"manifest": typed},
            wrong=wrong or [],
        )


class ApplyManifest(AppPage):
    """POST /<workspace>/settings/applications/<id>/manifest/apply/ with the text whose diff was shown."""

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app, form = await self.take_form(req, resp, slug, app_id)
        if read_moment(form.text("as_of")) != app["updated_at"]:
            raise Refused("The app has been changed meanwhile. Look at the difference again.")
        await apply_manifest(self.site, app, visit.user_id, form.text("manifest"))
        visit.go(tab_path(visit, app, "manifest"), "app_saved")


class DownloadManifest(AppPage):
    """GET /<workspace>/settings/applications/<id>/manifest/download/"""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        _, app = await self.enter_app(req, resp, slug, app_id)
        resp.set_headers(PAGE_HEADERS)
        resp.content_type = "application/yaml; charset=utf-8"
        resp.downloadable_as = f"{slug_of(app['name'])}.airside.yaml"
        resp.data = export_manifest(app).encode()


class NewFromManifest(Page):
    """GET /<workspace>/settings/applications/new/manifest/; a POST shows what it would create, or creates it."""

    creates = True

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_builder()
        self._show(visit, "")

    async def on_post(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_builder()
        form = await visit.read_form()
        text = read_text(form)
        try:
            if not form.has("create"):
                plan = await asyncio.to_thread(plan_manifest, text, None)
                self._show(visit, text, plan=plan)
                return
            made = await create_from_manifest(self.site, visit.workspace_id, visit.user_id, text)
        except Invalid as error:
            self._show(visit, text, list_wrong(error))
            return
        await go_to_registered(visit, made)

    def _show(
        self, visit: Visit, text: str, wrong: list[str] | None = None, plan: Plan | None = None
    ) -> None:
        visit.show(
            "applications/manifest_new.html",
            status=422 if wrong else 200,
            filled={"manifest": text},
            wrong=wrong or [],
            name=plan.fields["name"] if plan else "",
            lines=show_lines(plan) if plan else [],
        )


def read_text(form: Form) -> str:
    """The uploaded file, else the typed text; invalid UTF-8 becomes characters that YAML refuses."""
    file = form.files.get("file")
    return form.text("manifest") if file is None else file.decode("utf-8-sig", "replace")


def read_moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def list_wrong(error: Invalid) -> list[str]:
    """A sentence for each field, with the field's name in the manifest."""
    return [
        sentence if name in ("manifest", WHOLE_BODY) else f"{name}: {sentence}"
        for name, sentences in error.fields.items()
        for sentence in sentences
    ]


def show_plan(plan: Plan) -> dict[str, Any]:
    return {"changes": [change.name for change in plan.changes], "lines": show_lines(plan)}


def show_lines(plan: Plan) -> list[tuple[str, str]]:
    """Each line of the diff with its kind: added, taken, place or kept."""
    kinds = {"+": "added", "-": "taken", "@": "place"}
    return [(kinds.get(line[:1], "kept"), line) for line in plan.lines]
