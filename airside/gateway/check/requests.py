"""The check's own requests: to the Community Edition's API, and to the public origin as anybody sends them."""

import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp
from aiohttp import hdrs

from airside.settings import Settings

SECONDS = 15
USER_AGENT = "Airside"
MAX_ANSWER = 4 * 1_048_576  # bytes


class Reply(NamedTuple):
    """`status` 0: there was no answer, and `body` says why."""

    status: int
    headers: Any
    cookies: list[str]  # those that it sets, with their attributes
    body: bytes


class Requests:
    """Follows no redirect and keeps no cookie."""

    def __init__(self, settings: Settings, client: aiohttp.ClientSession) -> None:
        public = urlsplit(settings.origin)
        self._api, self._origin = settings.upstream_api_origin, settings.origin
        self._proxy = settings.upstream_proxy or None
        self._own = {"Host": public.netloc, "X-Forwarded-Proto": public.scheme}
        self._client = client

    async def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Of the Community Edition, with the public host, as the gateway asks."""
        sent = {**self._own, "User-Agent": USER_AGENT, **(headers or {})}
        return await self._send(method, self._api + path, body, sent, self._proxy)

    async def ask_public(self, path: str) -> Reply:
        return await self._send("GET", self._origin + path, None, {"User-Agent": USER_AGENT}, None)

    async def _send(
        self, method: str, url: str, body: Any, headers: Mapping[str, str], proxy: str | None
    ) -> Reply:
        try:
            async with self._client.request(
                method, url, json=body, headers=headers, proxy=proxy, allow_redirects=False
            ) as response:
                content = await response.content.read(MAX_ANSWER)
                cookies = response.headers.getall(hdrs.SET_COOKIE, [])
                return Reply(response.status, response.headers, cookies, content)
        except (aiohttp.ClientError, TimeoutError, OSError, ssl.SSLError) as error:
            return Reply(0, {}, [], (str(error) or type(error).__name__).encode())


def open_client() -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout)
