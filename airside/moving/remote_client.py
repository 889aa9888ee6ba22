"""Asks another Plane's API v1 for its records: page by page, at the rate that it allows, again where it fails."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import aiohttp
from yarl import URL

from airside.db.base import Row
from airside.errors import Refused, Unavailable
from airside.moving.progress import Progress
from airside.moving.remote_rate import Busy, Pace
from airside.settings import Settings
from airside.system.private_files import as_private
from airside.webhooks.destinations import check_destination, guard_sockets, read_allowlist, read_destination

PAGE_SIZE = 100
MAX_ANSWER_BYTES = 64 * 1024 * 1024
MAX_PAGES = 100_000  # of one list
ATTEMPTS, MAX_ATTEMPT_WAIT_SECONDS = 8, 60.0
MAX_LIMITED = 240  # answers in a row that say the rate limit is used up, before the run ends
MAX_REDIRECTS = 3
CHUNK_BYTES = 256 * 1024
MAX_REASON_CHARACTERS = 120
STORAGE_AWAY, STORAGE_ATTEMPTS = (
    598,
    3,
)  # as a status: the host that the source redirects a file to doesn't answer
REDIRECTS = (301, 302, 303, 307, 308)
NO_SUCH_RECORD = (
    "The requested resource does not exist."  # of a Plane; of a missing route it says "Page not found."
)

T = TypeVar("T")
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=20, sock_read=60)


class NotServed(Exception):
    """The source doesn't give this, for the reason that its words say."""

    def __init__(self, status: int, words: str = "") -> None:
        super().__init__(_describe(status, words))
        self.status = status
        self.is_record = words == NO_SUCH_RECORD  # the path is known, what it names is gone


def _describe(status: int, words: str) -> str:
    if status == STORAGE_AWAY:
        return "the host that the source keeps its files on doesn't answer"
    reason = _REASONS.get(status, "the source refuses it" if status < 500 else "the source fails at it")
    return f"{reason} ({status}{': ' if words else ''}{words})"


_REASONS = {
    402: "the source's plan doesn't include it",
    403: "the API key may not read it",
    404: "not served by the source",
    405: "not served by the source",
}


class SourceRefused(Refused):
    """The source doesn't know the key, or isn't a Plane."""

    code = "source_refused"


class SourceAway(Unavailable):
    """The source doesn't answer, again and again. The import goes on when it is run again."""

    sentence = "The source doesn't answer. Run the same command again later; it goes on where it was."


