"""What both storages do alike, and what is each one's own."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from pydantic import ValidationError

from airside.assets.local_storage import LocalStorage
from airside.assets.s3_storage import S3Storage
from airside.assets.storage import storage_of
from airside.assets.stored import Storage, StorageAway
from airside.db.base import new_id
from airside.runtime.site import Site
from airside.settings import Settings
from airside.system.bucket_url import read_bucket_url
from tests.support.moto import MotoServer
from tests.support.servers import free_port


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def broken() -> AsyncIterator[bytes]:
    yield b"half"
    raise ConnectionResetError


async def content(storage: Storage, key: str) -> bytes | None:
    found = await storage.open(key)
    return None if found is None else b"".join([part async for part in found])


@pytest.mark.parametrize("depth", [1, 2])
async def test_a_file_is_stored_replaced_read_and_deleted(storage: Storage, depth: int) -> None:
    key = "/".join(new_id() for _ in range(depth))
    assert (await content(storage, key), await storage.measure(key)) == (None, None)
    await storage.put(key, chunks(b"a" * 100_000, b"b"))
    assert await content(storage, key) == b"a" * 100_000 + b"b"
    await storage.put(key, chunks(b"new"))
    found = await storage.measure(key)
    assert found is not None
    assert found.size == 3
    assert abs(found.changed_at - datetime.now(UTC)) < timedelta(minutes=1)
    await storage.delete(key)
    await storage.delete(key)
    assert await content(storage, key) is None


async def test_what_is_settled_stays_as_it_was_when_its_upload_goes_on(storage: Storage) -> None:
    key, kept = (f"{KEY}/{new_id()}" for _ in range(2))
    assert await storage.settle(key, kept) is None
    await storage.put(key, chunks(b"first"))
    found = await storage.settle(key, kept)
    assert (found and found.size, await content(storage, kept)) == (5, b"first")
    await storage.put(key, chunks(b"second"))
    await storage.delete(key)
    assert await content(storage, kept) == b"first"


async def test_a_file_that_breaks_off_leaves_the_earlier_one(storage: Storage, tmp_path: Path) -> None:
    key = new_id()
    await storage.put(key, chunks(b"whole"))
    with pytest.raises((ConnectionResetError, StorageAway)):
        await storage.put(key, broken())
    assert await content(storage, key) == b"whole"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] in ([key], [])


KEY = "019a2f6e-7c1b-7e0a-9d52-0b6f1a3c4d5e"


@pytest.mark.parametrize(
    "key", ["../secret.key", "/etc/passwd", "", "a", ".", f"{KEY}/../{KEY}", f"{KEY}/",
            f"{KEY}\n", f"{KEY}/{KEY}/{KEY}", KEY.upper()],
)  # fmt: skip
async def test_nothing_but_a_key_reaches_a_path(storage: Storage, key: str) -> None:
    for work in (
        storage.put(key, chunks(b"x")),
        storage.measure(key),
        storage.open(key),
        storage.delete(key),
        storage.sign_upload(key, 1, "text/plain", 60),
        storage.sign_download(key, {}, 60),
    ):
        if isinstance(storage, LocalStorage) and work.__name__.startswith("sign_"):
            work.close()
            continue
        with pytest.raises(ValueError, match="not a key"):
            await work


async def test_what_an_interrupted_upload_left_is_deleted_after_a_day(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    await storage.put(new_id(), chunks(b"kept"))
    old, new = tmp_path / "partial" / "old", tmp_path / "partial" / "new"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 90_000,) * 2)
    await storage.clean()
    assert not old.exists()
    assert new.exists()
    assert len([path for path in tmp_path.glob("*") if path.is_file()]) == 1


async def test_a_disk_that_takes_nothing_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "uploads").write_bytes(b"a file where the folder should be")
    with pytest.raises(StorageAway):
        await LocalStorage(tmp_path / "uploads").put(new_id(), chunks(b"x"))


async def test_a_bucket_takes_an_upload_of_the_declared_size_and_type(
    bucket: MotoServer, tmp_path: Path
) -> None:
    storage, key = S3Storage(bucket.url, tmp_path), f"{new_id()}/{new_id()}"
    form = await storage.sign_upload(key, 5, "text/plain", 60)
    assert form is not None
    assert form.fields["key"] == f"kept/{key}"
    assert form.url == f"{bucket.endpoint}/airside"
    answer = await asyncio.to_thread(
        requests.post, form.url, data=form.fields, files={"file": ("a.txt", b"hello", "text/plain")}, timeout=10
    )  # fmt: skip
    assert answer.status_code == 204, answer.text
    assert await content(storage, key) == b"hello"


async def test_a_bucket_s_policy_bounds_size_type_key_and_time(bucket: MotoServer, tmp_path: Path) -> None:
    """moto doesn't enforce it; a bucket does, so this reads what was signed."""
    import base64
    import json

    key = f"{new_id()}/{new_id()}"
    form = await S3Storage(bucket.url, tmp_path).sign_upload(key, 5, "text/plain", 60)
    assert form is not None
    policy = json.loads(base64.b64decode(form.fields["policy"]))
    assert ["content-length-range", 1, 5] in policy["conditions"]
    assert {"Content-Type": "text/plain"} in policy["conditions"]
    assert {"key": f"kept/{key}"} in policy["conditions"]
    ends = datetime.fromisoformat(policy["expiration"])
    assert ends - datetime.now(UTC) <= timedelta(seconds=60)


