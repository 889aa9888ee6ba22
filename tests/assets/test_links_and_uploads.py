"""FS2 to FS4: who gets a file, what a browser does with it, and what an upload can reach."""

import asyncio
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from airside.api.v1 import TABLE
from airside.assets.endpoints import asset_endpoints
from airside.assets.tickets import LIFETIME, LINK_LIFETIME
from airside.db.base import is_uuid, new_id
from airside.runtime.site import Site
from tests.cast import Cast, make_cast
from tests.support.api import Client, ServedApi, serve_api, show_v1
from tests.support.clocks import FrozenClock
from tests.support.pictures import make_png
from tests.support.uploads import SlowUpload, attach, follow, upload
from tests.work.scene import make_project


def serve(site: Site) -> ServedApi:
    return serve_api(site, *TABLE, others=asset_endpoints(site, show_v1))


async def attachments_path(site: Site, cast: Cast, ana: Client, name: str = "Engine") -> str:
    project = await make_project(site, cast, name)
    item = await ana.post(f"workspaces/acme/projects/{project}/work-items", {"name": "Item"})
    return f"workspaces/acme/projects/{project}/work-items/{item.json['id']}/attachments"


async def link_to(client: Client, path: str, file_id: str) -> str:
    answer = await client.get(f"{path}/{file_id}")
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


async def test_fs2_a_link_is_for_one_file_of_one_workspace_until_it_ends(
    site: Site, clock: FrozenClock
) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        path = await attachments_path(site, cast, ana)
        made, other = await attach(ana, path, b"mine"), await attach(ana, path, b"other")
        link = await link_to(ana, path, made["id"])
        query = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
        later = str(int(query["expires"]) + 1)
        for wrong in (
            link.replace(made["id"], other["id"]),
            link.replace(cast.acme["id"], cast.other["id"]),
            link.replace(query["expires"], later),
            link.replace(query["expires"], f" {query['expires']}"),
            link.replace(query["expires"], "x"),
            link.replace(query["signature"], query["signature"][:-1]),
            link.replace(query["signature"], "0" * 64),
            link.replace(query["signature"], "%ff"),
            link.partition("?")[0],
            link.partition("&")[0],
        ):
            assert (await follow(ana, wrong)).status_code == 403, wrong
        clock.advance(seconds=LINK_LIFETIME.total_seconds() - 1)
        assert (await follow(ana, link)).content == b"mine"
        clock.advance(seconds=1)
        assert (await follow(ana, link)).status_code == 403


async def test_fs2_the_signature_of_an_upload_opens_no_download_and_the_other_way_round(site: Site) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        path = await attachments_path(site, cast, ana)
        asked = (await ana.post(path, {"name": "a.txt", "size": 5})).json
        fields = asked["upload_data"]["fields"]
        made = await attach(ana, path, b"hello")
        link = await link_to(ana, path, made["id"])
        signature = parse_qs(urlsplit(link).query)["signature"][0]
        swapped = link.replace(signature, fields["x-airside-signature"])
        assert (await follow(ana, swapped)).status_code == 403
        assert (await upload(ana, fields | {"x-airside-signature": signature}, b"hello")).status_code == 403


async def test_fs2_other_tenants_and_projects_get_no_link(site: Site) -> None:
    cast = await make_cast(site)
    api = serve(site)
    bot = cast.installation["bot_user_id"]
    limited = {"kind": "bot", "workspace_id": cast.acme["id"], "projects": frozenset({new_id()})}
    async with (
        api.acting_as(cast.ana["id"]) as ana,
        api.acting_as(cast.zoe["id"]) as zoe,
        api.acting_as(bot, **limited) as app,
    ):
        path = await attachments_path(site, cast, ana)
        made = await attach(ana, path, b"hello")
        theirs = (await zoe.post("workspaces/other/projects", {"name": "P", "identifier": "P"})).json["id"]
        item = (await zoe.post(f"workspaces/other/projects/{theirs}/work-items", {"name": "I"})).json["id"]
        foreign = f"workspaces/other/projects/{theirs}/work-items/{item}/attachments/{made['id']}"
        assert (await zoe.get(f"{path}/{made['id']}")).status_code == 403
        assert (await zoe.get(foreign)).status_code == 404
        assert (await zoe.get(f"workspaces/other/assets/{made['id']}")).status_code == 404
        assert (await app.get(f"{path}/{made['id']}")).status_code in (403, 404)


async def test_fs2_an_upload_s_policy_ends_and_is_for_its_own_file(site: Site, clock: FrozenClock) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        path = await attachments_path(site, cast, ana)
        first = (await ana.post(path, {"name": "a.txt", "size": 5})).json
        second = (await ana.post(path, {"name": "b.txt", "size": 5})).json
        mixed = first["upload_data"]["fields"] | {"key": second["upload_data"]["fields"]["key"]}
        assert (await upload(ana, mixed, b"hello")).status_code == 204
        assert (await ana.patch(f"{path}/{second['id']}", {})).status_code == 400  # the key decides nothing
        assert (await ana.patch(f"{path}/{first['id']}", {})).status_code == 200
        clock.advance(seconds=LIFETIME.total_seconds())
        assert (await upload(ana, second["upload_data"]["fields"], b"hello")).status_code == 403


