"""The API over HTTP without OAuth: any part of the table, called as any user.

api = serve_api(site, States(), *PAGE_ROUTES)
async with api.acting_as(cast.ana["id"]) as ana:
    made = await ana.post("workspaces/acme/projects", {"name": "Engine", "identifier": "ENG"})
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from falcon import testing

from airside.app import request_source
from airside.audit.sources import enter_actor
from airside.db.base import Row
from airside.errors import InvalidToken, Unauthenticated
from airside.events.tables import events
from airside.http.dispatch import Dispatch
from airside.http.edge import Edge
from airside.http.endpoint import Endpoint
from airside.oauth.token_revoker import register_token_revoker
from airside.rest.call import Access, Caller
from airside.rest.endpoint import ApiNowhere, api_endpoints, wire_errors
from airside.rest.face import Face
from airside.rest.guard import Guard
from airside.rest.route import Route
from airside.rest.wire import Wire
from airside.rest.wires.v1.wire import V1
from airside.runtime.site import Site
from airside.work.access import RoleAccess
from airside.work.departures import watch_departures
from airside.work.state_ownership import watch_state_ownership

show_v1 = wire_errors(V1)


class FakeCallers:
    """Resolves the callers that a test registered; the bearer token is the caller's number."""

    def __init__(self) -> None:
        self._known: list[Caller] = []

    def issue(self, caller: Caller) -> str:
        self._known.append(caller)
        return str(len(self._known) - 1)

    async def resolve(self, authorization: str | None, api_key: str | None) -> Caller:
        if authorization is None:
            raise Unauthenticated
        number = authorization.removeprefix("Bearer ")
        if not number.isdigit() or int(number) >= len(self._known):
            raise InvalidToken
        caller = self._known[int(number)]
        enter_actor(is_bot=caller.kind == "bot", app_id=caller.app_id)
        return caller


class Client:
    """Sends requests to one API, v1 if it isn't said, as one caller."""

    def __init__(self, conductor: testing.ASGIConductor, authorization: str | None, wire: Wire = V1) -> None:
        self.conductor = conductor
        self._authorization = authorization
        self._prefix = wire.prefix
        self._headers = {"Authorization": authorization} if authorization else {}

    def on(self, wire: Wire) -> "Client":
        """The same caller at another API."""
        return Client(self.conductor, self._authorization, wire)

    async def raw(
        self, method: str, path: str, query: Any = None, body: bytes | None = None, **headers: str
    ) -> testing.Result:
        """Send exactly this path, body and headers (`if_none_match`), which may be malformed."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.conductor.simulate_request(
            method,
            path,
            params=query,
            headers=self._headers | named,
            body=body,
            content_type="application/json",
        )

    async def send(self, method: str, path: str, body: Any = None, **query: Any) -> testing.Result:
        return await self._send(method, path, body, query, self._headers)

    async def send_once(
        self, key: str, method: str, path: str, body: Any = None, **query: Any
    ) -> testing.Result:
        """Send with this Idempotency-Key."""
        return await self._send(method, path, body, query, {**self._headers, "Idempotency-Key": key})

    async def _send(
        self, method: str, path: str, body: Any, query: dict[str, Any], headers: dict[str, str]
    ) -> testing.Result:
        sent = {"json": body} if body is not None else {}
        return await self.conductor.simulate_request(
            method, f"{self._prefix}/{path}/", params=query, headers=headers, **sent
        )

    async def get(self, path: str, **query: Any) -> testing.Result:
        return await self.send("GET", path, **query)

    async def post(self, path: str, body: Any = None) -> testing.Result:
        return await self.send("POST", path, body if body is not None else {})

    async def put(self, path: str, body: Any) -> testing.Result:
        return await self.send("PUT", path, body)

    async def patch(self, path: str, body: Any) -> testing.Result:
        return await self.send("PATCH", path, body)

    async def delete(self, path: str, body: Any = None) -> testing.Result:
        return await self.send("DELETE", path, body)


class ServedApi:
    """A served part of the table."""

    def __init__(
        self,
        site: Site,
        table: Iterable[Face | Route],
        access: Access,
        others: Mapping[str, Endpoint],
    ) -> None:
        self._site = site
        register_token_revoker(site)
        watch_departures(site)
        watch_state_ownership(site)
        self._callers = FakeCallers()
        guard = Guard(site, self._callers, access)
        endpoints, below = dict(others), dict[str, Endpoint | None]()
        for wire, rows in split_by_wire(table).items():
            shown = wire_errors(wire)
            endpoints |= api_endpoints(guard, wire, rows, shown)
            below[f"{wire.prefix}/"] = ApiNowhere(guard, shown)
        dispatch = Dispatch(endpoints, {"/": ApiNowhere(guard, show_v1), **below})
        self.app = Edge(dispatch, request_source(site), only_lifespan)

    @asynccontextmanager
    async def acting_as(self, user_id: str, **caller: Any) -> AsyncIterator[Client]:
        """A client for this user: with all scopes as an API key has, unless the keywords say otherwise.

        The rate limit counts each caller separately, so that it doesn't interfere with tests."""
        fields = {"kind": "api_key", "budget": f"{user_id}-{len(self._callers._known)}"} | caller
        bearer = self._callers.issue(Caller(user_id=user_id, **fields))
        async with self.acting_with(f"Bearer {bearer}") as client:
            yield client

    @asynccontextmanager
    async def acting_with(self, authorization: str | None) -> AsyncIterator[Client]:
        """A client that sends exactly this header."""
        async with testing.ASGIConductor(self.app) as conductor:
            yield Client(conductor, authorization)

    def acting_without(self) -> AbstractAsyncContextManager[Client]:
        """A client without any credential."""
        return self.acting_with(None)


def split_by_wire(table: Iterable[Face | Route]) -> dict[Wire, list[Face | Route]]:
    """Plain routes without a face are v1's."""
    found: dict[Wire, list[Face | Route]] = {}
    for entry in table:
        face = entry if isinstance(entry, Face) else entry.face
        found.setdefault(face.wire if face else V1, []).append(entry)
    return found


async def only_lifespan(scope: Any, receive: Any, send: Any) -> None:
    """The pages of an application without pages."""
    assert scope["type"] == "lifespan"
    for event in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{event}.complete"})


def serve_api(
    site: Site,
    *table: Face | Route,
    access: Access | None = None,
    others: Mapping[str, Endpoint] | None = None,
) -> ServedApi:
    """Serve these declarations and routes, and other endpoints by their path."""
    return ServedApi(site, table, access or RoleAccess(), others or {})


async def list_events(site: Site, prefix: str = "") -> list[Row]:
    """The recorded events whose name has this prefix, by name; events of one entity in order."""
    found = [row for row in await site.db.find_all(events) if row["name"].startswith(prefix)]
    return sorted(found, key=lambda row: (row["name"], row["sequence"]))
