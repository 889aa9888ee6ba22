"""`airside export` and `import` as an operator's shell runs them, and the commands of the page about them."""

import json
import re
import shlex
import shutil
from pathlib import Path

import requests

from tests.cli.test_commands import failed
from tests.support.servers import ADMIN, Instance, Server

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
    command = next(one for one in printed_commands() if one[0] == "import" and "--from" not in one)
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


def test_another_airside_is_a_source_as_any_plane_is(
    made_instance: Instance, server: Server, tmp_path: Path
) -> None:
    shutil.copytree(made_instance.folder, tmp_path / "target")
    instance = Instance(tmp_path / "target")
    key = server.cli("token", "create", "--user", ADMIN)["token"]
    headers, at = {"X-Api-Key": key}, f"{server.url}/api/v1/workspaces/sandbox/projects/"
    sent = {"name": "Moved", "identifier": "MOVED"}
    project = requests.post(at, headers=headers, json=sent).json()["id"]
    item = requests.post(f"{at}{project}/work-items/", headers=headers, json={"name": "Roll"}).json()
    path = f"{at}{project}/work-items/{item['id']}/comments/"
    assert requests.post(path, headers=headers, json={"comment_html": "<p>rolling</p>"}).status_code == 201
    command = next(one for one in printed_commands() if "--from" in one)
    words = {"https://plane.example": server.url, "acme": "sandbox", "ana@example.com": "ana@example.com"}
    moved = Instance(instance.folder, {"AIRSIDE_IMPORT_API_KEY": key})
    ended = moved.run(*(words.get(word, word) for word in command), "--json")
    assert ended.returncode == 3, ended.stderr  # its admin has no account here
    made = json.loads(ended.stdout)
    assert {one["family"] for one in made["left"]} == {"project_members"}
    assert made["came"]["work_items"] >= 1
    assert made["came"]["comments"] == 1
    assert key not in ended.stdout + ended.stderr
    folder = tmp_path / "again"
    instance.cli("export", made["workspace"], "--to", str(folder))
    items = [json.loads(line) for line in folder.joinpath("work_items.jsonl").read_text().splitlines()]
    roll = next(one for one in items if one["name"] == "Roll")
    assert (roll["created_at"], roll["external_id"]) == (item["created_at"], item["id"])
    assert not list((instance.folder / "data" / "imports").iterdir())
    assert (
        "AIRSIDE_IMPORT_API_KEY"
        in failed(instance, "import", "--from", server.url, "--workspace", "x")["error"]
    )
