"""The databases that both sides are measured on: one each, of the same kind, made here and dropped here."""

import os
import subprocess
from pathlib import Path
from typing import Protocol

from environments import BENCH, peer_environment


class Databases(Protocol):
    """Makes empty databases, and drops at the end those it made."""

    def create(self, name: str) -> str:
        """The URL of a new, empty database."""
        ...

    def drop_all(self) -> None: ...


class SqliteDatabases:
    """Files in a folder; the folder goes with the run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, name: str) -> str:
        return f"sqlite:///{self._folder / name}.db"

    def drop_all(self) -> None:
        """Nothing to do beyond removing the folder."""


class PostgresDatabases:
    """Databases of one PostgreSQL server, reached through the driver in the peer's environment."""

    def __init__(self, server: str, python: Path) -> None:
        self._server, self._python = server.rstrip("/"), python
        self._made: list[str] = []

    def create(self, name: str) -> str:
        unique = f"airside_bench_{name}_{os.getpid()}"
        self._run(f'CREATE DATABASE "{unique}"')
        self._made.append(unique)
        return f"{self._server}/{unique}"

    def drop_all(self) -> None:
        while self._made:
            self._run(f'DROP DATABASE IF EXISTS "{self._made.pop()}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        command = [str(self._python), str(BENCH / "postgres_statement.py")]
        subprocess.run([*command, f"{self._server}/postgres", statement], check=True)


def choose_databases(kind: str, server: str, folder: Path) -> Databases:
    """`kind` is sqlite or postgres; `server` the URL of the PostgreSQL server, `folder` the place of the files."""
    if kind == "postgres":
        return PostgresDatabases(server, peer_environment() / "python")
    return SqliteDatabases(folder)
