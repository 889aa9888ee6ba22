"""The outbound guard: no spelling, name or range leads to a private address unless the operator allows it."""

import socket
from pathlib import Path

import pytest
from yarl import URL

from airside.errors import Refused
from airside.settings import Settings
from airside.webhooks.destinations import (
    REFUSAL,
    check_destination,
    read_allowlist,
    read_destination,
)
from airside.webhooks.names import Resolve, resolve_host
from airside.webhooks.send import UNREACHABLE, ReceiverResponse, Sender
from tests.support.receivers import FakeResolver, Receiver

NAMES = {
    "public.example": ["93.184.215.14"],
    "public6.example": ["2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
    "private.example": ["10.1.2.3"],
    "both.example": ["10.1.2.3", "93.184.215.14"],
    "metadata.example": ["169.254.169.254"],
    "xn--bcher-kva.example": ["93.184.215.14"],
    "localhost": ["127.0.0.1", "::1"],
}

REFUSED = [
    "http://127.0.0.1/", "http://127.255.255.254/", "http://localhost/", "http://LOCALHOST:8080/", "http://localhost./",
    "http://10.0.0.1/", "http://172.16.0.1/", "http://172.31.255.255/", "http://192.168.1.1/",
    "http://169.254.1.1/", "http://169.254.169.254/latest/meta-data/", "http://169.254.170.2/", "http://168.63.129.16/",
    "http://100.64.0.1/", "http://100.127.255.254/", "http://100.100.100.200/",
    "http://0.0.0.0/", "http://0.1.2.3/", "http://192.0.0.1/", "http://192.0.2.1/", "http://198.18.0.1/",
    "http://198.19.255.255/", "http://198.51.100.1/", "http://203.0.113.1/", "http://192.88.99.1/",
    "http://224.0.0.1/", "http://239.255.255.255/", "http://240.0.0.1/", "http://255.255.255.255/",
    "http://[::]/", "http://[::1]/", "http://[fc00::1]/", "http://[fd12:3456::1]/", "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/", "http://[ff02::1]/", "http://[fec0::1]/", "http://[fd00:ec2::254]/",
    "http://[::ffff:127.0.0.1]/", "http://[::ffff:10.0.0.1]/", "http://[::ffff:a9fe:a9fe]/", "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/", "http://[64:ff9b::169.254.169.254]/", "http://[64:ff9b:1::1]/",
    "http://[2002:7f00:1::]/", "http://[2002:a9fe:a9fe::]/", "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "http://[2001:db8::1]/", "http://[3fff::1]/", "http://[100::1]/",
    # odd spellings
    "http://2130706433/", "http://0x7f000001/", "http://0x7F.0x0.0x0.0x1/", "http://017700000001/",
    "http://0177.0.0.1/", "http://127.1/", "http://127.0.1/", "http://0/", "http://0x7f.1/", "http://127.0.0.1./",
    "http://3232235777/", "http://0xa9fea9fe/", "http://169.254.43518/", "http://10.1/",
    "http://１２７.０.０.１/", "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://ⓛocalhost/", "http://%31%32%37.0.0.1/",  # noqa: RUF001
    "http://public.example@127.0.0.1/", "http://user:password@public.example/", "http://127.0.0.1\\@public.example/",
    "http://127.0.0.1#@public.example/", "http://127.0.0.1?@public.example/",
    # names
    "http://private.example/", "https://metadata.example/", "http://unknown.example/",
    # not web addresses
    "ftp://public.example/", "file:///etc/passwd", "gopher://public.example/", "javascript:alert(1)",
    "//public.example/",
    "public.example", "http://", "http:///path", "", "http://public.example:0/", "http://public.example:99999/",
    "http://public.example/\r\nX-Evil: 1", "http://public.example/ x", "http://pub\tlic.example/", "http://[::1",
    "http://public.example/" + "x" * 2000,
]  # fmt: skip
ALLOWED = [
    "http://public.example/", "https://public.example:8443/hook?x=1#y", "http://public6.example/", "http://both.example/",
    "https://bücher.example/", "http://93.184.215.14/", "http://1572395790/", "http://[2606:4700::1111]/",
    "http://PUBLIC.example./",
]  # fmt: skip


async def resolve(host: str) -> list[str]:
    """NAMES, and numeric addresses as the system parses them, without a DNS server."""
    if host in NAMES:
        return NAMES[host]
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    return [str(info[4][0]) for info in found]


def settings(*allowed: str) -> Settings:
    return Settings(data=Path("unused"), webhook_allowed_hosts=list(allowed))


async def is_accepted(url: str, *allowed: str) -> bool:
    try:
        await check_destination(settings(*allowed), url, resolve=resolve)
    except Refused as refused:
        reason = refused.sentence
    else:
        return True
    assert reason == REFUSAL, "one message for all refusals"
    return False


@pytest.mark.parametrize("url", REFUSED)
async def test_it_is_refused_when_saved(url: str) -> None:
    assert not await is_accepted(url)


@pytest.mark.parametrize("url", ALLOWED)
async def test_a_public_address_is_accepted(url: str) -> None:
    assert await is_accepted(url)


@pytest.mark.parametrize(
    ("url", "entry"),
    [
        ("http://127.0.0.1:9000/", "127.0.0.1"),
        ("http://2130706433/", "127.0.0.1"),
        ("http://localhost/", "localhost"),
        ("http://localhost./", "LOCALHOST"),
        ("http://localhost/", "127.0.0.0/8"),
        ("http://[::1]/", "::1"),
        ("http://[::1]/", "[::1]"),
        ("http://10.9.8.7/", "10.0.0.0/8"),
        ("http://private.example/", "private.example"),
        ("http://private.example/", "10.1.2.0/24"),
        ("http://[fd12::1]/", "fd00::/8"),
        ("http://169.254.169.254/", "169.254.169.254"),
        ("http://metadata.example/", "169.254.169.254/32"),
    ],
)
async def test_the_operator_opens_a_host_or_a_range(url: str, entry: str) -> None:
    assert not await is_accepted(url)
    assert await is_accepted(url, entry)


@pytest.mark.parametrize(
    ("url", "entry"),
    [
        ("http://169.254.169.254/", "169.254.0.0/16"),
        ("http://169.254.169.254/", "0.0.0.0/0"),
        ("http://[::ffff:169.254.169.254]/", "::/0"),
        ("http://[64:ff9b::a9fe:a9fe]/", "::/0"),
        ("http://[fd00:ec2::254]/", "fd00::/8"),
        ("http://10.9.8.7/", "10.0.0.0/16"),
        ("http://sub.localhost/", "localhost"),
        ("http://localhost.evil.example/", "localhost"),
    ],
)
async def test_nothing_more_than_that_is_opened(url: str, entry: str) -> None:
    assert not await is_accepted(url, entry)


async def post(url: str, *allowed: str, resolve: Resolve = resolve_host) -> ReceiverResponse:
    async with Sender(settings(*allowed), resolve=resolve) as sender:
        return await sender.post(url, {"X-Plane-Event": "issue"}, b"{}")


@pytest.mark.parametrize("url", [url for url in REFUSED if ".example" not in url.split("@")[-1]])
async def test_it_is_refused_when_sent(url: str) -> None:
    answer = await post(url)
    assert (answer.status, answer.error) == (None, UNREACHABLE)


async def test_an_open_port_behind_the_guard_sees_no_connection(receiver: Receiver) -> None:
    port = URL(receiver.url).port
    for host in ("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0", "[::ffff:127.0.0.1]"):
        assert (await post(f"http://{host}:{port}")).error == UNREACHABLE
    assert receiver.received == []


async def test_a_name_that_resolves_elsewhere_after_it_was_checked_is_refused(receiver: Receiver) -> None:
    port = URL(receiver.url).port
    answer = await post(f"http://public.example:{port}", resolve=FakeResolver("127.0.0.1"))
    assert answer.error == UNREACHABLE
    assert "refused by the outbound guard" in answer.detail
    assert receiver.received == []


async def test_refused_closed_and_unknown_read_alike() -> None:
    closed = await post("http://127.0.0.1:1/", "127.0.0.1")
    refused = await post("http://127.0.0.1:1/")
    unknown = await post("http://unknown.invalid/")
    assert closed.error == refused.error == unknown.error == UNREACHABLE


async def test_of_mixed_addresses_only_the_permitted_one_is_connected(receiver: Receiver) -> None:
    port = URL(receiver.url).port
    resolver = FakeResolver("127.0.0.2", "127.0.0.1")
    answer = await post(f"http://public.example:{port}", "127.0.0.1", resolve=resolver)
    assert answer.status == 200


async def test_the_host_header_keeps_the_name_though_the_address_is_pinned(receiver: Receiver) -> None:
    port = URL(receiver.url).port
    answer = await post(f"http://hooks.example:{port}", "hooks.example", resolve=FakeResolver("127.0.0.1"))
    assert answer.status == 200
    assert receiver.received[0].headers["Host"] == f"hooks.example:{port}"


async def test_a_named_host_that_resolves_to_the_metadata_address_is_refused() -> None:
    answer = await post("http://hooks.example/", "hooks.example", resolve=FakeResolver("169.254.169.254"))
    assert "refused by the outbound guard" in answer.detail


def test_an_odd_spelling_becomes_the_canonical_one() -> None:
    assert str(read_destination("http://0x7f.1:8000/a?b=c#d")) == "http://127.0.0.1:8000/a?b=c"
    assert str(read_destination("https://EXAMPLE.com./")) == "https://example.com/"


def test_an_empty_list_opens_nothing() -> None:
    assert read_allowlist(settings()) == (frozenset(), ())
