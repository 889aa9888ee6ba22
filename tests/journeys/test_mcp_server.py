"""The stock MCP server of PyPI in its OAuth mode, and the MCP SDK's client: neither is changed, and the client
knows nothing but the server's address."""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from tests.journeys.conftest import PASSWORD, Stage, set_stage
from tests.support.consent import Forms, Person
from tests.support.mcp import UPSTREAM_CALLBACK, McpUser, result_of, running_mcp_server, status_with
from tests.support.servers import Server, running_server

# The first run installs the server, which takes minutes on a slow index.
pytestmark = pytest.mark.timeout(600)

SCOPES = {
    "umbrella": ["read", "write"],
    "granular": ["profile:read", "projects:read", "projects.members:read"],
    "no": [],
}
SHORT = 4  # seconds; a refresh and the call after it take less, also on a busy machine


class Scene:
    """Acme with Ana and project Engine, Other with Zoe and project Harbour, and the MCP server before them."""

    def __init__(self, folder: Path, scopes: list[str]) -> None:
        self._folder, self._running = folder, ExitStack()
        self.instance = self._running.enter_context(running_server(folder))
        options = [part for scope in scopes for part in ("--scope", scope)]
        self.stage = set_stage(self.instance, "--redirect-uri", UPSTREAM_CALLBACK, *options)
        self.instance.cli(
            "user", "create", "zoe@example.com", "--name", "Zoe Holm", "--password-stdin", stdin=PASSWORD
        )
        self.instance.cli("workspace", "create", "other", "--name", "Other", "--owner", "zoe@example.com")
        self.engine = create_project(self.instance, "ana@example.com", "acme", "Engine")
        self.harbour = create_project(self.instance, "zoe@example.com", "other", "Harbour")

    @property
    def ana(self) -> McpUser:
        return McpUser(self.stage.ana, "acme")

    @property
    def zoe(self) -> McpUser:
        return McpUser(Person(self.instance.url, "zoe@example.com", PASSWORD), "other")

    def restart(self, **env: str) -> None:
        """Another process on the same data, at the same address."""
        self._running.close()
        port = int(self.instance.url.rsplit(":", 1)[1])
        self.instance = self._running.enter_context(running_server(self._folder, env, port))
        self.stage.instance = self.instance

    def close(self) -> None:
        self._running.close()


@pytest.fixture(scope="module", params=SCOPES)
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder: Path = tmp_path_factory.mktemp("mcp")
    made = Scene(folder, SCOPES[request.param])
    stage: Stage = made.stage
    with running_mcp_server(stage.base_url, stage.client_id, stage.client_secret, folder):
        yield made
    made.close()


def create_project(instance: Server, email: str, workspace: str, name: str) -> dict[str, Any]:
    key = instance.cli("token", "create", "--user", email)["token"]
    answer = requests.post(
        f"{instance.url}/api/v1/workspaces/{workspace}/projects/",
        headers={"X-API-Key": key},
        json={"name": name, "identifier": name[:3].upper()},
        timeout=20,
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def read_project(mcp: Any, project: dict[str, Any]) -> Any:
    return result_of(await mcp.call_tool("project", {"action": "retrieve", "project_id": project["id"]}))


async def list_projects(mcp: Any) -> list[str]:
    listed = result_of(await mcp.call_tool("project", {"action": "list"}))
    return [project["name"] for project in listed["results"]]


async def test_a_person_signs_in_lists_the_tools_and_reads_a_project(scene: Scene) -> None:
    ana = scene.ana
    async with ana.connected() as mcp:
        names = {tool.name for tool in (await mcp.list_tools()).tools}
        assert {"project", "workitem"} <= names
        assert (await read_project(mcp, scene.engine))["name"] == "Engine"
        assert await list_projects(mcp) == ["Engine"]
    assert ana.sign_ins == 1
    assert ana.kept.registered is not None


async def test_an_expired_token_is_refreshed_without_asking_the_person(scene: Scene) -> None:
    scene.restart(AIRSIDE_ACCESS_TOKEN_SECONDS=str(SHORT))
    ana = scene.ana
    async with ana.connected() as mcp:
        await read_project(mcp, scene.engine)
        for _ in range(2):
            expired = ana.token
            await asyncio.sleep(SHORT + 1)
            assert await asyncio.to_thread(status_with, expired) == 401
            assert (await read_project(mcp, scene.engine))["name"] == "Engine"
            assert ana.token != expired
    assert ana.sign_ins == 1
    scene.restart()


async def test_two_workspaces_never_mix(scene: Scene) -> None:
    ana, zoe = scene.ana, scene.zoe
    async with ana.connected() as ana_mcp, zoe.connected() as zoe_mcp:
        for _ in range(3):  # in turns, so that a token kept for the wrong person would show
            assert await list_projects(ana_mcp) == ["Engine"]
            assert await list_projects(zoe_mcp) == ["Harbour"]
        together = await asyncio.gather(*(list_projects(mcp) for mcp in (ana_mcp, zoe_mcp) * 5))
        assert together == [["Engine"], ["Harbour"]] * 5
        for mcp, foreign in ((ana_mcp, scene.harbour), (zoe_mcp, scene.engine)):
            refused = await mcp.call_tool("project", {"action": "retrieve", "project_id": foreign["id"]})
            assert refused.is_error
            assert foreign["name"] not in str(refused.content)


async def test_a_restart_in_mid_session_logs_nobody_out(scene: Scene) -> None:
    ana = scene.ana
    async with ana.connected() as mcp:
        await read_project(mcp, scene.engine)
        before = ana.token
        scene.restart()
        assert (await read_project(mcp, scene.engine))["name"] == "Engine"
        ana.auth.context.token_expiry_time = 1  # as if its time had come, so the client refreshes
        assert (await read_project(mcp, scene.engine))["name"] == "Engine"
        assert ana.token != before
    assert ana.sign_ins == 1


@pytest.mark.parametrize("by", ["command line", "portal"])
async def test_uninstalling_ends_it_within_a_second(scene: Scene, by: str) -> None:
    ana, zoe = scene.ana, scene.zoe
    async with ana.connected() as mcp, zoe.connected() as zoe_mcp:
        await read_project(mcp, scene.engine)
        await read_project(zoe_mcp, scene.harbour)
        await asyncio.to_thread(UNINSTALL[by], scene)
        ended = time.monotonic()
        while await asyncio.to_thread(status_with, ana.token) != 401:
            assert time.monotonic() - ended < 1 + 0.5  # half a second for what asking itself takes
            await asyncio.sleep(0.05)
        assert await list_projects(zoe_mcp) == ["Harbour"]
        assert ana.sign_ins == 1
        assert (await read_project(mcp, scene.engine))["name"] == "Engine"  # after asking the person again
        assert ana.sign_ins == 2
    assert zoe.sign_ins == 1


def uninstall_by_command(scene: Scene) -> None:
    scene.instance.cli(
        "app", "uninstall", scene.stage.client_id, "--workspace", "acme", "--as", "ana@example.com"
    )


def uninstall_in_portal(scene: Scene) -> None:
    ana = scene.stage.ana
    listed = ana.sign_in(ana.open("/acme/settings/integrations/"))
    link = re.search(r'href="(/acme/settings/integrations/[^"/]+/)"', listed.text)
    assert link, listed.text
    question = ana.open(f"{link[1]}uninstall/")
    action, fields = next(form for form in Forms(question.text).found if form[0].endswith("/uninstall/"))
    assert ana.session.post(urljoin(question.url, action), data=fields, timeout=20).ok


UNINSTALL = {"command line": uninstall_by_command, "portal": uninstall_in_portal}
