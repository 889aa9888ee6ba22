"""The delivery queue: one small interface, several engines.

The database is the source of truth about a delivery: every engine writes its rows. An engine only decides how
workers claim the due ones.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from airside.db.database import Transaction

DELIVER = "webhooks.deliver"  # the wake-up for when a delivery became due
RECONCILE = "webhooks.reconcile"  # the wake-up for when the engine may have lost deliveries

Status = Literal["pending", "delivered", "failed", "cancelled", "missed"]


class NewDelivery(msgspec.Struct, frozen=True):
    """One payload for one endpoint."""

    workspace_id: str
    endpoint_id: str
    event_id: str
    event_name: str  # the value of X-Plane-Event
    version: str
    part: int
    generation: int = 0  # the endpoint's, see cancel.py


class Lease(msgspec.Struct, frozen=True):
    """The right to attempt a delivery. `until` also identifies the lease: a later one has another."""

    workspace_id: str
    delivery_id: str
    until: datetime
    endpoint_id: str


class Restraint(msgspec.Struct, frozen=True):
    """Ids of endpoints that a claim skips, and of those that may have one delivery in flight at a time."""

    resting: list[str] = []
    single: list[str] = []


FREE = Restraint()  # no endpoint is limited


class DeliveryQueue(Protocol):
    """Holds deliveries until they are due and hands each to one worker at a time."""

    async def enqueue(self, tx: Transaction, deliveries: Sequence[NewDelivery], now: datetime) -> None:
        """Make them due at once, in this order. Deliveries that are queued already are left alone."""
        ...

    async def claim(self, limit: int, restraint: Restraint = FREE) -> list[Lease]:
        """Lease up to `limit` due deliveries, fairly among endpoints, within the restraint."""
        ...

    async def settle(
        self, tx: Transaction, lease: Lease, status: Status, now: datetime, retry_at: datetime | None = None
    ) -> bool:
        """End the lease after an attempt; False when the lease was lost or the delivery was cancelled meanwhile."""
        ...

    async def settle_delivered(self, tx: Transaction, leases: Sequence[Lease], now: datetime) -> set[str]:
        """End the leases of successful deliveries without waiting for locks; returns the ids of those it settled.

        The caller settles the others alone: their lease was lost, or their row is locked."""
        ...

    async def release(self, leases: Iterable[Lease]) -> None:
        """Release leases without an attempt."""
        ...

    async def reconcile(self) -> bool:
        """Requeue due deliveries that the engine has lost; True when there may be more."""
        ...
