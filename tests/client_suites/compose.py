"""plane-compose: its commands that reach a server, on a project that it made empty, on one that holds a record of
every kind, and on the workspace. A project's files and its records are read after each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.client_suites.commands import Commands
from tests.client_suites.full_project import FullProject, make_full_project
from tests.client_suites.place import Place
from tests.client_suites.verdicts import Verdict
from tests.support.clients import client_environment

OF_PROJECTS = (
    "schema push", "schema diff", "schema import", "schema sync", "push", "pull", "diff", "clone", "upgrade",
)  # fmt: skip
OF_WORKSPACES = ("clone", "pull", "diff", "push", "upgrade")
LABELS = {"Frontend", "Backend", "Infrastructure", "Documentation", "Urgent"}  # of its own template
TEMPLATE = {
    "schema/labels.yaml": {"labels": [{"name": "Ops", "color": "#ff0000"}]},
    "schema/states.yaml": {"states": {"Triaged": {"group": "unstarted", "color": "#ff00ff"}}},
    "schema/types.yaml": {
        "work_item_types": {"Incident": {"properties": [{"name": "duration", "type": "decimal"}]}}
    },
    "template.yaml": {"name": "ops", "version": "1.0.0"},
    "work/workitems.yaml": {"workitems": []},
}
WORKSPACE_TEMPLATE = {
    "schema/relations.yaml": {"relations": [{"name": "Tests", "outward": "tests", "inward": "is tested by"}]},
    "template.yaml": {"name": "ws", "version": "1.0.0"},
    "work/releases.yaml": {"releases": []},
}


async def try_compose(place: Place) -> tuple[list[str], list[Verdict]]:
    commands = make_commands(place)
    login = ("--server-url", place.url, "--auth-type", "pat", "--token", place.api_key)
    commands.attempt("auth login", "auth", "login", *login, "--workspace", "acme", "--connection", "airside")
    write_all(commands.folder / "template", TEMPLATE)
    write_all(commands.folder / "workspace-template", WORKSPACE_TEMPLATE)
    commands.attempt("auth init", "init", "EMPTY", "-w", "acme")
    try_empty(Trial(commands, "empty", "EMPTY"))
    try_full(Trial(commands, "full", "FULL"), make_full_project(place, "FULL"))
    try_workspace(commands)
    actions = [
        "auth login",
        "auth init",
        *(f"{kind} {one}" for kind in ("empty", "full") for one in OF_PROJECTS),
    ]
    return actions + [f"ws {one}" for one in OF_WORKSPACES], commands.verdicts


def make_commands(place: Place) -> Commands:
    folder, log = place.folder / "compose", place.log("compose")
    folder.mkdir()
    log.unlink(missing_ok=True)
    environment = {
        "HOME": str(folder),
        "PLANE_CONFIG_DIR": str(folder / "config"),
        "PLANE_RATE_LIMIT_PER_MINUTE": "3000",
        "PLANE_RATE_LIMIT_PER_HOUR": "100000",
        "COLUMNS": "150",
    }
    executable = client_environment("plane-compose") / "plane"
    return Commands(place, executable, folder, log, environment, ("PLANE_", "HOME"))


def write_all(folder: Path, files: Mapping[str, Any]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content, sort_keys=False))


@dataclass
class Trial:
    """A project and its folder, which has its identifier's name."""

    commands: Commands
    kind: str
    identifier: str

    @property
    def folder(self) -> Path:
        return self.commands.folder / self.identifier.lower()

    def attempt(self, command: str, *options: str, complain: Callable[[str], str] = lambda _: "") -> str:
        action = f"{self.kind} {command}"
        return self.commands.attempt(
            action, *command.split(), *options, complain=complain, at=self.folder.name
        )

    def file(self, name: str) -> Any:
        """What one of the project's files has under its own name."""
        content = yaml.safe_load((self.folder / name).read_text())
        return next(iter(content.values()))

    def names(self, kind: str, name: str = "name") -> set[str]:
        """The names of the project's records."""
        return {one[name] for one in self.project.read(f"{kind}/?per_page=100")}

    @property
    def project(self) -> FullProject:
        listed = self.commands.place.call("GET", "projects/").json()["results"]
        return FullProject(
            self.commands.place, next(one["id"] for one in listed if one["identifier"] == self.identifier)
        )

    def lacks(self, kind: str, wanted: set[str], name: str = "name") -> str:
        missing = wanted - self.names(kind, name)
        return f"The project has no {kind} {missing}" if missing else ""

    def files_lack(self, wanted: Mapping[str, set[str]]) -> str:
        """What isn't in the files as a name, a title or a key."""
        for name, expected in wanted.items():
            content = self.file(name)
            found = (
                set(content)
                if isinstance(content, dict)
                else {one.get("title") or one["name"] for one in content}
            )
            if not expected <= found:
                return f"{name} lacks {expected - found}"
        return ""


