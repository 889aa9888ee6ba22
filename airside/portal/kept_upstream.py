"""Pages that aren't here in front of a Community Edition, since it has them: each says where it is.

People, their names and passwords, memberships, workspaces, projects and work items are the Community Edition's."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from falcon.asgi import Request, Response

from airside.portal.errors import KeptUpstream
from airside.portal.people.profile import Profile
from airside.portal.people.upstream_sign_in import UpstreamSignIn, UpstreamSignOut
from airside.portal.visit import Page
from airside.runtime.site import Site

Route = tuple[str, object]

WORK = "Projects and work items are in Plane."
# Beginning of the pages' paths → the sentence, and the Community Edition's page.
KEPT = {
    "/invitations": ("Invitations are accepted in Plane.", "/"),
    "/workspaces/new": ("Workspaces are created in Plane.", "/create-workspace/"),
    "/profile/password": ("Your password is changed in Plane.", "/"),
    "/profile/api-keys": ("API keys are made in Plane. A request that brings one is passed on to it.", "/"),
    "/{slug}/settings/members": ("People and their roles are managed in Plane.", "/{slug}/settings/members/"),
    "/{slug}/settings/general": ("Name and logo of a workspace are set in Plane.", "/{slug}/settings/"),
}


class Elsewhere(Page):
    """A page of the Community Edition, asked for here."""

    def __init__(self, site: Site, sentence: str, path: str) -> None:
        super().__init__(site)
        self._sentence, self._path = sentence, path

    async def on_get(self, req: Request, resp: Response, **named: str) -> None:
        path = self._path.format(**{name: quote(value, safe="") for name, value in named.items()})
        raise KeptUpstream(self._sentence, self.site.settings.work_url(path))

    async def on_post(self, req: Request, resp: Response, **named: str) -> None:
        await self.on_get(req, resp, **named)


class ProfileWithoutName(Profile):
    """GET /profile/: what is of this browser and of Airside."""

    async def on_post(self, req: Request, resp: Response) -> None:
        raise KeptUpstream("Your name is set in Plane.", self.site.settings.work_url("/"))


def fit_upstream(site: Site, routes: Iterable[Route], work: Iterable[Route]) -> list[Route]:
    """The routes, as they are in front of a Community Edition. `work`: those of projects and work items."""
    of_work = {path for path, _ in work}
    own: dict[str, Any] = {
        "/sign-in": UpstreamSignIn(site),
        "/sign-out": UpstreamSignOut(site),
        "/profile": ProfileWithoutName(site),
    }
    return [(path, own.get(path) or _find_kept(site, path, of_work) or page) for path, page in routes]


def _find_kept(site: Site, path: str, of_work: set[str]) -> Elsewhere | None:
    if path in of_work:
        return Elsewhere(site, WORK, f"{path}/")
    for beginning, (sentence, there) in KEPT.items():
        if path == beginning or path.startswith(f"{beginning}/"):
            return Elsewhere(site, sentence, there)
    return None
