"""The checks before every operation, in this order: credential, rate, workspace, project, scope, role, feature,
person."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from airside.db.base import is_uuid
from airside.errors import FeatureOff, Forbidden, InsufficientScope, PageNotFound
from airside.http.request import Request
from airside.rest.call import Access, Call, Caller
from airside.rest.identifiers import PROJECT, replace_identifier
from airside.rest.route import Route
from airside.runtime.rate_budgets import Left
from airside.runtime.site import Site

UNMETERED_FACTOR = 100  # users/me and the like: MCP clients call them on every request


class Callers(Protocol):
    """Authenticates a request's credential."""

    async def resolve(self, authorization: str | None, api_key: str | None) -> Caller:
        """Raises Unauthenticated, InvalidToken, or BadRequest for two credentials at once."""
        ...


class Guard:
    """Authorizes a request for a route and turns it into a Call, or refuses it."""

    def __init__(self, site: Site, callers: Callers, access: Access) -> None:
        self._site = site
        self._callers = callers
        self._access = access
        self._rate = site.settings.api_rate_limit

    async def identify(self, request: Request) -> Caller:
        """Authenticate the request's credential. Raises what `Callers.resolve` raises."""
        return await self._callers.resolve(
            request.get_header("authorization"), request.get_header("x-api-key")
        )

    def tally(self, caller: Caller, *, is_error: bool) -> None:
        """Count an answered request for the app's usage figures."""
        if caller.app_id is not None and caller.workspace_id is not None:
            self._site.app_calls.count((caller.workspace_id, caller.app_id), is_error=is_error)

    def count_answer(self, status: int) -> None:
        """Count an answer for the operator's metrics."""
        self._site.counters.add("airside_api_requests", f"{status // 100}xx")

    async def begin(
        self, route: Route, caller: Caller, path: dict[str, str], query: dict[str, str]
    ) -> tuple[Call, Left]:
        """The call, counted, for `enter` to admit. Raises RateLimited."""
        left = await self._count(caller, route)
        return Call(self._site, self._access, caller, self._site.clock.now(), route.method, path, query), left

    async def _count(self, caller: Caller, route: Route) -> Left:
        """Raises RateLimited."""
        if route.unmetered:
            return await count_unmetered(self._site, caller)
        return await self._site.budgets.spend("api", self._rate, caller.budget)

    async def check_again(self, route: Route, request: Request) -> Call:
        """Authorize a streamed response again, with the present roles. Raises the refusal."""
        caller, now = await self.identify(request), self._site.clock.now()
        call = Call(self._site, self._access, caller, now, route.method, request.parameters, {})
        await enter(call, route)
        return call


async def count_unmetered(site: Site, caller: Caller) -> Left:
    """Count operations that clients call before every request, in a budget of their own. Raises RateLimited."""
    rate = site.settings.api_rate_limit
    return await site.budgets.spend("api_unmetered", rate, caller.budget, times=UNMETERED_FACTOR)


async def enter(call: Call, route: Route) -> None:
    """Fill in workspace, project and roles, as far as the path names them. Raises the refusal."""
    check_ids(call.path, route.identifiers)
    lower_ids(call.path)
    if "workspace_slug" in call.path:
        await call.access.enter_workspace(call, call.path["workspace_slug"])
    if PROJECT in call.path:
        await replace_identifier(call, route, PROJECT)
        await call.access.enter_project(call, call.path[PROJECT])
    check_scope(call.caller, route.scope)
    if "workspace_slug" in call.path and call.role < route.role:
        raise Forbidden
    check_feature(call, route)
    if route.people_only and call.caller.kind == "bot":
        raise Forbidden
    for name in route.identifiers:
        await replace_identifier(call, route, name)


def check_scope(caller: Caller, scope: str | None) -> None:
    """Raises InsufficientScope unless the token was granted the scope; an API key has them all."""
    if scope is not None and caller.scopes is not None and scope not in caller.scopes:
        raise InsufficientScope(scope)


def check_feature(call: Call, route: Route) -> None:
    """Raises FeatureOff for a write of records that belong to a feature that isn't used there. What was written
    before stays readable, so that clients that read everything go on (v2_conventions: reads are never blocked)."""
    if route.feature and route.method != "GET" and not call.access.is_feature_on(call, route.feature):
        raise FeatureOff(route.feature, "project" if call.project else "workspace")


def lower_ids(path: dict[str, str]) -> None:
    """Write the URL's ids as the database does, so that an id in capitals names the same record on both."""
    for name, value in path.items():
        if name.endswith("_id") and not value.islower() and is_uuid(value):
            path[name] = value.lower()


def check_ids(path: Mapping[str, Any], identifiers: Collection[str] = ()) -> None:
    """Raises PageNotFound when an id in the URL isn't a UUID, as Plane's routes don't match then. `identifiers` are
    the parameters that take another text, too."""
    for name, value in path.items():
        if name.endswith("_id") and name not in identifiers and not is_uuid(value):
            raise PageNotFound
