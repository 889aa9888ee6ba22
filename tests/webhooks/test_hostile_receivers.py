"""Receivers with slow, huge or malformed responses: an attempt stays within its limits and reports the cause."""

import asyncio
import datetime
import ipaddress
import resource
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from airside.settings import Settings
from airside.webhooks import send
from airside.webhooks.send import (
    CUT_OFF,
    MAX_ANSWER_BYTES,
    NO_ANSWER,
    NO_TLS,
    NOT_HTTP,
    UNREACHABLE,
    ReceiverResponse,
    Sender,
)
from tests.support.hostile_receivers import (
    drip_body,
    drip_head,
    flood,
    inject_headers,
    never_answer,
    reset,
    reset_in_body,
    say,
    send_bomb,
    send_many_headers,
    send_odd_text,
)
from tests.support.receivers import FakeResolver, Misbehave, Receiver, open_raw_receiver


@pytest.fixture
async def sender(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sender]:
    monkeypatch.setattr(send, "TOTAL_SECONDS", 0.5)
    async with Sender(Settings(data=Path("unused"), webhook_allowed_hosts=["127.0.0.1"])) as opened:
        yield opened


async def post(sender: Sender, misbehave: Misbehave) -> ReceiverResponse:
    async with open_raw_receiver(misbehave) as url:
        return await sender.post(url, {"X-Plane-Event": "issue"}, b"{}")


def test_an_attempt_may_take_ten_seconds() -> None:
    assert send.TOTAL_SECONDS == 10


async def test_a_head_that_drips_runs_into_the_deadline(sender: Sender) -> None:
    started = time.perf_counter()
    answer = await post(sender, drip_head)
    assert (answer.status, answer.error) == (None, NO_ANSWER)
    assert time.perf_counter() - started < 1.5


async def test_silence_runs_into_the_deadline(sender: Sender) -> None:
    assert (await post(sender, never_answer)).error == NO_ANSWER


async def test_a_body_that_drips_is_cut_at_the_deadline_and_the_status_counts(sender: Sender) -> None:
    started = time.perf_counter()
    answer = await post(sender, drip_body)
    assert answer.status == 200
    assert set(answer.body) == {"x"}
    assert time.perf_counter() - started < 1.5


async def test_a_huge_answer_is_read_up_to_the_cap(sender: Sender) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = await post(sender, flood)
    assert (answer.status, len(answer.body)) == (200, MAX_ANSWER_BYTES)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000, "kilobytes"


async def test_a_gzip_bomb_is_never_inflated(sender: Sender) -> None:
    await post(sender, send_bomb)  # which makes it
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = await post(sender, send_bomb)
    assert answer.status == 200
    assert len(answer.body.encode()) <= 3 * MAX_ANSWER_BYTES
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000, "kilobytes"


async def test_of_many_headers_sixty_four_are_kept(sender: Sender) -> None:
    answer = await post(sender, send_many_headers)
    assert (answer.status, len(answer.headers)) == (200, 64)
    assert max(len(value) for _, value in answer.headers) == 1024


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"", CUT_OFF),
        (b"HTTP/1.1 200 O", CUT_OFF),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", NOT_HTTP),
        (b"\x00\xff\xfe\r\n\r\n", NOT_HTTP),
    ],
)
async def test_bytes_that_are_no_response_are_reported_as_such(
    sender: Sender, said: bytes, error: str
) -> None:
    answer = await post(sender, say(said))
    assert (answer.status, answer.error) == (None, error)


async def test_a_reset_is_reported_as_cut_off(sender: Sender) -> None:
    assert (await post(sender, reset)).error == CUT_OFF


async def test_a_reset_in_the_body_leaves_the_status_and_what_came(sender: Sender) -> None:
    answer = await post(sender, reset_in_body)
    assert (answer.status, answer.body, answer.error) == (200, "half", None)


async def test_control_characters_of_an_answer_are_kept_harmless(sender: Sender) -> None:
    answer = await post(sender, send_odd_text)
    assert answer.body == "a\ufffd\ufffdb"
    assert "\0" not in repr(answer)
    repr(answer).encode()


async def test_headers_that_hide_another_answer_are_left_out(sender: Sender) -> None:
    answer = await post(sender, inject_headers)
    assert (answer.status, answer.headers) == (200, [("Content-Length", "0")])


async def test_no_cookie_is_kept_for_the_next_attempt(sender: Sender, receiver: Receiver) -> None:
    receiver.answers = [web.Response(headers={"Set-Cookie": "a=b"})]
    for _ in range(2):
        await sender.post(receiver.url, {}, b"{}")
    assert "Cookie" not in receiver.received[1].headers


async def test_a_closed_port_is_unreachable(sender: Sender) -> None:
    assert (await sender.post("http://127.0.0.1:1/", {}, b"{}")).error == UNREACHABLE


async def test_a_certificate_nobody_vouches_for_is_refused(sender: Sender, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*_self_signed(tmp_path))
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    assert (await sender.post(f"https://127.0.0.1:{port}/", {}, b"{}")).error == NO_TLS
    server.close()


async def test_tls_asks_for_the_name_though_the_address_is_pinned(tmp_path: Path) -> None:
    context, asked = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), []
    context.load_cert_chain(*_self_signed(tmp_path))
    context.sni_callback = lambda _, name, __: asked.append(name)
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    settings = Settings(data=tmp_path, webhook_allowed_hosts=["hooks.example"])
    async with Sender(settings, resolve=FakeResolver("127.0.0.1")) as sender:
        assert (await sender.post(f"https://hooks.example:{port}/", {}, b"{}")).error == NO_TLS
    server.close()
    assert asked == ["hooks.example"]


def _self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths


async def test_a_header_with_a_line_break_is_not_sent_and_says_so(sender: Sender, receiver: Receiver) -> None:
    answer = await sender.post(receiver.url, {"X-Plane-Event": "issue\r\nX-Other: 1"}, b"{}")
    assert (answer.status, bool(answer.error)) == (None, True)
    assert answer.detail.startswith("ValueError")
    assert receiver.received == []
