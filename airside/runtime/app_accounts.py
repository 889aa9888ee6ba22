"""Who an installed app acts as, for the rooms that install apps: locally a bot of Airside's own. In front of a
Community Edition its gateway registers another, which makes an account there.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from airside.db.database import Reader, Transaction

ADMIN, MEMBER = 20, 15  # of workspaces/roles.py, a room above
Row = dict[str, Any]


class Install(NamedTuple):
    """An admin's decision to install the app, or to repair its account."""

    app: Row
    workspace_id: str
    by_user_id: str
    project_ids: Sequence[str] | None  # None: all
    cookies: Mapping[str, str]  # of the admin's request
    kept_ids: Sequence[str] = ()  # projects that the app has already, which others may administer

    def __repr__(self) -> str:
        """Without the cookies, which are credentials."""
        return f"Install({self.app['id']}, {self.workspace_id})"


class AppAccounts:
    """A local bot needs no account, so nothing has to be done."""

    is_remote = False
    bot_role = ADMIN  # in the workspace

    async def prepare(self, install: Install) -> None:
        """Make or repair the app's account, outside of any transaction. Raises AirsideError."""

    async def take_bot(self, tx: Transaction, app: Row, workspace_id: str) -> Row | None:
        """The user that the app acts as, when `prepare` made its account; None: a local bot. Raises Refused."""
        return None

    async def place(self, install: Install) -> None:
        """Let the account into other projects, outside of any transaction. Raises AirsideError."""

    async def begin_end(self, tx: Transaction, workspace_id: str, app_id: str, now: datetime) -> None:
        """Stop the account in the transaction that uninstalls the app; it is ended after the commit."""

    async def leave(self, workspace_id: str, app_id: str, cookies: Mapping[str, str]) -> None:
        """End the account of an uninstalled app, by the admin's cookies if it can't sign in. Doesn't raise."""

    async def app_changed(self, tx: Transaction, app_id: str, now: datetime) -> None:
        """The app has another name or logo."""

    async def is_removed(self, reader: Reader, workspace_id: str, app_id: str) -> bool:
        """Whether somebody removed the account outside of Airside, so that an admin has to repair it."""
        return False
