"""WH1 to WH10: what is sent leaves for public addresses only, signed, bounded, and without a secret in it.

Each row's many cases stand beside the code they test (tests/webhooks); here every surface is held to them."""

import base64
import json
import os
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from airside.apps.registry import create_app
from airside.developer.registration import update_app
from airside.errors import Invalid
from airside.runtime.site import Site
from airside.webhooks import connections, send
from airside.webhooks.destinations import REFUSAL
from airside.webhooks.send import MAX_ANSWER_BYTES, UNREACHABLE, Sender
from airside.webhooks.signing import spell_whsec
from airside.webhooks.tables import webhook_endpoints
from airside.workspaces.webhook_routes import WEBHOOK_ROUTES
from airside.workspaces.webhooks import create_webhook, list_webhooks
from tests.cast import REDIRECT_URI, Cast
from tests.support.api import Client, serve_api
from tests.support.clients import node_packages
from tests.support.hostile_receivers import HOSTILE, FlippingResolver, make_bomb
from tests.support.receivers import FakeResolver, Receiver, open_raw_receiver, open_receiver
from tests.webhooks.scenes import attempts, happen, work
from tests.webhooks.test_destinations import REFUSED

HOOKS = "workspaces/acme/webhooks"
PRIVATE = [url for url in REFUSED if ".example" not in url]  # no DNS is asked
RANGES = PRIVATE[:40]  # as addresses are usually spelt
# All of them are 127.0.0.1, or another address of this machine.
ODD_SPELLINGS = [
    "2130706433",
    "0x7f000001", "0X7F000001", "0x7F.0x0.0x0.0x1", "017700000001", "0177.0.0.1", "0177.0.0.01", "127.1",
    "127.0.1", "0x7f.1", "0x7f.0.1", "127.0.0.1.", "localhost", "LOCALHOST", "localhost.", "0", "0.0.0.0", "00.0",
    "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::]",
    "public.example@127.0.0.1", "user:password@127.0.0.1", "%31%32%37.0.0.1", "１２７.０.０.１", "①②⑦.⓪.⓪.①",  # noqa: RUF001
    "127。0。0。1", "ⓛocalhost", "127.0.0.2", "127.255.255.254", "0x7f.0x1",
]  # fmt: skip
NODE = Path(__file__).parent / "node_webhooks"


@pytest.fixture
async def receiver(site: Site, cast: Cast) -> AsyncIterator[Receiver]:
    await work(site)
    async with open_receiver() as opened:
        yield opened


@pytest.fixture
async def ana(site: Site, cast: Cast) -> AsyncIterator[Client]:
    site.settings.api_rate_limit = "100000/minute"
    async with serve_api(site, *WEBHOOK_ROUTES).acting_as(cast.ana["id"]) as client:
        yield client


async def open_hook(site: Site, cast: Cast, receiver: Receiver, **fields: object) -> tuple[str, str]:
    """The id and the secret of a webhook that the operator lets through to the receiver."""
    site.settings.webhook_allowed_hosts.append("127.0.0.1")
    made = await create_webhook(
        site, cast.acme["id"], cast.ana["id"], {"url": receiver.url, "version": "v2", **fields}
    )
    await work(site)
    receiver.received.clear()
    return made.webhook["id"], made.secret


async def test_wh1_no_surface_takes_a_private_address(site: Site, cast: Cast, ana: Client) -> None:
    made = (await ana.post(HOOKS, {"url": "https://courier.example/hook"})).json
    for url in PRIVATE:
        for answer in (
            await ana.post(HOOKS, {"url": url}),
            await ana.patch(f"{HOOKS}/{made['id']}", {"url": url}),
        ):
            assert (answer.status_code, list(answer.json)) == (400, ["url"]), url
        app = {"name": "Another", "redirect_uris": [REDIRECT_URI], "webhook_url": url or "http://"}
        with pytest.raises(Invalid):
            await create_app(site, workspace_id=cast.acme["id"], by_user_id=cast.ana["id"], fields=app)
        with pytest.raises(Invalid):
            await update_app(site, cast.courier["id"], cast.ana["id"], {"webhook_url": app["webhook_url"]})
    assert len(PRIVATE) >= 40
    assert [row["url"] for row in await list_webhooks(site.db, cast.acme["id"])] == [made["url"]]


