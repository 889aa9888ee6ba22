"""Where deliveries wait for their turn; one small interface, several engines.

The database is always the truth about a delivery: every engine writes its rows. An engine only decides how a
worker gets hold of the ones that are due.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from airside.db.database import Transaction

DELIVER = "webhooks.deliver"  # the wake-up when something became due
RECONCILE = "webhooks.reconcile"  # the wake-up when the engine may have lost sight of something

Status = Literal["pending", "delivered", "failed", "cancelled", "missed"]


class NewDelivery(msgspec.Struct, frozen=True):
    """One payload for one listener."""

    workspace_id: str
    endpoint_id: str
    event_id: str
    event_name: str  # as X-Plane-Event will say it
    version: str
    part: int
    generation: int = 0  # the endpoint's, see cancel.py


class Lease(msgspec.Struct, frozen=True):
    """The right to attempt a delivery. `until` also tells this lease from any later one."""

    workspace_id: str
    delivery_id: str
    until: datetime
    endpoint_id: str


class Restraint(msgspec.Struct, frozen=True):
    """Ids of endpoints that a claim passes over, and of those that may have one delivery under way at a time."""

    resting: list[str] = []
    single: list[str] = []


FREE = Restraint()  # nobody is held back


class DeliveryQueue(Protocol):
    """Holds deliveries until they are due and hands each to one worker at a time."""

    async def enqueue(self, tx: Transaction, deliveries: Sequence[NewDelivery], now: datetime) -> None:
        """Make them due at once, in this order. What is queued already is left alone."""
        ...

    async def claim(self, limit: int, restraint: Restraint = FREE) -> list[Lease]:
        """Lease up to `limit` that are due, fairly among endpoints that aren't held back."""
        ...

    async def settle(
        self, tx: Transaction, lease: Lease, status: Status, now: datetime, retry_at: datetime | None = None
    ) -> bool:
        """End the lease after an attempt; False when it was lost, or the delivery cancelled meanwhile."""
        ...

    async def settle_delivered(self, tx: Transaction, leases: Sequence[Lease], now: datetime) -> set[str]:
        """End the leases of what arrived, waiting for nobody; the ids of those it could.

        The others, whose lease was lost or whose row somebody holds just now, are to be settled alone."""
        ...

    async def release(self, leases: Iterable[Lease]) -> None:
        """Give back without an attempt."""
        ...

    async def reconcile(self) -> bool:
        """Bring back what the engine has lost sight of; True when there may be more of it."""
        ...
