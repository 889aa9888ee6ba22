"""`airside import --from` as a shell runs it: the page's command, killed at any point, with a hidden key."""

# pyright: basic

import asyncio
import json
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from airside.cli.moving import STATUS_INCOMPLETE
from tests.cli.test_moving import printed_commands
from tests.moving.community_edition import Orbit, open_orbit
from tests.support.programs import start_airside
from tests.support.servers import Instance

PATIENCE = 60.0


@pytest.fixture(scope="module")
def orbit() -> Iterator[Orbit]:
    """A Community Edition in an event loop of its own."""
    found: list[Orbit] = []
    ready, ended = threading.Event(), threading.Event()

    async def serve() -> None:
        async with open_orbit() as one:
            found.append(one)
            ready.set()
            while not ended.is_set():
                await asyncio.sleep(0.05)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(PATIENCE)
    yield found[0]
    ended.set()
    thread.join()


def page_command(orbit: Orbit) -> list[str]:
    """The page's, at this source and for a person of this instance."""
    command = next(one for one in printed_commands() if one[0] == "import" and "--from" in one)
    there = {"https://plane.example": orbit.upstream.url, "acme": "orbit"}
    words = [there.get(word, word) for word in command]
    return ["ana@example.com" if "@" in word else word for word in words]


def copied(made: Instance, folder: Path, key: str) -> Instance:
    shutil.copytree(made.folder, folder)
    return Instance(folder, {"AIRSIDE_IMPORT_API_KEY": key})


def killed_after_progress(instance: Instance, orbit: Orbit) -> bool:
    """Runs the command and kills it once it brought a record; False when it ended by itself."""
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    before = count_brought(instance)
    program = start_airside(*page_command(orbit), env=instance.environment, **streams)
    while program.poll() is None and count_brought(instance) == before:
        time.sleep(0.005)
    is_killed = program.poll() is None
    program.kill()
    program.communicate(timeout=PATIENCE)
    return is_killed


def count_brought(instance: Instance) -> int:
    with closing(sqlite3.connect(instance.folder / "data" / "airside.db", timeout=PATIENCE)) as connection:
        return connection.execute("SELECT count(*) FROM imported_records").fetchone()[0]


def test_the_page_s_command_brings_a_workspace_and_shows_the_key_nowhere(
    made_instance: Instance, orbit: Orbit, tmp_path: Path
) -> None:
    instance = copied(made_instance, tmp_path / "one", orbit.ana.key)
    report = tmp_path / "report.json"
    ended = instance.run(*page_command(orbit), "--report", str(report))
    assert ended.returncode == STATUS_INCOMPLETE, ended.stderr  # the source has a member whom it doesn't show
    made = json.loads(report.read_text())
    assert (made["workspace"], made["came"]["work_items"], made["came"]["comments"] > 0) == ("orbit", 4, True)
    assert "pages: not served by the source (404" in ended.stderr
    assert orbit.ana.key not in ended.stdout + ended.stderr + report.read_text()
    assert not [path for path in (instance.folder / "data" / "imports").rglob("*") if path.is_file()]
    again = instance.run(*page_command(orbit), "--json")
    assert not any(json.loads(again.stdout)["came"].values())


def test_a_run_that_is_killed_again_and_again_brings_what_one_that_is_not_does(
    made_instance: Instance, orbit: Orbit, tmp_path: Path
) -> None:
    instance = copied(made_instance, tmp_path / "killed", orbit.ana.key)
    kills = 0
    while killed_after_progress(instance, orbit):
        kills += 1
    assert kills > 2
    made = json.loads(instance.run(*page_command(orbit), "--json").stdout)
    brought = {name: made["came"].get(name, 0) + made["present"].get(name, 0) for name in made["present"]}
    whole = copied(made_instance, tmp_path / "whole", orbit.ana.key)
    unkilled = json.loads(whole.run(*page_command(orbit), "--json").stdout)
    assert brought == unkilled["came"]
    assert made["left"] == unkilled["left"]


def test_a_wrong_key_ends_at_once_and_is_not_repeated(
    made_instance: Instance, orbit: Orbit, tmp_path: Path
) -> None:
    instance = copied(made_instance, tmp_path / "wrong", "plane_api_wrong")
    ended = instance.run(*page_command(orbit))
    assert ended.returncode == 1
    assert "doesn't accept the API key" in ended.stderr
    assert "plane_api_wrong" not in ended.stderr