def try_empty(trial: Trial) -> None:
    trial.attempt("schema push", "--force", complain=lambda _: trial.lacks("labels", LABELS))
    in_sync = "in sync"
    trial.attempt(
        "schema diff", complain=lambda out: "" if in_sync in out.lower() else "It found a difference"
    )
    labels = {"schema/labels.yaml": LABELS}
    (trial.folder / "schema" / "labels.yaml").unlink()
    trial.attempt("schema import", "--force", complain=lambda _: trial.files_lack(labels))
    write_all(trial.folder, {"schema/labels.yaml": {"labels": [{"name": "Alone", "color": "#000000"}]}})
    trial.attempt("schema sync", "--force", complain=lambda _: trial.lacks("labels", {"Alone"}))
    write_all(trial.folder, NEW_WORK)
    trial.attempt("push", "--force", complain=lambda _: complain_of_work(trial))
    work = {f"work/{name}.yaml": {title} for name, title in TITLES.items()}
    for name in work:
        (trial.folder / name).unlink()
    trial.attempt("pull", "--force", complain=lambda _: trial.files_lack(work))
    trial.attempt("diff")
    (trial.commands.folder / "cloned").mkdir()
    trial.commands.attempt(
        "empty clone", "clone", "acme/EMPTY", "--path", "cloned",
        complain=lambda _: Trial(trial.commands, "empty", "cloned/EMPTY").files_lack(work),
    )  # fmt: skip
    trial.attempt(*UPGRADE, complain=lambda _: complain_of_upgrade(trial))


# Without --skip-pull it waits half a minute or longer for a lock of its own.
UPGRADE = ("upgrade", "--template", "../template", "--force", "--skip-pull")
TITLES = {
    "cycles": "Sprint 1",
    "modules": "Auth",
    "milestones": "Alpha",
    "pages": "Manual",
    "workitems": "Log in",
}
NEW_WORK = {
    "schema/features.yaml": {
        "features": dict.fromkeys(("cycles", "modules", "pages", "views", "epics", "work_item_types"), True)
    },
    "schema/types.yaml": {
        "work_item_types": {
            "Bug": {
                "description": "A defect",
                "properties": [
                    {"name": "severity", "type": "option", "options": ["minor", "major"]},
                    {"name": "cause", "type": "text"},
                ],
            }
        }
    },
    "work/cycles.yaml": {
        "cycles": [{"name": "Sprint 1", "start_date": "2026-12-01", "end_date": "2026-12-14"}]
    },
    "work/modules.yaml": {"modules": [{"name": "Auth", "status": "in-progress"}]},
    "work/milestones.yaml": {"milestones": [{"name": "Alpha", "target_date": "2027-03-31", "work_items": []}]},
    "work/pages.yaml": {"pages": [{"name": "Manual", "description_html": "<p>Read me</p>", "access": "public"}]},
    "work/workitems.yaml": {
        "workitems": [
            {
                "title": "Log in", "type": "Bug", "state": "Ready", "priority": "high", "labels": ["Alone"],
                "properties": {"severity": "major", "cause": "A typo"},
            }
        ]
    },
}  # fmt: skip


def complain_of_work(trial: Trial) -> str:
    lacking = trial.lacks("milestones", {"Alpha"}, "title") or trial.lacks("work-item-types", {"Bug"})
    lacking = lacking or trial.lacks("cycles", {"Sprint 1"}) or trial.lacks("modules", {"Auth"})
    lacking = lacking or trial.lacks("pages", {"Manual"}) or trial.lacks("work-items", {"Log in"})
    if lacking:
        return lacking
    project = trial.project
    item = next(one for one in project.read("work-items/") if one["name"] == "Log in")
    chosen = {
        one["id"]: one["name"] for kind in project.read("work-item-properties/") for one in kind["options"]
    }
    values = [value for one in project.read(values_of(item["id"])) for value in one["values"]]
    shown = {chosen.get(value, value) for value in values}
    return "" if shown == {"major", "A typo"} and item["priority"] == "high" else f"Its values are {shown}"


def values_of(item_id: str) -> str:
    return f"work-items/{item_id}/work-item-properties/values/"


def complain_of_upgrade(trial: Trial) -> str:
    lacking = trial.lacks("labels", {"Ops"}) or trial.lacks("states", {"Triaged"})
    return lacking or trial.lacks("work-item-types", {"Incident"})


