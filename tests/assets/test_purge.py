"""What the worker deletes of files, and what it must not."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from airside.api.v1 import TABLE
from airside.assets import purge
from airside.assets.endpoints import asset_endpoints
from airside.assets.purge import DELETED, UNCONFIRMED, purge_files
from airside.assets.quota import find_usage
from airside.assets.tables import assets, file_endings, files
from airside.runtime.site import Site
from tests.cast import Cast, make_cast
from tests.support.api import Client, ServedApi, serve_api, show_v1
from tests.support.clocks import FrozenClock
from tests.support.pictures import make_png
from tests.support.uploads import attach, upload
from tests.work.scene import make_project


async def kept(site: Site) -> set[str]:
    """The ids of the records whose bytes are stored; the name of a file without a record."""
    rows = [row for table in (files, assets) for row in await site.db.find_all(table)]
    records = {name: row["id"] for row in rows for name in (row["id"], row["stored_id"])}
    names = [path.name for path in Path(site.settings.data, "uploads").rglob("*") if path.is_file()]
    return {records.get(name, name) for name in names}


def serve(site: Site) -> ServedApi:
    return serve_api(site, *TABLE, others=asset_endpoints(site, show_v1))


async def attachments_path(site: Site, cast: Cast, ana: Client) -> tuple[str, str]:
    """The path of a new project, and that of a work item's attachments there."""
    project = f"workspaces/acme/projects/{await make_project(site, cast)}"
    item = await ana.post(f"{project}/work-items", {"name": "Item"})
    return project, f"{project}/work-items/{item.json['id']}/attachments"


async def test_an_upload_that_nobody_confirmed_ends_after_a_day(site: Site, clock: FrozenClock) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        _, path = await attachments_path(site, cast, ana)
        complete = await attach(ana, path, b"hello")
        asked = (await ana.post(path, {"name": "a.txt", "size": 7})).json
        await upload(ana, asked["upload_data"]["fields"], b"forgot")
        picture = make_png(8, 8)
        body = {"name": "me.png", "size": len(picture), "entity_type": "USER_AVATAR"}
        avatar = (await ana.post("users/assets", body)).json
        await upload(ana, avatar["upload_data"]["fields"], picture)
        await purge_files(site)
        assert await kept(site) == {complete["id"], asked["id"], avatar["asset_id"]}
        clock.advance(seconds=UNCONFIRMED.total_seconds())
        await purge_files(site)
        late = await ana.patch(f"{path}/{asked['id']}", {})
        assert await find_usage(site.db, cast.acme["id"]) == 5
        clock.advance(seconds=DELETED.total_seconds())
        assert await purge_files(site) == 2
        assert [one["id"] for one in (await ana.get(path)).json] == [complete["id"]]
    assert late.status_code == 404
    assert await kept(site) == {complete["id"]}


async def test_a_deleted_file_is_removed_a_day_later_and_once(site: Site, clock: FrozenClock) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        _, path = await attachments_path(site, cast, ana)
        gone, left = await attach(ana, path, b"hello"), await attach(ana, path, b"hello")
        await ana.delete(f"{path}/{gone['id']}")
        clock.advance(seconds=DELETED.total_seconds() - 1)
        assert (await purge_files(site), await kept(site)) == (0, {gone["id"], left["id"]})
        clock.advance(seconds=1)
        assert (await purge_files(site), await kept(site)) == (1, {left["id"]})
        assert await purge_files(site) == 0
    row = await site.db.find(files, workspace_id=cast.acme["id"], id=gone["id"])
    assert row is not None
    assert row["removed_at"] is not None


async def test_attachments_of_a_deleted_project_end_in_batches(
    site: Site, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        project, path = await attachments_path(site, cast, ana)
        made: list[Any] = [await attach(ana, path, b"hello") for _ in range(3)]
        shared = await attach(ana, "workspaces/acme/assets", b"hello", project_id=project.rpartition("/")[2])
        assert (await ana.delete(project)).status_code == 204
    monkeypatch.setattr(purge, "BATCHES", 1)
    await purge_files(site)
    assert await site.db.find_all(file_endings) == []
    assert await find_usage(site.db, cast.acme["id"]) == 5
    clock.advance(seconds=DELETED.total_seconds())
    assert await purge_files(site) == len(made)
    assert await kept(site) == {shared["asset_id"]}  # a text elsewhere may show it


async def test_a_file_that_cannot_be_removed_is_tried_again(site: Site, clock: FrozenClock) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        _, path = await attachments_path(site, cast, ana)
        gone = await attach(ana, path, b"hello")
        await ana.delete(f"{path}/{gone['id']}")
    clock.advance(seconds=DELETED.total_seconds())
    [stored] = (site.settings.data / "uploads" / cast.acme["id"]).iterdir()
    aside = stored.rename(stored.with_name("aside"))
    stored.mkdir()
    assert await purge_files(site) == 0
    stored.rmdir()
    aside.rename(stored)
    assert (await purge_files(site), await kept(site)) == (1, set())


async def test_an_earlier_picture_of_a_person_is_removed_and_the_present_one_kept(
    site: Site, clock: FrozenClock
) -> None:
    cast = await make_cast(site)
    picture = make_png(8, 8)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        for _ in range(2):
            body = {"name": "me.png", "size": len(picture), "entity_type": "USER_AVATAR"}
            asked = (await ana.post("users/assets", body)).json
            await upload(ana, asked["upload_data"]["fields"], picture)
            await ana.patch(f"users/assets/{asked['asset_id']}", {})
            clock.advance(seconds=timedelta(days=2).total_seconds())
        await purge_files(site)
        assert await kept(site) == {asked["asset_id"]}
        assert (await ana.get("users/me")).json["avatar_url"] == asked["asset_url"]
    rows = await site.db.find_all(assets)
    assert sorted(row["removed_at"] is None for row in rows) == [False, True]
