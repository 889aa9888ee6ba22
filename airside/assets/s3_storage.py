"""Uploaded files in an S3-compatible bucket. Clients upload and download past Airside, with signed URLs.

boto3 blocks, so it runs in threads of its own: a bucket that stalls holds up neither the event loop nor the threads
that others use.
"""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any

import structlog

from airside.assets.stored import CHUNK_BYTES, StorageAway, StoredFile, UploadForm, check_key
from airside.system.bucket_url import read_bucket_url
from airside.system.private_files import make_folder

THREADS = 8
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 5, 20, 2  # of one call
MISSING = frozenset({"404", "NoSuchKey", "NotFound"})

_log = structlog.get_logger("airside.assets")


class S3Storage:
    """A `Storage`. Credentials are found as the AWS command line finds them: environment, profile, role."""

    def __init__(self, url: str, data: Path) -> None:
        self._bucket = read_bucket_url(url)
        self._data = data
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="airside-s3")
        self._clients: dict[str | None, Any] = {}
        self._making = Lock()

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """The file is first received on the disk: its size has to be known, and memory is no place for it."""
        name = self._name(key)
        await asyncio.to_thread(make_folder, self._data)
        with tempfile.TemporaryFile(dir=self._data) as file:
            async for chunk in chunks:
                await asyncio.to_thread(file.write, chunk)
            await asyncio.to_thread(file.seek, 0)
            await self._run(lambda client: client.put_object(Bucket=self._bucket.name, Key=name, Body=file))

    async def open(self, key: str) -> AsyncGenerator[bytes] | None:
        found = await self._find("get_object", key)
        return None if found is None else self._read(found["Body"])

    async def settle(self, key: str, kept: str) -> StoredFile | None:
        source = {"Bucket": self._bucket.name, "Key": self._name(key)}
        found = await self._find("copy_object", kept, CopySource=source)
        return None if found is None else await self.measure(kept)

    async def measure(self, key: str) -> StoredFile | None:
        found = await self._find("head_object", key)
        if found is None:
            return None
        return StoredFile(found["ContentLength"], found["LastModified"], found.get("ETag", ""))

    async def delete(self, key: str) -> None:
        name = self._name(key)
        await self._run(lambda client: client.delete_object(Bucket=self._bucket.name, Key=name))

    async def clean(self) -> None:
        """A bucket has no partial files."""

    async def sign_upload(
        self, key: str, max_bytes: int, content_type: str, seconds: int
    ) -> UploadForm | None:
        fields = {"Content-Type": content_type}
        conditions = [fields, ["content-length-range", 1, max_bytes]]
        name = self._name(key)
        made = await self._run(
            lambda client: client.generate_presigned_post(
                self._bucket.name, name, Fields=fields, Conditions=conditions, ExpiresIn=seconds
            ),
            self._bucket.public_endpoint,
        )
        return UploadForm(made["url"], made["fields"])

    async def sign_download(self, key: str, headers: Mapping[str, str], seconds: int) -> str | None:
        asked = {f"Response{name.replace('-', '')}": value for name, value in headers.items()}
        params = {"Bucket": self._bucket.name, "Key": self._name(key), **asked}
        return await self._run(
            lambda client: client.generate_presigned_url("get_object", Params=params, ExpiresIn=seconds),
            self._bucket.public_endpoint,
        )

    def _name(self, key: str) -> str:
        return self._bucket.prefix + check_key(key)

    async def _find(self, method: str, key: str, **more: Any) -> Any:
        """What the bucket says about the file; None when it is missing."""
        name = self._name(key)

        def ask(client: Any) -> Any:
            try:
                return getattr(client, method)(Bucket=self._bucket.name, Key=name, **more)
            except client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] in MISSING:
                    return None
                raise

        return await self._run(ask)

    async def _read(self, body: Any) -> AsyncGenerator[bytes]:
        with closing(body):
            while chunk := await self._run(lambda _: body.read(CHUNK_BYTES)):
                yield chunk

    async def _run(self, work: Callable[[Any], Any], endpoint: str | None = None) -> Any:
        """The result of blocking work with a client of the endpoint. Raises StorageAway."""
        place = endpoint or self._bucket.endpoint
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, partial(self._work, work, place)
        )

    def _work(self, work: Callable[[Any], Any], endpoint: str | None) -> Any:
        errors: Any = import_module("botocore.exceptions")
        try:
            return work(self._client(endpoint))
        except (errors.BotoCoreError, errors.ClientError, OSError) as error:
            _log.warning("storage_away", bucket=self._bucket.name, error=str(error)[:500])
            raise StorageAway from error

    def _client(self, endpoint: str | None) -> Any:
        with self._making:  # making one takes half a second, and reads files
            if endpoint not in self._clients:
                self._clients[endpoint] = _make_client(endpoint, self._bucket.region)
            return self._clients[endpoint]


def _make_client(endpoint: str | None, region: str | None) -> Any:
    boto3: Any = import_module("boto3")  # only if a bucket is set: it is slow to import, and optional
    config = import_module("botocore.config").Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        max_pool_connections=THREADS,
        signature_version="s3v4",
        s3={"addressing_style": "path" if endpoint else "auto"},  # a bucket of one's own has no host name
        request_checksum_calculation="when_required",  # other stores than Amazon's don't know the new ones
        response_checksum_validation="when_required",
    )
    return boto3.session.Session().client("s3", endpoint_url=endpoint, region_name=region, config=config)
