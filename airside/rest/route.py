"""One operation of a wire: what the endpoint, the guard and OpenAPI have to know about it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airside.rest.body import Body
from airside.rest.call import Call
from airside.rest.face import Face
from airside.rest.record import GUEST, Identify

Handler = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Route:
    """One operation. `handler` returns the body to send, or None for none."""

    method: str
    path: str  # below the wire's prefix, without the trailing slash
    handler: Handler
    scope: str | None  # None: any valid credential
    name: str  # operationId
    summary: str = ""  # one sentence for API clients
    role: int = GUEST  # minimum workspace role, or project role below projects/{project_id}
    people_only: bool = False  # refuses bots, whatever their role and scopes
    status: int = 200
    body: type[Body] | None = None
    partial: bool = False
    bare: str | None = None  # the field of the body that may be sent alone, as an array
    shown: Any = None  # a Shown, list[Shown], list[str] for ids, a union, or None
    paged: bool = False
    is_placeholder: bool = False  # an empty list until its records are served; any other method is 404
    event: str | None = None  # the event it records; a writing route has one, or a reason:
    other_event: str | None = None  # that of its second outcome, such as the change of an upsert
    eventless: str | None = None
    refuses_key: str | None = None  # why a write takes no Idempotency-Key
    unmetered: bool = False  # almost: clients call it before every request
    face: Face | None = None
    streams: str | None = None  # media type of a streamed response
    may_conflict: bool = False  # whether it can return 409
    query: Mapping[str, Any] = field(default_factory=dict[str, Any])  # name → type, see parameters.py
    identifiers: Mapping[str, Identify] = field(default_factory=dict[str, Identify])  # see identifiers.py
    aliases: tuple[str, ...] = field(default=())  # further paths of the same operation
    needs: str | None = None  # the feature that it belongs to, if its face's record doesn't say

    @property
    def feature(self) -> str | None:
        """The feature that has to be on for writes."""
        return self.needs or (self.face.record.feature if self.face else None)
