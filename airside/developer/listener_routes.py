"""`airside listen` over the API: open a listener, stream its deliveries, report the local server's responses.

Deliveries are streamed as server-sent events, since a laptop behind NAT can't accept connections; responses are
reported in separate requests, so that proxies and restarts lose neither. Any process can take a report: all
in-flight state is in the database.
"""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from airside.apps.registry import find_app
from airside.db.base import Row, is_uuid
from airside.developer.listeners import close_listener, get_own_listener, open_listener
from airside.developer.webhook_routes import app_route, get_managed_app
from airside.errors import Forbidden, Invalid, NotFound, RateLimited, Refused, Unauthenticated, Unavailable
from airside.rest.body import Body, Name, Short, Text, Uuid
from airside.rest.call import Call
from airside.rest.endpoint import Streamed
from airside.rest.face import Shown
from airside.rest.parameters import described
from airside.rest.route import Route
from airside.webhooks.forward import hand_over, take_answer
from airside.webhooks.listeners import (
    TOUCH_EVERY,
    find_listener,
    leave_session,
    list_listeners,
    touch_listener,
    wake_up_of,
)
from airside.webhooks.send import (
    MAX_ANSWER_BYTES,
    MAX_ANSWER_HEADERS,
    MAX_HEADER_LENGTH,
    ReceiverResponse,
    printable,
)
from airside.webhooks.tables import ListenerRow
from airside.workspaces.find import get_workspace
from airside.workspaces.webhook_routes import require_person_in_full

EVENT_STREAM = "text/event-stream"
UNBUFFERED = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
MAX_STREAM_SECONDS = 300  # per stream; the client reconnects, and proxies seldom allow longer
POLL_SECONDS = 0.5  # interval of database polls for deliveries enqueued by other processes
HEARTBEAT_SECONDS = 10.0  # below the idle timeout of proxies
QUIET_SECONDS = 60  # without a request from the client, after which it is presumed gone and the stream ends
MAX_ANSWERS = 100  # responses per request
MAX_SENTENCE = 200  # characters of a connection error
MAX_TIMINGS = 8  # per response


class Application(Shown):
    id: str
    client_id: str
    name: str
    workspace: str  # slug of the workspace that registered it
    webhook_version: str


class ListenerIn(Body):
    """`session` identifies this run of the command, which generates it. `from_now` drops pending deliveries."""

    example = {
        "name": "laptop",
        "forward_to": "http://127.0.0.1:9000/hook",
        "session": "0198c1a2-7b3c-7d4e-8f50-617283940a1b",
    }

    name: Name
    forward_to: Text
    session: Uuid
    events: list[Short] | None = None
    from_now: bool = False


class ListenerOut(Shown):
    id: str
    name: str
    forward_to: str
    events: list[str] | None
    seen_at: datetime
    created_at: datetime


class ListenerList(Shown):
    results: list[ListenerOut]


class AnswersTaken(Shown):
    taken: int


class ListenerOpened(ListenerOut):
    installations: int
    waiting: int
    secret_last_four: str
    earlier_secret_last_four: str | None  # while it still signs: then X-Plane-Signature uses it


_Header = Annotated[str, Meta(max_length=MAX_HEADER_LENGTH)]


class AnswerIn(msgspec.Struct):
    """The local server's response to one attempt: a status, or an error without one."""

    attempt_id: Annotated[str, Meta(max_length=36)]
    status: int | None = None
    headers: Annotated[list[tuple[_Header, _Header]], Meta(max_length=MAX_ANSWER_HEADERS)] = []
    body: Annotated[str, Meta(max_length=MAX_ANSWER_BYTES)] = ""
    error: Short = ""
    duration_ms: int = 0
    timings: Annotated[dict[Annotated[str, Meta(max_length=20)], int], Meta(max_length=MAX_TIMINGS)] = {}


class AnswersIn(Body):
    """An empty list is a heartbeat. `leaving`: this session takes no more deliveries."""

    example = {
        "answers": [{"attempt_id": "0198c1a2-7b3c-7d4e-8f50-617283940a1b", "status": 200, "duration_ms": 12}]
    }

    answers: Annotated[list[AnswerIn], Meta(max_length=MAX_ANSWERS)]
    leaving: bool = False


