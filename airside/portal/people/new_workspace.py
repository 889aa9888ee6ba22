"""Creating a workspace, if the operator allows it."""

import re

from falcon.asgi import Request, Response

from airside.db.base import Row
from airside.errors import Conflict, Forbidden, Invalid
from airside.identity.proof import is_proven
from airside.portal.visit import Page, Visit, enter, first_sentences
from airside.runtime.site import Site
from airside.workspaces.create import SLUG_LENGTH, create_workspace


class NewWorkspace(Page):
    """GET and POST /workspaces/new/"""

    creates = True

    async def on_get(self, req: Request, resp: Response) -> None:
        visit = require_may_create(await enter(self.site, req, resp))
        self._show(visit, {}, {})

    async def on_post(self, req: Request, resp: Response) -> None:
        visit = await enter(self.site, req, resp)
        form = await visit.read_form()
        require_may_create(visit)
        filled = {"name": form.text("name").strip(), "slug": form.text("slug").strip()}
        try:
            made = await create_workspace(
                self.site,
                name=filled["name"],
                slug=filled["slug"] or slug_of(filled["name"]),
                owner_id=visit.user_id,
            )
        except Invalid as error:
            self._show(visit, filled, first_sentences(error))
            return
        except Conflict as error:
            self._show(visit, filled, {"slug": error.sentence})
            return
        visit.go(f"/{made['slug']}/projects/", "workspace_made")

    def _show(self, visit: Visit, filled: dict[str, str], errors: dict[str, str]) -> None:
        visit.show(
            "new_workspace.html",
            status=422 if errors else 200,
            filled=filled,
            errors=errors,
            root=visit.site.settings.page_address("/"),
        )


def may_create(site: Site, user: Row) -> bool:
    """A person with an unverified e-mail is limited to the workspace that invited them. In front of a Community
    Edition workspaces are created there."""
    if site.settings.upstream_url:
        return False
    is_open = user["is_operator"] or site.settings.workspace_creation == "everybody"
    return is_open and is_proven(user)


def require_may_create(visit: Visit) -> Visit:
    if not is_proven(visit.session.user):
        raise Forbidden("Your e-mail isn't verified yet. Ask an operator of this site to verify it.")
    if not may_create(visit.site, visit.session.user):
        raise Forbidden("Only operators of this site create workspaces. Ask one of them.")
    return visit


def slug_of(name: str) -> str:
    """Suggest a slug: "Acme Ltd." becomes acme-ltd."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:SLUG_LENGTH].strip("-")
