"""NATS JetStream as queue: due deliveries are pushed to the workers, which needn't poll the database.

A message carries only ids. The worker that receives it leases the row by the same rule as the default engine, so
the endpoint's window holds and a duplicate message does no harm. Messages are acknowledged after the commit: ACK
for a finished delivery, NAK with a delay for a retry. A message whose endpoint's window is full is acknowledged,
and its row is claimed from the database later. So are all rows while NATS is down, and those that the stream lost.
"""

# pyright: reportUnknownMemberType=false
# since nats-py leaves keyword arguments without types

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Any, Self

import msgspec
import nats
import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError

from airside.db.base import TenantKey
from airside.db.database import Transaction
from airside.runtime.site import Site
from airside.webhooks.queue import DELIVER, FREE, RECONCILE, Lease, NewDelivery, Restraint, Status
from airside.webhooks.queue.database import LEASE, DatabaseQueue, PendingDelivery

CONSUMER = "workers"
PREFETCH = 200  # messages that one worker holds: as many as it has slots
PULL_SECONDS = 2.0  # the lifetime of one pull request
NATS_SECONDS = 2.0  # the timeout for a reply from NATS, after which it counts as down
RETRY_SECONDS = 1.0  # between two attempts to connect
PROGRESS_SECONDS = LEASE.total_seconds() / 3  # between two progress acknowledgements of deliveries in flight
PUBLISH_BATCH = 500
DUPLICATE_SECONDS = 120.0  # for which the stream drops messages with a known Nats-Msg-Id
MAX_DELAY = timedelta(minutes=10)  # later retries wait in the database only
OVERDUE = timedelta(seconds=3)  # not leased for so long since it was due: the stream may have lost it
OVERDUE_LIMIT = 1_000
SCAN_SECONDS = 10.0  # how long claims also read the database after it had deliveries without a message

_AWAY = (nats.errors.Error, JetStreamError, OSError, TimeoutError)
_log = structlog.get_logger("airside.webhooks")


class _Lost(nats.errors.Error):
    """The connection was closed, or the stream or the consumer is gone."""


class _Message(TenantKey):
    """What a message needs of its delivery."""

    next_attempt_at: datetime