async def find_application(call: Call) -> Any:
    """The app with this client id and the workspace that registered it, for users who manage it."""
    require_developer(call)
    app = await find_app(call.reader, call.path["client_id"])
    if app is None or app["workspace_id"] is None:
        raise NotFound
    workspace = await get_workspace(call.reader, app["workspace_id"])
    try:
        await call.access.enter_workspace(call, workspace["slug"])
        await get_managed_app(call)
    except (Forbidden, NotFound):
        raise NotFound from None
    shown = {name: app[name] for name in ("id", "client_id", "name", "webhook_version")}
    return shown | {"workspace": workspace["slug"]}


def require_developer(call: Call) -> None:
    """Requires a token of the command line or an API key; apps that act as a user are refused. Raises Forbidden."""
    if not call.caller.is_cli:
        require_person_in_full(call)


async def _get_app(call: Call) -> Row:
    """Raises Forbidden and NotFound."""
    require_developer(call)
    return await get_managed_app(call)


async def list_all(call: Call) -> Any:
    app = await _get_app(call)
    found = await list_listeners(call.reader, call.workspace_id, app["id"])
    return {"results": [show_listener(row) for row in found]}


async def create(call: Call) -> Any:
    app, sent = await _get_app(call), call.body
    opened = await open_listener(
        call.site,
        app,
        call.caller.user_id,
        name=sent["name"].strip(),
        forward_to=sent["forward_to"],
        event_names=sent.get("events"),
        session=sent["session"],
        from_now=sent.get("from_now", False),
    )
    return show_listener(opened.listener) | {
        "installations": opened.installations,
        "waiting": opened.waiting,
        "secret_last_four": opened.last_four,
        "earlier_secret_last_four": opened.earlier_last_four,
    }


async def end(call: Call) -> None:
    app = await _get_app(call)
    await close_listener(call.site, app, call.path["listener_id"], call.caller.user_id)


async def stream(call: Call) -> Any:
    """Stream deliveries for at most `seconds`. Each `data` is one attempt, to be posted unchanged."""
    listener = await _find(call)
    session = call.query.get("session") or listener["session"]
    if session != listener["session"]:
        raise Refused("Another airside listen of yours has taken over.")
    seconds = _read_seconds(call.query.get("seconds"))
    return Streamed(EVENT_STREAM, stream_deliveries(call, listener, session, seconds), UNBUFFERED)


async def answer(call: Call) -> Any:
    """Report the local server's responses. Those to attempts of another listener are skipped."""
    listener, sent = await _find(call), call.body["answers"]
    answers = [_read_answer(one) for one in sent]
    if call.now - listener["seen_at"] >= TOUCH_EVERY:
        async with call.site.db.transaction() as tx:
            await touch_listener(tx, listener, call.now)
    taken = [await take_answer(call.site, listener, attempt, one) for attempt, one in answers]
    if call.body.get("leaving"):
        async with call.site.db.transaction() as tx:
            await leave_session(tx, listener)
        call.site.wakeups.wake(wake_up_of(listener["id"]))
    return {"taken": sum(taken)}


async def stream_deliveries(
    call: Call, listener: ListenerRow, session: str, seconds: float
) -> AsyncGenerator[bytes]:
    """The stream: due deliveries at once, then new ones, with heartbeats in between."""
    site, loop, name = call.site, asyncio.get_running_loop(), wake_up_of(listener["id"])
    ends_at, sent_at = loop.time() + seconds, loop.time()
    yield b": listening\n\n"
    try:
        while not (reason := await _reason_to_end(call, listener, session)):
            handed = await hand_over(site, listener)
            for one in handed:
                yield _as_event("delivery", one)
                sent_at = loop.time()
            if loop.time() >= ends_at:
                reason = "time"
                break
            if loop.time() - sent_at >= HEARTBEAT_SECONDS:
                yield b": still here\n\n"
                sent_at = loop.time()
            if not handed:
                await site.wakeups.wait(name, POLL_SECONDS)
    finally:
        site.wakeups.forget(name)
    yield _as_event("end", {"reason": reason})


