"""The folder that a workspace is moved in: a file of JSON lines for each family, `files/`, and a manifest.

The manifest is written last, so a folder without one is unfinished. Nothing in a folder is trusted when it is read.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from io import BufferedWriter
from pathlib import Path
from typing import Any, cast

import msgspec

from airside.db.base import Row, is_uuid
from airside.errors import BadRequest, Refused
from airside.rest.json_bounds import check_bounds
from airside.system.private_files import as_private, make_folder

FORMAT = 1
MANIFEST, FILES = "manifest.json", "files"
MAX_LINE_BYTES = 32 * 1024 * 1024  # of a row; HTML of 5 MiB grows when it is escaped
MAX_MANIFEST_BYTES = 1024 * 1024
CHUNK_ROWS, CHUNK_BYTES = 50, 4 * 1024 * 1024  # of rows that are held in memory at once
STEP_BYTES = 256 * 1024

_encode = msgspec.json.Encoder(order="deterministic").encode


def is_writable(row: Row) -> bool:
    """Whether the row can be read back."""
    line = _encode(row)
    with suppress(BadRequest):
        check_bounds(line)
        return len(line) < MAX_LINE_BYTES
    return False


class BundleRefused(Refused):
    """The folder can't be written to, or isn't a workspace that was exported."""

    code = "bundle_refused"


class Listed(msgspec.Struct, forbid_unknown_fields=False):
    """A file of the folder, as its manifest lists it."""

    rows: int
    sha256: str


class Manifest(msgspec.Struct, kw_only=True):
    """What is in a folder. `source` is the same for each export of one workspace."""

    format: int
    source: str
    workspace: dict[str, Any]
    exported_at: str
    by: str = ""  # the program that wrote it
    families: dict[str, Listed] = {}
    left_out: list[dict[str, Any]] = []  # what the writer couldn't move, and why


class LineWriter:
    """One file of JSON lines."""

    def __init__(self, path: Path) -> None:
        self._file = _create(path)
        self._hash = hashlib.sha256()
        self._rows = 0

    def write(self, row: Any) -> None:
        line = _encode(row) + b"\n"
        self._file.write(line)
        self._hash.update(line)
        self._rows += 1

    def close(self) -> Listed:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return Listed(self._rows, self._hash.hexdigest())


class BundleWriter:
    """Writes a new folder. Raises BundleRefused for one that has something in it, OSError for a full disk."""

    def __init__(self, folder: Path) -> None:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise BundleRefused(f"{folder} isn't empty. Name a folder that is, or isn't there yet.")
        self.folder = folder
        make_folder(folder / FILES)
        self._families: dict[str, Listed] = {}

    def open_family(self, name: str) -> LineWriter:
        return LineWriter(self.folder / f"{name}.jsonl")

    def close_family(self, name: str, lines: LineWriter) -> int:
        self._families[name] = lines.close()
        return self._families[name].rows

    async def keep_file(self, file_id: str, chunks: AsyncIterator[bytes]) -> Row:
        """Write the file as it arrives; returns its size and checksum, which go into its row."""
        size, digest = 0, hashlib.sha256()
        path = self.folder / FILES / file_id
        with await asyncio.to_thread(open, path, "wb", opener=as_private) as file:
            async for chunk in chunks:
                await asyncio.to_thread(file.write, chunk)
                digest.update(chunk)
                size += len(chunk)
        return {"size": size, "sha256": digest.hexdigest()}

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, which makes the folder readable."""
        manifest.families = self._families
        partial = self.folder / f"{MANIFEST}.partial"
        with open(partial, "wb", opener=as_private) as file:
            file.write(msgspec.json.format(_encode(manifest), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.folder / MANIFEST)


class Bundle:
    """An exported folder. Raises BundleRefused for everything in it that isn't as it should be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = _read_manifest(folder)

    async def check(self) -> None:
        """Compare every file of rows with the manifest's checksum."""
        for name, listed in self.manifest.families.items():
            rows, digest = await asyncio.to_thread(_measure, self._path(name))
            if (rows, digest) != (listed.rows, listed.sha256):
                raise BundleRefused(f"{name}.jsonl isn't what the manifest says: it was changed, or cut.")

    def count(self, family: str) -> int:
        found = self.manifest.families.get(family)
        return 0 if found is None else found.rows

    def read_chunks(self, family: str) -> Iterator[list[Row]]:
        """The rows of a family, a few at a time."""
        if family not in self.manifest.families:
            return
        chunk: list[Row] = []
        size = 0
        for line in _read_lines(self._path(family)):
            chunk.append(_decode_row(line, family))
            size += len(line)
            if len(chunk) >= CHUNK_ROWS or size >= CHUNK_BYTES:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    async def open_file(self, file_id: str, size: int, sha256: str) -> AsyncIterator[bytes]:
        """The file of a row in chunks. Raises BundleRefused at its end if it isn't the one that was exported."""
        seen, digest = 0, hashlib.sha256()
        path = self.folder / FILES / file_id
        if path.is_symlink() or not path.is_file():
            raise BundleRefused(f"The file {file_id} isn't in the folder.")
        with await asyncio.to_thread(open, path, "rb") as file:
            while seen <= size and (chunk := await asyncio.to_thread(file.read, STEP_BYTES)):
                seen += len(chunk)
                digest.update(chunk)
                yield chunk
        if (seen, digest.hexdigest()) != (size, sha256):
            raise BundleRefused(f"The file {file_id} isn't what was exported: it was changed, or cut.")

    def _path(self, name: str) -> Path:
        path = self.folder / f"{name}.jsonl"
        if path.is_symlink() or not path.is_file():
            raise BundleRefused(f"{name}.jsonl isn't in the folder.")
        return path


def _create(path: Path) -> BufferedWriter:
    return open(path, "wb", opener=as_private)  # closed by the caller


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleRefused(f"{folder} has no finished export: there is no {MANIFEST} in it.")
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise BundleRefused(f"{path} is too large.")
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BundleRefused(f"{path} can't be read: {error}") from None
    if found.format != FORMAT:
        raise BundleRefused(f"{path} is of format {found.format}; this Airside reads format {FORMAT}.")
    for name in found.families:
        if not name.replace("_", "").isalpha() or not name.isascii():
            raise BundleRefused(f"{path} names a family that can't be: {name[:100]!r}.")
    return found


def _read_lines(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while line := file.readline(MAX_LINE_BYTES + 1):
            if len(line) > MAX_LINE_BYTES:
                raise BundleRefused(f"{path.name} has a line of more than {MAX_LINE_BYTES} bytes.")
            yield line


def _decode_row(line: bytes, family: str) -> Row:
    with suppress(BadRequest, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        check_bounds(line)
        row = msgspec.json.decode(line)
        if isinstance(row, dict):
            found = cast(Row, row)
            if isinstance(found.get("id"), str) and is_uuid(found["id"]):
                return {**found, "id": found["id"].lower()}
    raise BundleRefused(f"{family}.jsonl has a line that is no record: {line[:100]!r}")


def _measure(path: Path) -> tuple[int, str]:
    rows, digest = 0, hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(STEP_BYTES):
            digest.update(chunk)
            rows += chunk.count(b"\n")
    return rows, digest.hexdigest()
