"""`airside export` and `import` as an operator's shell runs them, and the commands of the page about them."""

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


def test_the_page_s_import_brings_the_folder_in_once(instance: Instance, tmp_path: Path) -> None:
    folder = tmp_path / "acme-export"
    instance.cli("export", "acme", "--to", str(folder))
    command = next(one for one in printed_commands() if one[0] == "import")
    words = [str(folder) if word == folder.name else word for word in command]
    words = ["ana@example.com" if "@" in word else word for word in words]
    words = [str(tmp_path / word) if word.endswith(".json") else word for word in words]
    made = instance.cli(*words)
    assert made["workspace"] == "moon"
    assert [one["email"] for one in made["people"]["matched"]] == ["ana@example.com"]
    assert json.loads(tmp_path.joinpath("report.json").read_text()) == made
    assert instance.cli(*words)["came"] == {}
    assert "moon" in {one["slug"] for one in instance.cli("workspace", "list")["workspaces"]}


def test_an_import_says_who_is_to_own_a_new_workspace_and_what_is_no_export(
    instance: Instance, tmp_path: Path
) -> None:
    folder = tmp_path / "there"
    instance.cli("export", "acme", "--to", str(folder))
    assert "--owner" in failed(instance, "import", str(folder), "--into", "new")["error"]
    assert "no finished export" in failed(instance, "import", str(tmp_path), "--into", "new")["error"]
    assert [one["slug"] for one in instance.cli("workspace", "list")["workspaces"]] == ["acme"]
