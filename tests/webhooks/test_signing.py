"""Both signatures, verified by the reference library on requests to a real receiver."""

from datetime import UTC, datetime

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from airside.db.base import new_id
from airside.runtime.site import Site
from airside.webhooks.endpoints import update_endpoints_of
from airside.webhooks.redaction import REDACTED, redact
from airside.webhooks.signing import SECRET, sign_on, spell_whsec
from tests.support.clocks import FrozenClock
from tests.support.receivers import Received, Receiver
from tests.webhooks.scenes import PLAIN_SECRET, attempts, changed, happen, listen, work

NEW = "plane_wh_" + "7" * 64


@pytest.fixture
def clock() -> FrozenClock:
    """The library compares with the machine's clock."""
    clock = FrozenClock()
    clock.time = datetime.now(UTC)
    return clock


def verify(got: Received, secret: str) -> None:
    headers = {name.lower(): value for name, value in got.headers.items()}
    Webhook(spell_whsec(secret)).verify(got.raw, headers)


async def test_the_reference_library_accepts_the_raw_body_and_refuses_a_flipped_bit(
    site: Site, receiver: Receiver
) -> None:
    await listen(site, receiver.url, version="v2")
    event_id = await happen(site)
    await work(site)
    [got] = receiver.received
    verify(got, PLAIN_SECRET)
    assert got.headers["webhook-id"] == event_id
    flipped = bytes([got.raw[0] ^ 1]) + got.raw[1:]
    with pytest.raises(WebhookVerificationError):
        verify(got._replace(raw=flipped), PLAIN_SECRET)
    with pytest.raises(WebhookVerificationError):
        verify(got, NEW)


async def test_a_form_is_signed_as_it_is_sent(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url, content_type="application/x-www-form-urlencoded")
    await happen(site)
    await work(site)
    [got] = receiver.received
    assert got.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert got.raw.startswith(b"payload=%7B")
    at = datetime.fromtimestamp(int(got.headers["webhook-timestamp"]), UTC)
    signature = Webhook(spell_whsec(PLAIN_SECRET)).sign(got.headers["webhook-id"], at, got.raw.decode())
    assert got.headers["webhook-signature"] == signature
    assert got.is_signed_with(PLAIN_SECRET)


async def test_the_id_stays_and_the_timestamp_is_each_attempts_own(
    site: Site, clock: FrozenClock, receiver: Receiver
) -> None:
    await listen(site, receiver.url)
    receiver.answers = [500]
    await happen(site)
    await work(site)
    clock.advance(seconds=7)
    await work(site)
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 7
    verify(second, PLAIN_SECRET)


async def test_parts_of_one_event_are_no_repeats_of_each_other(site: Site, receiver: Receiver) -> None:
    await listen(site, receiver.url)
    event_id = await happen(site, changes=changed("name", "priority"))
    await work(site)
    assert {got.headers["webhook-id"] for got in receiver.received} == {event_id, f"{event_id}-1"}


async def test_a_replaced_secret_signs_beside_the_new_one_for_a_day(
    site: Site, clock: FrozenClock, receiver: Receiver
) -> None:
    installation_id = new_id()
    await listen(site, receiver.url, installation_id=installation_id)
    async with site.db.transaction() as tx:
        new, old = [site.sealer.seal(one, SECRET) for one in (NEW, PLAIN_SECRET)]
        earlier, until = sign_on(old, None, None, clock.now())
        secrets = {"previous_secret_sealed": earlier, "previous_secret_until": until, "secret_sealed": new}
        await update_endpoints_of(
            tx, installation_id, url=receiver.url, version="v1", now=clock.now(), **secrets
        )
    await happen(site)
    await work(site)
    [got] = receiver.received
    verify(got, NEW)
    verify(got, PLAIN_SECRET)
    assert len(got.headers["webhook-signature"].split(" ")) == 2
    assert got.is_signed_with(PLAIN_SECRET), "which the receiver surely has"
    assert not got.is_signed_with(NEW)
    clock.advance(hours=24)
    await happen(site)
    await work(site)
    assert len(receiver.received[1].headers["webhook-signature"].split(" ")) == 1
    assert receiver.received[1].is_signed_with(NEW)


async def test_answers_are_kept_without_secrets_and_with_address_and_timings(
    site: Site, receiver: Receiver
) -> None:
    await listen(site, receiver.url)
    sent = {"Set-Cookie": "session=hush", "X-Debug": f"secret={PLAIN_SECRET}"}
    receiver.answers = [web.Response(text=f"my secret is {PLAIN_SECRET}", headers=sent)]
    await happen(site)
    await work(site)
    [attempt] = await attempts(site)
    assert PLAIN_SECRET not in repr(attempt)
    assert "hush" not in repr(attempt)
    assert attempt["response_body"] == "my secret is [redacted]"
    assert attempt["address"] == "127.0.0.1"
    assert set(attempt["timings"]) <= {"dns", "connect", "first_byte"}
    assert {"connect", "first_byte"} <= set(attempt["timings"])


def test_the_log_keeps_neither_spelling_of_a_secret() -> None:
    secret = "plane_wh_" + "5" * 64
    said = f"configured with {secret} and {spell_whsec(secret)}"
    assert redact(said, [secret]) == f"configured with {REDACTED} and {REDACTED}"
