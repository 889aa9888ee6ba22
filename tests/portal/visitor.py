"""Somebody at a browser without scripts, inside the test's own process: keeps cookies, fills in forms.

async with visiting(site) as ana:
    await ana.sign_in("ana@example.com")
    page = await ana.get("/acme/projects/")
    done = await ana.submit(page, "/profile/", name="Ana L.")
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from falcon import testing

from airside.app import create_app
from airside.site import Site
from tests.cast import PASSWORD
from tests.support.consent import Forms

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BOUNDARY = "a-line-between-parts"

Values = list[tuple[str, str]]


@dataclass
class Shown:
    """An answer as a browser has it."""

    status: int
    text: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    @property
    def forms(self) -> list[tuple[str, dict[str, str]]]:
        return Forms(self.text).found

    def form(self, action: str) -> dict[str, str]:
        """The fields of the form that posts to this path."""
        for where, fields in self.forms:
            if where == action:
                return fields
        raise LookupError(f"no form posts to {action} among {[where for where, _ in self.forms]}")


@dataclass
class Visitor:
    conductor: testing.ASGIConductor
    cookies: dict[str, str] = field(default_factory=dict)
    set_cookies: dict[str, Any] = field(default_factory=dict)  # of the last answer, with their attributes

    async def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Shown:
        url = urlsplit(path)
        told = dict(headers or {})
        if self.cookies:
            told["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        result = await self.conductor.simulate_request(
            method, url.path, query_string=url.query, headers=told, body=body
        )
        self._keep_cookies(result)
        return Shown(
            result.status_code, result.content.decode("utf-8", "replace"), result.headers, result.content
        )

    async def get(self, path: str, **headers: str) -> Shown:
        return await self.send("GET", path, headers=headers)

    async def post(self, path: str, values: Mapping[str, str] | Values, **headers: str) -> Shown:
        return await self.send("POST", path, urlencode(values).encode(), FORM | headers)

    async def submit(self, page: Shown, action: str, **filled: str) -> Shown:
        """Send the page's form that posts there, with these values; one that can hold a file, as such forms are."""
        return await self.post(action, page.form(action) | filled)

    async def upload(self, page: Shown, action: str, file: bytes, **filled: str) -> Shown:
        body = multipart(list((page.form(action) | filled).items()), file)
        return await self.send(
            "POST", action, body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        )

    async def sign_in(self, email: str, password: str = PASSWORD) -> Shown:
        return await self.submit(await self.get("/sign-in/"), "/sign-in/", email=email, password=password)

    def _keep_cookies(self, result: Any) -> None:
        self.set_cookies = result.cookies
        for name, cookie in result.cookies.items():
            if not cookie.value:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = cookie.value


def multipart(fields: Values, file: bytes | None = None) -> bytes:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields
    ]
    if file is not None:
        head = 'Content-Disposition: form-data; name="logo"; filename="logo.png"\r\nContent-Type: image/png'
        parts.append(f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + file + b"\r\n")
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


@asynccontextmanager
async def visiting(site: Site) -> AsyncIterator[Visitor]:
    async with testing.ASGIConductor(create_app(site)) as conductor:
        yield Visitor(conductor)


@asynccontextmanager
async def signed_in(site: Site, name: str) -> AsyncIterator[Visitor]:
    """A member of the cast, signed in."""
    async with visiting(site) as visitor:
        answer = await visitor.sign_in(f"{name}@example.com")
        assert answer.status == 303, answer.text
        yield visitor
