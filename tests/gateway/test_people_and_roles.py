"""What mirror rows say about people decides what they see, as the Community Edition has it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from airside.db.database import Database
from airside.errors import Forbidden, NotFound
from airside.host.chosen import host_of
from airside.host.protocol import Viewer
from airside.host.upstream import NotConnected, UpstreamHost
from airside.identity.tables import users
from airside.rest.call import Call, Caller
from airside.workspaces.find import find_workspace
from tests.gateway.front import Front, open_front
from tests.support.upstream.people import Person


@pytest.fixture
async def front(db: Database, tmp_path: Path) -> AsyncIterator[Front]:
    async with open_front(db, tmp_path) as opened:
        yield opened


async def enter(front: Front, person: Person, project_id: str = "") -> Call:
    """A call of the person, in the project where one is named."""
    user = await front.site.db.find(users, id=(await person.get("/api/users/me/"))["id"])
    assert user
    caller = Caller(user_id=user["id"], kind="session", budget="test")
    access = host_of(front.site).access
    call = Call(front.site, access, caller, front.clock.now(), "GET", {}, {})
    await access.enter_workspace(call, "acme")
    if project_id:
        await access.enter_project(call, project_id)
    return call


async def make(person: Person, name: str, network: int) -> str:
    body = {"name": name, "identifier": name.upper()[:5], "network": network}
    made = await person.post("/api/workspaces/acme/projects/", body)
    return str(made["id"])


@pytest.fixture
async def ben(front: Front) -> Person:
    return await front.people.join("ben@acme.test", front.ana, "acme")


async def test_in_a_project_the_role_there_counts_and_not_that_in_the_workspace(
    front: Front, ben: Person
) -> None:
    public, private = await make(ben, "Public", 2), await make(ben, "Secret", 0)
    await front.visit(ben)
    await front.visit(front.ana)
    assert (await enter(front, ben, private)).project_role == 20
    assert (await enter(front, front.ana, public)).project_role == 0
    with pytest.raises(NotFound):
        await enter(front, front.ana, private)


async def test_nobody_enters_a_workspace_that_they_are_not_in(front: Front) -> None:
    await front.visit(front.ana)
    zoe = front.people.stranger()
    await zoe.submit("/auth/sign-up/", email="zoe@other.test", password="Tr0ub4dor&3-horse")
    await front.visit(zoe)
    with pytest.raises(Forbidden):
        await enter(front, zoe)


async def test_an_admin_picks_only_projects_that_they_see_there(front: Front, ben: Person) -> None:
    private = await make(ben, "Secret", 0)
    await make(ben, "Public", 2)
    await front.visit(ben)
    await front.visit(front.ana)
    workspace = await find_workspace(front.site.db, "acme")
    assert workspace
    host = host_of(front.site)

    async def names(person: Person | None) -> set[str]:
        viewer = (await enter(front, person)).caller.user_id if person else None
        listed = await host.list_projects(front.site, workspace["id"], viewer_id=viewer)
        return {project.name for project in listed}

    assert "Secret" in await names(None)
    assert {"Secret", "Public"} <= await names(ben)
    assert "Secret" not in await names(front.ana)
    assert "Public" in await names(front.ana)
    me = (await enter(front, front.ana)).caller.user_id
    viewer = Viewer(workspace["id"], me, is_admin=True)
    assert not await host.may_read(front.site, viewer, "project", private)


async def test_what_needs_work_items_says_that_they_are_not_connected(front: Front) -> None:
    await front.visit(front.ana)
    host, call = host_of(front.site), await enter(front, front.ana)
    assert isinstance(host, UpstreamHost)
    nothing: Any = None
    assert await host.name_items(front.site.db, call.workspace_id, ["x"]) == {}
    assert await host.locate_item(call, "x") is await host.find_comment(call, "x") is None
    assert not await host.wake_snoozed(front.site)
    assert not await host.finish_followups(front.site)
    with pytest.raises(NotConnected):
        await host.lock_thread(call, nothing)
    with pytest.raises(NotConnected):
        await host.write_comment(call, comment_id="x", item_id="x", thread_id=None, text=nothing)
    with pytest.raises(NotConnected):
        await host.send_update(call, nothing, nothing, "x")