async def test_a_bucket_s_download_has_the_headers_that_were_signed(
    bucket: MotoServer, tmp_path: Path
) -> None:
    storage, key = S3Storage(bucket.url, tmp_path), new_id()
    await storage.put(key, chunks(b"<script>"))
    headers = {"Content-Type": "text/html", "Content-Disposition": 'attachment; filename="a.html"'}
    url = await storage.sign_download(key, headers, 60)
    assert url is not None
    answer = await asyncio.to_thread(requests.get, url, timeout=10)
    assert (answer.status_code, answer.content) == (200, b"<script>")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="a.html"'
    assert "X-Amz-Expires=60" in url
    assert "response-content-disposition=attachment" in url


async def test_clients_get_the_bucket_s_public_endpoint(bucket: MotoServer, tmp_path: Path) -> None:
    storage = S3Storage(f"{bucket.url}&public_endpoint=https://files.example", tmp_path)
    form, url = (
        await storage.sign_upload(new_id(), 5, "text/plain", 60),
        await storage.sign_download(new_id(), {}, 60),
    )
    assert form is not None
    assert form.url == "https://files.example/airside"
    assert (url or "").startswith("https://files.example/airside/kept/")
    assert await storage.measure(new_id()) is None  # by the other one


async def test_a_bucket_that_cannot_be_reached_is_unavailable_and_holds_nothing_up(
    bucket: MotoServer, tmp_path: Path
) -> None:
    storage = S3Storage(f"s3://airside?endpoint=http://127.0.0.1:{free_port()}&region=us-east-1", tmp_path)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    with pytest.raises(StorageAway):
        await storage.measure(new_id())
    with pytest.raises(StorageAway):
        await storage.put(new_id(), chunks(b"x"))
    ticking.cancel()
    assert ticks > 0


def test_the_url_of_a_bucket_is_read_with_its_options() -> None:
    bucket = read_bucket_url("s3://files/a/b/?endpoint=http://minio:9000&region=eu-central-1")
    assert (bucket.name, bucket.prefix, bucket.region) == ("files", "a/b/", "eu-central-1")
    assert bucket.endpoint == bucket.public_endpoint == "http://minio:9000"
    assert read_bucket_url("s3://files")[1:] == ("", None, None, None)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("files", "must be s3://"),
        ("https://files.example", "must be s3://"),
        ("s3://", "must be s3://"),
        ("s3://key:secret@files", "without credentials"),
        ("s3://files?endpoint", "must be s3://"),
        ("s3://files?endpoint=minio:9000", "starts neither with http://"),
        ("s3://files?zone=1", "no option zone"),
    ],
)
def test_a_wrong_url_of_a_bucket_is_said_at_the_start(url: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings(data=tmp_path, storage_url=url)


def test_a_bucket_without_its_package_is_said_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airside.settings.find_spec", lambda name: None)
    with pytest.raises(ValidationError, match=r"pip install 'airside\[s3\]'"):
        Settings(data=tmp_path, storage_url="s3://files")


@pytest.mark.parametrize("db", ["sqlite"], indirect=True)
def test_a_site_has_one_storage(site: Site) -> None:
    assert storage_of(site) is storage_of(site)
    assert isinstance(storage_of(site), LocalStorage)
