"""Connections to receivers: kept alive and reused while that is safe, and the effect of each kind of response."""

import asyncio
import gc
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import ResolveResult

from airside.settings import Settings
from airside.webhooks import connections
from airside.webhooks.connection import MAX_HEAD_BYTES
from airside.webhooks.send import CUT_OFF, NOT_HTTP, UNREACHABLE, ReceiverResponse, Sender
from tests.support.receivers import FakeResolver, open_raw_receiver

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSE = b"close"  # in place of an answer
SETTINGS = Settings(data=Path("unused"), webhook_allowed_hosts=["127.0.0.1", "hooks.example"])


class Scripted:
    """A receiver that responds to its requests in turn with exactly these bytes, and counts its connections."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.connections = 0
        self.requests: list[bytes] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?a=b%20c"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                answer = self.answers.pop(0) if self.answers else OK
                if answer != CLOSE:
                    writer.write(answer)
                if answer == CLOSE or b"Connection: close" in answer:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


@asynccontextmanager
async def scripted(*answers: bytes) -> AsyncGenerator[Scripted]:
    script = Scripted(*answers)
    server = await asyncio.start_server(script.handle, "127.0.0.1", 0)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        server.close()


async def post_all(script: Scripted, count: int) -> Sequence[ReceiverResponse]:
    async with Sender(SETTINGS) as sender:
        return [await sender.post(script.url, {"X-Plane-Event": "issue"}, b"{}") for _ in range(count)]


async def test_the_request_is_what_was_given_and_its_length() -> None:
    async with scripted() as script:
        await post_all(script, 1)
    head, _, body = script.requests[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST /hook?a=b%20c HTTP/1.1",
        f"Host: 127.0.0.1:{script.port}".encode(),
        b"X-Plane-Event: issue",
        b"Content-Length: 2",
    ]
    assert body == b"{}"


async def test_a_connection_is_used_again() -> None:
    async with scripted() as script:
        answers = await post_all(script, 3)
    assert [answer.body for answer in answers] == ["ok"] * 3
    assert script.connections == 1
    assert "connect" in answers[0].timings
    assert set(answers[1].timings) == {"first_byte"}


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + b"HTTP/1.1 500 Poison\r\nContent-Length: 0\r\n\r\n",
        OK + b"more",
    ],
    ids=["close", "http_1_0", "second_answer", "more_than_its_length"],
)
async def test_a_connection_that_may_not_be_used_again_is_not(answer: bytes) -> None:
    async with scripted(answer) as script:
        answers = await post_all(script, 2)
    assert [(one.status, one.body) for one in answers] == [(200, "ok")] * 2
    assert script.connections == 2


async def test_a_kept_connection_serves_the_endpoint_that_it_was_made_for_and_no_other() -> None:
    async with scripted() as script, Sender(SETTINGS) as sender:
        for endpoint in ("one", "other", "one", "other"):
            await sender.post(script.url, {}, b"{}", endpoint_id=endpoint)
    assert script.connections == 2


async def test_a_late_second_answer_speaks_for_no_other_endpoint_of_the_host() -> None:
    """It is sent when the next request arrives, so that the idle socket has received nothing before."""
    poison = b"HTTP/1.1 500 Poison\r\nContent-Length: 0\r\n\r\n"
    async with scripted() as script, Sender(SETTINGS) as sender:
        for endpoint in ("poisoner", "other"):
            script.answers = [OK, poison + OK] if endpoint == "poisoner" else []
            first = await sender.post(script.url, {}, b"{}", endpoint_id=endpoint)
            second = await sender.post(script.url, {}, b"{}", endpoint_id=endpoint)
            assert first.status == 200
            assert second.status == (500 if endpoint == "poisoner" else 200)


async def test_what_is_said_unasked_between_two_requests_ends_the_connection() -> None:
    async with scripted() as script, Sender(SETTINGS) as sender:
        await sender.post(script.url, {}, b"{}")
        (kept,) = next(iter(sender._connections._idle.values()))  # pyright: ignore[reportPrivateUsage]
        kept.data_received(b"HTTP/1.1 500 Poison\r\nContent-Length: 0\r\n\r\n")
        assert (await sender.post(script.url, {}, b"{}")).status == 200
    assert script.connections == 2


async def test_a_kept_connection_that_was_closed_meanwhile_costs_no_attempt() -> None:
    """The receiver closes while the second request is in flight: it is sent again over a new connection."""
    async with scripted(OK, CLOSE) as script:
        answers = await post_all(script, 2)
    assert [answer.status for answer in answers] == [200, 200]
    assert script.connections == 2
    assert script.requests[1] == script.requests[2]


async def test_a_new_connection_that_is_closed_is_an_attempt_that_failed() -> None:
    async with scripted(CLOSE) as script:
        (answer,) = await post_all(script, 1)
    assert (answer.status, answer.error) == (None, CUT_OFF)
    assert len(script.requests) == 1


async def test_a_kept_connection_that_ends_within_an_answer_is_an_attempt_that_failed() -> None:
    async with scripted(OK, b"HTTP/1.1 200 OK\r\nConnection: close\r\n") as script:
        answers = await post_all(script, 2)
    assert answers[1].error == CUT_OFF
    assert len(script.requests) == 2


async def test_a_connection_is_not_kept_for_longer_than_servers_keep_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "KEEP_ALIVE_SECONDS", 0.05)
    async with scripted() as script, Sender(SETTINGS) as sender:
        await sender.post(script.url, {}, b"{}")
        await asyncio.sleep(0.2)
        assert not sender._connections._idle  # pyright: ignore[reportPrivateUsage]
        await sender.post(script.url, {}, b"{}")
    assert script.connections == 2


@pytest.mark.parametrize(
    ("said", "status", "body"),
    [
        (b"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n" + OK, 200, "ok"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, 200, "ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nX-Late: 1\r\n\r\n", 200, "ok"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end", 200, "to the end"),
        (b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n\0\0", 101, ""),
    ],
    ids=["continue", "early_hints", "no_content", "chunked", "until_it_closes", "upgrade"],
)  # fmt: skip
async def test_every_form_of_an_answer_is_read(said: bytes, status: int, body: str) -> None:
    async with scripted(said) as script:
        answer, after = await post_all(script, 2)
    assert (answer.status, answer.body) == (status, body)
    assert not [name for name, _ in answer.headers if name in ("X-Early", "Link", "X-Late")]
    assert after.status == 200
    assert script.connections == (2 if status == 101 or body == "to the end" else 1)


LENIENT = {
    "a long header": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 9_000 + b"\r\nContent-Length: 2\r\n\r\nok",
    "a header longer than a head": b"HTTP/1.1 200 OK\r\nX: "
    + b"y" * 300_000
    + b"\r\nContent-Length: 2\r\n\r\nok",
    "a folded header": b"HTTP/1.1 200 OK\r\nX-Folded: one\r\n\ttwo\r\nContent-Length: 2\r\n\r\nok",
    "line feeds": b"HTTP/1.1 200 OK\nX: y\nContent-Length: 2\n\nok",
    "line feeds after an interim answer": b"HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "one length twice": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "a length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
    "hundreds of headers": b"HTTP/1.1 200 OK\r\n" + b"a:\r\n" * 300 + b"Content-Length: 0\r\n\r\nok",
    "a blank in a header's name": b"HTTP/1.1 200 OK\r\nX Y: z\r\nContent-Length: 2\r\n\r\nok",
    "no reason": b"HTTP/1.1 200\nContent-Length: 2\n\nok",
}


@pytest.mark.parametrize("said", LENIENT.values(), ids=LENIENT.keys())
async def test_the_status_line_decides_and_the_connection_is_closed(said: bytes) -> None:
    async with scripted(said) as script:
        answer, after = await post_all(script, 2)
    assert (answer.status, answer.error, after.status) == (200, None, 200)
    assert answer.body == "ok" or len(said) > 200_000  # which isn't read to its end
    assert script.connections == 2


@pytest.mark.parametrize("said", LENIENT.values(), ids=LENIENT.keys())
async def test_a_status_that_refuses_decides_as_well(said: bytes) -> None:
    async with scripted(said.replace(b"200", b"503")) as script:
        (answer,) = await post_all(script, 1)
    assert answer.status == 503


async def test_what_a_malformed_answer_says_of_the_next_attempt_is_read_although_it_comes_late() -> None:
    async def dawdle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in (
            b"HTTP/1.1 429 Slow\nX-Folded: a\n",
            b" b\nRetry-Af",
            b"ter: 120\nX-Bell: \x07\n\nlater",
        ):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.02)

    async with open_raw_receiver(dawdle) as url, Sender(SETTINGS) as sender:
        answer = await sender.post(url, {}, b"{}")
    assert (answer.status, answer.retry_after, answer.body) == (429, "120", "later")
    assert answer.headers == [("X-Folded", "a b"), ("Retry-After", "120")]


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 000 None\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 20 OK\n\nok",
        b"200 OK\n\nok",
        b"<html>HTTP/1.1 200 OK\r\n\r\n",
    ],
    ids=["status_0", "status_999", "four_digits", "two_digits", "no_version", "no_first_line"],
)
async def test_without_a_status_line_there_is_no_answer(said: bytes) -> None:
    async with scripted(said) as script:
        (answer,) = await post_all(script, 1)
    assert (answer.status, answer.error) == (None, NOT_HTTP)


async def test_interim_answers_without_end_are_no_answer() -> None:
    interim = b"HTTP/1.1 100 Continue\r\nX: " + b"y" * 8_000 + b"\r\n\r\n"
    async with scripted(interim * 150) as script:
        (answer,) = await post_all(script, 1)
    assert (answer.status, answer.error) == (None, NOT_HTTP)


async def test_trailers_are_neither_headers_nor_read_without_end() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
    async with scripted(head + b"Retry-After: 999\r\n" * 200_000) as script:
        (answer,) = await post_all(script, 1)
    assert (answer.status, answer.body, answer.retry_after) == (200, "ok", "")
    assert [name for name, _ in answer.headers] == ["Transfer-Encoding"]


async def test_an_extension_of_a_chunk_is_not_read_without_end() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x="
    async with scripted(head + b"y" * 2_000_000) as script:
        (answer,) = await post_all(script, 1)
    assert (answer.status, answer.body) == (200, "")


async def test_after_a_long_request_its_connection_serves_no_other() -> None:
    """A receiver that responded before it read everything may take the rest of the body for a request."""
    async with scripted() as script, Sender(SETTINGS) as sender:
        await sender.post(script.url, {}, b"x" * 200_000)
        await sender.post(script.url, {}, b"{}")
    assert script.connections == 2


async def test_what_was_said_while_nobody_read_answers_nothing() -> None:
    """The forged response is in the socket's buffer, unread by the event loop, when the next request is sent."""
    async with scripted() as script, Sender(SETTINGS) as sender:
        await sender.post(script.url, {}, b"{}")
        script.writers[0].write(b"HTTP/1.1 201 Poison\r\nContent-Length: 0\r\n\r\n")
        time.sleep(0.05)
        assert (await sender.post(script.url, {}, b"{}")).status == 200
    assert script.connections == 2


