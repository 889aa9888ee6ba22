"""One API request as the verbs and hooks see it: who calls, where, with what."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

from airside.db.base import Row
from airside.db.database import Reader, Transaction
from airside.runtime.site import Site


class Caller(msgspec.Struct, frozen=True):
    """Whom a credential stands for. Cached for at most a second, so it holds nothing that may outlive that."""

    user_id: str
    kind: Literal["bot", "user", "api_key", "session"]
    budget: str  # whose requests are counted with these: an app's bot, a person in an app, a person's keys
    scopes: frozenset[str] | None = None  # granular; None for an API key, which no scope limits
    workspace_id: str | None = None  # a token works in this workspace only
    installation_id: str | None = None
    app_id: str | None = None
    projects: frozenset[str] | None = None  # the only ones that its app was let into; None: no such limit

    @property
    def is_cli(self) -> bool:
        """Whether it is Airside's own command line, which a person signed in: its token needs no installation."""
        return self.kind == "user" and self.installation_id is None


class Access(Protocol):
    """What the engine asks of the rooms it doesn't know: where a caller may go and how they are called."""

    async def enter_workspace(self, call: "Call", slug: str) -> None:
        """Fill in `workspace` and `workspace_role`. Raises Forbidden, also for a workspace that isn't there."""
        ...

    async def enter_project(self, call: "Call", project_id: str) -> None:
        """Fill in `project` and `project_role`. Raises NotFound or Forbidden."""
        ...

    async def lock_workspace(self, call: "Call") -> None:
        """Until the transaction ends, whoever else asks for this waits."""
        ...

    async def describe_user(self, call: "Call", user_id: str) -> Row | None:
        """The seven fields by which the wire shows a person or bot."""
        ...


async def _is_admitted() -> None:
    """Of a call that no guard let in."""


@dataclass(slots=True)
class Call:
    """A request in progress. `workspace` and `project` are filled in by the guard when the route names them."""

    site: Site
    access: Access
    caller: Caller
    now: datetime
    method: str
    path: dict[str, str]  # the route's parameters, ids already checked to be UUIDs
    query: dict[str, str]
    body: Any = None  # the validated body: field name → value, only what was sent
    prepared: dict[str, Any] = field(default_factory=dict[str, Any])  # by `prepare`, for the other hooks
    workspace: Row = field(default_factory=dict)  # id, slug, name, logo_url
    workspace_role: int = 0  # 20 admin, 15 member, 5 guest
    project: Row = field(default_factory=dict)
    project_role: int = 0
    tx: Transaction | None = None  # set while a writing verb holds its transaction
    # For an answer that goes on: raises what refuses it, and tells the roles of now.
    check_again: Callable[[], Awaitable["Call | None"]] = _is_admitted

    @property
    def reader(self) -> Reader:
        """Where to read: inside the transaction while there is one."""
        return self.tx or self.site.db

    @property
    def writer(self) -> Transaction:
        """The transaction of a writing verb; hooks that write are only called inside one."""
        assert self.tx is not None
        return self.tx

    @property
    def role(self) -> int:
        """The role that counts here: in the project when the route names one, else in the workspace."""
        return self.project_role if self.project else self.workspace_role

    @property
    def workspace_id(self) -> str:
        return self.workspace["id"]

    @property
    def project_id(self) -> str:
        return self.project["id"]
