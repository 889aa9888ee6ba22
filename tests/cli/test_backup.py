"""`airside backup` and `airside restore` as an operator's shell runs them, and the commands of their page."""

import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_commands import failed
from tests.support.databases import fresh_postgres
from tests.support.servers import Instance

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "back-up-and-restore.md"
PASSPHRASE = "correct horse battery"


def printed_scripts() -> list[str]:
    """The page's shell blocks, without the server, which would go on."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return [block.replace("airside serve\n", "") for block in blocks]


def paste(folder: Path, script: str, **env: str) -> str:
    """Its output, from a shell in the folder, where `airside` is this one."""
    program = folder / "bin" / "airside"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m airside "$@"\n')
    program.chmod(0o755)
    known = {"PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(PAGE.parents[2])}
    ended = subprocess.run(
        ["bash", "-ec", script], cwd=folder, env=known | env, text=True, capture_output=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


async def test_the_commands_of_the_page_do_what_it_says(instance: Instance, tmp_path: Path) -> None:
    (tmp_path / "passphrase.txt").write_text(PASSPHRASE)
    make, restore, grow, without = printed_scripts()
    known = {"AIRSIDE_BACKUP_PASSPHRASE": PASSPHRASE}
    out = paste(tmp_path, make, AIRSIDE_DATA="data")
    assert "monday.backup is whole" in out
    assert stat.S_IMODE((tmp_path / "monday.backup").stat().st_mode) == 0o600
    out = paste(tmp_path, restore, AIRSIDE_DATA="elsewhere", **known)
    assert "every row compared" in out
    listed = Instance(tmp_path, {"AIRSIDE_DATA": str(tmp_path / "elsewhere")}).cli("workspace", "list")
    assert [one["slug"] for one in listed["workspaces"]] == ["acme"]
    async with fresh_postgres() as url:
        paste(
            tmp_path,
            grow.replace("postgresql://airside@db.example/airside", url),
            AIRSIDE_DATA="data",
            **known,
        )
        there = {"AIRSIDE_DATA": str(tmp_path / "airside-data"), "AIRSIDE_DATABASE_URL": url}
        listed = Instance(tmp_path, there).cli("workspace", "list")
        assert [one["slug"] for one in listed["workspaces"]] == ["acme"]
    paste(tmp_path, without, AIRSIDE_DATA="data", **known)
    assert (tmp_path / "rows.backup").exists()


def test_the_passphrase_is_asked_for_and_never_an_argument(instance: Instance, tmp_path: Path) -> None:
    path = str(tmp_path / "one.backup")
    assert "AIRSIDE_BACKUP_PASSPHRASE" in failed(instance, "backup", path)["error"]
    short = Instance(instance.folder, {"AIRSIDE_BACKUP_PASSPHRASE": "short"})
    assert "12 characters" in failed(short, "backup", path)["error"]
    assert not Path(path).exists()
    assert "passphrase" not in instance.run("backup", "--help").stdout.lower().split("options:")[1]


@pytest.mark.parametrize("command", [("restore",), ("restore", "--check")])
def test_what_is_no_backup_is_refused_by_its_name(
    instance: Instance, tmp_path: Path, command: tuple[str, ...]
) -> None:
    own = Instance(instance.folder, {"AIRSIDE_BACKUP_PASSPHRASE": PASSPHRASE})
    (tmp_path / "dump.sql").write_text("-- PostgreSQL database dump")
    said = failed(own, *command, str(tmp_path / "dump.sql"))["error"]
    assert said == f"{tmp_path / 'dump.sql'} isn't a backup of Airside."
    assert "can't be read" in failed(own, *command, str(tmp_path / "nowhere"))["error"]


def test_a_folder_that_cannot_be_written_is_named(instance: Instance, tmp_path: Path) -> None:
    own = Instance(instance.folder, {"AIRSIDE_BACKUP_PASSPHRASE": PASSPHRASE})
    assert "can't be written" in failed(own, "backup", str(tmp_path / "no" / "one.backup"))["error"]