@pytest.mark.parametrize("broken", [RuntimeError("odd"), UnicodeError("no name"), OSError("unknown")])
async def test_a_post_never_raises_and_a_refusal_has_only_its_sentence(broken: Exception) -> None:
    async def resolve(host: str) -> list[str]:
        raise broken

    async with Sender(SETTINGS, resolve=resolve) as sender:
        answer = await sender.post("http://hooks.example/", {}, b"{}")
    assert (answer.status, answer.error, answer.timings) == (None, UNREACHABLE, {})


async def test_a_refused_address_has_no_timings() -> None:
    async with Sender(SETTINGS, resolve=FakeResolver("10.1.2.3")) as sender:
        answer = await sender.post("http://public.example/", {}, b"{}")
    assert (answer.error, answer.timings) == (UNREACHABLE, {})


async def test_a_name_that_fails_when_nobody_waits_any_more_is_forgotten_quietly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "CONNECT_SECONDS", 0.05)
    skipped: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: skipped.append(context))

    async def resolve(host: str) -> list[str]:
        await asyncio.sleep(0.1)
        raise OSError("SERVFAIL")

    async with Sender(SETTINGS, resolve=resolve) as sender:
        assert (await sender.post("http://hooks.example/", {}, b"{}")).error == UNREACHABLE
        await asyncio.sleep(0.15)
    gc.collect()
    assert skipped == []


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "a\nb", "a\rb", "a\0b"])
async def test_a_header_that_would_be_two_is_never_sent(value: str) -> None:
    async with scripted() as script, Sender(SETTINGS) as sender:
        answer = await sender.post(script.url, {"X-Plane-Event": value}, b"{}")
    assert answer.status is None
    assert script.requests == []


