"""The file's format: a readable first line, then frames, each encrypted and authenticated in its place.

    AIRSIDE-BACKUP {"version": 1, "salt": …, …}\n
    kind (1 byte)  length (4 bytes)  AES-256-GCM(frame)      any number of times

The key comes from the passphrase by scrypt. A frame's nonce is its number, and its additional data are its kind and
the digest of the first line, so that no frame can be changed, left out, repeated or moved. The last frame has the
kind END: a file without it was cut off.
"""

import hashlib
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from airside.backup.errors import BackupRefused, DamagedFile, ForeignFile, WrongPassphrase
from airside.system.private_files import as_private

MAGIC = b"AIRSIDE-BACKUP "
VERSION = 1
KEYS, TABLE, ROWS, FILE, BYTES, END = b"K", b"T", b"R", b"F", b"B", b"E"
COMPRESSED = (KEYS, TABLE, ROWS, FILE, END)  # uploads mostly are already
COMPRESSION = 3
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**15, 8, 3  # 32 MiB, OWASP's recommendation for this memory
MAX_HEADER_BYTES = 64 * 1024
MAX_FRAME_BYTES = 512 * 1024 * 1024  # more than the longest row; bounds what a damaged length can cost

_FRAME = struct.Struct(">cI")


class Header(msgspec.Struct, kw_only=True):
    """The first line, readable without the passphrase. `digest` is of all other fields."""

    version: int
    created_at: str
    airside: str  # the program's version
    revision: str  # of the database
    database: str  # sqlite | postgresql
    salt: str
    check: str = ""  # sealed with the key, to tell a wrong passphrase from damage
    digest: str = ""


class SealedWriter:
    """Writes beside the path, and renames when it is complete: a file of this name is always a whole one."""

    def __init__(self, path: Path, header: Header, passphrase: str) -> None:
        if path.exists():
            raise BackupRefused(f"{path} is there already.")
        self._path = path
        self._partial = path.with_name(f"{path.name}.{os.urandom(4).hex()}.partial")
        self._key = AESGCM(_derive_key(passphrase, bytes.fromhex(header.salt)))
        header.check = self._key.encrypt(_nonce(0), MAGIC, header.salt.encode()).hex()
        header.digest = _digest(header)
        line = MAGIC + msgspec.json.encode(header) + b"\n"
        self._bound_to = hashlib.sha256(line).digest()
        self._frames = 0
        self._file = _create(self._partial)
        self._file.write(line)

    def write(self, kind: bytes, content: bytes) -> None:
        if kind in COMPRESSED:
            content = zlib.compress(content, COMPRESSION)
        self._frames += 1
        sealed = self._key.encrypt(_nonce(self._frames), content, kind + self._bound_to)
        self._file.write(_FRAME.pack(kind, len(sealed)))
        self._file.write(sealed)

    def write_json(self, kind: bytes, content: Any) -> None:
        self.write(kind, msgspec.json.encode(content))

    def finish(self) -> int:
        """Make it durable under its name; returns its size in bytes."""
        self._file.flush()
        os.fsync(self._file.fileno())
        size = self._file.tell()
        self._file.close()
        _name(self._partial, self._path)
        sync_folder(self._path.parent)
        return size

    def discard(self) -> None:
        """Leave nothing behind."""
        self._file.close()
        with suppress(OSError):
            self._partial.unlink(missing_ok=True)


class SealedReader:
    """Reads one from its beginning, as often as it is asked.

    Raises ForeignFile, DamagedFile and WrongPassphrase."""

    def __init__(self, path: Path, passphrase: str) -> None:
        self._path = path
        with _open(path) as file:
            line = file.readline(MAX_HEADER_BYTES)
        self.header = _read_header(path, line)
        self._start = len(line)
        self._bound_to = hashlib.sha256(line).digest()
        self._key = AESGCM(_derive_key(passphrase, bytes.fromhex(self.header.salt)))
        try:
            self._key.decrypt(_nonce(0), bytes.fromhex(self.header.check), self.header.salt.encode())
        except InvalidTag:
            raise WrongPassphrase from None

    def frames(self) -> Iterator[tuple[bytes, bytes]]:
        """Kind and content of each, the last one being END."""
        number, kind = 0, b""
        with _open(self._path) as file:
            file.seek(self._start)
            while start := file.read(_FRAME.size):
                number += 1
                if kind == END or len(start) < _FRAME.size:
                    raise self._damage(number)
                kind, length = _FRAME.unpack(start)
                yield kind, self._unseal(file, number, kind, length)
        if kind != END:
            raise DamagedFile(f"{self._path} is cut off after {number} parts.")

    def _unseal(self, file: BufferedReader, number: int, kind: bytes, length: int) -> bytes:
        sealed = file.read(length) if length <= MAX_FRAME_BYTES else b""
        if len(sealed) < length:
            raise self._damage(number)
        try:
            content = self._key.decrypt(_nonce(number), sealed, kind + self._bound_to)
            return zlib.decompress(content) if kind in COMPRESSED else content
        except (InvalidTag, zlib.error):
            raise self._damage(number) from None

    def _damage(self, number: int) -> DamagedFile:
        return DamagedFile(f"{self._path} is damaged in its part {number}.")


def read_header(path: Path) -> Header:
    """What the file says of itself. Raises ForeignFile and DamagedFile."""
    with _open(path) as file:
        return _read_header(path, file.readline(MAX_HEADER_BYTES))


def new_salt() -> str:
    return os.urandom(16).hex()


def sync_folder(path: Path) -> None:
    """Make the names in the folder durable."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_header(path: Path, line: bytes) -> Header:
    if not line.startswith(MAGIC):
        raise ForeignFile(f"{path} isn't a backup of Airside.")
    try:
        header = msgspec.json.decode(line.removeprefix(MAGIC), type=Header)
        bytes.fromhex(header.salt + header.check)  # raises ValueError
    except (msgspec.MsgspecError, ValueError):
        raise DamagedFile(f"{path} is damaged in its first line.") from None
    if header.version != VERSION:
        raise ForeignFile(
            f"{path} has the format {header.version} of Airside {header.airside}; this version reads {VERSION}."
        )
    if header.digest != _digest(header):
        raise DamagedFile(f"{path} is damaged in its first line.")
    return header


def _digest(header: Header) -> str:
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(header, digest=""))).hexdigest()


def _derive_key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P).derive(passphrase.encode())


def _nonce(number: int) -> bytes:
    """Used once: the key is of this file alone, since its salt is."""
    return number.to_bytes(12)


def _create(path: Path) -> BufferedWriter:
    try:
        return open(path, "xb", opener=as_private)  # closed by `finish` or `discard`
    except OSError as error:
        raise BackupRefused(f"{path} can't be written: {error.strerror}.") from None


def _name(partial: Path, path: Path) -> None:
    """Raises BackupRefused when the name was taken meanwhile."""
    try:
        os.link(partial, path)  # unlike a rename, it replaces nothing
    except FileExistsError:
        raise BackupRefused(f"{path} is there already.") from None
    except OSError:  # a file system without hard links
        partial.rename(path)
    else:
        partial.unlink()


def _open(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise ForeignFile(f"{path} can't be read: {error.strerror}.") from None
