"""A backup read from its beginning: its keys, its tables and files one after another, and its summary."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec

from airside.backup.errors import DamagedFile
from airside.backup.files import KeptFile
from airside.backup.lines import TableHead
from airside.backup.sealed_file import BYTES, END, FILE, KEYS, ROWS, TABLE, SealedReader


class Keys(msgspec.Struct):
    """What sealed values are encrypted under, and the settings that are kept beside the data."""

    secret_key: str
    previous_secret_keys: list[str]
    settings: str  # the text of settings.env; "" without one


class Counted(msgspec.Struct):
    """A table as it was written: its rows, and the digest of their lines."""

    rows: int
    sha256: str


class Summary(msgspec.Struct, kw_only=True):
    """What the file holds, written last."""

    tables: dict[str, Counted]
    files: int
    file_bytes: int
    files_left_out: bool  # by --without-files
    files_missing: list[str]  # keys of records whose bytes the storage didn't have

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())


class Part:
    """A table with blocks of lines, or a file with its bytes, read before the next part."""

    def __init__(self, head: TableHead | KeptFile, blocks: Iterator[bytes]) -> None:
        self.head = head
        self._blocks = blocks

    def __iter__(self) -> Iterator[bytes]:
        return self._blocks

    async def stream(self) -> AsyncIterator[bytes]:
        for block in self._blocks:
            yield block

    def lines(self) -> Iterator[bytes]:
        """Of a table, without their ends."""
        for block in self._blocks:
            yield from block.split(b"\n")[:-1]


class Contents:
    """`keys` is there from the start, `summary` once `parts` has been read to its end."""

    def __init__(self, reader: SealedReader) -> None:
        self._frames = reader.frames()
        self._next: tuple[bytes, bytes] | None = next(self._frames, None)
        self.keys = _decode(self._take(KEYS), Keys)
        self.summary: Summary | None = None

    def parts(self) -> Iterator[Part]:
        """Raises DamagedFile."""
        while self._next is not None and self._next[0] != END:
            if self._next[0] == TABLE:
                part = self._part(_decode(self._take(TABLE), TableHead), ROWS)
            else:
                part = self._part(_decode(self._take(FILE), KeptFile), BYTES)
            yield part
            for _ in part:  # what nobody wanted
                pass
        self.summary = _decode(self._take(END), Summary)
        if self._next is not None:
            raise DamagedFile("The backup goes on after its end.")

    def _part(self, head: TableHead | KeptFile, kind: bytes) -> Part:
        def blocks() -> Iterator[bytes]:
            while self._next is not None and self._next[0] == kind:
                yield self._take(kind)

        return Part(head, blocks())

    def _take(self, kind: bytes) -> bytes:
        if self._next is None or self._next[0] != kind:
            raise DamagedFile("The backup's parts are in no order that was ever written.")
        content = self._next[1]
        self._next = next(self._frames, None)
        return content


def check_contents(reader: SealedReader) -> Summary:
    """Read everything once, and compare it with the summary. Raises DamagedFile."""
    contents, counted, files, size = Contents(reader), dict[str, Counted](), 0, 0
    for part in contents.parts():
        if isinstance(part.head, TableHead):
            counted[part.head.name] = count_lines(part)
        else:
            files, size = files + 1, size + sum(map(len, part))
    summary = contents.summary
    if summary is None or (counted, files, size) != (summary.tables, summary.files, summary.file_bytes):
        raise DamagedFile("The backup's summary isn't what it holds.")
    return summary


def count_lines(blocks: Any) -> Counted:
    """Of a table's blocks."""
    rows, digest = 0, hashlib.sha256()
    for block in blocks:
        rows += block.count(b"\n")
        digest.update(block)
    return Counted(rows, digest.hexdigest())


def _decode(content: bytes, type_: type[Any]) -> Any:
    try:
        return msgspec.json.decode(content, type=type_)
    except msgspec.MsgspecError as error:
        raise DamagedFile(f"The backup has a part that can't be read: {error}") from None
