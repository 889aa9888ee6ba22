"""FS1: what an instance keeps is readable for its own account alone, whatever the umask and the folder were."""

import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from airside.assets.logos import store_logo
from airside.assets.storage import keep_file
from airside.db.base import new_id
from airside.db.migrate import migrate
from airside.db.sqlite import SqliteDatabase
from airside.db.statements import Statement
from airside.runtime.site import Site
from airside.settings import load_settings
from airside.system.private_files import make_folder
from tests.support.pictures import make_png
from tests.support.servers import Instance, running_server

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    """Everything below the folder: its path and its permissions."""
    found = {path: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
    return {str(path.relative_to(folder)): oct(mode) for path, mode in found.items()}


def test_fs1_a_server_in_a_folder_that_was_open_makes_private_files_and_reports_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    with running_server(tmp_path) as server:
        made = modes(data)
        assert {"airside.db", "airside.db-wal", "airside.db-shm", "secret.key"} <= set(made)
        assert set(made.values()) == {"0o600"}
        assert "readable_by_others" in server.log
        assert f"chmod go= {data}" in server.log
    data.chmod(0o700)
    with running_server(tmp_path) as server:
        assert server.log.count("readable_by_others") == 1


def test_fs1_a_loose_database_from_before_is_reported_where_others_can_reach_it(tmp_path: Path) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    kept = elsewhere / "kept.db"
    instance = Instance(tmp_path, {"AIRSIDE_DATABASE_URL": f"sqlite:///{kept}"})
    assert instance.run("migrate").returncode == 0
    assert modes(elsewhere)["kept.db"] == "0o600"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    kept.chmod(0o644)
    with running_server(tmp_path, instance.env) as server:
        assert str(kept) in server.log
        assert str(data) not in server.log
    assert stat.S_IMODE(kept.stat().st_mode) == 0o644  # an operator's choice stays theirs


async def test_fs1_migrating_and_opening_make_a_private_database(tmp_path: Path) -> None:
    await migrate(f"sqlite:///{tmp_path / 'migrated.db'}")
    db = SqliteDatabase(f"sqlite:///{tmp_path / 'opened.db'}")
    async with db.transaction():
        pass
    assert set(modes(tmp_path).values()) == {"0o600"}
    await db.close()


async def test_fs1_making_the_database_private_leaves_its_locks(tmp_path: Path) -> None:
    """A process that closes the file loses its locks; then another one that ends deletes the WAL under it."""
    url = f"sqlite:///{tmp_path / 'a.db'}"
    db = SqliteDatabase(url)
    await migrate(url)  # in the same process, while it is open
    wal = (tmp_path / "a.db-wal").stat().st_ino
    visit = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('CREATE TABLE t (x)'); c.close()"
    )
    subprocess.run([sys.executable, "-c", visit, str(tmp_path / "a.db")], check=True)
    assert (tmp_path / "a.db-wal").stat().st_ino == wal
    assert await db.fetch_all(Statement(sa.text("SELECT x FROM t"))) == []
    await db.close()


async def test_fs1_uploads_and_logos_are_private(site: Site, tmp_path: Path) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield make_png(8, 8)

    site.settings.data = tmp_path / "kept" / "data"
    await keep_file(site, new_id(), chunks())
    await store_logo(site, "an-app", make_png(8, 8))
    made = modes(tmp_path / "kept")
    kept = [path for path in made if path.startswith(("data/uploads/", "data/logos/"))]
    assert len([path for path in kept if (tmp_path / "kept" / path).is_file()]) == 2
    assert {mode for path, mode in made.items() if (tmp_path / "kept" / path).is_file()} == {"0o600"}
    assert {mode for path, mode in made.items() if (tmp_path / "kept" / path).is_dir()} == {"0o700"}


def test_fs1_the_key_and_kept_settings_are_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRSIDE_DATA", str(tmp_path / "one" / "data"))
    load_settings()
    allow = "import sys; sys.path.insert(0, 'tools'); import develop; develop.allow_loopback()"
    subprocess.run([sys.executable, "-c", allow], cwd=ROOT, check=True)
    assert modes(tmp_path / "one") == {
        "data": "0o700",
        "data/secret.key": "0o600",
        "data/settings.env": "0o600",
    }


def test_fs1_a_folder_is_made_private_with_those_above_it(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert modes(tmp_path) == {"a": "0o700", "a/b": "0o700"}
