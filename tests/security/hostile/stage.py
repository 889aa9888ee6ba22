"""Everything that answers HTTP, with a record for every id in a path, called as an admin who is signed in."""

import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from zlib import crc32

import msgspec
from structlog.testing import capture_logs

from airside.apps.secrets import list_client_secrets
from airside.identity.api_keys import create_api_key
from airside.identity.sessions import start_session
from airside.identity.users import set_operator
from airside.portal.routes import authorization_routes, portal_routes
from airside.rest.route import Route
from airside.runtime.site import Site
from airside.settings import Settings
from airside.system.clock import SystemClock
from airside.system.credentials import Sealer
from airside.webhooks.fanout import fan_out
from airside.webhooks.queue.database import DatabaseQueue
from airside.webhooks.tables import webhook_deliveries
from tests.cast import REDIRECT_URI, Cast, make_cast
from tests.contract.world import MAKERS, QUERIES, ROUTES, UNKNOWN, World
from tests.portal.visitor import Forms
from tests.support.apps import app_of, list_endpoints
from tests.support.calling import Called, Header, call
from tests.support.databases import fresh_database

JSON: Header = (b"content-type", b"application/json")
FORM: Header = (b"content-type", b"application/x-www-form-urlencoded")
APART = ("/.well-known/oauth-authorization-server/x",)
COOKIE = "airside_session"


class ByKey:
    """What `World` calls a client, on the whole application."""

    def __init__(self, stage: "Stage", key: str) -> None:
        self._stage = stage
        self.headers: list[Header] = [(b"x-api-key", key.encode()), JSON]

    async def send(self, method: str, path: str, body: Any = None, **query: Any) -> Called:
        raw = b"" if body is None else msgspec.json.encode(body)
        return await self._stage.send(method, f"/api/v1/{path}/", urlencode(query), self.headers, raw)

    async def get(self, path: str, **query: Any) -> Called:
        return await self.send("GET", path, **query)

    async def post(self, path: str, body: Any = None) -> Called:
        return await self.send("POST", path, body if body is not None else {})

    async def patch(self, path: str, body: Any) -> Called:
        return await self.send("PATCH", path, body)


@dataclass
class Stage:
    """Sends requests, and remembers those that broke something."""

    site: Site
    app: Any
    cast: Cast
    session: str = ""
    csrf: str = ""
    broken: list[str] = field(default_factory=list[str])
    count: int = 0
    takes_samples: bool = False  # `some` takes one value everywhere: another stage tries all of them
    known: dict[str, str] = field(
        default_factory=dict[str, str]
    )  # what stands for a parameter of a page's path
    _visits: dict[str, int] = field(default_factory=dict[str, int])

    async def open(self) -> None:
        """Fill in what is asked for by id."""
        ana = self.cast.ana["id"]
        await set_operator(self.site, ana, True)
        self.session = await start_session(self.site, ana)
        self.api = ByKey(self, (await create_api_key(self.site, ana, label="Hostile")).token)
        self.world = World(self.site, self.cast, "acme", self.api)  # type: ignore[arg-type]
        page = await self.send("GET", "/profile/", headers=self.browser)
        self.csrf = Forms(page.text).found[0][1]["csrf_token"]

    async def renew(self) -> None:
        """Another record for every id in a path."""
        self.world.known = {"workspace_slug": "acme"}
        await self._fill()

    async def _fill(self) -> None:
        world, site = self.world, self.site
        await fan_out(site, DatabaseQueue(site))
        secrets = await list_client_secrets(site.db, self.cast.courier["id"])
        key = await create_api_key(site, self.cast.ana["id"], label="One to revoke")
        item = await self.api.get(
            f"workspaces/acme/projects/{await world.known_id('project_id')}/work-items/"
            f"{await world.known_id('work_item_id')}"
        )
        project = await self.api.get(f"workspaces/acme/projects/{await world.known_id('project_id')}")
        delivery = (await site.db.find_all(webhook_deliveries))[0]
        named = {name for path, _ in other_routes(site) for name in parameters(path)}
        self.known = {name: await world.known_id(name) for name in sorted(named & {*MAKERS})}
        self.known |= {
            "slug": "acme",
            "workspace_id": self.cast.acme["id"],
            "app_id": self.cast.courier["id"],
            "app_slug": self.cast.courier["slug"],
            "installation_id": self.cast.installation["id"],
            "delivery_id": delivery["id"],
            "webhook_id": await world.known_id("webhook_id"),
            "invitation_id": await world.known_id("invitation_id"),
            "asset_id": await world.known_id("asset_id"),
            "member_id": await world.known_id("member_id"),
            "secret_id": secrets[0]["id"],
            "key_id": key.id,
            "user_id": self.cast.ben["id"],
            "answer": "allowed",
            "picture_id": self.cast.courier["id"],
            "identifier": f"{project.json['identifier']}-{item.json['sequence_id']}",
            "agent_id": self.cast.installation["bot_user_id"],
            "field": "state",
            "name": "logo.png",
            "digest": "0000",
            "sign_in_id": UNKNOWN,
        }

    @property
    def browser(self) -> list[Header]:
        return [(b"cookie", f"{COOKIE}={self.session}".encode()), FORM]

    @property
    def consent(self) -> str:
        """The query of an authorization request."""
        return urlencode(
            {"client_id": self.cast.client_id, "response_type": "code", "redirect_uri": REDIRECT_URI}
        )

    async def send(
        self,
        method: str,
        path: str,
        query: str = "",
        headers: list[Header] | None = None,
        body: bytes = b"",
        what: object = "",
    ) -> Called:
        """An answer of 5xx, or none at all, is noted with the error behind it."""
        self.count += 1
        client = f"10.{self.count >> 16 & 255}.{self.count >> 8 & 255}.{self.count & 255}"
        place = f"{method} {path[:200]} {query[:100]} {str(what)[:200]!r} {body[:200]!r}"
        with capture_logs() as logs:
            try:
                answer = await call(self.app, method, path, query, headers or (), body, client)
            except Exception as error:  # noqa: BLE001 - what it is, is what the test reports
                self.broken.append(f"{place}: {error!r}")
                return Called(500, {}, b"{}")
        if answer.status_code >= 500:
            errors = [repr(log.get("exc_info")) for log in logs if log.get("exc_info")]
            self.broken.append(f"{place}: {answer.status_code} {' '.join(errors)[:500]}")
        return answer

    def some(
        self, place: str, values: tuple[Any, ...], each: int = 3, first: int | None = None
    ) -> tuple[Any, ...]:
        """All of the values where a place is met first (or `first` of them), then some in turn: what reads them
        is the same everywhere."""
        at = self._visits.get(place)
        count = each
        if at is None:
            at, count = crc32(place.encode()), len(values) if first is None else first
        if self.takes_samples:
            count = 1
        self._visits[place] = at + count
        start = at % len(values)
        return (values[start:] + values[:start])[:count]

    async def path_of(self, route: Route, path: str | None = None) -> str:
        return f"/api/v1/{(path or route.path).format(**await self.world.params(route))}/"

    def check(self) -> None:
        """Fails with every request that broke something."""
        broken, self.broken = self.broken, []
        assert not broken, f"{len(broken)} of {self.count} requests:\n" + "\n".join(broken[:40])


