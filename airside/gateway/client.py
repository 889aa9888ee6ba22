"""Sends Airside's own requests to the Community Edition: as an app's account, the gateway's, or a signed-in person.

The recorded exchanges behind each rule are in airside/gateway/contract/exchanges."""

from collections.abc import Mapping
from http.cookies import Morsel
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp import hdrs
from multidict import CIMultiDictProxy

from airside.errors import AirsideError, Unavailable
from airside.runtime.site import Site
from airside.settings import Settings

SESSION_COOKIE, CSRF_COOKIE = "session-id", "csrftoken"
MAX_ANSWER = 16 * 1_048_576  # bytes of one answer
CONNECT_SECONDS = 5
ANSWER_SECONDS = 30
USER_AGENT = "Airside"  # sign-up and sign-in fail without one
CHUNK_BYTES = 65_536


class Unreachable(Unavailable):
    """The Community Edition didn't begin to answer, or not to the end, or with a failure of its own (GW12)."""

    status = 502
    sentence = "The upstream instance can't be reached."


class UpstreamSlow(Unreachable):
    status = 504
    sentence = "The upstream instance didn't answer in time."


class UpstreamRefused(AirsideError):
    """The Community Edition refused a request of Airside's own.

    What it said is for logs, never for a client: it may quote what was sent."""

    status = 502
    sentence = "The upstream instance refused a request that Airside needs."

    def __init__(self, reply: "Reply", doing: str) -> None:
        super().__init__()
        self.reply = reply
        self.doing = doing


class Key(msgspec.Struct, frozen=True):
    """An `X-API-Key`. For paths below /api/v1/."""

    value: str

    def __repr__(self) -> str:
        return "Key(…)"


class Cookies(msgspec.Struct, frozen=True):
    """A session, and the CSRF cookie where a form is submitted. For every other path."""

    session: str = ""
    csrf: str = ""

    def __repr__(self) -> str:
        return "Cookies(…)"

    def header(self) -> str:
        pairs = ((SESSION_COOKIE, self.session), (CSRF_COOKIE, self.csrf))
        return "; ".join(f"{name}={value}" for name, value in pairs if value)


class Reply(NamedTuple):
    """An answer of the Community Edition, whole."""

    status: int
    headers: CIMultiDictProxy[str]
    cookies: Mapping[str, Morsel[str]]
    body: bytes

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def location(self) -> str:
        return self.headers.get(hdrs.LOCATION, "")

    def json(self) -> Any:
        """Raises Unreachable: an answer without JSON is a proxy's page, or a failure."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            raise Unreachable("The upstream instance's answer isn't JSON.") from None

    def cookie(self, name: str) -> str:
        found = self.cookies.get(name)
        return found.value if found is not None else ""


class UpstreamClient:
    """Of one instance; safe for all tasks of an event loop. Follows no redirect (GW11) and keeps no cookie."""

    def __init__(self, settings: Settings) -> None:
        public = urlsplit(settings.origin)
        self._upstream = settings.upstream_api_origin
        self._proxy = settings.upstream_proxy or None
        self._origin = settings.origin
        self._own_headers = {
            "Host": public.netloc,  # upload URLs are built from it
            "X-Forwarded-Proto": public.scheme,
            "User-Agent": USER_AGENT,
            "Accept": "application/json",
        }
        self._client: aiohttp.ClientSession | None = None

    async def get(self, path: str, by: Key | Cookies | None = None) -> Reply:
        return await self.send("GET", path, by)

    async def send(
        self,
        method: str,
        path: str,
        by: Key | Cookies | None = None,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        """Any answer below 500 that is complete. `json` is a JSON body, `form` one of the sign-in forms.

        Raises Unreachable; whether the request had its effect is then unknown."""
        headers = self._headers(path, by)
        data: Any = dict(form) if form is not None else None
        if json is not None:
            data, headers["Content-Type"] = msgspec.json.encode(json), "application/json"
        try:
            async with self._open().request(
                method,
                self._upstream + path,
                headers=headers,
                data=data,
                allow_redirects=False,
                proxy=self._proxy,
            ) as response:
                reply = Reply(
                    response.status, response.headers, response.cookies, await _read_bounded(response)
                )
        except TimeoutError:
            raise UpstreamSlow from None
        except (aiohttp.ClientError, ConnectionError):
            raise Unreachable from None
        if reply.status >= 500:
            raise Unreachable("The upstream instance answered with a failure of its own.")
        return reply

    async def get_json(self, path: str, by: Key | Cookies | None, doing: str) -> Any:
        """What is at the path. Raises UpstreamRefused for every answer that isn't 2xx; `doing` is for its log."""
        reply = await self.get(path, by)
        if not reply.is_ok:
            raise UpstreamRefused(reply, doing)
        return reply.json()

    async def upload(
        self, url: str, fields: Mapping[str, str], name: str, content_type: str, data: bytes
    ) -> Reply:
        """Send a file to the storage with the form that the Community Edition signed. Raises Unreachable."""
        form = aiohttp.FormData()
        for field, value in fields.items():
            form.add_field(field, value)
        form.add_field("file", data, filename=name, content_type=content_type)
        try:
            async with self._open().post(
                url, data=form, allow_redirects=False, proxy=self._proxy
            ) as response:
                body = await _read_bounded(response)
                return Reply(response.status, response.headers, response.cookies, body)
        except (aiohttp.ClientError, ConnectionError, TimeoutError, ValueError):
            raise Unreachable("The upstream instance's storage can't be reached.") from None

    def _headers(self, path: str, by: Key | Cookies | None) -> dict[str, str]:
        headers = dict(self._own_headers)
        if path.startswith("/auth/"):
            headers["Referer"] = f"{self._origin}/"  # the CSRF check of https origins
        if isinstance(by, Key):
            headers["X-API-Key"] = by.value
        elif by is not None:
            headers["Cookie"] = by.header()
        return headers

    def _open(self) -> aiohttp.ClientSession:
        """Made in the event loop that serves."""
        if self._client is None:
            timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=CONNECT_SECONDS)
            self._client = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=timeout,
            )
        return self._client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()


def upstream_of(site: Site) -> UpstreamClient:
    """The site's client, which ends with it."""
    if site.upstream is None:
        object.__setattr__(site, "upstream", UpstreamClient(site.settings))
    assert site.upstream is not None
    return site.upstream


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes:
    """Raises Unreachable for one that has no end."""
    parts: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        size += len(chunk)
        if size > MAX_ANSWER:
            raise Unreachable("The upstream instance's answer is too large.")
        parts.append(chunk)
    return b"".join(parts)