class RemotePlane:
    """`async with RemotePlane(…) as source:`. The key is sent to the source's own origin alone."""

    def __init__(self, settings: Settings, url: str, api_key: str, progress: Progress) -> None:
        address = read_destination(url)
        self.origin = address.origin()
        self.base = str(address).rstrip("/").removesuffix("/api/v1").rstrip("/") + "/api/v1/"
        self._key = _check_key(api_key)
        self._settings = settings
        self.max_file_bytes = settings.upload_max_bytes
        self._progress = progress
        self._pace = Pace()

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

    async def check_key(self) -> None:
        """Raises SourceRefused for a key that the source doesn't accept, and for what isn't a Plane."""
        try:
            found = await self._attempt(lambda: self._get_once("users/me", {}))
        except NotServed as error:
            if error.status in (401, 403):
                raise SourceRefused("The source doesn't accept the API key.") from None
            if error.status >= 500:
                raise SourceAway from None
            raise SourceRefused(f"There is no Plane with API v1 at {self.base}: {error}.") from None
        if not isinstance(found, dict) or "id" not in found:
            raise SourceRefused(f"There is no Plane with API v1 at {self.base}.")

    async def get(self, path: str, **query: str) -> Any:
        """The JSON at a path below the API. Raises NotServed, SourceRefused and SourceAway."""
        return await self._ask(lambda: self._get_once(path, query))

    async def list_pages(self, path: str, **query: str) -> AsyncIterator[list[Row]]:
        """The records of a list: an array, one object, or page after page."""
        cursor = ""
        for _ in range(MAX_PAGES):
            asked = {"per_page": str(PAGE_SIZE), **query, **({"cursor": cursor} if cursor else {})}
            answer = await self.get(path, **asked)
            yield _rows_of(answer)
            following = _next_cursor(answer)
            if following is None or following == cursor:
                return
            cursor = following

    async def save(self, path: str, target: Path, max_bytes: int) -> None:
        """Write the file behind a path and its redirects. No other origin gets the key.

        Raises NotServed, and Refused for a larger file and a redirect to an address that isn't allowed."""
        await self._ask(lambda: self._save_once(self._request(path, {}), target, max_bytes))

    async def save_at(self, url: str, target: Path, max_bytes: int) -> None:
        """As `save`, of a URL that a record of the source shows."""
        place = read_destination(str(self.origin.join(_read_url(url))))
        await self._ask(lambda: self._save_once(self._follow(place), target, max_bytes))

    async def _ask(self, once: Callable[[], Awaitable[T]]) -> T:
        """What one path answers. A refusal of the key ends the run, as does an outage of the whole source."""
        try:
            return await self._attempt(once)
        except NotServed as error:
            if error.status in (401, 403) or error.status >= 500:
                await self.check_key()
            raise

    async def _attempt(self, once: Callable[[], Awaitable[T]]) -> T:
        """Again after an outage, and when the source says so. Raises NotServed and SourceAway."""
        failed, limited, most = 0, 0, ATTEMPTS
        while True:
            await self._wait(self._pace.seconds_left(), "the source's rate limit")
            try:
                return await once()
            except Busy as busy:
                limited, failed = (limited + 1, failed) if busy.is_limit else (limited, failed + 1)
                error: Exception = NotServed(busy.status) if busy.status >= 500 else SourceAway()
                wait, most = busy.wait, STORAGE_ATTEMPTS if busy.status == STORAGE_AWAY else ATTEMPTS
                reason = f"the source answers {busy.status}"
            except (aiohttp.ClientError, TimeoutError, OSError):
                failed, error, wait, reason = failed + 1, SourceAway(), None, "the source doesn't answer"
            if failed >= most or limited >= MAX_LIMITED:
                raise error
            given = min(2.0**failed / 2, MAX_ATTEMPT_WAIT_SECONDS)
            await self._wait(given if wait is None else wait, reason)

    async def _wait(self, seconds: float, reason: str) -> None:
        if seconds > 0:
            self._progress.wait(seconds, reason)
            await asyncio.sleep(seconds)

    async def _get_once(self, path: str, query: dict[str, str]) -> Any:
        async with await self._request(path, query) as answer:
            body = bytearray()
            async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise NotServed(answer.status, "the answer is too large")
        if answer.status != 200:
            raise NotServed(answer.status, _read_words(body))
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise NotServed(answer.status, "the answer isn't JSON") from None

    async def _save_once(
        self, request: Awaitable[aiohttp.ClientResponse], target: Path, max_bytes: int
    ) -> None:
        answer = await request
        for _ in range(MAX_REDIRECTS):
            if answer.status not in REDIRECTS:
                break
            place = read_destination(str(answer.url.join(_read_url(answer.headers.get("Location", "")))))
            answer.release()
            answer = await self._follow(place)
        async with answer:
            if answer.status != 200:
                raise NotServed(answer.status)
            await _write(answer, target, max_bytes)

    async def _follow(self, place: URL) -> aiohttp.ClientResponse:
        """A file is where the source says, with no key: on its own host, or at an address that is allowed."""
        session = self._session
        if place.host != self.origin.host:
            session = self._elsewhere
            await check_destination(self._settings, str(place))
        try:
            answer = await session.get(URL(str(place), encoded=True), allow_redirects=False)
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise Busy(STORAGE_AWAY, None) from None
        return self._pace.note(answer)

    async def _request(self, path: str, query: dict[str, str]) -> aiohttp.ClientResponse:
        url = self.base + path.strip("/") + "/"
        headers = {"X-Api-Key": self._key, "Accept": "application/json"}
        answer = await self._session.get(url, params=query, headers=headers, allow_redirects=False)
        return self._pace.note(answer)


async def _write(answer: aiohttp.ClientResponse, target: Path, max_bytes: int) -> None:
    size = 0
    with await asyncio.to_thread(open, target, "wb", opener=as_private) as file:
        async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
            size += len(chunk)
            if size > max_bytes:
                raise Refused(
                    f"Its file has more than the {max_bytes:,} bytes that AIRSIDE_UPLOAD_MAX_MB allows."
                )
            await asyncio.to_thread(file.write, chunk)


def _check_key(api_key: str) -> str:
    """Raises SourceRefused for what can't be sent in a header."""
    key = api_key.strip()
    if not key or not key.isascii() or not key.isprintable():
        raise SourceRefused("The API key has characters that no key has.")
    return key


def _read_url(text: str) -> URL:
    try:
        return URL(text, encoded=True)
    except ValueError:
        raise Refused("The source says that a file is at what is no address.") from None


def _read_words(body: bytes | bytearray) -> str:
    """What the source says of an error, on one line; empty if it says nothing."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(found, dict):
        return ""
    shown = cast(Row, found)
    words = next(
        (shown[name] for name in ("error", "detail", "message") if isinstance(shown.get(name), str)), ""
    )
    return "".join(one if one.isprintable() else " " for one in words)[:MAX_REASON_CHARACTERS]


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
