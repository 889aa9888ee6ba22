"""How pages read and write records: by calling an operation of the API's table as the signed-in person.

There is no second way to write. A page names an operation and passes path and body as a client would; `enter` and
the operation's handler decide, so every click is authorized the same way and records its event.
"""

from collections.abc import Mapping
from typing import Any

from falcon.asgi import Request, Response

from airside.portal.forms import Form
from airside.portal.visit import Page, Visit, enter_workspace
from airside.rest.body import check_body
from airside.rest.call import Access, Call, Caller
from airside.rest.guard import enter
from airside.rest.route import Route
from airside.runtime.site import Site

MAX_CHOICES = 1000  # states, labels or members of a project that a page loads


class Work:
    """The records of a workspace, with the access of the signed-in person."""

    def __init__(self, visit: Visit, access: Access) -> None:
        self.visit = visit
        self._access = access
        self._caller = Caller(
            user_id=visit.user_id,
            kind="session",
            budget=f"session {visit.user_id}",
            workspace_id=visit.workspace_id,
        )

    @property
    def site(self) -> Site:
        return self.visit.site

    @property
    def here(self) -> str:
        """The path of the workspace's pages, without a final slash."""
        return self.visit.here

    async def enter(
        self, route: Route, path: Mapping[str, str] | None = None, query: Mapping[str, Any] | None = None
    ) -> Call:
        """Authorize a call of the operation as the API does. Raises NotFound, Forbidden."""
        call = Call(
            self.site,
            self._access,
            self._caller,
            self.site.clock.now(),
            route.method,
            {"workspace_slug": self.visit.workspace["slug"], **(path or {})},
            {name: str(value) for name, value in (query or {}).items()},
        )
        await enter(call, route)
        return call

    async def perform(
        self,
        route: Route,
        path: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Perform the operation and return the API's response. Raises the API's errors: Invalid, Conflict …"""
        call = await self.enter(route, path, query)
        sent = body or {}
        call.body = dict(sent) if route.body is None else check_body(route.body, sent, partial=route.partial)
        return await route.handler(call)


class WorkPage(Page):
    """A page of project records; its responders begin with `enter` or `take_form`."""

    def __init__(self, site: Site, access: Access) -> None:
        super().__init__(site)
        self._access = access

    async def enter(self, req: Request, resp: Response, slug: str) -> Work:
        """Raises SignInNeeded, and NotFound alike for a missing workspace and one the person isn't a member of."""
        return Work(await enter_workspace(self.site, req, resp, slug), self._access)

    async def take_form(self, req: Request, resp: Response, slug: str) -> tuple[Work, Form]:
        """The same for a POST; the form is checked before anything is looked up."""
        work = await self.enter(req, resp, slug)
        return work, await work.visit.read_form()