@pytest.mark.parametrize(
    ("name", "content_type", "content"),
    [
        ("a.html", "text/html", b"<script>steal()</script>"),
        ("a.svg", "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg' onload='steal()'/>"),
        ("a.xml", "text/xml", b"<x:script xmlns:x='http://www.w3.org/1999/xhtml'>steal()</x:script>"),
        ("a.js", "text/javascript", b"steal()"),
        ("a.pdf", "application/pdf", b"%PDF-1.7"),
        ("a.png", "image/png", b"<html><script>steal()</script>"),
        ("a\"; x=\r\nX-Evil: 1;\\ ä%41.txt", "text/plain", b"hello"),
    ],
)  # fmt: skip
async def test_fs3_no_browser_shows_a_file_as_a_page_of_this_origin(
    site: Site, name: str, content_type: str, content: bytes
) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        path = await attachments_path(site, cast, ana)
        made = await attach(ana, path, content, name=name, type=content_type)
        got = await follow(ana, await link_to(ana, path, made["id"]))
    assert (got.status_code, got.content, got.headers["content-type"]) == (200, content, content_type)
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert got.headers["cache-control"] == "private, no-store"
    assert "x-evil" not in got.headers
    plain = r"attachment; filename=\"[ -!#-$&-:<-\[\]-~]*\"; filename\*=UTF-8''[A-Za-z0-9._~%-]+"
    assert re.fullmatch(plain, got.headers["content-disposition"]), got.headers["content-disposition"]


async def test_fs4_a_name_reaches_no_path(site: Site) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        path = await attachments_path(site, cast, ana)
        made = [
            await attach(ana, path, b"hello", name=name)
            for name in ("../../secret.key", "/etc/passwd", "a\\b", "..", "C:\\x", "a/b.txt")
        ]
    stored = [path for path in site.settings.data.rglob("*") if path.is_file()]
    below = site.settings.data / "uploads" / cast.acme["id"]
    found = {path for path in stored if path.read_bytes() == b"hello"}
    assert {path.parent for path in found} == {below}
    assert len(found) == len(made)
    assert all(is_uuid(path.name) for path in found)
    assert {path.stat().st_mode & 0o777 for path in stored if below in path.parents} == {0o600}


async def test_fs4_an_upload_takes_no_more_than_was_declared_and_leaves_nothing(site: Site) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        path = await attachments_path(site, cast, ana)
        asked = (await ana.post(path, {"name": "a.txt", "size": 1000})).json
        fields = asked["upload_data"]["fields"]
        assert (await upload(ana, fields, b"x" * 3_000_000)).status_code == 413
        assert (await ana.patch(f"{path}/{asked['id']}", {})).status_code == 400
    assert [path for path in (site.settings.data / "uploads").rglob("*") if path.is_file()] == []


async def test_fs4_an_upload_that_began_before_its_completion_replaces_nothing_after_it(site: Site) -> None:
    cast = await make_cast(site)
    api = serve(site)
    async with api.acting_as(cast.ana["id"]) as ana:
        path = await attachments_path(site, cast, ana)
        asked = (await ana.post(path, {"name": "a.txt", "size": 5})).json
        fields, one = asked["upload_data"]["fields"], f"{path}/{asked['id']}"
        late = await SlowUpload(api.app, fields, b"evil!").begin()
        assert (await upload(ana, fields, b"good")).status_code == 204
        assert (await ana.patch(one, {})).json["size"] == 4
        assert await late.finish() == 403
        assert (await follow(ana, await link_to(ana, path, asked["id"]))).content == b"good"
        assert (await upload(ana, fields, b"evil!")).status_code == 403
    stored = [path for path in (site.settings.data / "uploads").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in stored] == [b"good"]


async def test_fs4_a_picture_is_the_one_that_was_confirmed(site: Site) -> None:
    cast = await make_cast(site)
    api = serve(site)
    first, second = make_png(8, 8), make_png(9, 9)
    async with api.acting_as(cast.ana["id"]) as ana:
        body = {"name": "me.png", "size": 1000, "entity_type": "USER_AVATAR"}
        asked = (await ana.post("users/assets", body)).json
        fields = asked["upload_data"]["fields"]
        late = await SlowUpload(api.app, fields, second).begin()
        assert (await upload(ana, fields, first)).status_code == 204
        assert (await ana.patch(f"users/assets/{asked['asset_id']}", {})).status_code == 204
        assert await late.finish() == 403
        assert (await ana.conductor.simulate_get(asked["asset_url"])).content == first
    stored = [path for path in (site.settings.data / "uploads").rglob("*") if path.is_file()]
    assert len(stored) == 1


async def test_fs4_a_completion_that_is_refused_leaves_the_upload_as_it_was(site: Site) -> None:
    cast = await make_cast(site)
    async with serve(site).acting_as(cast.ana["id"]) as ana:
        path = await attachments_path(site, cast, ana)
        external = {"external_id": "report", "external_source": "courier"}
        await attach(ana, path, b"other", **external)
        asked = (await ana.post(path, {"name": "a.txt", "size": 5})).json
        one = f"{path}/{asked['id']}"
        assert (await upload(ana, asked["upload_data"]["fields"], b"good")).status_code == 204
        assert (await ana.patch(one, external)).status_code == 409
        answers = await asyncio.gather(*(ana.patch(one, {}) for _ in range(4)))
        assert {answer.status_code for answer in answers} == {200}
        assert (await follow(ana, await link_to(ana, path, asked["id"]))).content == b"good"
    stored = [path for path in (site.settings.data / "uploads").rglob("*") if path.is_file()]
    assert sorted(path.read_bytes() for path in stored) == [b"good", b"other"]
