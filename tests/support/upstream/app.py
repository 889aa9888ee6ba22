"""The stand-in as an ASGI application: routes, credentials, rate limits, encodings."""

import gzip
from collections.abc import Awaitable, Callable
from typing import Any

from tests.support.upstream import (
    accounts,
    api_tokens,
    attachments,
    comments,
    cycles,
    feed,
    instance,
    intake,
    labels,
    links,
    modules,
    notifications,
    pages,
    planning,
    project_members,
    projects,
    reactions,
    relations,
    states,
    stickies,
    webhooks,
    work_items,
    work_items_web,
    workspaces,
)
from tests.support.upstream.routing import Credential, Route, Routes, matching
from tests.support.upstream.site import Site
from tests.support.upstream.store import Row
from tests.support.upstream.wire import (
    Answer,
    Call,
    Refusal,
    encode,
    page_not_found,
    unauthenticated,
)

root = Routes("/", Credential.NONE)


@root("GET", "")
def show_health(call: Call) -> dict[str, str]:
    return {"status": "OK"}


TABLES: tuple[Routes, ...] = (
    root,
    accounts.auth,
    accounts.me,
    accounts.v1,
    api_tokens.routes,
    attachments.assets,
    attachments.v1,
    attachments.web,
    comments.v1,
    comments.web,
    cycles.v1,
    cycles.web,
    feed.v1,
    feed.web,
    instance.routes,
    intake.routes,
    labels.v1,
    labels.web,
    links.v1,
    links.web,
    modules.v1,
    modules.web,
    notifications.routes,
    pages.routes,
    planning.routes,
    project_members.v1,
    project_members.web,
    project_members.workspace,
    projects.mine,
    projects.v1,
    projects.web,
    reactions.routes,
    relations.v1,
    relations.web,
    states.v1,
    states.web,
    stickies.routes,
    webhooks.routes,
    work_items.v1,
    work_items.v1_workspace,
    work_items_web.routes,
    work_items_web.workspace,
    workspaces.mine,
    workspaces.v1,
    workspaces.v1_unlimited,
    workspaces.web,
)
ROUTES: list[Route] = [route for table in TABLES for route in table.rows]
BODY_LIMIT = 5 * 1024 * 1024
GZIP_FROM = 200
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Application:
    def __init__(self, site: Site) -> None:
        self.site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        call = _call(self.site, scope, await _read(receive))
        answer = self.answer(call)
        await self.site.flush()
        await _send(call, answer, send)

    def answer(self, call: Call) -> Answer:
        try:
            outcome = _dispatch(call)
        except Refusal as refusal:
            return Answer(refusal.body, refusal.status, refusal.headers + _budget_headers(call))
        answer = outcome if isinstance(outcome, Answer) else Answer(outcome)
        answer.headers += _budget_headers(call)
        return answer


def _call(site: Site, scope: Scope, raw: bytes) -> Call:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = Call.parse_query(scope["query_string"])
    client = (scope.get("client") or ("",))[0]
    return Call(site, scope["method"], scope["path"], query, headers, raw, client)


async def _read(receive: Receive) -> bytes:
    """The body; of one that is too large only as much as shows it."""
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        more = message.get("more_body", False)
        size += len(message.get("body", b""))
        if size <= BODY_LIMIT + 1_000_000:
            chunks.append(message.get("body", b""))
    return b"".join(chunks)


def _dispatch(call: Call) -> Any:
    found = matching(ROUTES, call.path)
    if not found:
        if not call.path.endswith("/") and matching(ROUTES, call.path + "/"):
            return Answer("", 301, [("Location", call.path + "/")])
        raise page_not_found()
    if call.method == "OPTIONS" and "origin" in call.headers:
        return Answer("")
    if len(call.raw) > BODY_LIMIT:
        detail = "The size of the request body exceeds the maximum allowed size."
        raise Refusal(413, {"error": "REQUEST_BODY_TOO_LARGE", "detail": detail})
    if call.is_v1 and "text/html" in call.headers.get("accept", "").split(",")[0]:
        raise Refusal(406, {"detail": "Could not satisfy the request Accept header."})
    _authenticate(call, found[0][0])
    for route, params in found:
        if route.method == call.method:
            call.params = params
            return route.endpoint(call)
    raise Refusal(405, {"detail": f'Method "{call.method}" not allowed.'})


def _authenticate(call: Call, route: Route) -> None:
    if route.credential is Credential.KEY:
        key = _key(call)
        call.user = call.site.store.users.rows[key["user"]]
        settings = call.site.settings
        if route.limited:
            limit = settings.service_key_limit if key["is_service"] else settings.api_key_limit
            _spend(call, f"key:{key['id']}", limit)
        key["last_used"] = call.site.clock.now()
    elif route.credential is Credential.SESSION:
        user = accounts.user_of_session(call)
        if user is None:
            ended = call.cookies.get("session-id")
            raise unauthenticated(**dict([accounts.clear_session_cookie()] if ended else []))
        call.user = user
    else:
        _spend(call, f"address:{call.client}", call.site.settings.anonymous_limit)


def _key(call: Call) -> Row:
    """Also of an account that was deactivated."""
    sent = call.headers.get("x-api-key")
    if not sent:
        raise unauthenticated()
    key = call.site.store.api_tokens.first(token=sent, is_active=True)
    if key is None or api_tokens.is_expired(call.site, key):
        raise Refusal(403, {"detail": "Given API token is not valid"})
    return key


def _spend(call: Call, budget: str, limit: int | None) -> None:
    now = call.site.clock.now().timestamp()
    spent = [moment for moment in call.site.budgets.get(budget, []) if moment > now - 60]
    call.site.budgets[budget] = spent
    most = 999999 if limit is None else limit
    if len(spent) >= most:
        wait = str(max(1, int(spent[0] + 60 - now)))
        raise Refusal(429, {"error_code": 5900, "error_message": "RATE_LIMIT_EXCEEDED"}, Retry_After=wait)
    spent.append(now)
    if call.is_v1:
        call.budget = (most - len(spent), int(now + 60))


def _budget_headers(call: Call) -> list[tuple[str, str]]:
    if call.budget is None:
        return []
    remaining, reset = call.budget
    return [("X-RateLimit-Remaining", str(remaining)), ("X-RateLimit-Reset", str(reset))]


async def _send(call: Call, answer: Answer, send: Send) -> None:
    body, kind = _encoded(call, answer)
    headers = [("Content-Type", kind), *answer.headers] if kind else list(answer.headers)
    if len(body) > GZIP_FROM and "gzip" in call.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 1)
        headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding, Cookie, origin")]
    headers.append(("Content-Length", str(len(body))))
    start = {"type": "http.response.start", "status": answer.status}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({**start, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if call.method == "HEAD" else body})


def _encoded(call: Call, answer: Answer) -> tuple[bytes, str]:
    if isinstance(answer.body, str):
        return answer.body.encode(), "text/html; charset=utf-8"
    if isinstance(answer.body, bytes):
        return answer.body, "application/octet-stream"
    if answer.body is None:
        return b"", ""
    zone = call.user["user_timezone"] if call.user else "UTC"
    return encode(answer.body, zone), "application/json"
