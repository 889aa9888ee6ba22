"""A folder comes in as the workspace that it was: nothing twice, nothing of somebody else's, nothing sent."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from airside.db.base import Row
from airside.events.tables import events
from airside.identity.tables import users
from airside.moving.bundle import Bundle, BundleRefused
from airside.moving.export import export_workspace
from airside.moving.import_folder import import_folder
from airside.moving.progress import Unwatched
from airside.moving.report import Report
from airside.moving.tables import imported_records
from airside.work.work_items.tables import work_items
from airside.workspaces.create import create_workspace
from airside.workspaces.tables import workspaces
from tests.moving.scene import furnish, without_ids
from tests.support.workshop import Workshop

pytestmark = pytest.mark.asyncio(loop_scope="module")


def read(folder: Path, name: str) -> list[Row]:
    return [json.loads(line) for line in folder.joinpath(f"{name}.jsonl").read_text().splitlines()]


class Trip:
    """Acme in a folder, brought in as another workspace, and that in a second folder."""

    def __init__(self, out: Path, back: Path, workspace: Row, report: Report, known: dict[str, str]) -> None:
        self.out, self.back, self.workspace, self.report = out, back, workspace, report
        self.known = known  # id in the new workspace → in Acme


async def bring(workshop: Workshop, folder: Path, workspace: Row, *, made: bool = True) -> Report:
    site, ana = workshop.site, workshop.cast.ana["id"]
    return await import_folder(site, workspace, Bundle(folder), ana, Unwatched(), made_workspace=made)


async def make_workspace(workshop: Workshop, slug: str) -> Row:
    ana = workshop.cast.ana["id"]
    return await create_workspace(workshop.site, name=slug, slug=slug, owner_id=ana)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trip(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Trip:
    await furnish(workshop)
    folder = tmp_path_factory.mktemp("trip")
    await export_workspace(workshop.site, workshop.cast.acme, folder / "out", Unwatched())
    workspace = await make_workspace(workshop, "again")
    report = await bring(workshop, folder / "out", workspace)
    row = await workshop.site.db.find(workspaces, id=workspace["id"])
    await export_workspace(workshop.site, row, folder / "back", Unwatched())
    rows = await workshop.site.db.find_all(imported_records, workspace_id=workspace["id"])
    known = {row["record_id"]: row["source_id"] for row in rows}
    known[workspace["id"]] = workshop.cast.acme["id"]
    return Trip(folder / "out", folder / "back", workspace, report, known)


async def test_everything_comes(trip: Trip) -> None:
    assert trip.report.as_json()["left"] == []
    assert trip.report.as_json()["changed"] == []
    manifest = json.loads(trip.out.joinpath("manifest.json").read_text())
    counted = {name: listed["rows"] for name, listed in manifest["families"].items() if name != "people"}
    total = {name: trip.report.came[name] + trip.report.present[name] for name in counted}
    assert total == counted


async def test_a_round_trip_is_equal(trip: Trip) -> None:
    names = sorted(path.stem for path in trip.out.glob("*.jsonl"))
    assert names == sorted(path.stem for path in trip.back.glob("*.jsonl"))
    for name in names:
        there = {row["id"]: row for row in read(trip.out, name)}
        again = {row["id"]: row for row in (without_ids(one, trip.known) for one in read(trip.back, name))}
        assert again.keys() == there.keys(), name
        for row_id, row in there.items():
            assert _in_any_order(again[row_id]) == _in_any_order(row), name
    for path in trip.back.joinpath("files").iterdir():
        assert path.read_bytes() == trip.out.joinpath("files", trip.known[path.name]).read_bytes()
    one, other = (
        json.loads(at.joinpath("manifest.json").read_text())["workspace"] for at in (trip.out, trip.back)
    )
    assert one["features"] == other["features"]


def _in_any_order(row: Row) -> Row:
    """The projects of a type have no order of their own."""
    return {**row, "project_ids": sorted(row["project_ids"])} if "project_ids" in row else row


async def test_a_second_run_brings_nothing_and_changes_nothing(workshop: Workshop, trip: Trip) -> None:
    before = await workshop.site.db.find_all(work_items, workspace_id=trip.workspace["id"])
    report = await bring(workshop, trip.out, trip.workspace)
    assert sum(report.came.values()) == 0
    assert report.as_json()["left"] == []
    after = await workshop.site.db.find_all(work_items, workspace_id=trip.workspace["id"])
    assert sorted(before, key=lambda row: row["id"]) == sorted(after, key=lambda row: row["id"])


async def test_every_record_has_its_event_and_none_is_sent(workshop: Workshop, trip: Trip) -> None:
    rows = await workshop.site.db.find_all(events, workspace_id=trip.workspace["id"])
    created = {
        row["entity_id"] for row in rows if row["name"] == "workitem.created" and not row["is_private"]
    }
    items = await workshop.site.db.find_all(work_items, workspace_id=trip.workspace["id"])
    assert {row["id"] for row in items if not row["in_intake"]} <= created
    of_records = [row for row in rows if not row["name"].startswith("workspace.")]
    assert of_records
    assert [row["name"] for row in of_records if row["fanned_out_at"] is None] == []


async def test_who_has_no_proven_account_is_a_name_and_nothing_more(
    workshop: Workshop, trip: Trip, tmp_path: Path
) -> None:
    site = workshop.site
    async with site.db.transaction() as tx:
        await tx.update(users, {"email_proven_at": None}, id=workshop.cast.ben["id"])
    try:
        workspace = await make_workspace(workshop, "unproven")
        report = await bring(workshop, trip.out, workspace)
    finally:
        async with site.db.transaction() as tx:
            await tx.update(users, {"email_proven_at": site.clock.now()}, id=workshop.cast.ben["id"])
    [named] = report.named
    assert named["email"] == "ben@example.com"
    assert "unproven" in named["reason"]
    rows = await site.db.find_all(work_items, workspace_id=workspace["id"])
    first = next(row for row in rows if row["name"] == "First")
    author = await site.db.find(users, id=first["created_by_id"])
    assert author is not None
    assert (author["display_name"], author["is_active"], author["password_hash"]) == ("Ben", False, None)
    assert author["id"] != workshop.cast.ben["id"]
    assert "ben@example.com" not in author["email"]
    left = {(one["family"], one["reason"]) for one in report.as_json()["left"]}
    assert ("stickies", "It is private to somebody who isn't a member here.") in left
    assert ("project_members", "What it belongs to didn't come: member.") in left
    found = {(one["family"], one["what"]) for one in report.as_json()["changed"]}
    assert ("work_items", "What it names isn't here: assignees.") in found


async def test_a_folder_that_was_changed_is_refused(workshop: Workshop, trip: Trip, tmp_path: Path) -> None:
    workspace = await make_workspace(workshop, "changed")
    folder = tmp_path / "copy"
    shutil.copytree(trip.out, folder)
    with folder.joinpath("labels.jsonl").open("a") as file:
        file.write("{}\n")
    with pytest.raises(BundleRefused, match=r"labels\.jsonl isn't what the manifest says"):
        await bring(workshop, folder, workspace)
    folder.joinpath("manifest.json").unlink()
    with pytest.raises(BundleRefused, match="no finished export"):
        Bundle(folder)
    assert await workshop.site.db.find_all(imported_records, workspace_id=workspace["id"]) == []


def sign(folder: Path, **families: list[Any]) -> None:
    """A folder whose manifest agrees with what a stranger put into it."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    for name, rows in families.items():
        content = "".join(json.dumps(row) + "\n" for row in rows).encode()
        folder.joinpath(f"{name}.jsonl").write_bytes(content)
        manifest["families"][name] = {"rows": len(rows), "sha256": hashlib.sha256(content).hexdigest()}
    path.write_text(json.dumps(manifest))


