"""Every table and file comes back, from each database to each; a target that is full or in use stays as it is."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportPrivateUsage=false, reportDeprecated=false, reportCallIssue=false

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from airside.assets.storage import open_storage
from airside.assets.tables import assets, files
from airside.backup.contents import Keys, Summary, count_lines
from airside.backup.create import create_backup
from airside.backup.errors import BackupRefused, RestoredOtherwise, TargetNotEmpty, WrongPassphrase
from airside.backup.lines import ID, INSTANT, TEXT, TableHead
from airside.backup.restore import check_backup, restore_backup
from airside.backup.restoring import is_restoring
from airside.backup.sealed_file import END, KEYS, TABLE, Header, SealedWriter, new_salt
from airside.backup.sealed_file import ROWS as ROWS_OF
from airside.backup.sqlite_tables import SqliteTarget
from airside.cli.instance import read_settings
from airside.cli.unusable import Unusable
from airside.db.base import new_id
from airside.db.database import Database
from airside.db.migrate import is_current, migrate
from airside.identity.tables import users
from airside.moving.progress import Unwatched
from airside.settings import Settings
from airside.system.clock import SystemClock
from tests.backup.rows import ROWS, fill_tables, read_all
from tests.support.databases import database_url, opened

PASSPHRASE = "correct horse battery"
KINDS = ["sqlite", "postgres"]
KEY = "k" * 64


def settings_of(folder: Path, url: str, **more: Any) -> Settings:
    """Of an instance that keeps its key in the data folder, unless one is given."""
    folder.mkdir(mode=0o700, exist_ok=True)
    return Settings(data=folder, database_url=url, **more)


@asynccontextmanager
async def instance(kind: str, folder: Path, **more: Any) -> AsyncIterator[Settings]:
    folder.mkdir(exist_ok=True)
    async with database_url(kind, folder) as url:
        yield settings_of(folder, url, **more)


async def fill(settings: Settings) -> dict[str, list[Any]]:
    """Rows in every table, an attachment, a picture and a logo; returns the rows."""
    await migrate(settings.database)
    async with opened(settings.database) as db:
        await fill_tables(db)
        await add_files(db, settings)
        return await read_all(db)


async def add_files(db: Database, settings: Settings) -> None:
    storage = open_storage(settings)
    async with db.transaction() as tx:
        for row in await tx.find_all(files):
            keys = {"workspace_id": row["workspace_id"], "id": row["id"]}
            await tx.update(files, {"removed_at": None, "deleted_at": None, "is_uploaded": True}, **keys)
        for row in await tx.find_all(assets):
            await tx.update(assets, {"removed_at": None, "deleted_at": None}, id=row["id"])
    for row in await db.find_all(files):
        await storage.put(f"{row['workspace_id']}/{row['stored_id'] or row['id']}", bytes_of(row["id"]))
    for row in await db.find_all(assets):
        await storage.put(row["stored_id"] or row["id"], bytes_of(row["id"]))
    (settings.data / "logos").mkdir()
    (settings.data / "logos" / f"{new_id()}-0123456789ab.png").write_bytes(b"\x89PNG")


async def bytes_of(name: str) -> AsyncIterator[bytes]:
    for number in range(3):
        yield f"{name} {number}".encode() * 9_000


def stored(settings: Settings) -> dict[str, bytes]:
    """Every file below the data folder."""
    paths = [path for name in ("uploads", "logos") for path in (settings.data / name).rglob("*")]
    return {str(path.relative_to(settings.data)): path.read_bytes() for path in paths if path.is_file()}


async def back_up(settings: Settings, path: Path, **more: Any) -> Any:
    own = settings.model_copy(update={"secret_key": settings.secret_key or KEY, **more})
    made, _ = await create_backup(own, SystemClock(), path, PASSPHRASE, Unwatched(), with_files=True)
    return made


async def restore(settings: Settings, path: Path, *, replace: bool = False) -> Any:
    return await restore_backup(settings, path, PASSPHRASE, Unwatched(), replace=replace)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
async def test_every_row_and_file_comes_back_on_either_database(
    kind: str, other: str, tmp_path: Path
) -> None:
    path = tmp_path / "one.backup"
    async with instance(kind, tmp_path / "a") as source, instance(other, tmp_path / "b") as target:
        before = await fill(source)
        made = await back_up(source, path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert made.rows == sum(map(len, before.values())) == ROWS * len(before)
        assert made.files_missing == []
        done = await restore(target, path)
        assert done.summary == made
        async with opened(target.database) as db:
            assert await is_current(db)
            assert await read_all(db) == before
        assert stored(target) == stored(source)
        assert len(stored(target)) == 2 * ROWS + 1
        assert (target.data / "secret.key").read_text() == KEY
        assert not is_restoring(target.data)
        open_modes = [p for p in target.data.rglob("*") if stat.S_IMODE(p.stat().st_mode) & 0o077]
        assert open_modes == []


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backup")

    async def make() -> None:
        async with instance("sqlite", folder / "a") as source:
            await fill(source)
            await back_up(source, folder / "one.backup", previous_secret_keys=["p" * 64])

    asyncio.run(make())
    return folder / "one.backup"


@pytest.mark.parametrize("kind", KINDS)
async def test_an_instance_that_is_there_is_replaced_only_when_asked(
    kind: str, backup: Path, tmp_path: Path
) -> None:
    async with instance(kind, tmp_path / "b") as target:
        before = await fill(target)
        files_before = stored(target)
        with pytest.raises(TargetNotEmpty, match="--replace"):
            await restore(target, backup)
        assert stored(target) == files_before
        assert not is_restoring(target.data)
        async with opened(target.database) as db:
            assert await read_all(db) == before
        await restore(target, backup, replace=True)
        async with opened(target.database) as db:
            assert await read_all(db) != before
        assert not files_before.keys() & stored(target).keys()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_database_that_is_in_use_or_somebody_else_s_is_left_alone(
    kind: str, backup: Path, tmp_path: Path
) -> None:
    async with instance(kind, tmp_path / "b") as target:
        await migrate(target.database)  # tables without rows are as good as none
        async with opened(target.database) as db:
            with pytest.raises(BackupRefused, match="Stop `airside serve`"):
                await restore(target, backup, replace=True)
            assert await is_current(db)
        await restore(target, backup)
    if kind == "postgres":
        async with instance(kind, tmp_path / "c") as target:
            import asyncpg

            connection = await asyncpg.connect(target.database)
            await connection.execute("CREATE TABLE invoices (id int)")
            await connection.close()
            with pytest.raises(BackupRefused, match="invoices"):
                await restore(target, backup, replace=True)


async def test_the_keys_go_where_the_target_reads_them(backup: Path, tmp_path: Path) -> None:
    async with instance("sqlite", tmp_path / "a") as target:
        await restore(target, backup)
        assert (target.data / "secret.key").read_text() == KEY
        assert (target.data / "settings.env").read_text() == f"AIRSIDE_PREVIOUS_SECRET_KEYS={'p' * 64}\n"
    async with instance("sqlite", tmp_path / "b", secret_key="another") as target:
        with pytest.raises(BackupRefused, match="AIRSIDE_SECRET_KEY isn't the key"):
            await restore(target, backup)
        assert list(target.data.iterdir()) == []
    keys = {"secret_key": "another", "previous_secret_keys": [KEY, "p" * 64]}
    async with instance("sqlite", tmp_path / "c", **keys) as target:
        await restore(target, backup)
        assert not (target.data / "secret.key").exists()
        assert not (target.data / "settings.env").exists()


async def test_a_damaged_file_and_a_wrong_passphrase_change_nothing(backup: Path, tmp_path: Path) -> None:
    content = bytearray(backup.read_bytes())
    content[-20] ^= 1
    damaged = tmp_path / "damaged.backup"
    damaged.write_bytes(content)
    async with instance("sqlite", tmp_path / "b") as target:
        with pytest.raises(BackupRefused, match="damaged"):
            await restore(target, damaged)
        with pytest.raises(WrongPassphrase):
            await restore_backup(target, backup, "something else", Unwatched(), replace=False)
        assert list(target.data.iterdir()) == []
    assert check_backup(backup, PASSPHRASE, Unwatched()).summary.files == 2 * ROWS + 1


async def test_a_row_that_comes_back_otherwise_is_named_and_nothing_is_kept(
    backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = SqliteTarget.load_rows

    async def lose(self: SqliteTarget, head: Any, blocks: Any) -> None:
        await load(self, head, blocks)
        if head.name == "workspaces":
            self._connection.execute("UPDATE workspaces SET name = name || '.' WHERE rowid = 2")

    monkeypatch.setattr(SqliteTarget, "load_rows", lose)
    async with instance("sqlite", tmp_path / "b") as target:
        with pytest.raises(RestoredOtherwise, match=r"table workspaces .*id="):
            await restore(target, backup)
        assert list(target.data.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_backup_of_an_earlier_version_is_migrated(kind: str, tmp_path: Path) -> None:
    path, user_id, now = tmp_path / "old.backup", new_id(), "2026-01-31T12:00:00.000000Z"
    columns = {"id": ID, "email": TEXT, "display_name": TEXT, "created_at": INSTANT, "updated_at": INSTANT}
    line = "\t".join([user_id, "ana@example.com", "Ana", now, now]).encode() + b"\n"
    facts = {"created_at": now, "airside": "0.0.1", "database": "sqlite", "salt": new_salt()}
    writer = SealedWriter(path, Header(version=1, revision="0002", **facts), PASSPHRASE)
    writer.write_json(KEYS, Keys(KEY, [], ""))
    writer.write_json(TABLE, TableHead("users", list(columns.items()), ["id"]))
    writer.write(ROWS_OF, line)
    counted = {"users": count_lines([line])}
    summary = Summary(tables=counted, files=0, file_bytes=0, files_left_out=True, files_missing=[])
    writer.write_json(END, summary)
    writer.finish()
    async with instance(kind, tmp_path / "b") as target:
        await restore(target, path)
        async with opened(target.database) as db:
            assert await is_current(db)
            [user] = await db.find_all(users)
    assert (user["id"], user["email"], user["created_at"].year) == (user_id, "ana@example.com", 2026)


def test_a_backup_of_a_later_version_is_refused(backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airside.backup.restore.newest_revision", lambda: "0001")
    with pytest.raises(BackupRefused, match="this version knows 0001"):
        check_backup(backup, PASSPHRASE, Unwatched())


@pytest.mark.parametrize("kind", KINDS)
async def test_one_that_broke_off_while_it_moved_blocks_every_command_until_it_is_run_again(
    kind: str, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    async with instance(kind, tmp_path / "b") as target:
        with monkeypatch.context() as patched:
            patched.setattr("airside.backup.restore.move_staged", break_off)
            with pytest.raises(KeyboardInterrupt):
                await restore(target, backup)
        assert is_restoring(target.data)
        monkeypatch.setenv("AIRSIDE_DATA", str(target.data))
        for may_create in (False, True):
            with pytest.raises(Unusable, match="run `airside restore` again"):
                read_settings(may_create=may_create)
        await restore(target, backup)
        assert not is_restoring(target.data)
        assert len(stored(target)) == 2 * ROWS + 1


async def test_files_that_the_storage_lost_are_named(tmp_path: Path) -> None:
    async with instance("sqlite", tmp_path / "a") as source:
        await fill(source)
        lost = next(path for path in (source.data / "uploads").rglob("*-*") if path.is_file())
        lost.unlink()
        made = await back_up(source, tmp_path / "one.backup")
        assert [Path(key).name for key in made.files_missing] in ([lost.name], [])
        assert made.files == 2 * ROWS
