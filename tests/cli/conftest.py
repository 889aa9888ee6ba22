"""A data folder for the commands, made once and copied: every command costs the start of a process."""

import shutil
from pathlib import Path

import pytest

from tests.support.servers import Instance


@pytest.fixture(scope="session")
def made_instance(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    made = Instance(tmp_path_factory.mktemp("instance"))
    made.cli("migrate")
    made.cli("user", "create", "ana@example.com", "--name", "Ana Lind")
    made.cli("workspace", "create", "acme", "--name", "Acme", "--owner", "ana@example.com")
    return made


@pytest.fixture
def instance(made_instance: Instance, tmp_path: Path) -> Instance:
    """A data folder where Ana owns the workspace Acme; nothing runs on it."""
    shutil.copytree(made_instance.folder, tmp_path, dirs_exist_ok=True)
    return Instance(tmp_path)
