"""What the measures need of a side: a prepared server and the four requests that are asked of it."""

import json
import os
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from processes import Server
from wire import HOST, Request, UnexpectedAnswer, ask

PER_PAGE = 20


@dataclass(frozen=True)
class Requests:
    """The same four questions to either side."""

    token: Request
    label: Request
    work_item: Request
    page: Request


@dataclass(frozen=True)
class Instance:
    """A side with its own database, in which the measured project has this many work items."""

    side: str
    work_items: int
    server: Server
    requests: Requests


class Side(Protocol):
    name: str

    def prepare(self, database_url: str, folder: Path, work_items: int) -> Instance:
        """Fill an empty database; the instance's server is stopped when this returns."""
        ...

    def describe(self) -> dict[str, str]:
        """What was measured, for the report: versions and settings."""
        ...


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def run_json(
    command: list[str], environment: Mapping[str, str], stdin: str = "", folder: Path | None = None
) -> dict[str, Any]:
    """Run a command that prints one JSON object; what it says on stderr is shown when it fails."""
    run = subprocess.run(
        command, env={**os.environ, **environment}, input=stdin, capture_output=True, text=True, cwd=folder
    )
    if run.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {run.returncode}\n{run.stderr[-2000:]}")
    return json.loads(run.stdout)


def installed_versions(python: Path, packages: list[str]) -> dict[str, str]:
    script = "import importlib.metadata as m, json, sys; print(json.dumps({p: m.version(p) for p in sys.argv[1:]}))"
    return run_json([str(python), "-c", script, *packages], {})


def check_answers(instance: Instance, total_key: str) -> None:
    """Both sides must answer the same questions with as much: a record by id, a page and the true total."""
    port, asked = instance.server.port, instance.requests
    for request in (asked.label, asked.work_item):
        if str(ask(request, port)["id"]) not in request.target:
            raise UnexpectedAnswer(f"{instance.side}: another record than the one asked for")
    page = ask(asked.page, port)
    seen = len(page["results"]), page[total_key]
    if seen != (PER_PAGE, instance.work_items):
        raise UnexpectedAnswer(
            f"{instance.side}: a page of {seen[0]} of {seen[1]}, not of {instance.work_items}"
        )