def try_full(trial: Trial, project: FullProject) -> None:
    work = {
        "work/cycles.yaml": {"Sprint 1"},
        "work/modules.yaml": {"Engines"},
        "work/milestones.yaml": {"Launch"},
        "work/pages.yaml": {"Checklist", "Fuel"},
        "work/workitems.yaml": {"Build the rocket", "First stage", "Choose a crew", "Moon landing"},
        "schema/types.yaml": {"Bug", "Task", "Epic"},
        "schema/labels.yaml": {"Crew"},
        "schema/states.yaml": {"In flight"},
    }
    trial.commands.attempt("full clone", "clone", "acme/FULL", complain=lambda _: trial.files_lack(work))
    trial.attempt(
        "schema diff", complain=lambda out: "" if "in sync" in out.lower() else "It found a difference"
    )
    trial.attempt("diff")
    before = take_stock(project)
    add_item(trial.folder / "work" / "workitems.yaml")
    trial.attempt(
        "push", "--force",
        complain=lambda _: trial.lacks("work-items", {"Added"}) or complain_of_loss(project, before),
    )  # fmt: skip
    trial.attempt("pull", "--force", complain=lambda _: trial.files_lack(work))
    for command in ("schema import", "schema push", "schema sync"):
        trial.attempt(command, "--force", complain=lambda _: complain_of_loss(project, before))
    trial.attempt(
        *UPGRADE, complain=lambda _: complain_of_upgrade(trial) or complain_of_loss(project, before)
    )


def add_item(path: Path) -> None:
    """Add one as a person would. plane-compose writes the id of an option and takes its name only."""
    content = yaml.safe_load(path.read_text())
    for one in content["workitems"]:
        if "severity" in one.get("properties", {}):
            one["properties"]["severity"] = "High"
    content["workitems"].append({"title": "Added", "type": "Bug", "state": "In flight", "labels": ["Crew"]})
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def take_stock(project: FullProject) -> dict[str, list[str]]:
    """Everything that the commands must not lose, by where it is read."""
    at = f"work-items/{project.ids['item']}"
    plans = (
        f"cycles/{project.ids['cycle']}/cycle-issues/",
        f"modules/{project.ids['module']}/module-issues/",
        f"milestones/{project.ids['milestone']}/work-items/",
    )
    of_item = ("comments", "links", "attachments", "worklogs", "pages", "work-item-properties/values")
    paths = (
        *plans,
        *(f"{at}/{one}/" for one in of_item),
        "pages/",
        "intake-issues/",
        "work-item-properties/",
    )
    stock = {path: ids_in(project.read(path)) for path in paths}
    relations = project.read(f"{at}/relations/")
    return stock | {relation: ids_in(related) for relation, related in relations.items()}


def ids_in(rows: list[Any]) -> list[str]:
    return [str(one.get("id") or one) if isinstance(one, dict) else one for one in rows]


def complain_of_loss(project: FullProject, before: dict[str, list[str]]) -> str:
    after = take_stock(project)
    lost = {path: found for path, found in before.items() if not set(found) <= set(after[path])}
    return f"Lost some of {lost}" if lost else ""


def try_workspace(commands: Commands) -> None:
    def read(path: str) -> Any:
        return commands.place.call("GET", path).json()

    def complain_of_files(_: str) -> str:
        content = yaml.safe_load((commands.folder / "acme" / "schema" / "members.yaml").read_text())
        emails = {one["email"] for one in content["members"]}
        return "" if emails == {"ana@example.com", "ben@example.com"} else f"The members are {emails}"

    def complain_of_definition(name: str) -> str:
        found = {one["name"] for one in read("work-item-relation-definitions/")["results"]}
        return "" if name in found else f"The relations are {found}"

    commands.attempt("ws clone", "ws", "clone", "acme", "-c", "airside", complain=complain_of_files)
    commands.attempt("ws pull", "ws", "pull", "--force", at="acme", complain=complain_of_files)
    relation = {"name": "Causes", "outward": "causes", "inward": "is caused by", "is_active": True}
    write_all(commands.folder / "acme", {"schema/relations.yaml": {"relations": [relation]}})
    commands.attempt(
        "ws diff", "ws", "diff", at="acme", complain=lambda out: "" if "Causes" in out else out[-300:]
    )
    push = ("ws", "push", "--force")
    commands.attempt("ws push", *push, at="acme", complain=lambda _: complain_of_definition("Causes"))
    upgrade = ("ws", "upgrade", "--template", "../workspace-template", "--force")
    commands.attempt("ws upgrade", *upgrade, at="acme", complain=lambda _: complain_of_definition("Tests"))