async def _reason_to_end(call: Call, listener: ListenerRow, session: str) -> str:
    """time, stopping, refused, ended, taken_over or silent; empty while the stream continues."""
    if call.site.wakeups.is_stopping:
        return "stopping"
    try:
        await _get_app(await call.check_again() or call)  # the user may no longer manage the app
    except (Unauthenticated, Forbidden, NotFound):
        return "refused"
    except (RateLimited, Unavailable):  # the client reconnects, and gets the error itself
        return "time"
    now = await find_listener(call.site.db, listener["workspace_id"], listener["id"])
    if now is None or now["ended_at"] is not None:
        return "ended"
    if now["session"] != session:
        return "taken_over"
    quiet = (call.site.clock.now() - now["seen_at"]).total_seconds()
    return "silent" if quiet > QUIET_SECONDS else ""


def _as_event(name: str, value: Any) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(value) + b"\n\n"


async def _find(call: Call) -> ListenerRow:
    app = await _get_app(call)
    return await get_own_listener(call.reader, app, call.caller.user_id, call.path["listener_id"])


def _read_seconds(text: str | None) -> int:
    if text is None:
        return MAX_STREAM_SECONDS
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= MAX_STREAM_SECONDS):
        raise Invalid({"seconds": [f"Use 0 to {MAX_STREAM_SECONDS}."]})
    return int(text)


def _read_answer(sent: AnswerIn) -> tuple[str, ReceiverResponse]:
    """Truncated like the response of a webhook endpoint. Raises Invalid."""
    if not is_uuid(sent.attempt_id):
        raise Invalid({"answers": ["An attempt_id must be a valid UUID."]})
    if sent.status is not None and not 100 <= sent.status <= 599:
        raise Invalid({"answers": ["A status is between 100 and 599."]})
    if not 0 <= sent.duration_ms <= 600_000 or not all(0 <= ms <= 600_000 for ms in sent.timings.values()):
        raise Invalid({"answers": ["Times are in milliseconds."]})
    headers = [
        (printable(name)[:MAX_HEADER_LENGTH], printable(value)[:MAX_HEADER_LENGTH])
        for name, value in sent.headers
    ]
    later = next((value for name, value in headers if name.lower() == "retry-after"), "")
    return sent.attempt_id.lower(), ReceiverResponse(
        status=sent.status,
        headers=headers,
        retry_after=later,
        body=printable(sent.body.encode("utf-8", "replace")[:MAX_ANSWER_BYTES].decode("utf-8", "replace")),
        error=None if sent.status is not None else printable(sent.error)[:MAX_SENTENCE] or "No response.",
        duration_ms=sent.duration_ms,
        timings={printable(name): ms for name, ms in sent.timings.items()},
    )


def show_listener(row: ListenerRow) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "forward_to": row["forward_to"],
        "events": row["event_names"],
        "seen_at": row["seen_at"],
        "created_at": row["created_at"],
    }


STREAM_QUERY = {
    "session": described(UUID, "The run of the command that asks; another one's stream is refused."),
    "seconds": described(
        Annotated[int, Meta(ge=0, le=MAX_STREAM_SECONDS)],
        "How long the stream lasts at most.",
        default=MAX_STREAM_SECONDS,
    ),
}
_ONE = "listeners/{listener_id}"
LISTENER_ROUTES = [
    Route(
        method="GET",
        path="applications/{client_id}",
        handler=find_application,
        scope=None,
        name="find_application",
        summary="Find an app by its client id",
        shown=Application,
    ),
    app_route(
        "GET",
        "listeners",
        list_all,
        "list_listeners",
        shown=ListenerList,
        summary="List the computers that receive an app's webhooks through `airside listen`",
    ),
    app_route(
        "POST",
        "listeners",
        create,
        "open_listener",
        summary="Register a computer that receives an app's webhooks",
        body=ListenerIn,
        shown=ListenerOpened,
        status=201,
    ),
    app_route("DELETE", _ONE, end, "close_listener", summary="End a listener", status=204),
    app_route(
        "GET",
        f"{_ONE}/stream",
        stream,
        "follow_listener",
        summary="Stream deliveries to a listener as server-sent events",
        query=STREAM_QUERY,
        streams=EVENT_STREAM,
        unmetered=True,
    ),
    app_route(
        "POST",
        f"{_ONE}/answers",
        answer,
        "answer_deliveries",
        summary="Report what the local server answered to deliveries",
        body=AnswersIn,
        shown=AnswersTaken,
        refuses_key="Answers take no Idempotency-Key: an answer that is reported twice counts once.",
        unmetered=True,
    ),
]