async def test_many_at_once_ask_for_a_name_once() -> None:
    resolver = CountingResolver("127.0.0.1")
    async with scripted() as script, Sender(SETTINGS, resolve=resolver) as sender:
        url = f"http://hooks.example:{script.port}/"
        answers = await asyncio.gather(*(sender.post(url, {}, b"{}") for _ in range(10)))
    assert {answer.status for answer in answers} == {200}
    assert resolver.asked == 1


async def test_a_name_that_was_unknown_is_asked_for_again() -> None:
    resolver = CountingResolver("127.0.0.1", failures=1)
    async with scripted() as script, Sender(SETTINGS, resolve=resolver) as sender:
        url = f"http://hooks.example:{script.port}/"
        assert [(await sender.post(url, {}, b"{}")).status for _ in range(2)] == [None, 200]


class CountingResolver(FakeResolver):
    """Counts the lookups, and fails the first few."""

    def __init__(self, *addresses: str, failures: int = 0) -> None:
        super().__init__(*addresses)
        self.asked = 0
        self.failures = failures

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        self.asked += 1
        await asyncio.sleep(0.01)
        if self.asked <= self.failures:
            raise OSError("unknown host")
        return await super().resolve(host, port, family)


async def test_a_head_without_end_is_cut_at_its_bound_and_the_status_counts() -> None:
    async with scripted(b"HTTP/1.1 200 OK\r\nX-Endless: " + b"x" * MAX_HEAD_BYTES) as script:
        async with asyncio.timeout(5):
            [answer] = await post_all(script, 1)
    assert answer.status == 200


async def test_kept_connections_are_closed_with_their_sender() -> None:
    sender = Sender(SETTINGS)
    async with scripted() as script:
        async with sender:
            await sender.post(script.url, {}, b"{}")
        async with asyncio.timeout(connections.KEEP_ALIVE_SECONDS / 2):
            await script.writers[0].wait_closed()


async def test_a_connection_that_may_not_be_used_again_is_closed_at_once() -> None:
    answer = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"
    async with scripted(answer) as script, Sender(SETTINGS) as sender:
        await sender.post(script.url, {}, b"{}")
        async with asyncio.timeout(connections.KEEP_ALIVE_SECONDS / 2):
            await script.writers[0].wait_closed()
