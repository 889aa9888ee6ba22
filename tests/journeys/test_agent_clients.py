"""Agents with the published clients, unmodified: plane-sdk's agent_runs, and plane-adk, which knows no runs."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from plane import OAuthClient, PlaneClient
from plane.errors import HttpError
from plane.models.agent_runs import CreateAgentRun, CreateAgentRunActivity
from plane.models.projects import CreateProject
from plane.models.work_items import CreateWorkItem, CreateWorkItemComment, UpdateWorkItem

from tests.agents.scene import mention_of
from tests.journeys.conftest import Stage, set_stage
from tests.support.clients import client_environment
from tests.support.servers import Server, free_port, running_server

# The first run installs plane-adk.
pytestmark = pytest.mark.timeout(300)

SECONDS = 60.0


class Scene:
    """Courier as an agent in Acme; Ana's client, the agent's, and a work item."""

    def __init__(self, instance: Server, hook_port: int) -> None:
        hook = f"http://127.0.0.1:{hook_port}/hook"
        self.stage: Stage = set_stage(instance, "--mentionable", "--webhook-url", hook)
        self.installation_id = instance.cli(
            "app", "install", self.stage.client_id, "--workspace", "acme", "--as", "ana@example.com"
        )["app_installation_id"]
        key = instance.cli("token", "create", "--user", "ana@example.com")["token"]
        self.ana = PlaneClient(base_url=instance.url, api_key=key)
        oauth = OAuthClient(
            base_url=instance.url, client_id=self.stage.client_id, client_secret=self.stage.client_secret
        )
        token = oauth.get_client_credentials_token(app_installation_id=self.installation_id).access_token
        self.agent = PlaneClient(base_url=instance.url, access_token=token)
        self.bot_id = self.agent.users.get_me().id
        self.project = self.ana.projects.create("acme", CreateProject(name="Engine", identifier="ENG")).id
        self.item = self.ana.work_items.create("acme", self.project, CreateWorkItem(name="Wheel")).id

    def comments(self) -> list[str]:
        listed = self.ana.work_items.comments.list("acme", self.project, self.item)
        return [one.comment_stripped or "" for one in listed.results]

    def comment(self, html: str) -> Any:
        made = CreateWorkItemComment(comment_html=html)
        return self.ana.work_items.comments.create("acme", self.project, self.item, made)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder: Path = tmp_path_factory.mktemp("agents")
    with running_server(folder) as instance:
        yield Scene(instance, free_port())


def activity(kind: str, body: str, **more: Any) -> CreateAgentRunActivity:
    return CreateAgentRunActivity(type=kind, content={"type": kind, "body": body}, **more)  # type: ignore[arg-type]


def test_every_method_of_plane_sdk_s_agent_runs_works(scene: Scene) -> None:
    """As its own tests go: a run is created, read, reported on, and its activities are listed and read."""
    slug = "courier"
    link = "https://courier.example/runs/1"
    made = scene.agent.agent_runs.create("acme", CreateAgentRun(agent_slug=slug, external_link=link))
    assert (made.status.value, made.external_link, made.agent_user) == ("created", link, scene.bot_id)
    assert scene.agent.agent_runs.retrieve("acme", made.id).id == made.id
    activities = scene.agent.agent_runs.activities
    thought = activities.create("acme", made.id, activity("thought", "hm"))
    assert (thought.ephemeral, thought.signal.value) == (True, "continue")
    action = {"type": "action", "action": "look", "parameters": {"at": "it"}}
    activities.create("acme", made.id, CreateAgentRunActivity(type="action", content=action))  # type: ignore[arg-type]
    options = {"options": [{"id": "a", "label": "A"}]}
    activities.create(
        "acme", made.id, activity("elicitation", "which?", signal="select", signal_metadata=options)
    )
    assert scene.agent.agent_runs.retrieve("acme", made.id).status.value == "awaiting"
    activities.create("acme", made.id, activity("response", "done"))
    assert scene.agent.agent_runs.retrieve("acme", made.id).status.value == "completed"
    listed = activities.list("acme", made.id, params={"per_page": 2})
    assert [one.type.value for one in listed.results] == ["thought", "action"]
    assert listed.next_page_results
    assert activities.retrieve("acme", made.id, thought.id).content == thought.content
    activities.create("acme", made.id, activity("error", "broke"))
    with pytest.raises(HttpError) as refused:
        activities.create("acme", made.id, activity("response", "too late"))
    assert refused.value.status_code == 409


def test_a_person_starts_a_run_on_a_comment(scene: Scene) -> None:
    comment = scene.comment("<p>please look at this</p>")
    asked = CreateAgentRun(agent_slug="courier", issue=scene.item, source_comment=comment.id)
    run = scene.ana.agent_runs.create("acme", asked)
    assert (run.issue, run.comment, run.project) == (scene.item, comment.id, scene.project)
    (prompt,) = scene.agent.agent_runs.activities.list("acme", run.id).results
    assert prompt.content.body == "please look at this"  # type: ignore[union-attr]
    scene.agent.agent_runs.activities.create("acme", run.id, activity("response", "I *did*"))
    assert scene.comments()[0] == "I did"
    with pytest.raises(HttpError) as refused:
        scene.ana.agent_runs.create("acme", asked)
    assert refused.value.status_code == 409


def test_plane_adk_receives_mentions_and_assignments_and_reports_its_progress(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    python = client_environment("plane-adk") / "python"
    with running_server(tmp_path) as instance:
        port = free_port()
        scene = Scene(instance, port)
        with running_adk_agent(python, scene, port):
            scene.comment("<p>nobody is meant</p>")
            scene.comment(f"<p>{mention_of(scene.bot_id)} please</p>")
            wait_for(lambda: "I was mentioned on Wheel in acme" in scene.comments())
            changes = UpdateWorkItem(assignees=[scene.bot_id])
            scene.ana.work_items.update("acme", scene.project, scene.item, changes)
            wait_for(lambda: "I was assigned Wheel in acme" in scene.comments())
            made = CreateWorkItem(name="Axle", assignees=[scene.bot_id])
            scene.item = scene.ana.work_items.create("acme", scene.project, made).id
            wait_for(lambda: scene.comments() == ["I was assigned Axle in acme"])
        found = requests.get(
            f"{instance.url}/api/v1/workspaces/acme/runs/",
            headers=scene.ana.agent_runs._headers(),
            timeout=20,
        ).json()["results"]
        assert [run["status"] for run in found] == ["completed"] * 3, "its comments are its answers"


class running_adk_agent:
    """The agent's own process, configured with its installation."""

    def __init__(self, python: Path, scene: Scene, port: int) -> None:
        environment = {
            **os.environ,
            "PLANE_CLIENT_ID": scene.stage.client_id,
            "PLANE_CLIENT_SECRET": scene.stage.client_secret,
            "PLANE_BASE_URL": scene.stage.base_url,
            "PORT": str(port),
        }
        script = Path(__file__).with_name("adk_agent.py")
        self._process = subprocess.Popen(
            [python, script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._url = f"http://127.0.0.1:{port}/?installation={scene.installation_id}"

    def __enter__(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        assert self._process.stdout.readline() == "ready\n", self._process.stderr.read()
        assert requests.get(self._url, timeout=30).text == "acme"

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)
