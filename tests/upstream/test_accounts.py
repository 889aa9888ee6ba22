"""What the recordings show of accounts only in passing: limits, switches, files, and what isn't there."""

import aiohttp
import pytest

from tests.support.upstream.app import ROUTES
from tests.support.upstream.people import people_of
from tests.support.upstream.server import Upstream, open_upstream
from tests.support.upstream.site import Settings


async def status(upstream: Upstream, path: str, method: str = "GET", **headers: str) -> int:
    async with (
        aiohttp.ClientSession() as client,
        client.request(method, upstream.url + path, headers=headers, allow_redirects=False) as response,
    ):
        return response.status


async def test_a_key_has_60_requests_a_minute_and_another_key_its_own() -> None:
    async with open_upstream(Settings(seeds_project=False)) as upstream, people_of(upstream) as people:
        ana = await people.first_admin("ana@acme.test", "Ana")
        for _ in range(60):
            await ana.get("/api/v1/users/me/")
        await ana.send("GET", "/api/v1/users/me/", expect=429)
        await ana.make_key()
        await ana.get("/api/v1/users/me/")


async def test_strangers_have_30_requests_a_minute() -> None:
    async with open_upstream() as upstream:
        statuses = [await status(upstream, "/auth/get-csrf-token/") for _ in range(31)]
        assert statuses == [200] * 30 + [429]


async def test_a_sign_in_without_a_user_agent_fails() -> None:
    async with open_upstream() as upstream, people_of(upstream) as people:
        ana = await people.first_admin("ana@acme.test", "Ana")
        skipped = {"skip_auto_headers": ("User-Agent",), "cookie_jar": aiohttp.DummyCookieJar()}
        async with aiohttp.ClientSession(**skipped) as client:
            again = type(ana)(client, upstream.url)
            assert await again.submit("/auth/sign-in/", email="ana@acme.test", password="wrong") != ""
            assert (
                await again.submit("/auth/sign-in/", email="ana@acme.test", password="Tr0ub4dor&3-horse")
                == ""
            )


async def test_over_https_a_form_needs_the_referer_of_the_public_origin() -> None:
    async with open_upstream() as upstream, people_of(upstream) as people:
        ana = await people.first_admin("ana@acme.test", "Ana")
        cookie = "; ".join(f"{name}={value}" for name, value in ana.cookies.items())
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
            async with client.get(
                f"{upstream.url}/auth/get-csrf-token/", headers={"Cookie": cookie}
            ) as given:
                token = (await given.json())["csrf_token"]
            headers = {"Cookie": cookie, "X-Forwarded-Proto": "https", "Host": "plane.example.com"}
            statuses = []
            for referer in ("https://evil.test/", "https://plane.example.com/"):
                async with client.post(
                    f"{upstream.url}/auth/sign-out/",
                    data={"csrfmiddlewaretoken": token},
                    headers=headers | {"Referer": referer},
                    allow_redirects=False,
                ) as response:
                    statuses.append(response.status)
            assert statuses == [200, 302]


async def test_an_attachment_is_uploaded_to_and_read_from_the_storage() -> None:
    async with open_upstream(Settings(seeds_project=False)) as upstream, people_of(upstream) as people:
        ana = await people.first_admin("ana@acme.test", "Ana")
        await ana.post("/api/workspaces/", {"name": "Acme", "slug": "acme"})
        project = await ana.post("/api/workspaces/acme/projects/", {"name": "Mobile", "identifier": "MOB"})
        items = f"/api/v1/workspaces/acme/projects/{project['id']}/work-items/"
        item = await ana.post(items, {"name": "one"})
        files = f"{items}{item['id']}/attachments/"
        made = await ana.post(files, {"name": "a.txt", "type": "text/plain", "size": 5})
        async with aiohttp.ClientSession() as client:
            for content, expected in ((b"too long", 400), (b"hello", 204)):
                form = aiohttp.FormData(made["upload_data"]["fields"])
                form.add_field("file", content, filename="a.txt")
                async with client.post(made["upload_data"]["url"], data=form) as response:
                    assert response.status == expected
            await ana.patch(f"{files}{made['asset_id']}/", {"is_uploaded": True})
            headers = {"X-API-Key": ana.key}
            async with client.get(f"{upstream.url}{files}{made['asset_id']}/", headers=headers) as response:
                assert await response.read() == b"hello"
                read = str(response.url)
            async with client.get(read.replace("X-Amz-Signature=", "X-Amz-Signature=0")) as response:
                assert response.status == 403


@pytest.mark.parametrize("path", ["/auth/o/token/", "/api/v2/", "/api/v1/workspaces/acme/runs/", "/airside/"])
async def test_what_was_never_recorded_is_not_there(path: str) -> None:
    async with open_upstream() as upstream:
        assert await status(upstream, path) == 404


def test_no_route_is_declared_twice() -> None:
    declared = [(route.method, route.pattern.pattern) for route in ROUTES]
    assert len(declared) == len(set(declared))
