"""One migrated data folder for the commands that don't care what else is in it."""

from pathlib import Path

import pytest

from tests.support.servers import Instance


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    """A data folder where Ana owns the workspace Acme; nothing runs on it."""
    made = Instance(tmp_path)
    made.cli("user", "create", "ana@example.com", "--name", "Ana Lind")
    made.cli("workspace", "create", "acme", "--name", "Acme", "--owner", "ana@example.com")
    return made
