"""What agents, pages and the command line need of the place where a workspace lives; see docs/decisions/0027.

The unit of work is the engine's `Call`: who acts, in which workspace, in which transaction. A method marked "in the
transaction" is called with `call.tx` set, every other one without. In a transaction a host behind HTTP sends
nothing: it answers from what it keeps, and stores what it has to send, which is sent after the commit.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import msgspec
import sqlalchemy as sa

from airside.db.database import Reader
from airside.events.outbox import Change
from airside.identity.sessions import Session
from airside.rest.call import Access, Call
from airside.rest.record import Narrowing
from airside.rich_text.html import Cleaned
from airside.runtime.site import Site


class Viewer(NamedTuple):
    """A member of a workspace who opens a page."""

    workspace_id: str
    user_id: str
    is_admin: bool


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project as pickers show it."""

    id: str
    name: str
    identifier: str  # upper case: the "ENG" of ENG-12


class ItemName(msgspec.Struct, frozen=True, kw_only=True):
    """A work item as a link shows it."""

    id: str
    key: str  # ENG-12
    name: str


class Item(ItemName, frozen=True, kw_only=True):
    """A work item at the moment of an event."""

    project_id: str
    text: str  # its description without markup
    assignees: Sequence[str]  # user ids
    origin: Any = None  # the host's own record, which nobody else reads


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """A comment of a work item, now or at the moment of an event."""

    id: str
    item_id: str
    project_id: str
    parent_id: str | None  # the comment that it replies to
    html: str  # sanitized
    text: str  # the same without markup
    origin: Any = None  # the host's own record, which nobody else reads


class Watcher(NamedTuple):
    """Who is called for each event, in the transaction that stores it: with the call of its actor, the state before
    (None for a new record) and the new state. An exception rolls back the event too."""

    on_comment: Callable[[Call, Comment | None, Comment], Awaitable[None]]
    on_item: Callable[[Call, Item | None, Item], Awaitable[None]]


class Host(Protocol):
    """Where workspaces live. Ids are the host's own; people, memberships and projects are always in our tables."""

    @property
    def access(self) -> Access:
        """Roles and membership."""
        ...

    def start(self, site: Site, watcher: Watcher) -> None:
        """Call the watcher for every new and changed comment and work item from now on. Starting twice changes
        nothing."""
        ...

    async def wake_snoozed(self, site: Site) -> bool:
        """Bring back what was snoozed until now; True when there may be more. The worker calls it often."""
        ...

    async def finish_followups(self, site: Site) -> bool:
        """Change one more batch of the records that follow an earlier change; True when there may be more."""
        ...

    async def find_session(self, site: Site, session_id: str, cookies: Mapping[str, str]) -> Session | None:
        """Who is signed in: by Airside's own session, and by another cookie too where the host demands it."""
        ...

    async def confirm_session(self, site: Site, session: Session, cookies: Mapping[str, str]) -> bool:
        """Ask at once whether the person is still signed in where people sign in; False: the session is over.

        Always True for a host of which people have a password here, since that can be asked for again."""
        ...

    def in_visible_projects(self, call: Call, column: sa.ColumnElement[Any]) -> Narrowing:
        """Limit records of ours to those of projects that the caller sees; `column` is their project's id."""
        ...

    async def may_read(
        self, site: Site, viewer: Viewer, kind: Literal["project", "work_item"], id: str
    ) -> bool:
        """Whether the person may read the records of this project, or this work item."""
        ...

    async def list_projects(
        self, site: Site, workspace_id: str, *, archived: bool = False, viewer_id: str | None = None
    ) -> Sequence[Project]:
        """The workspace's projects by name, with the archived ones only where they are asked for. `viewer_id`: an
        admin who picks some of them, to whom no project is shown that the host hides from them."""
        ...

    async def name_items(
        self, reader: Reader, workspace_id: str, ids: Sequence[str]
    ) -> Mapping[str, ItemName]:
        """Id → work item, for links; deleted ones are left out. The caller has checked access."""
        ...

    async def locate_item(self, call: Call, item_id: str, project_id: str | None = None) -> str | None:
        """The project of a work item that isn't deleted; `project_id` is where it was last. Doesn't check access.

        Also in the transaction."""
        ...

    async def find_comment(self, call: Call, comment_id: str, item_id: str | None = None) -> Comment | None:
        """A comment that isn't deleted; `item_id` where the caller names it too. Doesn't check access."""
        ...

    async def lock_thread(self, call: Call, comment: Comment) -> str:
        """The id of the first comment of its thread. Until the transaction ends nobody else locks that thread.

        In the transaction."""
        ...

    async def write_comment(
        self, call: Call, *, comment_id: str, item_id: str, thread_id: str | None, text: Cleaned
    ) -> str:
        """Write a comment by the caller in the project that `call` has entered; returns the id of its thread.

        It replies in the thread where that still exists, else it begins one. It is known by `comment_id` from now
        on, also in events, whatever id another server gives it. In the transaction."""
        ...

    async def send_update(
        self, call: Call, record: Comment | Item, change: Change, installation_id: str
    ) -> None:
        """Record an update event of a record that a watcher was called with, for this installation alone.

        In the transaction."""
        ...
