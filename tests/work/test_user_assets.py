"""Somebody's own picture: asked for, uploaded, confirmed, seen, deleted."""

from pathlib import Path
from typing import Any

import pytest
from falcon import testing

from airside.assets.endpoints import asset_endpoints
from airside.assets.user_assets import USER_ASSET_ROUTES
from airside.identity.me import ME_ROUTES
from airside.runtime.site import Site
from tests.cast import make_cast
from tests.support.api import Client, ServedApi, serve_api, show_v1
from tests.support.clocks import FrozenClock
from tests.support.uploads import upload as send_file

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 500


def serve(site: Site) -> ServedApi:
    return serve_api(site, *USER_ASSET_ROUTES, *ME_ROUTES, others=asset_endpoints(site, show_v1))


async def ask(client: Client, path: str = "users/assets", **fields: object) -> Any:
    body = {"name": "me.png", "size": len(PNG), "entity_type": "USER_AVATAR", "type": "image/png"} | fields
    answer = await client.post(path, body)
    assert answer.status_code == 200, answer.json
    return answer.json


async def upload(client: Client, fields: dict[str, str], file: bytes = PNG) -> testing.Result:
    return await send_file(client, fields, file)


async def look(client: Client, url: str) -> testing.Result:
    return await client.conductor.simulate_get(url)


def kept_files(site: Site) -> list[Path]:
    return [path for path in (site.settings.data / "uploads").rglob("*") if path.is_file()]


@pytest.mark.parametrize("path", ["users/assets", "assets/user-assets"])
async def test_a_picture_is_uploaded_confirmed_seen_and_deleted(site: Site, path: str) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        asked = await ask(ana, path)
        assert asked["upload_data"]["url"] == "http://127.0.0.1:8000/api/assets/upload/"
        assert (await upload(ana, asked["upload_data"]["fields"])).status_code == 204
        assert (await look(ana, asked["asset_url"])).status_code == 404
        assert (await ana.patch(f"{path}/{asked['asset_id']}", {"is_uploaded": True})).status_code == 204
        seen = await look(ana, asked["asset_url"])
        me = (await ana.get("users/me")).json
        assert (await ana.delete(f"{path}/{asked['asset_id']}")).status_code == 204
        gone = await look(ana, asked["asset_url"])
        me_again = (await ana.get("users/me")).json
    assert (seen.status_code, seen.content, seen.headers["content-type"]) == (200, PNG, "image/png")
    assert seen.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in seen.headers["content-security-policy"]
    assert (me["avatar_url"], me_again["avatar_url"]) == (asked["asset_url"], None)
    assert gone.status_code == 404
    assert kept_files(site) == []


async def test_a_new_picture_takes_the_place_of_the_old_one(site: Site) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        answers = []
        for _ in range(2):
            asked = await ask(ana)
            await upload(ana, asked["upload_data"]["fields"])
            await ana.patch(f"users/assets/{asked['asset_id']}", {})
            answers.append(asked)
        assert (await look(ana, answers[0]["asset_url"])).status_code == 404
        assert (await ana.get("users/me")).json["avatar_url"] == answers[1]["asset_url"]
    assert len(kept_files(site)) == 1


async def test_a_cover_is_kept_without_touching_the_avatar(site: Site) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        asked = await ask(ana, entity_type="USER_COVER")
        await upload(ana, asked["upload_data"]["fields"])
        await ana.patch(f"users/assets/{asked['asset_id']}", {"attributes": {"any": "thing"}})
        assert (await ana.get("users/me")).json["avatar_url"] is None
        assert (await look(ana, asked["asset_url"])).status_code == 200


@pytest.mark.parametrize("spoiled", ["policy", "x-airside-signature"])
async def test_an_upload_needs_the_policy_that_was_signed(site: Site, spoiled: str) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        fields = (await ask(ana))["upload_data"]["fields"]
        changed = await upload(ana, fields | {spoiled: fields[spoiled][:-1] + "x"})
        missing = await upload(ana, {name: value for name, value in fields.items() if name != spoiled})
    assert (changed.status_code, missing.status_code) == (403, 403)
    assert kept_files(site) == []


