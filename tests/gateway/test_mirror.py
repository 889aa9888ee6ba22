"""People, workspaces, memberships and projects are kept as the Community Edition says they are."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from airside.gateway.client import Cookies, Key, Unreachable, UpstreamClient, UpstreamRefused
from airside.gateway.mirror import (
    Difference,
    Person,
    Project,
    Workspace,
    mirror_person,
    mirror_project_roles,
    mirror_projects,
    mirror_workspaces,
)
from airside.identity.tables import users
from airside.runtime.site import Site
from airside.settings import Settings
from airside.work.projects.tables import project_members, projects
from airside.workspaces.find import find_workspace
from airside.workspaces.members import find_member
from tests.support.servers import free_port
from tests.support.upstream.people import Person as PersonThere
from tests.support.upstream.people import people_of
from tests.support.upstream.server import Upstream, open_upstream

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with open_upstream() as running:
        yield running


@pytest.fixture
async def ana(upstream: Upstream) -> AsyncIterator[PersonThere]:
    async with people_of(upstream) as people:
        ana = await people.first_admin("ana@acme.test", "Ana")
        await ana.post("/api/workspaces/", {"name": "Acme", "slug": "acme", "organization_size": "2-10"})
        yield ana


@pytest.fixture
async def client(upstream: Upstream, tmp_path: Path) -> AsyncIterator[UpstreamClient]:
    client = client_of(upstream.url, tmp_path)
    yield client
    await client.close()


def client_of(url: str, folder: Path) -> UpstreamClient:
    public = "https://plane.example.com"
    settings = Settings(data=folder, upstream_url=url, base_url=public)  # pyright: ignore[reportCallIssue]
    return UpstreamClient(settings)


async def mirror_of(site: Site, client: UpstreamClient, cookies: Cookies) -> list[Difference]:
    """All that a person's session shows, stored; what changed."""

    async def read(path: str) -> object:
        return await client.get_json(path, cookies, "mirror")

    me = msgspec.convert(await read("/api/users/me/"), Person)
    listed = msgspec.convert(await read("/api/users/me/workspaces/"), list[Workspace])
    async with site.db.transaction() as tx:
        found = await mirror_person(tx, me, NOW)
        found += await mirror_workspaces(tx, site, me.id, listed)
    for workspace in listed:
        shown = msgspec.convert(await read(f"/api/workspaces/{workspace.slug}/projects/"), list[Project])
        roles = msgspec.convert(
            await read(f"/api/users/me/workspaces/{workspace.slug}/project-roles/"), dict[str, int]
        )
        async with site.db.transaction() as tx:
            found += await mirror_projects(tx, workspace.id, shown, is_complete=True, now=NOW)
            found += await mirror_project_roles(tx, workspace.id, me.id, roles, NOW)
    return found


def cookies_of(person: PersonThere) -> Cookies:
    return Cookies(person.cookies["session-id"])


async def test_a_session_shows_who_it_is_and_everything_that_they_see(
    site: Site, client: UpstreamClient, ana: PersonThere
) -> None:
    found = await mirror_of(site, client, cookies_of(ana))
    assert {one.kind for one in found} == {"person", "workspace", "member", "project", "project_member"}
    user = await site.db.find(users, email="ana@acme.test")
    workspace = await find_workspace(site.db, "acme")
    assert user
    assert workspace
    assert (user["first_name"], user["is_bot"], user["password_hash"]) == ("Ana", False, None)
    member = await find_member(site.db, workspace["id"], user["id"])
    assert member
    assert member["role"] == 20
    listed = {row["name"]: row for row in await site.db.find_all(projects, workspace_id=workspace["id"])}
    there = await ana.get("/api/v1/workspaces/acme/projects/")
    assert {name: row["id"] for name, row in listed.items()} == {p["name"]: p["id"] for p in there["results"]}


async def test_what_did_not_change_is_written_once(
    site: Site, client: UpstreamClient, ana: PersonThere
) -> None:
    await mirror_of(site, client, cookies_of(ana))
    assert await mirror_of(site, client, cookies_of(ana)) == []


