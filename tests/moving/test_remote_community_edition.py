"""A Community Edition as the source, in the words that a real one was recorded with."""

# pyright: basic

from pathlib import Path

import pytest

from airside.db.base import Row
from airside.identity.tables import users
from airside.moving.bundle import Bundle
from airside.moving.import_folder import import_folder
from airside.moving.progress import Unwatched
from airside.moving.remote_client import RemotePlane, SourceRefused
from airside.moving.remote_fetch import fetch_workspace
from airside.moving.remote_rate import Pace
from airside.moving.report import Report
from airside.work.projects.tables import projects
from airside.work.work_items.attachments import files
from airside.work.work_items.comments import comments
from airside.work.work_items.relation_kinds import relations
from airside.work.work_items.tables import work_items
from airside.workspaces.create import create_workspace
from tests.moving.community_edition import PICTURE, Orbit, open_orbit
from tests.support.workshop import Workshop

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def fetch(workshop: Workshop, orbit: Orbit, folder: Path, **other: str) -> tuple[Path, list[Row]]:
    given = {"url": orbit.upstream.url, "key": orbit.ana.key, "slug": "orbit", **other}
    async with RemotePlane(workshop.site.settings, given["url"], given["key"], Unwatched()) as source:
        return await fetch_workspace(source, given["slug"], folder, Unwatched(), "2026-01-01")


async def bring(workshop: Workshop, folder: Path, slug: str) -> tuple[Row, Report]:
    site, ana = workshop.site, workshop.cast.ana["id"]
    workspace = await create_workspace(site, name="Orbit", slug=slug, owner_id=ana)
    made = await import_folder(site, workspace, Bundle(folder), ana, Unwatched(), made_workspace=True)
    return workspace, made


async def test_everything_that_it_serves_comes_and_the_rest_is_named(
    workshop: Workshop, tmp_path: Path
) -> None:
    async with open_orbit() as orbit:
        folder, gaps = await fetch(workshop, orbit, tmp_path / "orbit")
    assert Bundle(folder).manifest.workspace == {"slug": "orbit", "name": "Orbit Ltd."}
    workspace, report = await bring(workshop, folder, "orbit")
    made = report.as_json()
    assert (made["left"], made["changed"]) == ([], [])
    db, here = workshop.site.db, {"workspace_id": workspace["id"]}
    items = {row["name"]: row for row in await db.find_all(work_items, **here)}
    sail, row, swim, dive = (items[name] for name in ("Sail", "Row", "Swim", "Dive"))
    assert (row["parent_id"], sail["priority"]) == (sail["id"], "low")
    assert (dive["external_source"], dive["external_id"]) == ("x", "7")
    assert sail["external_source"] == "127.0.0.1/orbit"
    ends = {
        (one["issue_id"], one["relation_type"], one["related_issue_id"])
        for one in await db.find_all(relations, **here)
    }
    both = [(sail["id"], swim["id"]), (swim["id"], sail["id"])]
    assert ends - {(one, "relates_to", other) for one, other in both} == {
        (sail["id"], "blocking", row["id"]),
        (dive["id"], "start_before", sail["id"]),
    }
    assert len(ends) == 3
    [file] = await db.find_all(files, **here)
    assert (file["name"], file["size"], file["is_uploaded"]) == ("sea.png", len(PICTURE), True)
    assert made["came"]["cycle_work_items"] == 2
    assert {one["name"] for one in await db.find_all(projects, **here)} == {"Ship", "Quiet"}
    missing = {one["family"] for one in gaps}
    assert {"pages", "modules", "intake_items", "epics", "estimates", "work_item_types"} <= missing
    assert not missing & {
        "work_items",
        "comments",
        "links",
        "attachments",
        "relations",
        "cycles",
        "labels",
        "states",
    }
    [outside] = [one for one in gaps if one["family"] == "projects"]
    assert outside["which"] == ["Ben's"]


