"""One API request as the verbs and hooks see it: who calls, where, with what."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec

from airside.db.base import Row
from airside.db.database import Transaction
from airside.site import Site


class Caller(msgspec.Struct, frozen=True):
    """Whom a credential stands for. Cached for at most a second, so it holds nothing that may outlive that."""

    user_id: str
    kind: Literal["bot", "user", "api_key"]
    credential: str  # hash of the credential: the key of its rate limit
    scopes: frozenset[str] | None = None  # granular; None for an API key, which no scope limits
    workspace_id: str | None = None  # a token works in this workspace only
    installation_id: str | None = None
    app_id: str | None = None


@dataclass(slots=True)
class Call:
    """A request in progress. `workspace` and `project` are filled in by the guard when the route names them."""

    site: Site
    caller: Caller
    now: datetime
    method: str
    path: dict[str, str]  # the route's parameters, ids already checked to be UUIDs
    query: dict[str, str]
    body: Any = None  # the validated body: field name → value, only what was sent
    workspace: Row = field(default_factory=dict)  # id, slug, name, logo_url
    workspace_role: int = 0  # 20 admin, 15 member, 5 guest
    project: Row = field(default_factory=dict)
    project_role: int = 0
    tx: Transaction | None = None  # set while a writing verb holds its transaction

    @property
    def workspace_id(self) -> str:
        return self.workspace["id"]

    @property
    def project_id(self) -> str:
        return self.project["id"]
