"""Revokes tokens for the rooms below the authorization server, which registers its functions at the start.

Users, memberships and installations end in these rooms; their tokens are revoked in the same transaction.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from airside.db.database import Transaction

# Called with the user's id, the reason, the time, and the workspace (None: all of them).
RevokeOfUser = Callable[[Transaction, str, str, datetime, str | None], Awaitable[None]]
# Called with the installation's id and the time.
RevokeOfInstallation = Callable[[Transaction, str, datetime], Awaitable[None]]


class TokenRevoker:
    """One for each site. Until functions are registered every call raises RuntimeError, which rolls the transaction
    back: otherwise a right would end while its tokens stay valid."""

    def __init__(self) -> None:
        self._of_user: RevokeOfUser = _refuse
        self._of_installation: RevokeOfInstallation = _refuse

    def register(self, *, of_user: RevokeOfUser, of_installation: RevokeOfInstallation) -> None:
        self._of_user, self._of_installation = of_user, of_installation

    async def revoke_of_user(
        self, tx: Transaction, user_id: str, reason: str, at: datetime, workspace_id: str | None = None
    ) -> None:
        """Revoke every consent of a user to apps, in one workspace or in all."""
        await self._of_user(tx, user_id, reason, at, workspace_id)

    async def revoke_of_installation(self, tx: Transaction, installation_id: str, at: datetime) -> None:
        """Revoke every token and consent of an installation."""
        await self._of_installation(tx, installation_id, at)


async def _refuse(*_: object) -> None:
    raise RuntimeError("nothing that revokes tokens was registered with this site")
