"""One API request as the verbs and hooks see it: caller, path, query and body."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

from airside.db.base import Row
from airside.db.database import Reader, Transaction
from airside.runtime.site import Site


class Caller(msgspec.Struct, frozen=True):
    """The caller of a credential. Cached for at most a second, so it contains nothing that must be fresher."""

    user_id: str
    kind: Literal["bot", "user", "api_key", "session"]
    budget: str  # key of the rate budget: an app's bot, a person in an app, a person's keys
    scopes: frozenset[str] | None = None  # granular; None for an API key, which has no scopes
    workspace_id: str | None = None  # the only workspace that a token is valid for
    installation_id: str | None = None
    app_id: str | None = None
    projects: frozenset[str] | None = None  # the only projects that its app may access; None for all

    @property
    def is_cli(self) -> bool:
        """Whether it is Airside's own command line, signed in by a person: its token needs no installation."""
        return self.kind == "user" and self.installation_id is None


class Access(Protocol):
    """What the engine needs from domain packages: access to workspaces and projects, and names of users."""

    async def enter_workspace(self, call: "Call", slug: str) -> None:
        """Fill in `workspace` and `workspace_role`. Raises Forbidden, also for a missing workspace."""
        ...

    async def enter_project(self, call: "Call", project_id: str) -> None:
        """Fill in `project` and `project_role`. Raises NotFound or Forbidden."""
        ...

    async def enter_unchecked(self, call: "Call", workspace_id: str, project_id: str | None) -> None:
        """Fill in all of them with an admin's roles, for what follows a change that somebody made."""
        ...

    async def identify_project(self, call: "Call", identifier: str) -> str | None:
        """The id of the workspace's project with this identifier, such as ENG."""
        ...

    def is_feature_on(self, call: "Call", name: str) -> bool:
        """Whether the call's project uses the feature; in a path without a project, its workspace."""
        ...

    async def lock_workspace(self, call: "Call") -> None:
        """Take an exclusive lock until the transaction ends; other callers wait."""
        ...

    async def describe_user(self, call: "Call", user_id: str) -> Row | None:
        """The seven fields of a person or bot on the wire."""
        ...


async def _is_admitted() -> None:
    """Default of `check_again` for a call without a guard."""


@dataclass(slots=True)
class Call:
    """A request in progress. `workspace` and `project` are filled in by the guard when the route names them."""

    site: Site
    access: Access
    caller: Caller
    now: datetime
    method: str
    path: dict[str, str]  # the route's parameters; ids are UUIDs, also where the URL has an identifier
    query: dict[str, str]
    body: Any = None  # the validated body: field name → value, only what was sent
    prepared: dict[str, Any] = field(default_factory=dict[str, Any])  # set by `prepare`, for the other hooks
    workspace: Row = field(default_factory=Row)  # id, slug, name, logo_url
    workspace_role: int = 0  # 20 admin, 15 member, 5 guest
    project: Row = field(default_factory=Row)
    project_role: int = 0
    # By table and id: the parents in the URL, as they were read for the present transaction.
    parents: dict[tuple[str, str], Row] = field(default_factory=dict[tuple[str, str], Row])
    tx: Transaction | None = None  # set while a writing verb holds its transaction
    is_import: bool = False  # of records from elsewhere: no webhook, no hook, and nothing is made beside them
    kept: Row = field(default_factory=Row)  # columns that the first new record has from elsewhere
    # For streamed responses: authorizes again, and returns the call with the present roles.
    check_again: Callable[[], Awaitable["Call | None"]] = _is_admitted

    @property
    def reader(self) -> Reader:
        """The transaction, if there is one, else the database."""
        return self.tx or self.site.db

    @property
    def writer(self) -> Transaction:
        """The transaction of a writing verb; hooks that write are only called inside one."""
        assert self.tx is not None
        return self.tx

    @property
    def role(self) -> int:
        """The effective role: in the project if the route names one, else in the workspace."""
        return self.project_role if self.project else self.workspace_role

    @property
    def workspace_id(self) -> str:
        return self.workspace["id"]

    @property
    def project_id(self) -> str:
        return self.project["id"]
