"""An instance with a bucket: clients upload to it and download from it, by what Airside signed."""

import asyncio

import pytest
import requests

from airside.api.v1 import TABLE
from airside.assets.endpoints import asset_endpoints
from airside.assets.purge import DELETED, purge_files
from airside.assets.storage import key_of, picture_key_of, storage_of, upload_key_of
from airside.assets.tables import assets, files
from airside.runtime.site import Site
from tests.cast import make_cast
from tests.support.api import ServedApi, serve_api, show_v1
from tests.support.clocks import FrozenClock
from tests.support.moto import MotoServer
from tests.support.pictures import make_png
from tests.support.uploads import upload
from tests.work.scene import make_project

pytestmark = pytest.mark.parametrize("db", ["sqlite"], indirect=True)


def serve(site: Site, bucket: MotoServer) -> ServedApi:
    site.settings.storage_url = bucket.url
    return serve_api(site, *TABLE, others=asset_endpoints(site, show_v1))


async def post(form: dict[str, object], file: bytes) -> requests.Response:
    return await asyncio.to_thread(
        requests.post, form["url"], data=form["fields"], files={"file": ("a.txt", file)}, timeout=10
    )  # type: ignore[arg-type]


async def test_an_attachment_goes_past_airside_both_ways_and_is_removed(
    site: Site, clock: FrozenClock, bucket: MotoServer
) -> None:
    cast = await make_cast(site)
    async with serve(site, bucket).acting_as(cast.ana["id"]) as ana:
        project = await make_project(site, cast)
        item = await ana.post(f"workspaces/acme/projects/{project}/work-items", {"name": "Item"})
        path = f"workspaces/acme/projects/{project}/work-items/{item.json['id']}/attachments"
        asked = (await ana.post(path, {"name": "ä.html", "type": "text/html", "size": 9})).json
        one = f"{path}/{asked['id']}"
        assert asked["upload_data"]["url"] == f"{bucket.endpoint}/airside"
        assert (await ana.patch(one, {})).json == {"error": "The asset is not uploaded.", "status": False}
        assert (await post(asked["upload_data"], b"<script>")).status_code == 204
        done = (await ana.patch(one, {"is_uploaded": True})).json
        assert (done["size"], done["is_uploaded"]) == (8, True)
        assert done["storage_metadata"]["ETag"].startswith('"')
        assert (await post(asked["upload_data"], b"evil")).status_code == 204, "its form is valid for an hour"
        assert (await ana.patch(one, {"is_uploaded": True})).json["size"] == 8
        led = await ana.get(one)
        assert led.status_code == 302
        got = await asyncio.to_thread(requests.get, led.headers["location"], timeout=10)
        assert (got.status_code, got.content) == (200, b"<script>")
        assert got.headers["Content-Disposition"] == (
            "attachment; filename=\"_.html\"; filename*=UTF-8''%C3%A4.html"
        )
        assert "X-Amz-Expires=900" in led.headers["location"]
        assert (await ana.delete(one)).status_code == 204
    clock.advance(seconds=DELETED.total_seconds())
    assert await purge_files(site) == 1
    [stored] = await site.db.find_all(files, id=asked["id"])
    for key in (key_of(stored), upload_key_of(stored)):
        assert await storage_of(site).measure(key) is None
    assert not (site.settings.data / "uploads").exists()


async def test_what_is_larger_than_declared_is_never_shown(site: Site, bucket: MotoServer) -> None:
    """A bucket refuses it by the policy; one that doesn't isn't believed."""
    cast = await make_cast(site)
    async with serve(site, bucket).acting_as(cast.ana["id"]) as ana:
        asked = (await ana.post("workspaces/acme/assets", {"name": "a.txt", "size": 5})).json
        await post(asked["upload_data"], b"much too long")
        answer = await ana.patch(f"workspaces/acme/assets/{asked['asset_id']}", {})
        assert (answer.status_code, answer.json["status"]) == (400, False)
        assert (await ana.get(f"workspaces/acme/assets/{asked['asset_id']}")).status_code == 400


async def test_a_person_s_picture_is_checked_by_airside_and_kept_in_the_bucket(
    site: Site, bucket: MotoServer
) -> None:
    cast = await make_cast(site)
    picture = make_png(8, 8)
    async with serve(site, bucket).acting_as(cast.ana["id"]) as ana:
        body = {"name": "me.png", "size": len(picture), "entity_type": "USER_AVATAR"}
        asked = (await ana.post("users/assets", body)).json
        fields = asked["upload_data"]["fields"]
        assert (await upload(ana, fields, b"<svg/>")).status_code == 400
        assert (await upload(ana, fields, picture)).status_code == 204
        assert (await ana.patch(f"users/assets/{asked['asset_id']}", {})).status_code == 204
        seen = await ana.conductor.simulate_get(asked["asset_url"])
    assert (seen.status_code, seen.content, seen.headers["content-type"]) == (200, picture, "image/png")
    [stored] = await site.db.find_all(assets, id=asked["asset_id"])
    assert await storage_of(site).measure(picture_key_of(stored)) is not None


async def test_without_its_bucket_the_api_answers_503(
    site: Site, bucket: MotoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = await make_cast(site)
    async with serve(site, bucket).acting_as(cast.ana["id"]) as ana:
        asked = (await ana.post("workspaces/acme/assets", {"name": "a.txt", "size": 5})).json
        site.settings.storage_url = "s3://airside?endpoint=http://127.0.0.1:9&region=us-east-1"
        answer = await ana.patch(f"workspaces/acme/assets/{asked['asset_id']}", {})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