async def test_hostile_rows_are_left_with_a_reason_and_the_rest_comes(
    workshop: Workshop, trip: Trip, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(trip.out, folder)
    items, links = read(folder, "work_items"), read(folder, "links")
    fly = next(row for row in items if row["name"] == "Fly")
    fly["description_html"] += "<script>alert(1)</script><img src=x onerror=alert(1)>"
    wrong = {**fly, "id": fly["id"][:-4] + "0000"}
    elsewhere = workshop.elsewhere
    bad = [
        {**wrong, "priority": "great", "id": wrong["id"][:-1] + "1"},
        {**wrong, "name": "x" * 300, "id": wrong["id"][:-1] + "2"},
        {**wrong, "sequence_id": "one", "id": wrong["id"][:-1] + "3"},
        {**wrong, "project": elsewhere, "id": wrong["id"][:-1] + "4"},
        {**wrong, "completed_at": ["x"], "id": wrong["id"][:-1] + "5"},
        {**wrong, "description_html": {"a": 1}, "id": wrong["id"][:-1] + "6"},
    ]
    links.append({**links[0], "id": links[0]["id"][:-4] + "0000", "url": "javascript:alert(1)"})
    sign(folder, work_items=[*items, *bad], links=links)
    workspace = await make_workspace(workshop, "hostile")
    report = await bring(workshop, folder, workspace)
    left = [one for one in report.examples if not one["came"] and one["family"] in ("work_items", "links")]
    assert {one["id"] for one in left} == {*(row["id"] for row in bad), links[-1]["id"]}
    rows = await workshop.site.db.find_all(work_items, workspace_id=workspace["id"])
    assert len(rows) == len(items)
    stored = next(row for row in rows if row["name"] == "Fly")["description_html"]
    assert "script" not in stored
    assert "onerror" not in stored
