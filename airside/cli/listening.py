"""One run of `airside listen`: receive deliveries from the stream, post them to the local server, report responses.

Every received delivery is either reported or sent again by the site, whatever fails in between: a report that can't
be sent now is kept, and sent before the stream is reopened.
"""

import asyncio
import base64
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, NamedTuple, cast

import aiohttp
import typer

from airside.cli.console import Unusable, print_json
from airside.cli.credentials_file import Credentials
from airside.cli.login import describe, get_credentials, refresh
from airside.db.base import new_id
from airside.settings import Settings
from airside.webhooks.destinations import read_destination
from airside.webhooks.send import ReceiverResponse, Sender

RECEIVE_TIMEOUT_SECONDS = 30.0  # without a heartbeat, which the site sends every ten
HEARTBEAT_SECONDS = 15.0  # between two of our own heartbeats
REQUEST_SECONDS = 30.0
BATCH = 50  # reports in one request
TOKEN_RETRIES = 2  # after a 401: with the token that another command stored, and with a refreshed one
WAITS = (0.2, 0.5, 1.0, 2.0, 5.0)  # before retries
SHUTDOWN_SECONDS = 0.7  # for the last reports when the command is stopped
FINAL_ENDS = {"taken_over", "ended"}  # reasons after which the stream isn't reopened

_AWAY = (aiohttp.ClientError, OSError, TimeoutError)


class Choices(NamedTuple):
    """The command's options."""

    url: str
    client_id: str
    forward_to: str
    name: str
    events: list[str] | None
    from_now: bool
    skip_verify: bool


class Away(Exception):
    """The site is unreachable or answers 5xx or 429; the request is retried."""


class Reporter:
    """One line for each thing that happens: for people, or with --json for scripts."""

    def __init__(self, *, as_json: bool, with_body: bool) -> None:
        self._as_json = as_json
        self._with_body = with_body

    def report(self, sentence: str, **facts: Any) -> None:
        """Print the connection's state; without --json on stderr, so that stdout has deliveries only."""
        if self._as_json:
            print_json(facts)
            sys.stdout.flush()
        else:
            typer.echo(sentence, err=True)

    def report_delivery(self, handed: dict[str, Any], body: bytes, answer: ReceiverResponse) -> None:
        if self._as_json:
            names = ("event", "event_id", "delivery_id", "attempt_id", "workspace_id", "attempt")
            facts: dict[str, Any] = {name: handed[name] for name in names}
            facts |= {"status": answer.status, "error": answer.error, "duration_ms": answer.duration_ms}
            print_json(facts | ({"body": body.decode()} if self._with_body else {}))
        else:
            again = f"  attempt {handed['attempt']}" if handed["attempt"] > 1 else ""
            outcome = answer.status if answer.status is not None else answer.error
            typer.echo(
                f"{time.strftime('%H:%M:%S')}  {handed['event']}  {outcome}  {answer.duration_ms} ms"
                f"  {handed['event_id']}{again}"
            )
            if self._with_body:
                typer.echo(_indented(body))
        sys.stdout.flush()


class Site:
    """A client of the site's API as the signed-in person; an expired token is refreshed."""

    def __init__(self, url: str, api_key: str) -> None:
        self._url = url
        self._api_key = api_key
        self._kept = {} if api_key else get_credentials(url)
        self._renewing = asyncio.Lock()

    async def __aenter__(self) -> "Site":
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS), headers={"User-Agent": "airside listen"}
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The response's JSON. Raises Unusable for a permanent error, Away for one worth retrying."""
        try:
            async with await self._send(method, path, json=body) as answer:
                return await _read(answer)
        except _AWAY as error:
            raise Away(str(error) or type(error).__name__) from None

    async def follow(self, path: str) -> AsyncIterator[tuple[str, Any]]:
        """The events of a stream until it ends. Raises as `ask` does."""
        quiet = aiohttp.ClientTimeout(
            total=None, sock_connect=REQUEST_SECONDS, sock_read=RECEIVE_TIMEOUT_SECONDS
        )
        try:
            async with await self._send("GET", path, timeout=quiet) as answer:
                if answer.status != 200:
                    await _read(answer)
                async for event in _read_events(answer.content):
                    yield event
        except _AWAY as error:
            raise Away(str(error) or type(error).__name__) from None

    async def _send(self, method: str, path: str, **kw: Any) -> aiohttp.ClientResponse:
        for _ in range(TOKEN_RETRIES):
            used = self._kept
            answer = await self._request(method, path, **kw)
            if answer.status != 401 or self._api_key:
                return answer
            answer.release()
            await self._renew(used)
        return await self._request(method, path, **kw)

    async def _renew(self, used: Credentials) -> None:
        """Replace an expired token: by the one that another task or command stored, else by refreshing.

        A refresh token must not be used twice, or the site revokes all of its tokens (RFC 9700 §4.14.2)."""
        async with self._renewing:
            if self._kept is used:
                kept = await asyncio.to_thread(get_credentials, self._url)
                self._kept = await asyncio.to_thread(refresh, self._url, kept) if kept == used else kept

    async def _request(self, method: str, path: str, **kw: Any) -> aiohttp.ClientResponse:
        headers = (
            {"X-API-Key": self._api_key}
            if self._api_key
            else {"Authorization": f"Bearer {self._kept['access_token']}"}
        )
        return await self._session.request(
            method, f"{self._url}/api/v1/{path}", headers=headers, allow_redirects=False, **kw
        )


