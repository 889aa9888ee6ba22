"""Airside in front of the stand-in, inside the test's own process, and its people at a browser."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from falcon import testing

from airside.db.database import Database
from airside.oauth.token_revoker import register_token_revoker
from airside.runtime.site import Site
from airside.settings import Settings
from airside.system.credentials import Sealer
from tests.portal.visitor import Visitor
from tests.support.apps import app_of
from tests.support.clocks import FrozenClock
from tests.support.upstream.people import People, Person, people_of
from tests.support.upstream.server import Upstream, open_upstream

PREFIX = "/airside"


@dataclass
class Front:
    site: Site
    clock: FrozenClock
    upstream: Upstream
    people: People
    ana: Person  # admin of acme
    conductor: testing.ASGIConductor

    def stranger(self) -> Visitor:
        return Visitor(self.conductor)

    def browser_of(self, person: Person) -> Visitor:
        """Signed in at the Community Edition alone."""
        return Visitor(self.conductor, {"session-id": person.cookies["session-id"]})

    async def visit(self, person: Person) -> Visitor:
        """Signed in here too."""
        visitor = self.browser_of(person)
        answer = await visitor.get(f"{PREFIX}/sign-in/")
        assert answer.status == 303, answer.text
        return visitor


@asynccontextmanager
async def open_front(db: Database, folder: Path) -> AsyncGenerator[Front]:
    async with open_upstream() as upstream, people_of(upstream) as people:
        ana = await people.first_admin("ana@acme.test", "Ana")
        await ana.post("/api/workspaces/", {"name": "Acme", "slug": "acme", "organization_size": "2-10"})
        clock = FrozenClock()
        settings = Settings(  # pyright: ignore[reportCallIssue]
            data=folder, database_url=db.url, secret_key="0" * 64, upstream_url=upstream.url
        )
        site = Site(settings=settings, db=db, sealer=Sealer(settings.secret_key), clock=clock)
        register_token_revoker(site)
        async with testing.ASGIConductor(app_of(site)) as conductor:
            yield Front(site, clock, upstream, people, ana, conductor)
        if site.upstream is not None:
            await site.upstream.close()
