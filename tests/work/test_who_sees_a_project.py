"""One rule says who sees a project: for list, retrieve, search, expand and pages alike."""

from typing import Any

import pytest

from airside.api.v1 import TABLE
from airside.runtime.site import Site
from airside.workspaces.roles import GUEST, MEMBER
from tests.cast import make_cast
from tests.portal.visitor import signed_in
from tests.support.api import Client, list_events, serve_api
from tests.work.scene import archive, join_project, make_project

PROJECTS = "workspaces/acme/projects"

# Who, in a project of this network (2 public, 0 secret), as a member of it or not: what they see of it.
WHO = [
    ("gil", 2, False, "nothing"),
    ("gil", 0, False, "nothing"),
    ("gil", 2, True, "all"),
    ("gil", 0, True, "all"),
    ("ben", 2, False, "the project"),
    ("ben", 0, False, "nothing"),
    ("ben", 2, True, "all"),
    ("ben", 0, True, "all"),
    ("ana", 0, False, "all"),
]


async def look(client: Client, project: str, item: dict[str, Any], own: dict[str, Any]) -> dict[str, bool]:
    """Where the project is found, and where its work items are."""
    listed = await client.get(PROJECTS)
    lite = await client.get("workspaces/acme/projects-lite")
    external = await client.get(PROJECTS, external_id="1", external_source="test")
    found = await client.get(f"{PROJECTS}/{project}")
    searched = await client.get("workspaces/acme/work-items/search", search="Wheel")
    everywhere = await client.get("workspaces/acme/work-items")
    counted = await client.get("workspaces/acme/work-items/count")
    named = await client.get("workspaces/acme/work-items/HIDDE-1")
    child = await client.get(f"{PROJECTS}/{own['project']}/work-items/{own['id']}", expand="parent,project")
    assert child.status_code == 200
    return {
        "listed": project in {row["id"] for row in listed.json["results"]},
        "lite": project in {row["id"] for row in lite.json["results"]},
        "external": external.status_code == 200,
        "retrieved": found.status_code == 200,
        "items": (await client.get(f"{PROJECTS}/{project}/work-items")).status_code == 200,
        "item": (await client.get(f"{PROJECTS}/{project}/work-items/{item['id']}")).status_code == 200,
        "searched": item["id"] in {row["id"] for row in searched.json["issues"]},
        "everywhere": item["id"] in {row["id"] for row in everywhere.json["results"]},
        "counted": counted.json["total_count"] == 2,
        "named": named.status_code == 200,
        "expanded": isinstance(child.json["parent"], dict),
    }


OF_THE_PROJECT = {"listed", "lite", "external", "retrieved"}


@pytest.mark.parametrize(("who", "network", "is_member", "sees"), WHO)
async def test_a_project_is_seen_everywhere_or_nowhere(
    site: Site, who: str, network: int, is_member: bool, sees: str
) -> None:
    cast = await make_cast(site)
    person: dict[str, Any] = getattr(cast, who)
    api = serve_api(site, *TABLE)
    async with api.acting_as(cast.ana["id"]) as ana, api.acting_as(person["id"]) as client:
        body = {"name": "Hidden", "identifier": "HIDDE", "network": network}
        made = await ana.post(PROJECTS, body | {"external_id": "1", "external_source": "test"})
        project = made.json["id"]
        item = (await ana.post(f"{PROJECTS}/{project}/work-items", {"name": "Wheel"})).json
        visible = await make_project(site, cast)
        await join_project(site, cast, visible, cast.gil["id"], GUEST)
        own = (
            await ana.post(f"{PROJECTS}/{visible}/work-items", {"name": "Spoke", "parent": item["id"]})
        ).json
        if is_member:
            await join_project(site, cast, project, person["id"], GUEST if who == "gil" else MEMBER)
        found = await look(client, project, item, own)
    wanted = {"nothing": set[str](), "the project": OF_THE_PROJECT, "all": set(found)}[sees]
    assert {name for name, is_seen in found.items() if is_seen} == wanted
    async with signed_in(site, who) as visitor:
        assert (project in (await visitor.get("/acme/projects/")).text) == (sees != "nothing")
        assert (await visitor.get(f"/acme/projects/{project}/")).status == {
            "nothing": 404, "the project": 200, "all": 303,
        }[sees]  # fmt: skip
        assert (await visitor.get(f"/acme/projects/{project}/work-items/")).status == {
            "nothing": 404, "the project": 303, "all": 200,
        }[sees]  # fmt: skip
        assert (await visitor.get("/acme/browse/HIDDE-1/")).status == {
            "nothing": 404, "the project": 403, "all": 200,
        }[sees]  # fmt: skip
        live = await visitor.get(f"/acme/live/?topics=project:{project}")
        assert live.status == (200 if sees == "all" else 404)


async def test_a_member_joins_a_public_project_from_its_page_and_from_the_list(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana, signed_in(site, "ben") as ben:
        for number, place in enumerate(("/acme/projects/", "/acme/projects/{}/")):
            body = {"name": f"Open {number}", "identifier": f"OPEN{number}"}
            project = (await ana.post(PROJECTS, body)).json["id"]
            page = await ben.get(place.format(project))
            assert f"Join Open {number}" in page.text
            joined = await ben.submit(page, f"/acme/projects/{project}/join/")
            assert joined.location.endswith(f"/acme/projects/{project}/work-items/")
            assert (await ben.get(joined.location)).status == 200
            role = (await ana.get(f"{PROJECTS}/{project}/members/{cast.ben['id']}")).json["role"]
            assert role == MEMBER
            assert "Join Open" not in (await ben.get("/acme/projects/")).text
    assert [event["name"] for event in await list_events(site, "project.member")] == [
        "project.member.created"
    ] * 2


@pytest.mark.parametrize(("who", "network"), [("gil", 2), ("gil", 0), ("ben", 0)])
async def test_nobody_joins_what_they_do_not_see(site: Site, who: str, network: int) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana, signed_in(site, who) as visitor:
        body = {"name": "Open", "identifier": "OPEN", "network": network}
        project = (await ana.post(PROJECTS, body)).json["id"]
        token = (await visitor.get("/profile/")).form("/profile/")["csrf_token"]
        assert "Join" not in (await visitor.get("/acme/projects/")).text
        answer = await visitor.post(f"/acme/projects/{project}/join/", {"csrf_token": token})
        assert answer.status == 404
        assert len((await ana.get(f"{PROJECTS}/{project}/members")).json) == 1


async def test_an_archived_project_is_not_joined(site: Site) -> None:
    cast = await make_cast(site)
    async with serve_api(site, *TABLE).acting_as(cast.ana["id"]) as ana, signed_in(site, "ben") as ben:
        project = (await ana.post(PROJECTS, {"name": "Open", "identifier": "OPEN"})).json["id"]
        await archive(site, project)
        page = await ben.get(f"/acme/projects/{project}/")
        assert "This project is archived" in page.text
        token = (await ben.get("/profile/")).form("/profile/")["csrf_token"]
        await ben.post(f"/acme/projects/{project}/join/", {"csrf_token": token})
        assert len((await ana.get(f"{PROJECTS}/{project}/members")).json) == 1