async def test_who_left_stays_a_name_on_what_they_made(workshop: Workshop, tmp_path: Path) -> None:
    async with open_orbit() as orbit:
        folder, _ = await fetch(workshop, orbit, tmp_path / "orbit")
    workspace, report = await bring(workshop, folder, "left")
    said = await workshop.site.db.find_all(comments, workspace_id=workspace["id"])
    [theirs] = [row for row in said if "glub" in row["comment_html"]]
    author = await workshop.site.db.find(users, id=theirs["actor_id"])
    assert author is not None
    assert (author["display_name"], author["password_hash"]) == ("kim", None)
    assert [one["name"] for one in report.named] == ["kim"]
    matched = {one["email"] for one in report.matched}
    assert matched == {"ana@example.com", "ben@example.com"}


async def test_a_second_import_brings_what_is_new_and_nothing_twice(
    workshop: Workshop, tmp_path: Path
) -> None:
    async with open_orbit() as orbit:
        folder, _ = await fetch(workshop, orbit, tmp_path / "first")
        workspace, before = await bring(workshop, folder, "again")
        path = f"/api/v1/workspaces/orbit/projects/{orbit.project}/work-items/"
        await orbit.ana.post(path, {"name": "Float"})
        folder, _ = await fetch(workshop, orbit, tmp_path / "second")
    ana = workshop.cast.ana["id"]
    after = await import_folder(
        workshop.site, workspace, Bundle(folder), ana, Unwatched(), made_workspace=False
    )
    assert {name: count for name, count in after.came.items() if count} == {"work_items": 1}
    assert after.present["comments"] == before.came["comments"] == 2


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"key": "plane_api_00000000000000000000000000000000"}, "doesn't accept the API key"),
        ({"slug": "elsewhere"}, "doesn't open the workspace elsewhere"),
    ],
)
async def test_a_wrong_key_and_a_foreign_workspace_end_the_run_at_once(
    workshop: Workshop, tmp_path: Path, other: dict[str, str], words: str
) -> None:
    async with open_orbit() as orbit:
        with pytest.raises(SourceRefused, match=words):
            await fetch(workshop, orbit, tmp_path / "orbit", **other)


async def test_a_key_that_is_revoked_during_the_run_ends_it(workshop: Workshop, tmp_path: Path) -> None:
    """Its lists aren't taken for what the source doesn't serve."""
    async with open_orbit() as orbit:
        [key] = [
            row for row in orbit.upstream.site.store.api_tokens.rows.values() if row["token"] == orbit.ana.key
        ]

        class Revoking(Unwatched):
            def begin(self, step: str, total: int | None = None) -> None:
                if step.startswith("fetching project"):
                    key["is_active"] = False

        async with RemotePlane(
            workshop.site.settings, orbit.upstream.url, orbit.ana.key, Unwatched()
        ) as source:
            with pytest.raises(SourceRefused, match="doesn't accept the API key"):
                await fetch_workspace(source, "orbit", tmp_path / "orbit", Revoking(), "2026-01-01")


async def test_the_rate_that_the_source_names_is_kept(workshop: Workshop, tmp_path: Path) -> None:
    """The budget of a minute is spent to its end, and no request is refused."""
    async with open_orbit() as orbit:
        orbit.upstream.settings.api_key_limit = 5
        orbit.upstream.site.budgets.clear()
        waits: list[tuple[float, str]] = []

        class Patient(RemotePlane):
            async def _wait(self, seconds: float, reason: str) -> None:
                if seconds > 0:
                    waits.append((seconds, reason))
                    orbit.upstream.site.budgets.clear()
                    self._pace = Pace()

        url, key = orbit.upstream.url, orbit.ana.key
        async with Patient(workshop.site.settings, url, key, Unwatched()) as source:
            folder, _ = await fetch_workspace(source, "orbit", tmp_path / "orbit", Unwatched(), "2026-01-01")
    assert Bundle(folder).count("work_items") == 4
    assert waits
    assert {reason for _, reason in waits} == {"the source's rate limit"}
    assert all(50 < seconds <= 62 for seconds, _ in waits)
