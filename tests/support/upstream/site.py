"""A running stand-in: its settings, which tests may change at any time, its rows, its clock and its worker."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.upstream.store import Clock, Row, Store
from tests.support.upstream.worker import Worker


@dataclass
class Settings:
    """What an operator sets, and which faults a test wants."""

    api_key_limit: int | None = 60  # requests a minute and key; None is no limit
    service_key_limit: int | None = 300
    anonymous_limit: int | None = 30  # requests a minute and address without a credential
    webhook_allowed_hosts: set[str] = field(default_factory=lambda: {"127.0.0.1"})
    secure_cookies: bool = False  # as with an https origin
    seeds_project: bool = True  # a bot makes a project in each new workspace
    storage_url: str | None = None  # None: uploads go to the request's own origin
    seconds: float = 0.0  # how long one of a Community Edition's seconds takes in its worker
    shuffle_keys: bool = True  # the keys of one change are sent in any order
    read_data_late: bool = True  # `data` is read when the webhook is sent, not when the change happens
    retries: int = 5  # of one webhook after a network failure; then its hook is disabled


class Site:
    def __init__(self, settings: Settings | None = None, seed: int = 1) -> None:
        self.settings = settings or Settings()
        self.clock = Clock()
        self.store = Store(self.clock)
        self.random = random.Random(seed)
        self.worker = Worker(self.settings)
        self.worker.after_task = self.flush
        self.sessions: dict[str, dict[str, Any]] = {}
        self.budgets: dict[str, list[float]] = {}
        self.files: dict[str, tuple[str, bytes]] = {}  # what is in the storage: content type and bytes by key
        self.flushes: list[Callable[[], Awaitable[None]]] = []  # write the rows elsewhere before an answer
        self.configuration: dict[str, Row] = {}  # of the instance, by key

    async def flush(self) -> None:
        for flush in self.flushes:
            await flush()

    def choose(self, *choices: Any) -> Any:
        return self.random.choice(choices)