class Run:
    """The listener, from its first request to Ctrl-C."""

    def __init__(self, choices: Choices, api_key: str, reporter: Reporter) -> None:
        self._choices = choices
        self._reporter = reporter
        self._site = Site(choices.url, api_key)
        self._session = new_id()
        # Unsent reports by attempt id, until the site accepted them; and their responses by _key_of.
        self._unsent: dict[str, tuple[str, dict[str, Any]]] = {}
        self._responses: dict[str, ReceiverResponse] = {}
        self._in_flight: dict[str, list[str]] = {}  # attempt ids that wait for one response
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_unsent = asyncio.Event()
        self._is_away = False
        self._here = ""  # path below /api/v1, once the listener is open

    async def end(self) -> dict[str, Any]:
        """End the listener of this name, if there is one."""
        async with self._site:
            base = await self._find_app()
            found = (await self._ask("GET", f"{base}/listeners"))["results"]
            ended = [one for one in found if one["name"] == self._choices.name]
            for one in ended:
                await self._ask("DELETE", f"{base}/listeners/{one['id']}")
        return {"name": self._choices.name, "ended": bool(ended)}

    async def go_on(self) -> None:
        """Listen until the command is stopped. Raises Unusable for permanent errors."""
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        settings = Settings(webhook_allowed_hosts=[_host_of(self._choices.forward_to)])  # pyright: ignore[reportCallIssue]
        sender = Sender(settings, verify_tls=not self._choices.skip_verify)
        async with self._site, sender as self._sender:
            working = asyncio.create_task(self._work())
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if working.done():
                working.result()
            working.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(working, *self._tasks, return_exceptions=True)
            with suppress(Unusable, Away, TimeoutError):
                async with asyncio.timeout(SHUTDOWN_SECONDS):
                    await self._leave()

    async def _work(self) -> None:
        base = await self._find_app()
        self._here = await self._open(base)
        both = [asyncio.create_task(self._follow()), asyncio.create_task(self._send_reports())]
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in both:
                task.cancel()

    async def _find_app(self) -> str:
        found = await self._ask("GET", f"applications/{self._choices.client_id}")
        self._app = found
        return f"workspaces/{found['workspace']}/applications/{self._choices.client_id}"

    async def _open(self, base: str) -> str:
        choices = self._choices
        body = {
            "name": choices.name,
            "forward_to": choices.forward_to,
            "session": self._session,
            "events": choices.events,
            "from_now": choices.from_now,
        }
        opened = await self._ask("POST", f"{base}/listeners", body)
        waiting, where = opened["waiting"], opened["installations"]
        places = "no workspace yet" if not where else f"{where} workspace{'' if where == 1 else 's'}"
        earlier = opened["earlier_secret_last_four"]
        beside = f", X-Plane-Signature still with the one before it, plane_wh_…{earlier}" if earlier else ""
        self._reporter.report(
            f"{self._app['name']} listens on {choices.name}, to {places}; {waiting} waiting.\n"
            f"Signed with the webhook secret plane_wh_…{opened['secret_last_four']}{beside}, "
            f"posted to {choices.forward_to}. Ctrl-C stops.",
            listening=True,
            listener_id=opened["id"],
            app=self._app["name"],
            name=choices.name,
            installations=where,
            waiting=waiting,
            secret_last_four=opened["secret_last_four"],
            earlier_secret_last_four=earlier,
            forward_to=choices.forward_to,
        )
        return f"{base}/listeners/{opened['id']}"

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """For requests at the start: an unreachable site is an error, without retries."""
        try:
            return await self._site.ask(method, path, body)
        except Away as error:
            raise Unusable(f"can't reach {self._choices.url}: {error}") from None

    # Receiving deliveries.

    async def _follow(self) -> None:
        tries = 0
        while True:
            try:
                await self._send_all_reports()  # first, so that the site doesn't send their deliveries again
                async for name, data in self._site.follow(f"{self._here}/stream?session={self._session}"):
                    self._report_recovery()
                    tries = 0
                    self._take(name, data)
                await asyncio.sleep(WAITS[0])
            except Away as error:
                self._report_outage(str(error))
                await asyncio.sleep(WAITS[min(tries, len(WAITS) - 1)])
                tries += 1

    def _take(self, name: str, data: Any) -> None:
        if name == "delivery":
            key = _key_of(data)
            waiting = self._in_flight.get(key)
            if waiting is not None:  # sent again while it is being posted: one response serves both
                waiting.append(data["attempt_id"])
                return
            if (known := self._responses.get(key)) is not None:
                self._queue_report(data["attempt_id"], key, known)
                return
            self._in_flight[key] = [data["attempt_id"]]
            task = asyncio.create_task(self._forward(data))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif name == "end" and data.get("reason") in FINAL_ENDS:
            raise Unusable(_ENDS[data["reason"]])

    async def _forward(self, handed: dict[str, Any]) -> None:
        body = base64.b64decode(handed["body"])
        try:
            answer = await self._sender.post(self._choices.forward_to, handed["headers"], body)
        finally:
            attempts = self._in_flight.pop(_key_of(handed))
        self._reporter.report_delivery(handed, body, answer)
        for attempt_id in attempts:
            self._queue_report(attempt_id, _key_of(handed), answer)

    # Reporting responses.

    def _queue_report(self, attempt_id: str, key: str, answer: ReceiverResponse) -> None:
        self._responses[key] = answer
        self._unsent[attempt_id] = (
            key,
            {
                "attempt_id": attempt_id,
                "status": answer.status,
                "headers": answer.headers,
                "body": answer.body,
                "error": answer.error or "",
                "duration_ms": answer.duration_ms,
                "timings": answer.timings,
            },
        )
        self._has_unsent.set()

    async def _send_reports(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self._has_unsent.wait()
            self._has_unsent.clear()
            try:
                await self._send_all_reports(heartbeat=True)
            except Away as error:
                self._report_outage(str(error))
                await asyncio.sleep(WAITS[1])
                if self._unsent:
                    self._has_unsent.set()

    async def _send_all_reports(self, *, heartbeat: bool = False) -> None:
        while self._unsent or heartbeat:
            heartbeat = False
            batch = list(self._unsent.items())[:BATCH]
            answers = [report for _, (_, report) in batch]
            await self._site.ask("POST", f"{self._here}/answers", {"answers": answers})
            for attempt_id, (key, _) in batch:
                if self._unsent.pop(attempt_id, None) is not None:
                    self._responses.pop(key, None)

    async def _leave(self) -> None:
        if self._here:
            answers = [report for _, report in self._unsent.values()][:BATCH]
            await self._site.ask("POST", f"{self._here}/answers", {"answers": answers, "leaving": True})

    def _report_outage(self, reason: str) -> None:
        if not self._is_away:
            self._is_away = True
            self._reporter.report(f"The connection is lost ({reason}); trying again.", connected=False)

    def _report_recovery(self) -> None:
        if self._is_away:
            self._is_away = False
            self._reporter.report("Connected again.", connected=True)


_ENDS = {
    "taken_over": "another `airside listen` of yours has taken over on this computer; give each its own --name",
    "ended": "this computer's listening was ended",
}


async def _read(answer: aiohttp.ClientResponse) -> Any:
    raw = await answer.read()
    if answer.status >= 500 or answer.status == 429:
        raise Away(f"it answers {answer.status}")
    try:
        found = json.loads(raw) if raw else None
    except ValueError:
        raise Unusable(f"{answer.url.origin()} is not the address of an Airside site") from None
    if answer.status >= 400:
        raise Unusable(_sentence_in(found, answer.status, str(answer.url.origin())))
    return found


def _sentence_in(found: Any, status: int, url: str) -> str:
    if status == 404:
        return "there is no such app, or it isn't yours to manage in the workspace that you signed in to"
    if status == 401:
        return f"not signed in; run `airside login --base-url {url}`, or set AIRSIDE_API_KEY"
    if isinstance(found, dict):
        fields = cast(dict[str, Any], found)
        for value in fields.values():
            first = cast(list[Any], value)[0] if value and isinstance(value, list) else None
            if isinstance(first, str):
                return first
        return describe(fields)
    return f"the site answers {status}"


async def _read_events(content: aiohttp.StreamReader) -> AsyncIterator[tuple[str, Any]]:
    """Server-sent events (WHATWG HTML §9.2) as far as the site uses them; a comment yields ("", None)."""
    name, buffer = "", b""
    async for chunk in content.iter_any():
        buffer += chunk
        while (end := buffer.find(b"\n")) >= 0:
            line, buffer = buffer[:end].rstrip(b"\r"), buffer[end + 1 :]
            if line.startswith(b":"):
                yield "", None
            elif line.startswith(b"event: "):
                name = line[7:].decode()
            elif line.startswith(b"data: "):
                yield name, json.loads(line[6:])


def _host_of(url: str) -> str:
    """Raises Unusable for an invalid destination."""
    from airside.errors import Refused

    try:
        return read_destination(url).raw_host or ""
    except Refused:
        raise Unusable(f"can't post to {url}; use an address such as http://127.0.0.1:9000/hook") from None


def _key_of(handed: dict[str, Any]) -> str:
    """Equal when the site sends an attempt again because no report came; different for a retry."""
    return f"{handed['delivery_id']} {handed['attempt']}"


def _indented(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body.decode("utf-8", "replace")