async def test_renames_new_projects_and_deleted_ones_are_followed(
    site: Site, client: UpstreamClient, ana: PersonThere
) -> None:
    made = await ana.post(
        "/api/workspaces/acme/projects/", {"name": "Web", "identifier": "WEB", "network": 0}
    )
    await mirror_of(site, client, cookies_of(ana))
    await ana.patch(f"/api/workspaces/acme/projects/{made['id']}/", {"name": "Website"})
    (change,) = await mirror_of(site, client, cookies_of(ana))
    assert change.before
    assert change.after
    assert (change.before["name"], change.after["name"], change.after["network"]) == ("Web", "Website", 0)
    await ana.send("DELETE", f"/api/workspaces/acme/projects/{made['id']}/")
    gone = await mirror_of(site, client, cookies_of(ana))
    assert ("project", None) in [(one.kind, one.after) for one in gone]
    row = await site.db.find(projects, workspace_id=made["workspace"], id=made["id"])
    assert row
    assert row["deleted_at"] == NOW
    memberships = await site.db.find_all(project_members, project_id=made["id"])
    assert memberships
    assert all(row["deleted_at"] == NOW for row in memberships)


async def test_projects_that_swap_their_names_are_both_kept(site: Site) -> None:
    at = NOW

    def project(id: str, name: str, identifier: str) -> Project:
        return Project(id=id, name=name, identifier=identifier, network=2, created_at=at, updated_at=at)

    workspace, one, two = (f"00000000-0000-4000-8000-00000000000{n}" for n in range(3))
    async with site.db.transaction() as tx:
        listed = [project(one, "Web", "WEB"), project(two, "App", "APP")]
        await mirror_projects(tx, workspace, listed, is_complete=True, now=at)
        swapped = [project(one, "App", "APP"), project(two, "Web", "WEB")]
        await mirror_projects(tx, workspace, swapped, is_complete=True, now=at)
    rows = await site.db.find_all(projects, workspace_id=workspace)
    assert {row["id"]: (row["name"], row["identifier"]) for row in rows} == {
        one: ("App", "APP"),
        two: ("Web", "WEB"),
    }


async def test_a_person_who_left_is_no_member_any_more(
    site: Site, client: UpstreamClient, upstream: Upstream, ana: PersonThere
) -> None:
    async with people_of(upstream) as people:
        ben = await people.join("ben@acme.test", ana, "acme")
        await mirror_of(site, client, cookies_of(ben))
        await ben.post("/api/workspaces/acme/members/leave/")
        found = await mirror_of(site, client, cookies_of(ben))
    user = await site.db.find(users, email="ben@acme.test")
    workspace = await find_workspace(site.db, "acme")
    assert user
    assert workspace
    assert ("member", None) in [(one.kind, one.after) for one in found]
    assert await find_member(site.db, workspace["id"], user["id"]) is None


async def test_an_address_that_another_account_has_now_is_theirs(site: Site) -> None:
    one, two = (f"00000000-0000-4000-8000-00000000000{n}" for n in range(2))
    async with site.db.transaction() as tx:
        await mirror_person(tx, Person(id=one, email="ana@acme.test"), NOW)
        await mirror_person(tx, Person(id=two, email="Ana@acme.test"), NOW)
    former, present = await site.db.find(users, id=one), await site.db.find(users, id=two)
    assert former
    assert former["email"] == f"{one}@people.airside.invalid"
    assert present
    assert present["email"] == "ana@acme.test"


async def test_a_refusal_names_what_airside_was_doing(client: UpstreamClient, ana: PersonThere) -> None:
    with pytest.raises(UpstreamRefused) as refused:
        await client.get_json("/api/v1/workspaces/acme/projects/", Key("plane_api_wrong"), "list projects")
    assert (refused.value.reply.status, refused.value.doing) == (403, "list projects")
    assert "plane_api_wrong" not in f"{refused.value} {Key('plane_api_wrong')!r}"


async def test_an_instance_that_is_away_is_unreachable(tmp_path: Path) -> None:
    client = client_of(f"http://127.0.0.1:{free_port()}", tmp_path)
    with pytest.raises(Unreachable):
        await client.get("/api/users/me/")
    await client.close()
