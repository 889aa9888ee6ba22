"""Somebody at a browser without scripts, inside the test's own process: keeps cookies, fills in forms.

async with visiting(site) as ana:
    await ana.sign_in("ana@example.com")
    page = await ana.get("/acme/projects/")
    done = await ana.submit(page, "/profile/", name="Ana L.")
"""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urlsplit

from falcon import testing

from airside.runtime.site import Site
from tests.cast import PASSWORD
from tests.support.apps import app_of

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BOUNDARY = "a-line-between-parts"
MADE = "/made/?answer="  # in the address of a page that shows a secret once
PREVIEW = "/manifest/"  # shows what a manifest would change, and changes nothing

Values = list[tuple[str, str]]


class Forms(HTMLParser):
    """The forms of a page, filled as a browser would send them: where each goes, and its fields."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self._select = self._textarea = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "form":
            self.found.append((given.get("action", ""), {}))
        elif tag == "select":
            self._select = name
        elif tag == "textarea":
            self._textarea = name
        elif tag == "option" and self._select:
            self._choose(value, is_chosen="selected" in given)
        elif tag == "input" and self.found and name and self._is_sent(given):
            self.found[-1][1][name] = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._textarea = ""
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.found[-1][1][self._textarea] = data.removeprefix("\n")

    def _choose(self, value: str, *, is_chosen: bool) -> None:
        fields = self.found[-1][1]
        if is_chosen or self._select not in fields:
            fields[self._select] = value

    def _is_sent(self, given: dict[str, str]) -> bool:
        return given.get("type") != "file" and (
            given.get("type") not in ("checkbox", "radio") or "checked" in given
        )


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
        given = dict(headers or {})
        if self.cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        result = await self.conductor.simulate_request(
            method, url.path, query_string=url.query, headers=given, body=body
        )
        self._keep_cookies(result)
        if method == "POST" and result.status_code == 200 and "HX-Request" not in given:
            assert url.path.endswith(PREVIEW), (
                f"{path} answers with a page, which a reload asks for once more"
            )
        return Shown(
            result.status_code, result.content.decode("utf-8", "replace"), result.headers, result.content
        )

    async def get(self, path: str, **headers: str) -> Shown:
        return await self.send("GET", path, headers=headers)

    async def post(self, path: str, values: Mapping[str, str] | Values, **headers: str) -> Shown:
        """What it led to: a page that shows a secret once, and where one sends its visitor on to an app, as if it
        were a redirect."""
        answer = await self.send("POST", path, urlencode(values).encode(), FORM | headers)
        if MADE in answer.location:
            return await self.get(answer.location)
        if not answer.location.startswith("/consent/continue/"):
            return answer
        page = await self.get(answer.location)
        headers: Any = page.headers
        headers["location"] = find_refresh(page.text)
        return Shown(303, "", headers)

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


def find_refresh(page: str) -> str:
    """Where a page sends its visitor on by itself."""
    found = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]*)">', page)
    return unescape(found[1]) if found else ""


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
    async with testing.ASGIConductor(app_of(site)) as conductor:
        yield Visitor(conductor)


@asynccontextmanager
async def signed_in(site: Site, name: str) -> AsyncIterator[Visitor]:
    """A member of the cast, signed in."""
    async with visiting(site) as visitor:
        answer = await visitor.sign_in(f"{name}@example.com")
        assert answer.status == 303, answer.text
        yield visitor
