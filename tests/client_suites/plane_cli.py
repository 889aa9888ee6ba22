"""plane-cli: each of its commands that reach a server."""

import json
from typing import Any

from tests.client_suites.commands import Commands
from tests.client_suites.place import Place
from tests.client_suites.verdicts import Verdict
from tests.support.clients import client_environment

FIVE = ("create", "list", "get", "update", "delete")
ACTIONS = [
    *(f"{noun} {verb}" for noun in ("projects", "states", "labels", "pages", "issues") for verb in FIVE),
    "issues comment add",
    "issues comment list",
]


async def try_plane_cli(place: Place) -> tuple[list[str], list[Verdict]]:
    commands = make_commands(place)
    project = Noun(commands, "projects")
    made = project.create("--name", "Moon", "--identifier", "MOON", name="Moon")
    project.list(made)
    secret = ("--description", "Far away", "--network", "secret")
    project.change(made, *secret, description="Far away", network=0)
    at = ("--project", made)
    state = Noun(commands, "states", *at)
    in_state = state.create(
        "--name", "In flight", "--color", "#3B82F6", "--group", "started", group="started"
    )
    state.list(in_state)
    state.change(in_state, "--name", "Flying", name="Flying")
    label = Noun(commands, "labels", *at)
    labelled = label.create("--name", "Crew", "--color", "#EF4444", name="Crew")
    label.list(labelled)
    label.change(labelled, "--color", "#000000", color="#000000")
    try_issues(Noun(commands, "issues", *at), place, in_state, labelled)
    page = Noun(commands, "pages", *at)
    written = page.create("--name", "Checklist", "--description", "Fuel", name="Checklist")
    page.list(written)
    page.change(written, "--name", "The checklist", name="The checklist")
    page.attempt("delete", written, "--archive", "--yes")
    page.delete(written)
    label.delete(labelled)
    state.delete(in_state)
    project.delete(made)
    return ACTIONS, commands.verdicts


def try_issues(issue: "Noun", place: Place, state: str, label: str) -> None:
    given = ("--state", state, "--label", label, "--assignee", place.ana_id, "--due-date", "2026-12-10")
    made = issue.create("--title", "Build", "--priority", "high", *given, priority="high", state=state)
    issue.list(made)
    issue.change(made, "--title", "Build it", "--priority", "urgent", name="Build it", priority="urgent")
    issue.attempt("comment add", made, "--body", "Ready?", holds="Ready?")
    issue.attempt("comment list", made, holds="Ready?")
    issue.delete(made)


def make_commands(place: Place) -> Commands:
    folder, log = place.folder / "cli", place.log("cli")
    folder.mkdir()
    log.unlink(missing_ok=True)
    environment = {
        "HOME": str(folder),
        "PLANE_BASE_URL": place.url,
        "PLANE_API_KEY": place.api_key,
        "PLANE_WORKSPACE_SLUG": "acme",
    }
    executable = client_environment("plane-cli") / "plane"
    return Commands(place, executable, folder, log, environment, ("PLANE_", "HOME", "XDG_"))


class Noun:
    """What plane-cli calls by this noun; `at` are the options of every command."""

    def __init__(self, commands: Commands, noun: str, *at: str) -> None:
        self._commands, self._noun, self._at = commands, noun, at

    def attempt(self, verb: str, *words: str, holds: str = "", **shown: Any) -> Any:
        """What the command printed, which mentions `holds` and shows these fields."""

        def complain(out: str) -> str:
            result = json.loads(out)
            fields = result if isinstance(result, dict) else {}
            wrong = {name: fields.get(name) for name, value in shown.items() if fields.get(name) != value}
            return (
                f"{wrong} instead of {shown}"
                if wrong
                else ""
                if holds in out
                else f"No {holds} in {out[:300]}"
            )

        action = f"{self._noun} {verb}"
        out = self._commands.attempt(action, *action.split(), *words, *self._at, complain=complain)
        return json.loads(out) if out.strip() else {}

    def create(self, *words: str, **shown: Any) -> str:
        return self.attempt("create", *words, **shown).get("id", "")

    def list(self, made: str) -> None:
        self.attempt("list", holds=made)

    def change(self, made: str, *words: str, **shown: Any) -> None:
        """Update it, and read that."""
        self.attempt("update", made, *words, **shown)
        self.attempt("get", made, **shown)

    def delete(self, made: str) -> None:
        self.attempt("delete", made, "--yes")
        listed = self._commands.run(self._noun, "list", *self._at).stdout
        assert made not in listed, f"{self._noun} {made} is still listed"
