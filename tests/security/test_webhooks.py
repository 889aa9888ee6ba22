"""WH1 to WH10: what is sent leaves for public addresses only, signed, bounded, and without a secret in it.

Each row's many cases stand beside the code they test (tests/webhooks); here every surface is held to them."""

import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from airside.apps.registry import update_app
from airside.errors import Invalid
from airside.site import Site
from airside.webhooks import send
from airside.webhooks.destinations import REFUSAL
from airside.webhooks.send import MAX_ANSWER_BYTES, UNREACHABLE, Sender
from airside.webhooks.signing import spell_whsec
from airside.webhooks.tables import webhook_endpoints
from airside.workspaces.webhook_routes import WEBHOOK_ROUTES
from airside.workspaces.webhooks import create_webhook, list_webhooks
from tests.cast import Cast
from tests.support.api import Client, serve_api
from tests.support.receivers import FakeResolver, Receiver, open_receiver
from tests.webhooks.scenes import attempts, happen, work
from tests.webhooks.test_destinations import REFUSED

HOOKS = "workspaces/acme/webhooks"
PRIVATE = [url for url in REFUSED if ".example" not in url]  # no DNS is asked


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
        with pytest.raises(Invalid):
            await update_app(site, cast.courier["id"], cast.ana["id"], {"webhook_url": url or "http://"})
    assert [row["url"] for row in await list_webhooks(site.db, cast.acme["id"])] == [made["url"]]


async def test_wh1_an_address_that_was_stored_meanwhile_is_neither_tested_nor_delivered_to(
    site: Site, cast: Cast, ana: Client, receiver: Receiver
) -> None:
    made = (await ana.post(HOOKS, {"url": "https://courier.example/hook"})).json
    async with site.db.transaction() as tx:
        keys = {"workspace_id": cast.acme["id"], "id": made["id"]}
        await tx.update(webhook_endpoints, {"url": receiver.url}, **keys)
    await ana.post(f"{HOOKS}/{made['id']}/test", {"event": "workitem.created"})
    await happen(site, workspace_id=cast.acme["id"])
    await work(site)
    own = [row for row in await attempts(site) if row["endpoint_id"] == made["id"]]
    assert len(own) == 3
    assert {row["error"] for row in own} == {UNREACHABLE}
    assert receiver.received == []


@pytest.mark.parametrize(
    "url",
    ["http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/", "http://127.0.0.1./",
     "http://a:b@93.184.215.14/"],
)  # fmt: skip
async def test_wh2_odd_spellings_are_resolved_before_they_are_judged(ana: Client, url: str) -> None:
    answer = await ana.post(HOOKS, {"url": url})
    assert (answer.status_code, answer.json) == (400, {"url": [REFUSAL]})


async def test_wh3_the_address_that_is_connected_is_the_one_that_was_judged(
    site: Site, receiver: Receiver
) -> None:
    port = receiver.url.split(":")[2]
    async with Sender(site.settings, resolver=FakeResolver("127.0.0.1")) as sender:
        answer = await sender.post(f"http://rebinding.example:{port}", {}, b"{}")
    assert (answer.status, answer.error, answer.address) == (None, UNREACHABLE, None)
    assert receiver.received == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_wh4_a_redirect_is_a_failure_and_never_followed(
    site: Site, cast: Cast, receiver: Receiver, status: int
) -> None:
    hook, _ = await open_hook(site, cast, receiver)
    told = {"Location": "http://169.254.169.254/latest/meta-data/"}
    receiver.answers = [web.Response(status=status, headers=told)]
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
