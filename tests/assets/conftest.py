"""Both storages: the data folder, and a bucket of moto's server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from airside.assets.local_storage import LocalStorage
from airside.assets.s3_storage import S3Storage
from airside.assets.stored import Storage
from tests.support.moto import CREDENTIALS, MotoServer, running_moto


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoServer]:
    with running_moto(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture
def bucket(moto: MotoServer, monkeypatch: pytest.MonkeyPatch) -> MotoServer:
    """The same, with its credentials in the environment."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return moto


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "local":
        return LocalStorage(tmp_path / "uploads")
    return S3Storage(request.getfixturevalue("bucket").url, tmp_path)