async def test_wh1_what_was_stored_meanwhile_is_neither_tested_nor_delivered_to(
    site: Site, cast: Cast, ana: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after the operator closed an address again, or a name changed: the guard is asked at every attempt."""
    monkeypatch.setattr(connections, "CONNECT_SECONDS", 2.0)
    hooks = [(await ana.post(HOOKS, {"url": "https://courier.example/hook"})).json["id"] for _ in RANGES]
    await work(site)
    async with site.db.transaction() as tx:
        for hook, url in zip(hooks, RANGES, strict=True):
            await tx.update(webhook_endpoints, {"url": url}, workspace_id=cast.acme["id"], id=hook)
    before = {row["id"] for row in await attempts(site)}
    for hook in hooks:
        await ana.post(f"{HOOKS}/{hook}/test", {"event": "workitem.created"})
    await happen(site, workspace_id=cast.acme["id"])
    await work(site)
    own = [row for row in await attempts(site) if row["endpoint_id"] in hooks and row["id"] not in before]
    assert len(own) == 2 * len(RANGES) >= 80
    for row in own:
        result = (row["error"], row["address"], row["response_status"], row["response_body"])
        assert result == (UNREACHABLE, None, None, None), row["url"]
        assert "first_byte" not in (row["timings"] or {}), row["url"]


async def test_wh2_odd_spellings_are_resolved_before_they_are_judged(
    site: Site, ana: Client, receiver: Receiver
) -> None:
    """Refused when saved, and at the socket: an open port behind the guard sees no connection."""
    port = receiver.url.split(":")[2].split("/")[0]
    for host in ODD_SPELLINGS:
        answer = await ana.post(HOOKS, {"url": f"http://{host}:{port}/"})
        assert (answer.status_code, answer.json) == (400, {"url": [REFUSAL]}), host
    async with Sender(site.settings) as sender:
        for host in ODD_SPELLINGS:
            assert (await sender.post(f"http://{host}:{port}/", {}, b"{}")).error == UNREACHABLE, host
    assert len(ODD_SPELLINGS) >= 25
    assert receiver.received == []


async def test_wh3_the_address_that_is_connected_is_the_one_that_was_judged(
    site: Site, receiver: Receiver
) -> None:
    port = receiver.url.split(":")[2]
    async with Sender(site.settings, resolve=FakeResolver("127.0.0.1")) as sender:
        answer = await sender.post(f"http://rebinding.example:{port}", {}, b"{}")
    assert (answer.status, answer.error, answer.address) == (None, UNREACHABLE, None)
    assert receiver.received == []


async def test_wh3_a_name_that_points_elsewhere_at_the_next_question_leads_nowhere_else(
    site: Site, receiver: Receiver
) -> None:
    """Its records live for no second: permitted when it was first asked, private when it was asked again."""
    site.settings.webhook_allowed_hosts.append("127.0.0.1")
    url = f"http://rebinding.example:{receiver.url.split(':')[2]}"
    for addresses in (
        ("127.0.0.1", "127.0.0.2"),
        ("127.0.0.1", "169.254.169.254"),
        ("127.0.0.1", "10.0.0.1"),
    ):
        receiver.received.clear()
        resolver = FlippingResolver(*addresses)
        async with Sender(site.settings, resolve=resolver) as sender:
            assert (await sender.post(url, {}, b"{}")).address == "127.0.0.1"
        async with Sender(site.settings, resolve=resolver) as sender:
            answer = await sender.post(url, {}, b"{}")
        assert (answer.status, answer.error, answer.address) == (None, UNREACHABLE, None)
        assert "refused by the outbound guard" in answer.detail
        assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_wh4_a_redirect_is_a_failure_and_never_followed(
    site: Site, cast: Cast, receiver: Receiver, status: int
) -> None:
    hook, _ = await open_hook(site, cast, receiver)
    result = {"Location": "http://169.254.169.254/latest/meta-data/"}
    receiver.answers = [web.Response(status=status, headers=result)]
    await happen(site, workspace_id=cast.acme["id"])
    await work(site)
    assert len(receiver.received) == 1
    last = [row for row in await attempts(site) if row["endpoint_id"] == hook][-1]
    assert (last["response_status"], last["outcome"]) == (status, "retry")


async def test_wh5_only_the_operator_opens_an_address(site: Site, cast: Cast, ana: Client) -> None:
    body = {"url": "http://10.0.0.5/hook", "webhook_allowed_hosts": ["10.0.0.0/8"], "allowed": True}
    assert (await ana.post(HOOKS, body)).status_code == 400
    site.settings.webhook_allowed_hosts.append("10.0.0.0/8")
    assert (await ana.post(HOOKS, body)).status_code == 201
    assert (await ana.post(HOOKS, {"url": "http://169.254.169.254/"})).status_code == 400


async def test_wh6_refused_and_closed_read_alike_and_keep_no_answer(
    site: Site, cast: Cast, ana: Client, receiver: Receiver
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{taken.getsockname()[1]}/"
    async with Sender(site.settings) as sender:
        refused = await sender.post(receiver.url, {}, b"{}")
    site.settings.webhook_allowed_hosts.append("127.0.0.1")
    async with Sender(site.settings) as sender:
        unreached = await sender.post(closed, {}, b"{}")
    for answer in (refused, unreached):
        assert (answer.status, answer.headers, answer.body, answer.address) == (None, [], "", None)
        assert answer.error == UNREACHABLE


async def test_wh7_an_answer_is_read_up_to_the_cap(site: Site, cast: Cast, receiver: Receiver) -> None:
    hook, _ = await open_hook(site, cast, receiver)
    receiver.answers = [web.Response(text="x" * (MAX_ANSWER_BYTES * 4))]
    await happen(site, workspace_id=cast.acme["id"], data_v2={"name": "x" * 2_000_000})
    await work(site)
    assert len(receiver.received[0].raw) < 1_000_000, "sent thin"
    last = [row for row in await attempts(site) if row["endpoint_id"] == hook][-1]
    assert len(last["response_body"]) == MAX_ANSWER_BYTES
    assert send.TOTAL_SECONDS == 10


@pytest.mark.parametrize("name", HOSTILE)
async def test_wh7_no_hostile_receiver_exceeds_an_attempts_bounds(
    site: Site, cast: Cast, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the whole way: the deadline holds, and what the log keeps is small and can be stored and shown."""
    monkeypatch.setattr(send, "TOTAL_SECONDS", 0.4)
    make_bomb()
    await work(site)
    site.settings.webhook_allowed_hosts.append("127.0.0.1")
    async with open_raw_receiver(HOSTILE[name]) as url:
        await create_webhook(site, cast.acme["id"], cast.ana["id"], {"url": url, "version": "v2"})
        started = time.perf_counter()
        await work(site)
        assert time.perf_counter() - started < 5
    [attempt] = [row for row in await attempts(site) if row["url"] == url]
    is_well = name in (
        "drip_body",
        "flood",
        "inject_headers",  # the status line decides; what follows it is believed by nobody
        "send_bomb",
        "send_many_headers",
        "send_odd_text",
        "reset_in_body",
    )
    assert attempt["outcome"] == ("delivered" if is_well else "retry")
    assert len(attempt["response_body"] or "") <= MAX_ANSWER_BYTES
    assert len(attempt["response_headers"] or []) <= 64
    assert (attempt["error"] is None) == (attempt["response_status"] is not None)
    msgspec.json.encode(attempt)


async def test_wh8_both_signatures_verify_on_the_raw_body_and_no_flipped_bit_does(
    site: Site, cast: Cast, receiver: Receiver
) -> None:
    site.clock.time = datetime.now(UTC)  # type: ignore[attr-defined] - the library asks the machine's clock
    _, secret = await open_hook(site, cast, receiver)
    await happen(site, workspace_id=cast.acme["id"])
    await work(site)
    [got] = receiver.received
    headers = {name.lower(): value for name, value in got.headers.items()}
    reference = Webhook(spell_whsec(secret))
    assert got.is_signed_with(secret)
    reference.verify(got.raw, headers)
    for place in (0, len(got.raw) // 2, len(got.raw) - 1):
        flipped = got.raw[:place] + bytes([got.raw[place] ^ 1]) + got.raw[place + 1 :]
        assert not got._replace(raw=flipped).is_signed_with(secret)
        with pytest.raises(WebhookVerificationError):
            reference.verify(flipped, headers)


async def test_wh8_the_reference_library_for_node_and_its_own_crypto_verify_the_raw_body(
    site: Site, cast: Cast, receiver: Receiver
) -> None:
    site.clock.time = datetime.now(UTC)  # type: ignore[attr-defined] - the library asks the machine's clock
    _, secret = await open_hook(site, cast, receiver)
    await happen(site, workspace_id=cast.acme["id"], data_v2={"name": "Grüße, 世界 \u2028"})
    await work(site)
    [got] = receiver.received
    flipped = bytes([got.raw[0] ^ 1]) + got.raw[1:]
    assert verify_in_node(got.raw, got.headers, secret) == {"plane": True, "standard": True}
    assert verify_in_node(flipped, got.headers, secret) == {"plane": False, "standard": False}
    assert verify_in_node(got.raw, got.headers, secret[:-1] + "x") == {"plane": False, "standard": False}


def verify_in_node(raw: bytes, headers: dict[str, str], secret: str) -> dict[str, bool]:
    asked = {
        "raw": base64.b64encode(raw).decode(),
        "headers": {name.lower(): value for name, value in headers.items()},
        "secret": secret,
        "whsec": spell_whsec(secret),
    }
    result = subprocess.run(
        ["node", NODE / "verify.cjs"],
        input=json.dumps(asked),
        env=os.environ | node_packages(NODE),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(result.stdout)


async def test_wh9_every_attempt_signs_its_own_time_and_a_late_repeat_is_refused(
    site: Site, cast: Cast, receiver: Receiver
) -> None:
    site.clock.time = datetime.now(UTC) - timedelta(seconds=310)  # type: ignore[attr-defined]
    _, secret = await open_hook(site, cast, receiver)
    receiver.answers = [500]
    await happen(site, workspace_id=cast.acme["id"])
    await work(site)
    site.clock.time = datetime.now(UTC)  # type: ignore[attr-defined]
    await work(site)
    reference = Webhook(spell_whsec(secret))
    late, fresh = [{name.lower(): value for name, value in got.headers.items()} for got in receiver.received]
    assert late["webhook-id"] == fresh["webhook-id"]
    reference.verify(receiver.received[1].raw, fresh)
    with pytest.raises(WebhookVerificationError):
        reference.verify(receiver.received[0].raw, late)
    with pytest.raises(WebhookVerificationError):
        reference.verify(receiver.received[0].raw, late | {"webhook-timestamp": fresh["webhook-timestamp"]})


async def test_wh10_no_secret_leaves_and_nothing_of_a_tenant_becomes_a_header(
    site: Site, cast: Cast, ana: Client, receiver: Receiver
) -> None:
    webhook_id, secret = await open_hook(site, cast, receiver, title="Pager: X-Evil, 1")
    evil = "name\r\nX-Evil: 1"
    await happen(site, workspace_id=cast.acme["id"], data_v2={"name": evil}, data={"name": evil})
    await work(site)
    [got] = receiver.received
    assert set(got.headers) == {
        "Host", "Content-Length", "Content-Type", "User-Agent", "X-Plane-Delivery", "X-Plane-Event",
        "X-Plane-Signature", "webhook-id", "webhook-timestamp", "webhook-signature",
    }  # fmt: skip
    for kept in (secret, spell_whsec(secret)):
        assert kept not in repr(receiver.received)
        assert kept not in repr(await attempts(site))
        for path in (HOOKS, f"{HOOKS}/{webhook_id}", f"{HOOKS}/{webhook_id}/deliveries"):
            assert kept not in (await ana.get(path)).text
    for url in ("https://courier.example/\r\nX-Evil: 1", "https://courier.example/ x"):
        assert (await ana.post(HOOKS, {"url": url})).status_code == 400
