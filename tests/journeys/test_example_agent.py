"""The example agent of examples/, started as the README says: mentioned, it thinks, acts, asks, and answers.

Once by the API, and once as people see it, in a browser."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.agents.scene import mention_of
from tests.support.browser import running_browser
from tests.support.servers import ADMIN, Instance, free_port

ROOT = Path(__file__).parents[2]
SECONDS = 60.0  # on a busy machine; it takes two

Row = dict[str, Any]


class Demo:
    """What `tools/develop.py demo` runs, and a person's API key in it."""

    def __init__(self, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.instance = Instance(folder, {"AIRSIDE_DATA": str(folder)})
        command = [sys.executable, str(ROOT / "tools" / "demo.py"), "--port", self.url.rsplit(":", 1)[1]]
        environment = {**self.instance.environment, "PAUSE_SECONDS": "0.5"}
        self.process = subprocess.Popen(
            [*command, "--agent-port", str(free_port())],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.output = self.read_until("Mention @Weather")
        self.key = self.instance.cli("token", "create", "--user", ADMIN)["token"]
        self.project = self.get("projects/")["results"][0]["id"]
        self.item = self.get(f"projects/{self.project}/work-items/")["results"][-1]["id"]
        members = self.get("members/")
        self.bot_id = next(one["id"] for one in members if one["display_name"] == "Weather")

    def read_until(self, words: str) -> str:
        output = ""
        assert self.process.stdout is not None
        while words not in output:
            line = self.process.stdout.readline()
            assert line, output
            output += line
        return output

    def get(self, path: str) -> Any:
        return self.send("GET", path)

    def send(self, method: str, path: str, body: Row | None = None) -> Any:
        address = f"{self.url}/api/v1/workspaces/sandbox/{path}"
        answer = requests.request(method, address, json=body, headers={"X-API-Key": self.key}, timeout=20)
        assert answer.ok, answer.text
        return answer.json()

    def comment(self, text: str, parent: str | None = None) -> str:
        path = f"projects/{self.project}/work-items/{self.item}/comments/"
        return self.send("POST", path, {"comment_html": text, "parent": parent})["id"]

    def wait_for(self, is_there: Callable[[Row, list[Row]], bool]) -> tuple[Row, list[Row]]:
        """The newest run and its activities, as soon as they are like this."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            runs = self.get("runs/")["results"]
            said = self.get(f"runs/{runs[0]['id']}/activities/")["results"] if runs else []
            if runs and is_there(runs[0], said):
                return runs[0], said
            time.sleep(0.05)
        raise TimeoutError((runs, said))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    os.chmod(folder, 0o700)
    made = Demo(folder)
    yield made
    made.process.terminate()
    made.process.wait(30)


def test_it_thinks_acts_asks_and_answers(demo: Demo) -> None:
    assert "Password" in demo.output
    comment = demo.comment(f"<p>{mention_of(demo.bot_id)} what's it like in Paris?</p>")
    _, said = demo.wait_for(lambda run, said: run["status"] == "awaiting")
    assert [one["type"] for one in said] == ["prompt", "thought", "elicitation"]
    options = said[-1]["signal_metadata"]["options"]
    assert [one["label"] for one in options] == ["Paris, France", "Paris, Texas"]
    demo.comment("<p>Paris, Texas</p>", parent=comment)
    run, said = demo.wait_for(lambda run, said: run["status"] == "completed")
    assert [one["type"] for one in said[3:]] == ["prompt", "thought", "action", "action", "response"]
    assert "Paris, Texas" in said[-1]["content"]["body"]
    assert run["comment"] == comment
    demo.comment("<p>and once more?</p>", parent=comment)
    _, said = demo.wait_for(lambda run, said: len(said) > 9 and run["status"] == "completed")
    assert "Paris, Texas" in said[-1]["content"]["body"], "it remembers the conversation"


def test_it_stops_when_it_is_asked_to(demo: Demo) -> None:
    demo.comment(f"<p>{mention_of(demo.bot_id)} Tokyo?</p>")
    run, _ = demo.wait_for(lambda run, said: len(said) == 2 and said[-1]["type"] == "thought")
    demo.send("POST", f"runs/{run['id']}/stop/")
    _, said = demo.wait_for(lambda run, said: run["status"] == "stopped")
    assert said[-1]["content"]["body"] == "I've stopped."


@pytest.fixture(scope="module")
def page(demo: Demo) -> Iterator[Page]:
    """The admin at a work item, with a browser that keeps what its console says."""
    password = re.search(r"Password\s+(\S+)", demo.output)
    assert password
    with running_browser() as browser:
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        opened.set_default_timeout(SECONDS * 1000)
        opened.goto(f"{demo.url}/sign-in/")
        opened.fill("[name=email]", ADMIN)
        opened.fill("[name=password]", password[1])
        opened.press("[name=password]", "Enter")
        opened.wait_for_url(f"{demo.url}/**")
        yield opened


# What a person would see come and go: it shows for a second or two, which a busy browser could look past.
NOTE_STEPS = """
new MutationObserver(() => {
  const shown = [...document.querySelectorAll('.run-now')].map((step) => step.textContent).join(' ');
  sessionStorage.setItem('steps', (sessionStorage.getItem('steps') || '') + ' ' + shown);
}).observe(document, {childList: true, subtree: true, characterData: true});
"""


def test_people_watch_it_in_the_browser(demo: Demo, page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.add_init_script(NOTE_STEPS)
    page.goto(f"{demo.url}/sandbox/browse/OFF-2/")
    page.click("#text-new")
    page.keyboard.type("@Wea")
    page.click("#mention-list [data-name=Weather]")
    page.keyboard.type(" what's it like in Paris?")
    page.click("form:has(#text-new) button[type=submit]")
    page.click(".run-options button:has-text('Paris, Texas')")
    expect(page.locator(".run .badge")).to_have_text("Answered")
    steps = page.evaluate("sessionStorage.getItem('steps')")
    assert "Looking for the place" in steps
    assert "getClimate" in steps.partition("Looking for the place")[2]
    expect(page.locator(".comment .comment .comment-text").last).to_contain_text(
        "In Paris, Texas it is usually"
    )
    assert page.locator(".comment .comment strong").last.inner_text() == "Paris, Texas", "Markdown"
    assert complaints == []


def test_a_person_stops_it_by_the_button_and_is_asked_to_sign_in(demo: Demo, page: Page) -> None:
    page.goto(f"{demo.url}/sandbox/browse/OFF-3/")
    page.fill("#text-new", "@Weather look into my calendar")
    page.click("form:has(#text-new) button[type=submit]")
    sign_in = page.locator(".run-sign-in a")
    expect(sign_in).to_have_attribute("href", "https://weather.example/sign-in")
    page.click(".run-stop button")
    expect(page.locator(".run .badge")).to_have_text("Stopped")
    expect(page.locator(".run-sign-in")).to_have_count(0)


def test_all_runs_of_an_agent_are_on_its_page(demo: Demo, page: Page) -> None:
    page.goto(f"{demo.url}/sandbox/agents/")
    page.click("main table a:has-text('Weather')")
    row = page.locator("main tbody tr", has_text="OFF-3")
    expect(row).to_contain_text("Stopped")
    assert re.search(r"\d\.\d s", row.locator("[data-label='First word after']").inner_text())
    row.locator("a").click()
    expect(page.locator(".run-log li").last).to_contain_text("I've stopped.")