class JetStreamQueue:
    """The engine for many workers. The database is the source of truth; a lost stream is refilled from it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._database = DatabaseQueue(site)
        self._stream = site.settings.queue_name
        self._subject = f"{self._stream}.due"
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{CONSUMER}"
        self._nats: Client | None = None  # while connected
        self._inbox: Subscription | None = None  # of the messages that it pulls
        self._arrived: deque[Msg] = deque()
        self._held: dict[str, tuple[Msg, Lease]] = {}  # deliveries in flight, by delivery id
        self._unpublished: deque[_Message] = deque()
        self._to_publish = asyncio.Event()
        self._replies: deque[tuple[str, bytes]] = deque()
        self._to_reply = asyncio.Event()
        self._has_room = asyncio.Event()
        self._pulled = asyncio.Event()  # the pull request has ended
        self._wanted = 0  # messages that it may still return
        self._breakage: _Lost | None = None
        self._scan_until = 0.0

    async def __aenter__(self) -> Self:
        self._keeper = asyncio.create_task(self._stay_connected(), name="jetstream")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._flush_acknowledgements()
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)

    async def enqueue(self, tx: Transaction, deliveries: Sequence[NewDelivery], now: datetime) -> None:
        rows = await self._database.write(tx, deliveries, now)
        tx.on_commit(lambda: self._publish(rows))

    async def claim(self, limit: int, restraint: Restraint = FREE) -> list[Lease]:
        if self._nats is None:
            return await self._database.claim(limit, restraint)
        messages = [self._arrived.popleft() for _ in range(min(limit, len(self._arrived)))]
        try:
            leases = await self._lease(messages, restraint)
        except BaseException:
            self._arrived.extendleft(reversed(messages))
            raise
        self._has_room.set()
        if len(leases) < limit and self._loop_time() < self._scan_until:
            more = await self._database.claim(limit - len(leases), restraint)
            if more:
                self._keep_scanning()
            leases += more
        return leases

    async def settle(
        self, tx: Transaction, lease: Lease, status: Status, now: datetime, retry_at: datetime | None = None
    ) -> bool:
        settled = await self._database.settle(tx, lease, status, now, retry_at)
        tx.on_commit(lambda: self._acknowledge(lease, now, retry_at if settled else None))
        return settled

    async def settle_delivered(self, tx: Transaction, leases: Sequence[Lease], now: datetime) -> set[str]:
        settled = await self._database.settle_delivered(tx, leases, now)
        for lease in [lease for lease in leases if lease.delivery_id in settled]:
            tx.on_commit(partial(self._acknowledge, lease, now, None))
        return settled

    async def release(self, leases: Iterable[Lease]) -> None:
        leases = list(leases)
        await self._database.release(leases)
        for lease in leases:
            if (held := self._take(lease)) is not None:
                self._reply(held, b"-NAK")

    async def reconcile(self) -> bool:
        """Publish overdue deliveries that no worker has leased, and scan the database until they are leased."""
        if self._nats is None:
            return False
        since = self._site.clock.now() - OVERDUE
        rows = await self._database.list_overdue(since, OVERDUE_LIMIT)
        if rows:
            self._keep_scanning()
            self._publish(rows)
            self._site.wakeups.wake(DELIVER)
        return False

    # Handling messages

    async def _lease(self, messages: Sequence[Msg], restraint: Restraint) -> list[Lease]:
        """Lease the deliveries of these messages; acknowledge the messages that gave no lease."""
        if not messages:
            return []
        by_id: dict[str, Msg] = {}
        for message in messages:
            if by_id.setdefault(_keys_in(message)[1], message) is not message:
                self._reply(message, b"+ACK")
        keys = [_keys_in(message) for message in by_id.values()]
        leases = await self._database.claim_these(keys, restraint)
        for lease in leases:
            self._held[lease.delivery_id] = (by_id.pop(lease.delivery_id), lease)
        if by_id:
            pending = await self._database.list_pending([_keys_in(message) for message in by_id.values()])
            for delivery_id, message in by_id.items():
                self._release_message(message, pending.get(delivery_id))
        return leases

    def _release_message(self, message: Msg, row: PendingDelivery | None) -> None:
        """NAK with a delay when it isn't due yet. Else ACK: it is done, leased elsewhere or claimed by scanning."""
        now = self._site.clock.now()
        due = row["next_attempt_at"] if row is not None else None
        if due is not None and due > now:
            self._reply(message, _later(due - now))
            return
        if row is not None and (row["leased_until"] is None or row["leased_until"] <= now):
            self._keep_scanning()
        self._reply(message, b"+ACK")

    def _acknowledge(self, lease: Lease, now: datetime, retry_at: datetime | None) -> None:
        """After the commit: ACK, or NAK with a delay for a retry."""
        held = self._take(lease)
        wait = None if retry_at is None else max(retry_at - now, timedelta())
        if wait is not None and wait > MAX_DELAY:
            wait = None
        if held is not None:
            self._reply(held, b"+ACK" if wait is None else _later(wait))
        elif wait is not None and retry_at is not None:
            again: _Message = {
                "workspace_id": lease.workspace_id,
                "id": lease.delivery_id,
                "next_attempt_at": retry_at,
            }
            self._publish([again])

    def _take(self, lease: Lease) -> Msg | None:
        held = self._held.get(lease.delivery_id)
        if held is None or held[1] != lease:
            return None
        del self._held[lease.delivery_id]
        self._has_room.set()
        return held[0]

    def _publish(self, rows: Iterable[_Message]) -> None:
        if self._nats is None:
            self._site.wakeups.wake(DELIVER)
            return
        self._unpublished.extend(rows)
        self._to_publish.set()

    def _reply(self, message: Msg, word: bytes) -> None:
        if self._nats is not None:
            self._replies.append((message.reply, word))
            self._to_reply.set()

    def _keep_scanning(self) -> None:
        self._scan_until = self._loop_time() + SCAN_SECONDS

    def _loop_time(self) -> float:
        return asyncio.get_running_loop().time()

    # The connection

    async def _stay_connected(self) -> None:
        was_away = False
        while True:
            try:
                await self._hold_connection(was_away)
            except _AWAY as error:
                if self._nats is not None or not was_away:
                    reason = f"{type(error).__name__}: {error}"
                    _log.warning("queue_away", stream=self._stream, reason=reason, fallback="database")
                was_away = True
            finally:
                self._forget()
            await asyncio.sleep(RETRY_SECONDS)

    async def _hold_connection(self, was_away: bool) -> None:
        """Serve until the connection is lost, which raises."""
        client = await nats.connect(
            self._site.settings.queue_url.split(","),
            name="airside",
            allow_reconnect=False,  # a new connection also checks that the stream exists
            max_reconnect_attempts=1,  # for each server, before it counts as down
            reconnect_time_wait=0.1,
            connect_timeout=round(NATS_SECONDS),
            ping_interval=5,
            disconnected_cb=self._handle_disconnect,
            closed_cb=self._handle_disconnect,
            error_cb=_pass_over,
        )
        try:
            await self._make_stream(client)
            inbox = client.new_inbox()
            self._inbox = await client.subscribe(f"{inbox}.*", cb=self._handle_message)
            self._breakage, self._nats = None, client
            self._keep_scanning()  # for deliveries queued meanwhile
            if was_away:
                _log.info("queue_back", stream=self._stream)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pull_all(client, inbox))
                group.create_task(self._publish_all(client))
                group.create_task(self._reply_all(client))
                group.create_task(self._extend_acks())
        except* _AWAY as broken:
            raise _Lost(str(broken.exceptions[0])) from broken
        finally:
            with suppress(*_AWAY):
                await client.close()

    async def _make_stream(self, client: Client) -> None:
        """An existing stream is used as it is, so that an operator can choose its replicas."""
        js = client.jetstream(timeout=NATS_SECONDS)
        try:
            await js.stream_info(self._stream)
        except NotFoundError:
            stream = StreamConfig(
                name=self._stream,
                subjects=[self._subject],
                retention=RetentionPolicy.WORK_QUEUE,
                storage=StorageType.FILE,
                duplicate_window=DUPLICATE_SECONDS,
            )
            await js.add_stream(stream)
        consumer = ConsumerConfig(
            durable_name=CONSUMER,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=LEASE.total_seconds(),
            max_deliver=-1,
            max_ack_pending=-1,  # messages that wait for a retry count, too
        )
        await js.add_consumer(self._stream, consumer)

    async def _pull_all(self, client: Client, inbox: str) -> None:
        """Send one pull request after the other, each for as many messages as there is room for."""
        request, deadline = 0, PULL_SECONDS + NATS_SECONDS
        while True:
            self._has_room.clear()
            room = PREFETCH - len(self._arrived) - len(self._held)
            if room <= 0:
                await self._has_room.wait()
                continue
            request += 1
            self._wanted = room
            self._pulled.clear()
            asked = msgspec.json.encode({"batch": room, "expires": _nanoseconds(PULL_SECONDS)})
            await client.publish(self._next, asked, reply=f"{inbox}.{request}")
            async with asyncio.timeout(deadline):
                await self._pulled.wait()
            if self._breakage is not None:
                raise self._breakage

    async def _handle_message(self, message: Msg) -> None:
        status = (message.headers or {}).get("Status")
        if status is None:
            self._arrived.append(message)
            self._site.wakeups.wake(DELIVER)
            self._wanted -= 1
        elif status not in ("404", "408"):  # no messages; the pull request expired
            self._breakage = _Lost(f"{status} {(message.headers or {}).get('Description', '')}".strip())
        if status is not None or self._wanted == 0:
            self._pulled.set()

    async def _publish_all(self, client: Client) -> None:
        """A delivery that can't be published soon counts as overdue, and is published again."""
        js = client.jetstream(timeout=NATS_SECONDS)
        while True:
            await self._to_publish.wait()
            self._to_publish.clear()
            while self._unpublished:
                count = min(PUBLISH_BATCH, len(self._unpublished))
                batch = [self._unpublished.popleft() for _ in range(count)]
                await asyncio.gather(
                    *(js.publish(self._subject, _as_payload(one), headers=_as_headers(one)) for one in batch)
                )

    async def _reply_all(self, client: Client) -> None:
        while True:
            await self._to_reply.wait()
            self._to_reply.clear()
            while self._replies:
                await client.publish(*self._replies.popleft())

    async def _extend_acks(self) -> None:
        """Send a progress acknowledgement for each delivery in flight until its lease expires."""
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            now = self._site.clock.now()
            for delivery_id, (message, lease) in list(self._held.items()):
                if lease.until > now:
                    self._reply(message, b"+WPI")
                else:  # its attempt raised: the stream delivers the message again
                    del self._held[delivery_id]
            for message in self._arrived:
                self._reply(message, b"+WPI")
            self._has_room.set()

    async def _handle_disconnect(self) -> None:
        self._breakage = _Lost("the connection was closed")
        self._pulled.set()
        self._has_room.set()

    async def _flush_acknowledgements(self) -> None:
        """Before the worker ends: NAK the messages it has not started, and send all pending acknowledgements."""
        client = self._nats
        if client is None or self._inbox is None:
            return
        with suppress(*_AWAY):
            async with asyncio.timeout(NATS_SECONDS):
                await self._inbox.drain()  # else its open pull request gets the messages again
        for message in self._arrived:
            self._reply(message, b"-NAK")
        with suppress(*_AWAY):
            while self._replies:
                await client.publish(*self._replies.popleft())
            await client.flush(1)

    def _forget(self) -> None:
        """Drop the state of a lost connection; the database has all of it."""
        self._nats = None
        for kept in (self._arrived, self._held, self._unpublished, self._replies):
            kept.clear()
        for name in (DELIVER, RECONCILE):
            self._site.wakeups.wake(name)


def _keys_in(message: Msg) -> tuple[str, str]:
    workspace_id, _, delivery_id = message.data.decode().partition(" ")
    return workspace_id, delivery_id


def _as_payload(row: _Message) -> bytes:
    return f"{row['workspace_id']} {row['id']}".encode()


def _as_headers(row: _Message) -> dict[str, str]:
    """The stream drops a duplicate: the same delivery, due at the same time."""
    return {"Nats-Msg-Id": f"{row['id']} {row['next_attempt_at'].timestamp():.6f}"}


def _later(wait: timedelta) -> bytes:
    return b"-NAK " + msgspec.json.encode({"delay": _nanoseconds(max(wait.total_seconds(), 0.001))})


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)


async def _pass_over(_: Any) -> None:
    """Errors of the connection also close it, and are logged then."""
