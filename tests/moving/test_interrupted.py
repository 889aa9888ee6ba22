"""An import that is killed at any point: the next run goes on, and the result is that of one that wasn't."""

import json
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest
import pytest_asyncio

from airside.db.base import Row
from airside.moving.export import export_workspace
from airside.moving.progress import Unwatched
from tests.cli.conftest import made_instance as made_instance
from tests.moving.scene import furnish, without_ids
from tests.support.programs import start_airside
from tests.support.servers import Instance
from tests.support.workshop import Workshop

pytestmark = pytest.mark.asyncio(loop_scope="module")
STEPS_BETWEEN_KILLS = 15
PATIENCE = 60.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def folder(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose admin Ana is in the other instances too."""
    await furnish(workshop)
    folder = tmp_path_factory.mktemp("interrupted") / "acme"
    await export_workspace(workshop.site, workshop.cast.acme, folder, Unwatched())
    return folder


def make_instance(made: Instance, folder: Path) -> Instance:
    shutil.copytree(made.folder, folder)
    return Instance(folder)


def database(instance: Instance) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{instance.folder}/data/airside.db?mode=ro", uri=True)


def count_brought(instance: Instance) -> int:
    """Records that came, and once more those that are settled."""
    with database(instance) as db:
        return db.execute("SELECT count(*) + coalesce(sum(is_settled), 0) FROM imported_records").fetchone()[
            0
        ]


def import_with_kills(instance: Instance, *words: str) -> int:
    """Run the command again and again, each time killed after some steps; returns how often it was killed."""
    kills = 0
    while True:
        before = count_brought(instance)
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        program = start_airside(*words, env=instance.environment, **streams)
        deadline = time.monotonic() + PATIENCE
        while program.poll() is None and time.monotonic() < deadline:
            if count_brought(instance) >= before + STEPS_BETWEEN_KILLS:
                program.kill()
                kills += 1
                break
            time.sleep(0.002)
        program.communicate(timeout=PATIENCE)
        if program.returncode == 3:  # Ben and Gil have no accounts there, so what is private to them stays
            return kills
        assert program.returncode < 0, program.returncode


def read_back(instance: Instance, folder: Path) -> dict[str, list[Row]]:
    """What came, under the ids of the source."""
    instance.cli("export", "moon", "--to", str(folder))
    with database(instance) as db:
        known = dict(db.execute("SELECT record_id, source_id FROM imported_records").fetchall())
    found: dict[str, list[Row]] = {}
    for path in folder.glob("*.jsonl"):
        rows = [without_ids(json.loads(line), known) for line in path.read_text().splitlines()]
        found[path.stem] = sorted(rows, key=lambda row: row["id"])
    return found


@pytest.mark.parametrize("workshop", ["sqlite"], indirect=True)  # the folder would be the same
async def test_an_import_that_is_killed_again_and_again_brings_what_one_that_is_not_does(
    folder: Path, made_instance: Instance, tmp_path: Path
) -> None:
    words = ("import", str(folder), "--into", "moon", "--owner", "ana@example.com")
    whole = make_instance(made_instance, tmp_path / "whole")
    ended = whole.run(*words)
    assert ended.returncode == 3, ended.stderr
    killed = make_instance(made_instance, tmp_path / "killed")
    assert import_with_kills(killed, *words) > 2
    one, other = read_back(whole, tmp_path / "one"), read_back(killed, tmp_path / "other")
    workspaces = [
        json.loads(path.read_text())["workspace"]["id"] for path in tmp_path.glob("o*/manifest.json")
    ]
    assert len(set(workspaces)) == 2
    for name, rows in one.items():
        text, again = json.dumps(rows), json.dumps(other[name])
        for workspace_id in workspaces:
            text, again = text.replace(workspace_id, "here"), again.replace(workspace_id, "here")
        assert json.loads(again) == json.loads(text), name
