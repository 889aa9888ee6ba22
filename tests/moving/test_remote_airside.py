"""Another Airside as the source: what is brought over HTTP is shown by the API as the source's API shows it."""

# pyright: basic

import json
from pathlib import Path
from typing import Any

import pytest

from airside.db.base import Row
from airside.moving.bundle import Bundle
from airside.moving.families import BY_NAME
from airside.moving.import_folder import import_folder
from airside.moving.progress import Unwatched
from airside.moving.remote_client import RemotePlane
from airside.moving.remote_fetch import fetch_workspace
from airside.moving.report import Report
from airside.moving.tables import imported_records
from airside.workspaces.create import create_workspace
from tests.moving.scene import furnish, without_ids
from tests.moving.served import serve_source
from tests.support.workshop import Workshop

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOT_SHOWN = {"stickies"}  # to anybody but their owner
# Of each kind: fields that are other here, because the API doesn't show them or says them of the day.
OTHER = {
    "projects": {"last_sequence"},
    "people": {"role", "role_slug", "is_active"},
    "worklogs": {"external_source", "external_id"},
}
DERIVED_IDS = {
    "project_members",
    "relations",
    "property_values",
    "cycle_work_items",
    "module_work_items",
    "milestone_work_items",
    "work_item_type_properties",
    "collection_pages",
}


async def fetch(workshop: Workshop, slug: str, folder: Path) -> Path:
    site = workshop.site
    async with (
        serve_source(site, workshop.cast.ana["id"]) as (url, key),
        RemotePlane(site.settings, url, key, Unwatched()) as source,
    ):
        fetched, gaps = await fetch_workspace(source, slug, folder, Unwatched(), "2026-01-01")
    assert gaps == []
    return fetched


async def bring(workshop: Workshop, folder: Path, slug: str) -> tuple[Row, Report]:
    site, ana = workshop.site, workshop.cast.ana["id"]
    workspace = await create_workspace(site, name="Copy", slug=slug, owner_id=ana)
    made = await import_folder(site, workspace, Bundle(folder), ana, Unwatched(), made_workspace=True)
    return workspace, made


def read(folder: Path, name: str) -> list[Row]:
    return [json.loads(line) for line in folder.joinpath(f"{name}.jsonl").read_text().splitlines()]


def shown(name: str, rows: list[Row], known: dict[str, str]) -> list[Any]:
    left = OTHER.get(name, set()) | ({"id"} if name in DERIVED_IDS else set())
    if name == "people":  # a bot is a member by an installation, which stays there
        rows = [row for row in rows if row.get("email") and not row.get("is_bot")]
    rows = [{key: value for key, value in row.items() if key not in left} for row in rows]
    found = [_in_order(without_ids(row, known)) for row in rows]
    return sorted(found, key=lambda row: json.dumps(row, sort_keys=True))


def _in_order(row: Row) -> Row:
    """In which of several projects a type came first isn't kept."""
    return {**row, **({"project_ids": sorted(row["project_ids"])} if "project_ids" in row else {})}


async def test_a_workspace_with_every_kind_of_record_is_shown_by_the_api_as_at_its_source(
    workshop: Workshop, tmp_path: Path
) -> None:
    await furnish(workshop)
    source = await fetch(workshop, "acme", tmp_path / "source")
    workspace, report = await bring(workshop, source, "copy")
    assert report.as_json()["left"] == [], json.dumps(report.as_json()["left"], indent=1)
    copy = await fetch(workshop, "copy", tmp_path / "copy")
    rows = await workshop.site.db.find_all(imported_records, workspace_id=workspace["id"])
    known = {row["record_id"]: row["source_id"] for row in rows}
    known[workspace["id"]] = workshop.cast.acme["id"]
    for name in ("people", "property_values", *BY_NAME):
        one, other = shown(name, read(source, name), known), shown(name, read(copy, name), known)
        assert one or name in NOT_SHOWN, name
        assert other == one, name
