"""The running instance, as passed to domain functions: its settings, database, clock and keys."""

from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airside.db.database import Database
from airside.db.open import open_database
from airside.live.live import Live
from airside.live.wakeups import Wakeups
from airside.runtime.app_accounts import AppAccounts
from airside.runtime.app_calls import AppCalls
from airside.runtime.change_hooks import ChangeHooks
from airside.runtime.counters import Counters
from airside.runtime.rate_budgets import Budgets
from airside.runtime.token_revoker import TokenRevoker
from airside.settings import Settings
from airside.system.clock import Clock, SystemClock
from airside.system.credentials import Sealer

if TYPE_CHECKING:
    from airside.gateway.client import UpstreamClient
    from airside.host.protocol import Host


@dataclass(frozen=True, slots=True)
class Site:
    """The first argument of everything that reads or changes the instance."""

    settings: Settings
    db: Database
    sealer: Sealer
    clock: Clock = field(default_factory=SystemClock)
    wakeups: Wakeups = field(default_factory=Wakeups)
    change_hooks: ChangeHooks = field(default_factory=ChangeHooks)
    tokens: TokenRevoker = field(default_factory=TokenRevoker)
    app_accounts: AppAccounts = field(default_factory=AppAccounts)
    app_calls: AppCalls = field(default_factory=AppCalls)
    counters: Counters = field(default_factory=Counters)
    host: "Host | None" = None  # where the workspaces live; read it with `host_of`, which chooses it
    upstream: "UpstreamClient | None" = None  # to the Community Edition; read it with `upstream_of`
    live: Live = field(init=False)
    budgets: Budgets = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "live", Live(self.db, self.clock, self.wakeups))
        object.__setattr__(self, "budgets", Budgets(self.db, self.clock))

    def with_database(self, db: Database) -> "Site":
        """The same instance with another database for what is read and written through it."""
        other = copy(self)
        object.__setattr__(other, "db", db)
        return other

    async def close(self) -> None:
        """Send pending live notifications, then close the database and the connections to the Community Edition."""
        self.live.close()
        if self.upstream is not None:
            await self.upstream.close()
        try:
            await self.live.flush()
        finally:
            await self.db.close()


async def open_site(settings: Settings) -> Site:
    """Open the database and the keys. Raises OSError, sqlite3.Error, asyncpg.PostgresError or ValueError."""
    sealer = Sealer(settings.secret_key, *settings.previous_secret_keys)
    return Site(
        settings=settings, db=await open_database(settings.database, settings.database_pool), sealer=sealer
    )
