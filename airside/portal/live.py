"""The stream of server-sent events that notifies a page of changes, so that it fetches the changed part again.

A message contains only the names of topics. The page fetches the content from its own URL, which authorizes the
caller again.
"""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime

import sqlalchemy as sa
import structlog
from falcon.asgi import Request, Response, SSEvent

from airside.db.away import DatabaseAway
from airside.db.conditions import live
from airside.db.statements import Statement, any_of, any_text_of
from airside.errors import AirsideError
from airside.identity.tables import sessions, users
from airside.live.live import Watch
from airside.portal.live_topics import require_topics
from airside.portal.visit import Page, enter_workspace
from airside.runtime.site import Site
from airside.system.clock import read_instant
from airside.workspaces.tables import workspace_members

HEARTBEAT_SECONDS = 5.0  # between two heartbeats; the next one detects a closed page
GAP_SECONDS = 0.1  # between two messages to one page
CHECK_SECONDS = 1.0  # between two checks that the sessions are still valid
RETRY_MILLISECONDS = 2000  # before a browser reconnects after the stream broke
MAX_STREAMS_PER_PERSON = 8
MAX_STREAMS = 1000  # per process

_log = structlog.get_logger("airside.live")


class TooManyStreams(AirsideError):
    status = 503
    sentence = "Too many live pages are open. This page works, but shows changes only after a reload."

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": "60"}


class Stream:
    """One open page: its user, session and workspace, and the role in which it was opened."""

    def __init__(self, user_id: str, session: str, workspace_id: str, role: int) -> None:
        self.user_id = user_id
        self.key = (session, workspace_id, role)
        self.watch: Watch | None = None
        self.is_over = False

    def end(self) -> None:
        self.is_over = True
        if self.watch is not None:
            self.watch.end()


class Streams:
    """The open streams of this process. A stream ends when its session expires or its user's role changes."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._open: dict[Stream, None] = {}  # oldest first
        self._checker: asyncio.Task[None] | None = None

    def add(self, stream: Stream) -> None:
        """Over the limit per person the oldest is closed: its page may be gone already. Raises TooManyStreams."""
        if len(self._open) >= MAX_STREAMS:
            raise TooManyStreams
        theirs = [one for one in self._open if one.user_id == stream.user_id]
        for one in theirs[: max(0, len(theirs) + 1 - MAX_STREAMS_PER_PERSON)]:
            one.end()
            self.drop(one)
        self._open[stream] = None
        if self._checker is None or self._checker.done():
            self._checker = asyncio.create_task(self._check_all(), name="live-check")

    def drop(self, stream: Stream) -> None:
        self._open.pop(stream, None)

    async def _check_all(self) -> None:
        while self._open and not self._site.live.is_over:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                await self._check()
            except DatabaseAway:  # logged where it was raised
                continue
            except Exception:  # noqa: BLE001 - one failed check must not end the checks
                _log.exception("live_check_broke")

    async def _check(self) -> None:
        """One query for all streams."""
        keys = [stream.key for stream in self._open]
        rows = await self._site.db.fetch_all(
            _VALID,
            sessions=list({key[0] for key in keys}),
            workspaces=list({key[1] for key in keys}),
            now=self._site.clock.now(),
        )
        lasting = {(row["id_hash"], row["workspace_id"], row["role"]) for row in rows}
        for stream in list(self._open):
            if stream.key not in lasting:
                stream.end()


class LiveStream(Page):
    """GET /<workspace>/live/?topics=…&since=<when the page was made>"""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._streams = Streams(site)

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        visit = await enter_workspace(self.site, req, resp, slug)
        topics = await require_topics(visit, req.get_param("topics") or "")
        stream = Stream(visit.user_id, visit.session.id_hash, visit.workspace_id, visit.role)
        self._streams.add(stream)
        resp.set_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        resp.sse = self._send_changes(stream, topics, read_since(req))

    async def _send_changes(
        self, stream: Stream, topics: list[str], since: datetime | None
    ) -> AsyncGenerator[SSEvent | None]:
        try:
            async with self.site.live.watch(topics, since) as watch:
                stream.watch = watch
                yield SSEvent(event="open", event_id=self._now(), retry=RETRY_MILLISECONDS)
                while not (watch.is_over or stream.is_over):
                    changed = await watch.wait(HEARTBEAT_SECONDS)
                    if changed:
                        yield SSEvent(text=" ".join(changed), event_id=self._now())
                        await asyncio.sleep(GAP_SECONDS)
                    elif not watch.is_over:
                        yield None
                if stream.is_over:
                    yield SSEvent(event="over", text="-")  # browsers drop an event without any data
        finally:
            self._streams.drop(stream)

    def _now(self) -> str:
        return self.site.clock.now().isoformat()


def read_since(req: Request) -> datetime | None:
    """When a reconnecting browser received its last event, or when the page was rendered. None when unknown."""
    return read_instant(req.get_header("Last-Event-ID") or req.get_param("since") or "")


_s, _m = sessions.c, workspace_members.c
_VALID = Statement(
    sa.select(_s.id_hash, _m.workspace_id, _m.role)
    .join_from(sessions, users, users.c.id == _s.user_id)
    .join(workspace_members, _m.user_id == users.c.id)
    .where(
        any_text_of(_s.id_hash, "sessions"),
        any_of(_m.workspace_id, "workspaces"),
        _s.expires_at > sa.bindparam("now", type_=_s.expires_at.type),
        *(users.c.is_active, _m.is_active, live(workspace_members)),
    )
)
