"""Asks another Plane's API v1 for its records: page by page, at the rate that it allows, again where it fails."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, cast

import aiohttp
from yarl import URL

from airside.db.base import Row
from airside.errors import Refused, Unavailable
from airside.moving.progress import Progress
from airside.settings import Settings
from airside.webhooks.destinations import check_destination, guard_sockets, read_allowlist, read_destination

PAGE_SIZE = 100
MAX_ANSWER_BYTES = 64 * 1024 * 1024
MAX_PAGES = 100_000  # of one list
ATTEMPTS, MAX_WAIT_SECONDS = 8, 300.0
MAX_REDIRECTS = 3
CHUNK_BYTES = 256 * 1024
NOT_SERVED = (402, 403, 404, 405)  # a plan, a project that the key doesn't see, an API that doesn't have it

_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=20, sock_read=60)


class NotServed(Exception):
    """The source has no such list, or not for this key."""

    def __init__(self, status: int) -> None:
        super().__init__(f"not served by the source ({status})")


class SourceRefused(Refused):
    """The source doesn't know the key, or isn't a Plane."""

    code = "source_refused"


class SourceAway(Unavailable):
    """The source doesn't answer, or with errors, again and again. The import goes on when it is run again."""

    sentence = "The source doesn't answer. Run the same command again later; it goes on where it was."


class RemotePlane:
    """`async with RemotePlane(…) as source:`. The key is sent to the source's own origin alone."""

    def __init__(self, settings: Settings, url: str, api_key: str, progress: Progress) -> None:
        self.origin = read_destination(url).origin()
        self._base = str(read_destination(url)).rstrip("/").removesuffix("/api/v1") + "/api/v1/"
        self._key = api_key
        self._settings = settings
        self._progress = progress

    async def __aenter__(self) -> "RemotePlane":
        self._session = self._open(is_named=True)
        self._elsewhere = self._open(is_named=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        await self._elsewhere.close()

    def _open(self, *, is_named: bool) -> aiohttp.ClientSession:
        """`is_named`: for the host that the operator named, wherever it is; others must be public or allowed."""
        connector = aiohttp.TCPConnector(
            ssl=ssl.create_default_context(),
            socket_factory=guard_sockets(read_allowlist(self._settings), is_named=is_named),
        )
        jar = aiohttp.DummyCookieJar()
        return aiohttp.ClientSession(connector=connector, cookie_jar=jar, timeout=_TIMEOUT)

    async def get(self, path: str, **query: str) -> Any:
        """The JSON at a path below the API. Raises NotServed, SourceRefused and SourceAway."""
        async with await self._ask(path, query) as answer:
            body = bytearray()
            async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise SourceRefused(f"The source's answer to {path} is too large.")
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise SourceRefused(
                f"The source's answer to {path} isn't JSON. Is {self._base} a Plane?"
            ) from None

    async def list_pages(self, path: str, **query: str) -> AsyncIterator[list[Row]]:
        """The records of a list: an array, one object, or page after page."""
        cursor = ""
        for _ in range(MAX_PAGES):
            asked = {**query, "per_page": str(PAGE_SIZE), **({"cursor": cursor} if cursor else {})}
            answer = await self.get(path, **asked)
            yield _rows_of(answer)
            following = _next_cursor(answer)
            if following is None or following == cursor:
                return
            cursor = following

    async def download(self, path: str) -> AsyncIterator[bytes]:
        """A file behind its path's redirects; no other origin gets the key. Raises NotServed, Refused."""
        answer = await self._ask(path, {}, redirects=True)
        for _ in range(MAX_REDIRECTS):
            if answer.status not in (301, 302, 303, 307, 308):
                break
            target = read_destination(str(answer.url.join(_location(answer))))
            answer.release()
            session = self._session
            if target.origin() != self.origin:
                session = self._elsewhere
                await check_destination(self._settings, str(target))
            answer = await self._send(session, str(target), {}, headers={})
        async with answer:
            if answer.status != 200:
                raise NotServed(answer.status)
            async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
                yield chunk

    async def _ask(
        self, path: str, query: dict[str, str], *, redirects: bool = False
    ) -> aiohttp.ClientResponse:
        """An answer with 200, or for `redirects` also 302."""
        url = self._base + path.strip("/") + "/"
        answer = await self._send(self._session, url, query, headers={"X-Api-Key": self._key})
        if answer.status == 200 or (redirects and answer.status in (302, 303, 307)):
            return answer
        answer.release()
        if answer.status in NOT_SERVED:
            raise NotServed(answer.status)
        if answer.status == 401:
            raise SourceRefused("The source doesn't accept the API key.")
        raise SourceRefused(f"The source answers {path} with status {answer.status}.")

    async def _send(
        self, session: aiohttp.ClientSession, url: str, query: dict[str, str], *, headers: dict[str, str]
    ) -> aiohttp.ClientResponse:
        """Again after an outage, and when the source says so. Raises SourceAway."""
        for attempt in range(ATTEMPTS):
            wait, reason = min(2.0**attempt, 60.0), "the source doesn't answer"
            with suppress(aiohttp.ClientError, TimeoutError, OSError):
                answer = await session.get(url, params=query, headers=headers, allow_redirects=False)
                if answer.status != 429 and answer.status < 500:
                    return answer
                reason = f"the source answers {answer.status}"
                wait = _read_wait(answer, wait)
                answer.release()
            if attempt + 1 < ATTEMPTS:
                self._progress.wait(wait, reason)
                await asyncio.sleep(wait)
        raise SourceAway


def _read_wait(answer: aiohttp.ClientResponse, default: float) -> float:
    """`Retry-After` in seconds (RFC 9110 §10.2.3)."""
    text = answer.headers.get("Retry-After", "")
    return min(float(text), MAX_WAIT_SECONDS) if text.isdigit() else default


def _location(answer: aiohttp.ClientResponse) -> Any:
    try:
        return URL(answer.headers.get("Location", ""))
    except ValueError:
        raise Refused("The source redirects to what is no address.") from None


def _next_cursor(answer: Any) -> str | None:
    """Of a page that another follows."""
    page = cast(Row, answer) if isinstance(answer, dict) else Row()
    following = page.get("next_cursor")
    return (
        following
        if "results" in page and page.get("next_page_results") and isinstance(following, str)
        else None
    )


def _rows_of(answer: Any) -> list[Row]:
    found: Any = cast(Row, answer).get("results", [answer]) if isinstance(answer, dict) else answer
    if not isinstance(found, list):
        return []
    return [cast(Row, one) for one in cast(list[Any], found) if isinstance(one, dict)]
