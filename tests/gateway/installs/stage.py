"""Airside in front of the stand-in: workspace Acme there with Ana its admin, mirrored here, and apps to install."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from airside.apps.registry import create_app
from airside.db.base import Row
from airside.db.database import Database
from airside.gateway.app_accounts import register_app_accounts
from airside.gateway.client import Cookies, upstream_of
from airside.gateway.mirror import (
    Person,
    Project,
    Workspace,
    mirror_person,
    mirror_project_roles,
    mirror_projects,
    mirror_workspaces,
)
from airside.installations.install import install_app
from airside.installations.tables import InstallationRow
from airside.oauth.token_revoker import register_token_revoker
from airside.runtime.app_accounts import Install
from airside.runtime.site import Site
from airside.settings import Settings
from airside.system.credentials import Sealer
from tests.support.clocks import FrozenClock
from tests.support.upstream.people import People, people_of
from tests.support.upstream.people import Person as PersonThere
from tests.support.upstream.server import Upstream

DOMAIN = "apps.airside.invalid"
SECRET_KEY = "0" * 64


@dataclass
class Front:
    site: Site
    clock: FrozenClock
    upstream: Upstream
    people: People
    ana: PersonThere
    ana_id: str
    workspace_id: str

    async def make_app(self, name: str = "Courier", **fields: Any) -> Row:
        fields = {"name": name, "redirect_uris": ["https://courier.example/callback"], **fields}
        made = await create_app(
            self.site, workspace_id=self.workspace_id, by_user_id=self.ana_id, fields=fields
        )
        return made.app

    def install_of(
        self, app: Row, project_ids: Sequence[str] | None = None, by: PersonThere | None = None
    ) -> Install:
        return Install(app, self.workspace_id, self.ana_id, project_ids, (by or self.ana).cookies)

    async def prepare(self, app: Row, project_ids: Sequence[str] | None = None) -> None:
        await self.site.app_accounts.prepare(self.install_of(app, project_ids))

    async def install(self, app: Row, project_ids: list[str] | None = None) -> InstallationRow:
        """As a consent does it."""
        await self.prepare(app, project_ids)
        return await install_app(self.site, app, self.workspace_id, self.ana_id, None, project_ids)

    async def make_project(self, name: str, network: int = 2) -> str:
        """By Ana, who is its admin; mirrored."""
        body = {"name": name, "identifier": name[:5].upper(), "network": network}
        made = await self.ana.post("/api/workspaces/acme/projects/", body)
        await mirror(self.site, self.ana)
        return made["id"]

    def users_there(self, name: str = "courier") -> list[Row]:
        """Accounts of this app, active or not."""
        users = self.upstream.site.store.users.all()
        return [one for one in users if one["email"].startswith(f"{name}-") and DOMAIN in one["email"]]

    def keys_there(self, user_id: str) -> list[Row]:
        return self.upstream.site.store.api_tokens.all(user=user_id)

    def is_member_there(self, user_id: str) -> bool:
        members = self.upstream.site.store.workspace_members
        return members.first(member=user_id, is_active=True) is not None

    def projects_there(self, user_id: str) -> set[str]:
        rows = self.upstream.site.store.project_members.all(member=user_id, is_active=True)
        return {row["project"] for row in rows}

    def invitations_there(self) -> list[Row]:
        return self.upstream.site.store.workspace_member_invites.all()


def settings_of(upstream_url: str, database_url: str, **values: Any) -> Settings:
    return Settings(  # pyright: ignore[reportCallIssue]
        database_url=database_url,
        secret_key=SECRET_KEY,
        upstream_url=upstream_url,
        base_url="https://plane.example.com",
        **values,
    )


@asynccontextmanager
async def front_of(
    upstream: Upstream, db: Database, clock: FrozenClock, **settings: Any
) -> AsyncGenerator[Front]:
    upstream.site.clock.set(clock.now())
    site = Site(
        settings=settings_of(upstream.url, db.url, **settings), db=db, sealer=Sealer(SECRET_KEY), clock=clock
    )
    register_token_revoker(site)
    register_app_accounts(site)
    async with people_of(upstream) as people:
        ana = await people.first_admin("ana@acme.test", "Ana")
        await ana.post("/api/workspaces/", {"name": "Acme", "slug": "acme", "organization_size": "2-10"})
        ana_id, workspace_id = await mirror(site, ana)
        yield Front(site, clock, upstream, people, ana, ana_id, workspace_id)
    await upstream_of(site).close()


async def mirror(site: Site, person: PersonThere) -> tuple[str, str]:
    """What the person's session shows, stored; their id and the workspace's."""
    client, cookies, now = upstream_of(site), Cookies(person.cookies["session-id"]), site.clock.now()
    me = msgspec.convert(await client.get_json("/api/users/me/", cookies, "mirror"), Person)
    listed = msgspec.convert(
        await client.get_json("/api/users/me/workspaces/", cookies, "mirror"), list[Workspace]
    )
    shown = await client.get_json("/api/workspaces/acme/projects/", cookies, "mirror")
    roles = await client.get_json("/api/users/me/workspaces/acme/project-roles/", cookies, "mirror")
    async with site.db.transaction() as tx:
        await mirror_person(tx, me, now)
        await mirror_workspaces(tx, site, me.id, listed)
        projects = msgspec.convert(shown, list[Project])
        await mirror_projects(tx, listed[0].id, projects, is_complete=True, now=now)
        await mirror_project_roles(tx, listed[0].id, me.id, roles, now)
    return me.id, listed[0].id
