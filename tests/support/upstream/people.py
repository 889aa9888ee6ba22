"""People who use the stand-in over HTTP: the first admin, and those who are invited; with session and key.

async with people_of(upstream) as people:
    ana = await people.first_admin("ana@acme.test", "Ana")
    ben = await people.join("ben@acme.test", ana, "acme")
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.support.upstream.server import Upstream

PASSWORD = "Tr0ub4dor&3-horse"
MEMBER = 15


class Person:
    """Sends requests: with the key to API v1, with the session to everything else."""

    def __init__(self, client: aiohttp.ClientSession, url: str) -> None:
        self._client = client
        self.url = url
        self.cookies: dict[str, str] = {}
        self.key = ""
        self.project: dict[str, Any] = {}  # the one that a test is about

    async def get(self, path: str) -> Any:
        return await self.send("GET", path)

    async def post(self, path: str, body: Any = None) -> Any:
        return await self.send("POST", path, body)

    async def patch(self, path: str, body: Any = None) -> Any:
        return await self.send("PATCH", path, body)

    async def send(self, method: str, path: str, body: Any = None, expect: int | None = None) -> Any:
        """The answer's JSON; fails unless the status is this one, or below 300."""
        headers = {"X-API-Key": self.key} if path.startswith("/api/v1/") else {"Cookie": self._cookie}
        async with self._client.request(method, self.url + path, json=body, headers=headers) as response:
            text = await response.text()
            expected = response.status == expect if expect else response.status < 300
            assert expected, f"{method} {path}: {response.status} {text}"
            return await response.json() if text else None

    @property
    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def submit(self, path: str, **fields: str) -> str:
        """A form with its CSRF token; returns where the answer redirects to, and keeps its cookies."""
        async with self._client.get(
            self.url + "/auth/get-csrf-token/", headers={"Cookie": self._cookie}
        ) as given:
            self._keep(given)
            token = (await given.json())["csrf_token"]
        form = {**fields, "csrfmiddlewaretoken": token}
        headers = {"Cookie": self._cookie}
        async with self._client.post(
            self.url + path, data=form, headers=headers, allow_redirects=False
        ) as response:
            self._keep(response)
            return response.headers.get("location", "")

    def _keep(self, response: aiohttp.ClientResponse) -> None:
        for name, morsel in response.cookies.items():
            self.cookies[name] = morsel.value

    async def make_key(self, **values: Any) -> str:
        self.key = (await self.post("/api/users/api-tokens/", {"label": "key", **values}))["token"]
        return self.key


class People:
    def __init__(self, client: aiohttp.ClientSession, url: str) -> None:
        self._client = client
        self._url = url

    def stranger(self) -> Person:
        return Person(self._client, self._url)

    def with_key(self, key: str) -> Person:
        person = self.stranger()
        person.key = key
        return person

    async def first_admin(self, email: str, name: str) -> Person:
        """Of the instance, signed in to the application too, with a key."""
        person = self.stranger()
        fields = {"email": email, "password": PASSWORD, "first_name": name, "company_name": "Acme"}
        await person.submit("/api/instances/admins/sign-up/", **fields)
        await person.submit("/auth/sign-in/", email=email, password=PASSWORD)
        await person.make_key()
        return person

    async def join(self, email: str, by: Person, slug: str, role: int = MEMBER) -> Person:
        """Invited by an admin, signed up, and in the workspace."""
        invited = await by.post(f"/api/v1/workspaces/{slug}/invitations/", {"email": email, "role": role})
        person = self.stranger()
        await person.submit("/auth/sign-up/", email=email, password=PASSWORD)
        await person.post("/api/users/me/workspaces/invitations/", {"invitations": [invited["id"]]})
        await person.make_key()
        return person


@asynccontextmanager
async def people_of(upstream: Upstream) -> AsyncIterator[People]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
        yield People(client, upstream.url)
