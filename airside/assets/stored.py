"""What every storage of uploaded bytes is: its protocol, its keys and its failures.

A key is `<id>`, of a person's own file, or `<workspace id>/<id>`. Nothing that a client chose is part of one.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from airside.errors import Unavailable

CHUNK_BYTES = 64 * 1024

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_is_key = re.compile(rf"(?:{_UUID}/)?{_UUID}").fullmatch


class StorageAway(Unavailable):
    """The disk is full, or the bucket can't be reached."""

    sentence = "Files can't be stored or read at the moment. Try again in a few seconds."


class StoredFile(NamedTuple):
    """A file as the storage has it."""

    size: int  # bytes
    changed_at: datetime
    etag: str = ""  # of a bucket


class UploadForm(NamedTuple):
    """Where to post a file, and the form fields to send before it."""

    url: str
    fields: Mapping[str, str]


class Storage(Protocol):
    """Raises StorageAway from everything that reads or writes, and ValueError for what is no key."""

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Store the chunks as they arrive, replacing an earlier file. If `chunks` raises, nothing is left."""
        ...

    async def open(self, key: str) -> AsyncGenerator[bytes] | None:
        """The file in chunks; None when it is missing."""
        ...

    async def settle(self, key: str, kept: str) -> StoredFile | None:
        """Keep the file's present bytes under another key, which no upload writes; None when it is missing."""
        ...

    async def measure(self, key: str) -> StoredFile | None:
        """None when the file is missing."""
        ...

    async def delete(self, key: str) -> None:
        """Delete the file, if it exists."""
        ...

    async def clean(self) -> None:
        """Delete what interrupted uploads left behind."""
        ...

    async def sign_upload(
        self, key: str, max_bytes: int, content_type: str, seconds: int
    ) -> UploadForm | None:
        """For uploading past Airside; None where Airside receives the file."""
        ...

    async def sign_download(self, key: str, headers: Mapping[str, str], seconds: int) -> str | None:
        """For downloading past Airside, with these headers in the answer; None where Airside sends the file."""
        ...


def check_key(key: str) -> str:
    """The key. Raises ValueError for anything else, such as a path."""
    if _is_key(key) is None:
        raise ValueError(f"not a key: {key[:100]!r}")
    return key
