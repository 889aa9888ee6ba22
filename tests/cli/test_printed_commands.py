"""Commands that pages print, pasted as they stand into a shell, beside a site that isn't where the default says."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import click
import pytest
import requests
import typer

from airside.cli.main import cli
from airside.cli.unusable import Unusable
from tests.cast import PASSWORD
from tests.cli.laptop import PATIENCE
from tests.pages.demo import Demo, running_demo
from tests.pages.places import PAGES, SIGNED_OUT
from tests.support.consent import Person

PROGRAMS = ("airside ", "curl ", "python3 ")
OF_A_SITE = {"login", "logout", "whoami", "listen"}
PARTS = re.compile(r'data-copy="([^"]*)"|<(?:code|pre)\b[^>]*>(.*?)</(?:code|pre)>', re.DOTALL)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture(scope="module")
def found(demo: Demo) -> dict[str, set[str]]:
    """Command → the pages that print it, over all pages; styles are shown on one, which is no command's place."""
    session = requests.Session()
    session.cookies.set("airside_session", demo.session)
    commands: dict[str, set[str]] = {}
    for template in [one for one in PAGES if not one.startswith((*SIGNED_OUT, "/styleguide"))]:
        page = session.get(demo.server.url + demo.path_of(template), timeout=PATIENCE)
        scripts = [
            text for text in texts_in(page.text) if re.search(r"^ *(\w+=\$\()?curl ", text, re.MULTILINE)
        ]
        assert all(demo.server.url in script for script in scripts), template
        for command in commands_in(page.text):
            commands.setdefault(command, set()).add(template)
    return commands


def texts_in(html: str) -> list[str]:
    """A page's code, and what its buttons copy."""
    return [unescape(re.sub(r"<[^>]*>", "", one or other)).strip() for one, other in PARTS.findall(html)]


def commands_in(html: str) -> set[str]:
    """What of it is a command line of its own; the lines of a script go together (journeys/test_snippets.py)."""
    return {text for text in texts_in(html) if text.startswith(PROGRAMS) and "\n" not in text}


