"""The file's format: what was changed anywhere is refused, and what was cut off isn't taken for whole."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportPrivateUsage=false, reportDeprecated=false, reportCallIssue=false

import stat
from pathlib import Path

import pytest

from airside.backup.errors import BackupRefused, DamagedFile, ForeignFile, WrongPassphrase
from airside.backup.sealed_file import (
    BYTES,
    END,
    ROWS,
    VERSION,
    Header,
    SealedReader,
    SealedWriter,
    new_salt,
)

PASSPHRASE = "correct horse battery"
FRAMES = [(ROWS, b"one\n" * 50), (BYTES, b"\x00\xff" * 40), (END, b"{}")]


def new_header(**more: object) -> Header:
    facts = {"created_at": "2026-01-31", "airside": "1", "revision": "0001", "database": "sqlite"}
    return Header(**{"version": VERSION, "salt": new_salt(), **facts, **more})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("sealed") / "a.backup"
    writer = SealedWriter(path, new_header(), PASSPHRASE)
    for kind, content in FRAMES:
        writer.write(kind, content)
    assert not path.exists()
    assert writer.finish() == path.stat().st_size
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["a.backup"]
    return path.read_bytes()


def read(path: Path, content: bytes, passphrase: str = PASSPHRASE) -> list[tuple[bytes, bytes]]:
    path.write_bytes(content)
    return list(SealedReader(path, passphrase).frames())


def test_what_was_written_is_read(written: bytes, tmp_path: Path) -> None:
    assert read(tmp_path / "a", written) == FRAMES
    assert b"one" not in written


def test_a_change_of_any_byte_is_refused(written: bytes, tmp_path: Path) -> None:
    for at in range(0, len(written), 3):
        changed = written[:at] + bytes([written[at] ^ 1]) + written[at + 1 :]
        with pytest.raises((DamagedFile, ForeignFile)):
            read(tmp_path / "a", changed)


def test_every_beginning_of_it_is_refused(written: bytes, tmp_path: Path) -> None:
    start = written.index(b"\n") + 1
    for length in range(start, len(written), 5):
        with pytest.raises(DamagedFile):
            read(tmp_path / "a", written[:length])
    with pytest.raises(DamagedFile):
        read(tmp_path / "a", written + b"x")


def test_parts_of_it_cannot_be_moved_or_repeated(written: bytes, tmp_path: Path) -> None:
    start, parts = written.index(b"\n") + 1, []
    at = start
    while at < len(written):
        end = at + 5 + int.from_bytes(written[at + 1 : at + 5])
        parts.append(written[at:end])
        at = end
    for order in ([1, 0, 2], [0, 0, 1, 2], [0, 2], [0, 1, 1, 2]):
        with pytest.raises(DamagedFile):
            read(tmp_path / "a", written[:start] + b"".join(parts[number] for number in order))


def test_another_passphrase_another_file_and_another_version_have_their_own_sentence(
    written: bytes, tmp_path: Path
) -> None:
    with pytest.raises(WrongPassphrase, match="isn't the passphrase"):
        read(tmp_path / "a", written, "another passphrase")
    for foreign in (b"", b"PGDMP\x01", b"SQLite format 3\x00", b"\x00" * 5000):
        with pytest.raises(ForeignFile, match="isn't a backup of Airside"):
            read(tmp_path / "a", foreign)
    with pytest.raises(ForeignFile, match="can't be read"):
        SealedReader(tmp_path / "nowhere", PASSPHRASE)
    writer = SealedWriter(tmp_path / "later", new_header(version=2), PASSPHRASE)
    writer.write(END, b"{}")
    writer.finish()
    with pytest.raises(ForeignFile, match="has the format 2"):
        SealedReader(tmp_path / "later", PASSPHRASE)


def test_a_file_that_is_there_is_not_replaced_and_a_broken_off_one_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a"
    broken = SealedWriter(path, new_header(), PASSPHRASE)
    broken.write(ROWS, b"x")
    broken.discard()
    assert list(tmp_path.iterdir()) == []
    late = SealedWriter(path, new_header(), PASSPHRASE)
    path.write_text("mine")
    with pytest.raises(BackupRefused, match="there already"):
        SealedWriter(path, new_header(), PASSPHRASE)
    with pytest.raises(BackupRefused, match="there already"):
        late.finish()
    late.discard()
    assert path.read_text() == "mine"
    with pytest.raises(BackupRefused, match="can't be written"):
        SealedWriter(tmp_path / "no" / "where", new_header(), PASSPHRASE)
