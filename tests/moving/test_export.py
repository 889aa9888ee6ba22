"""A workspace as a folder: every record of it, its files, and nothing that gives access."""

import hashlib
import json
import stat
from pathlib import Path

import pytest
import pytest_asyncio

from airside.db.base import Row
from airside.identity.tables import users
from airside.moving.bundle import Bundle, BundleRefused
from airside.moving.export import Exported, export_workspace
from airside.moving.families import FAMILIES
from airside.moving.progress import Unwatched
from tests.moving.scene import PICTURE, Scene, furnish
from tests.support.workshop import Workshop

pytestmark = pytest.mark.asyncio(loop_scope="module")


def read(folder: Path, name: str) -> list[Row]:
    return [json.loads(line) for line in folder.joinpath(f"{name}.jsonl").read_text().splitlines()]


class Moved:
    """The one export of this file."""

    def __init__(self, scene: Scene, folder: Path, made: Exported) -> None:
        self.scene, self.folder, self.made = scene, folder, made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def moved(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Moved:
    scene = await furnish(workshop)
    folder = tmp_path_factory.mktemp("export") / "acme"
    return Moved(
        scene, folder, await export_workspace(workshop.site, workshop.cast.acme, folder, Unwatched())
    )


async def test_a_folder_has_every_family_with_its_count_and_checksum(moved: Moved) -> None:
    manifest = json.loads(moved.folder.joinpath("manifest.json").read_text())
    assert set(manifest["families"]) == {*(family.name for family in FAMILIES), "people", "property_values"}
    for name, listed in manifest["families"].items():
        content = moved.folder.joinpath(f"{name}.jsonl").read_bytes()
        assert listed == {"rows": content.count(b"\n"), "sha256": hashlib.sha256(content).hexdigest()}
        assert listed["rows"] == moved.made.rows[name] > 0, name
    assert moved.made.left_out == []
    await Bundle(moved.folder).check()


async def test_files_are_whole_and_nobody_else_s(moved: Moved) -> None:
    for name in ("attachments", "workspace_files"):
        for row in read(moved.folder, name):
            content = moved.folder.joinpath("files", row["id"]).read_bytes()
            assert row["file"] == {"size": len(PICTURE), "sha256": hashlib.sha256(PICTURE).hexdigest()}
            assert content == PICTURE
    for path in [moved.folder, *moved.folder.rglob("*")]:
        assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO), path


async def test_what_is_deleted_or_below_it_does_not_move(moved: Moved) -> None:
    assert "Gone" not in {row["name"] for row in read(moved.folder, "work_items")}
    assert "<p>gone</p>" not in {row["comment_html"] for row in read(moved.folder, "comments")}
    assert {"Help", "Draft", "Land", "Fly"} <= {row["name"] for row in read(moved.folder, "work_items")}


async def test_nothing_in_a_folder_gives_access(workshop: Workshop, moved: Moved) -> None:
    everything = b"".join(path.read_bytes() for path in moved.folder.glob("*.json*")).decode()
    secrets = [workshop.cast.client_secret, workshop.cast.webhook_secret]
    secrets += [
        row["password_hash"] for row in await workshop.site.db.find_all(users) if row["password_hash"]
    ]
    assert len(secrets) > 3
    assert not [one for one in secrets if one in everything]
    people = read(moved.folder, "people")
    assert all("password_hash" not in one for one in people)
    assert {one["email"] for one in people if one["is_bot"]} == {None}
    assert {"ana@example.com", "ben@example.com", "gil@example.com"} == {one["email"] for one in people} - {
        None
    }
    assert "elsewhere" not in everything.lower()


async def test_a_folder_with_something_in_it_stays_as_it_is(workshop: Workshop, tmp_path: Path) -> None:
    tmp_path.joinpath("letter.txt").write_text("dear")
    with pytest.raises(BundleRefused, match="isn't empty"):
        await export_workspace(workshop.site, workshop.cast.acme, tmp_path, Unwatched())
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