def shell(demo: Demo, folder: Path, command: str, **env: str) -> "subprocess.Popen[str]":
    """A shell of somebody's who knows the site by nothing but the command; `airside` is this one."""
    folder.joinpath("airside").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m airside "$@"\n')
    folder.joinpath("airside").chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    known = {"PATH": path, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")}
    return subprocess.Popen(
        ["bash", "-c", command], cwd=folder, env=known | env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def run(demo: Demo, folder: Path, command: str, **env: str) -> str:
    process = shell(demo, folder, command, **env)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    return out


def parse(words: list[str]) -> tuple[str, dict[str, object]]:
    """The name of the command and its values. click.UsageError for what it wouldn't take."""
    command, name = typer.main.get_command(cli), ""
    context = click.Context(command, info_name=words[0])
    rest = words[1:]
    while isinstance(command, click.Group):
        name, command, rest = command.resolve_command(context, rest)  # type: ignore[assignment]
        context = click.Context(command, parent=context, info_name=name)
    return name or "", command.make_context(name, list(rest)).params


def test_every_command_is_one_that_there_is_and_names_site_and_app(
    demo: Demo, found: dict[str, set[str]]
) -> None:
    places = {template.rstrip("/").rpartition("/")[2] for each in found.values() for template in each}
    assert places >= {"webhooks", "manifest"}
    for command, pages in found.items():
        words = shlex.split(command, comments=True)
        if words[0] == "airside":
            name, given = parse(words[: words.index(">")] if ">" in words else words)
            if name in OF_A_SITE:
                assert given["base_url"] == demo.server.url, (command, pages)
        elif words[0] == "curl":
            assert any(word.startswith(f"{demo.server.url}/") for word in words), (command, pages)
        assert "…" not in command, (command, pages)
        assert "example.com/" not in command, (command, pages)


def test_listening_as_the_page_says_goes_on_at_the_app_s_own_path(
    demo: Demo, found: dict[str, set[str]], tmp_path: Path
) -> None:
    [command] = [one for one in found if one.startswith("airside listen")]
    assert command.endswith("--forward-to http://127.0.0.1:9000/courier")  # the URL of the demo's app
    process = shell(demo, tmp_path, f"{command} --json", AIRSIDE_API_KEY=demo.api_key)
    assert process.stdout is not None
    try:
        opened = json.loads(process.stdout.readline())
        assert opened["listening"] is True
    finally:
        process.terminate()
        process.wait(PATIENCE)


def test_the_sign_in_that_the_page_says_lets_everything_after_it_go_without_the_address(
    demo: Demo, found: dict[str, set[str]], tmp_path: Path
) -> None:
    [login] = [command for command in found if command.startswith("airside login")]
    process = shell(demo, tmp_path, login)
    assert process.stderr is not None
    address = process.stderr.readline().removeprefix("Open ").strip()
    ben = Person(demo.server.url, "ben@example.com", PASSWORD)  # a member
    question = ben.submit(ben.sign_in(ben.open(address)), "user_code")
    assert "Unverified" not in question.text
    [logout] = [one for one in commands_in(question.text) if one.startswith("airside logout")]
    ben.submit(question, "request", decision="allow")
    assert process.wait(PATIENCE) == 0
    assert "ben@example.com" in run(demo, tmp_path, "airside whoami")
    refused = shell(demo, tmp_path, "airside listen --app nobody --forward-to 9000")
    assert demo.server.url not in (output := refused.communicate(timeout=PATIENCE)[1])
    assert "no such app" in output
    kept = tmp_path / "config" / "airside" / "credentials.json"
    known = json.loads(kept.read_text())
    kept.write_text(json.dumps(known | {"https://elsewhere.example": known[demo.server.url]}))
    several = shell(demo, tmp_path, "airside whoami")
    output = several.communicate(timeout=PATIENCE)[1]
    for words in ("https://elsewhere.example", demo.server.url, "--base-url", "AIRSIDE_BASE_URL"):
        assert words in output
    assert "ben@example.com" in run(demo, tmp_path, "airside whoami", AIRSIDE_BASE_URL=demo.server.url)
    run(demo, tmp_path, logout)
    assert json.loads(kept.read_text()).keys() == {"https://elsewhere.example"}


def test_a_manifest_is_exported_and_applied_as_the_page_says(
    demo: Demo, found: dict[str, set[str]], tmp_path: Path
) -> None:
    export, apply = sorted((one for one in found if " manifest " in one), key=lambda one: " apply " in one)
    env = {name: value for name, value in demo.server.environment.items() if name.startswith("AIRSIDE_")}
    run(demo, tmp_path, export, **env)
    assert "name: Courier" in (tmp_path / "airside.yaml").read_text()
    run(demo, tmp_path, apply, **env)


def test_a_new_key_s_first_call_answers_who_it_is(demo: Demo, tmp_path: Path) -> None:
    ana = Person(demo.server.url, "ana@example.com", PASSWORD)
    ana.session.cookies.set("airside_session", demo.session)
    page = ana.open("/profile/api-keys/")
    made = ana.submit(page, "label", label="Laptop", expires_in_days="30", password=PASSWORD)
    [command] = commands_in(made.text)
    assert json.loads(run(demo, tmp_path, command))["email"] == "ana@example.com"


def test_a_key_goes_to_no_site_that_was_only_signed_in_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airside.cli.credentials_file import keep_credentials
    from airside.cli.login import DEFAULT_URL, read_url

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("AIRSIDE_BASE_URL", raising=False)
    assert read_url(None) == DEFAULT_URL
    keep_credentials("https://one.example", {})
    assert read_url(None) == "https://one.example"
    assert read_url(None, by_sign_in=False) == DEFAULT_URL
    assert read_url("https://two.example/") == "https://two.example"
    keep_credentials("https://two.example", {})
    with pytest.raises(Unusable, match=r"https://one.example, https://two.example.*--base-url"):
        read_url(None)