@asynccontextmanager
async def open_stage(kind: str, folder: Path) -> AsyncGenerator[Stage]:
    """On a fresh database of this kind, with everything mounted that can be."""
    async with fresh_database(kind, folder) as db:
        settings = Settings(  # pyright: ignore[reportCallIssue] - the fields' defaults are in Field()
            data=folder,
            database_url=db.url,
            secret_key="0" * 64,
            api_rate_limit="1000000/minute",
            token_rate_limit="1000000/minute",
            registration_rate_limit="1000000/minute",
            dynamic_client_registration=True,
            debug=True,
            marketplace_public=True,
            trusted_proxies=["10.0.0.0/8"],
        )
        site = Site(settings=settings, db=db, sealer=Sealer(settings.secret_key), clock=SystemClock())
        stage = Stage(site, app_of(site), await make_cast(site, is_mentionable=True))
        await stage.open()
        await stage.renew()
        stage.check()
        yield stage


def other_routes(site: Site) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Path and methods of everything but the table of the API."""
    for path, endpoint in list_endpoints(site).items():
        yield path, tuple(endpoint.methods)
    for path, resource in [*authorization_routes(site), *portal_routes(site)]:
        yield path, tuple(m for m in ("GET", "POST") if hasattr(resource, f"on_{m.lower()}"))
    for path in APART:
        yield path, ("GET",)


def parameters(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


def fill(path: str, values: dict[str, str]) -> str:
    for name in parameters(path):
        path = path.replace("{" + name + "}", values[name])
    return path.rstrip("/") + "/"


def routes_with_body() -> list[Route]:
    return [route for route in ROUTES if route.body is not None]


def query_of(route: Route) -> dict[str, str]:
    return QUERIES.get(route.name, {})


def form_of(values: Mapping[str, str], odd: Mapping[str, Any]) -> bytes:
    """A form's body; what no text can be is sent as bytes."""
    return "&".join(
        f"{quote(name, safe='')}={_quote(value)}" for name, value in {**values, **odd}.items()
    ).encode()


@lru_cache(512)
def _quote(value: str) -> str:
    return quote(value.encode("utf-8", "surrogatepass"), safe="")


async def list_forms(stage: Stage) -> dict[str, dict[str, str]]:
    """Where each form posts → its fields, of every page."""
    forms: dict[str, dict[str, str]] = {}
    for path, methods in other_routes(stage.site):
        if "GET" not in methods or path.endswith("/live"):
            continue
        query = stage.consent if path.startswith("/auth/o/authorize-app") else ""
        page = await stage.send("GET", fill(path, stage.known), query, stage.browser)
        if page.status_code == 200 and "html" in page.headers.get("content-type", ""):
            for action, fields in Forms(page.text).found:
                if action.startswith("/") and "csrf_token" in fields:
                    forms.setdefault(action, fields)
    return forms