async def test_a_policy_lasts_an_hour(site: Site, clock: FrozenClock) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        fields = (await ask(ana))["upload_data"]["fields"]
        clock.advance(hours=1)
        assert (await upload(ana, fields)).status_code == 403


async def test_a_confirmed_picture_is_not_overwritten(site: Site) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        asked = await ask(ana)
        await upload(ana, asked["upload_data"]["fields"])
        await ana.patch(f"users/assets/{asked['asset_id']}", {"is_uploaded": True})
        assert (await upload(ana, asked["upload_data"]["fields"])).status_code == 403


@pytest.mark.parametrize(
    ("file", "status"),
    [
        (PNG + b"\0", 413),
        (b"\xff\xd8\xff" + b"\0" * 20, 400),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='steal()'/>", 400),
        (b"<html>", 400),
        (b"", 400),
    ],
)
async def test_only_the_picture_that_was_declared_is_stored(site: Site, file: bytes, status: int) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        asked = await ask(ana)
        assert (await upload(ana, asked["upload_data"]["fields"], file)).status_code == status
        early = await ana.patch(f"users/assets/{asked['asset_id']}", {"is_uploaded": True})
    assert (early.status_code, early.json) == (
        400,
        {"error": "The asset is not uploaded.", "status": False},
    )
    assert kept_files(site) == []


async def test_an_undeclared_type_is_read_from_the_bytes(site: Site) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        asked = await ask(ana, type=None)
        await upload(ana, asked["upload_data"]["fields"], b"GIF89a" + b"\0" * 20)
        await ana.patch(f"users/assets/{asked['asset_id']}", {"is_uploaded": True})
        assert (await look(ana, asked["asset_url"])).headers["content-type"] == "image/gif"


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        (
            {"size": 5 * 1024 * 1024 + 1},
            {"size": ["Ensure this value is less than or equal to 5242880."]},
        ),
        ({"size": 0}, {"size": ["Ensure this value is greater than or equal to 1."]}),
        ({"name": ""}, {"name": ["This field may not be blank."]}),
        ({"type": "image/svg+xml"}, {"error": "Invalid file type.", "status": False}),
        ({"entity_type": "PROJECT_COVER"}, {"error": "Invalid entity type.", "status": False}),
        ({"name": None}, {"error": "Invalid request.", "status": False}),
        ({"size": None}, {"error": "Invalid request.", "status": False}),
    ],
)
async def test_what_cannot_be_uploaded_is_refused_at_once_in_plane_s_shapes(
    site: Site, fields: dict[str, object], refusal: object
) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        body = {"name": "me.png", "size": 10, "entity_type": "USER_AVATAR"} | fields
        answer = await ana.post("users/assets", body)
    assert (answer.status_code, answer.json) == (400, refusal)


async def test_somebody_elses_asset_is_as_good_as_none(site: Site) -> None:
    cast = await make_cast(site)
    api = serve(site)
    async with api.acting_as(cast.ana["id"]) as ana, api.acting_as(cast.ben["id"]) as ben:
        asked = await ask(ana)
        await upload(ana, asked["upload_data"]["fields"])
        path = f"users/assets/{asked['asset_id']}"
        assert (await ben.patch(path, {"is_uploaded": True})).status_code == 404
        assert (await ben.delete(path)).status_code == 404


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"x"),
        ("multipart/form-data; boundary=b", b"--b--\r\n"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx'),
    ],
)
async def test_what_is_no_form_is_refused(site: Site, content_type: str, body: bytes) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        answer = await ana.conductor.simulate_post(
            "/api/assets/upload/", body=body, headers={"Content-Type": content_type}
        )
        strange = await look(ana, "/api/assets/v2/static/..%2fsecret.key/")
    assert answer.status_code == 400
    assert strange.status_code == 404
