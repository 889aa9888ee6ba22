"""`airside export` as an operator's shell runs it, and the commands of the page about it."""

import json
import re
import shlex
from pathlib import Path

from tests.cli.test_commands import failed
from tests.support.servers import Instance

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "move-a-workspace.md"


def printed_commands() -> list[list[str]]:
    """Of the page's shell blocks, without the name of the program."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    words = [shlex.split(line, comments=True) for line in lines]
    return [one[1:] for one in words if one and one[0] == "airside"]


def test_the_page_s_export_writes_a_folder(instance: Instance, tmp_path: Path) -> None:
    [command] = [one for one in printed_commands() if one[0] == "export"]
    folder = tmp_path / command[-1]
    made = instance.cli(*command[:-1], str(folder))
    assert made["rows"]["people"] == 1
    assert json.loads(folder.joinpath("manifest.json").read_text())["workspace"]["slug"] == "acme"
    again = failed(instance, *command[:-1], str(folder))
    assert "isn't empty" in again["error"]
    assert "no workspace" in failed(instance, "export", "nowhere", "--to", str(tmp_path / "x"))["error"]


def test_each_step_is_a_line_where_there_is_no_terminal(instance: Instance, tmp_path: Path) -> None:
    ended = instance.run("export", "acme", "--to", str(tmp_path / "there"))
    assert ended.returncode == 0, ended.stderr
    assert "work items" in ended.stderr.splitlines()
    assert ended.stdout.startswith("acme is in ")
