"""The workspace's settings: its name."""

from falcon.asgi import Request, Response

from airside.errors import Invalid
from airside.portal.visit import Page, Visit, enter_workspace, first_sentences
from airside.workspaces.create import NAME_LENGTH, update_workspace


class WorkspaceSettings(Page):
    """GET and POST /<workspace>/settings/general/"""

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        self._show(visit, visit.workspace["name"], {})

    async def on_post(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        name = (await visit.read_form()).text("name")
        try:
            await update_workspace(self.site, visit.workspace_id, visit.user_id, {"name": name})
        except Invalid as error:
            self._show(visit, name, first_sentences(error))
            return
        visit.go(f"{visit.here}/settings/general/", "workspace_saved")

    def _show(self, visit: Visit, name: str, errors: dict[str, str]) -> None:
        visit.show(
            "workspace_settings.html",
            status=422 if errors else 200,
            filled={"name": name},
            errors=errors,
            address=visit.site.settings.page_address(f"{visit.here}/"),
            name_length=NAME_LENGTH,
        )
