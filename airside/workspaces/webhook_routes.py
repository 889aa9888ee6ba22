"""The workspace's webhooks over the API: Plane's collection, and below each webhook Airside's own operations.

Routes and not a Resource: webhooks emit no events, since a webhook would receive those about itself.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from airside.db.base import Row, is_uuid
from airside.errors import Forbidden, Invalid
from airside.rest.body import Body, Conditions, Label, Short, Text, Uuid
from airside.rest.call import Call
from airside.rest.face import Shown
from airside.rest.parameters import described, one_of
from airside.rest.record import ADMIN
from airside.rest.route import Route
from airside.rest.wires.v1.paging import page_query, read_page, wrap_page
from airside.rest.wires.v1.paths import WORKSPACE
from airside.system.clock import read_instant
from airside.webhooks.deliveries import (
    PAGE,
    STATUSES,
    Notice,
    Search,
    list_deliveries,
    redeliver_selected,
    redeliver_since,
)
from airside.webhooks.subscriptions import FLAGS, set_flags, show_flags
from airside.webhooks.tables import EndpointRow
from airside.workspaces.webhooks import (
    create_webhook,
    delete_webhook,
    get_webhook,
    list_webhooks,
    replace_secret,
    switch_secret,
    try_webhook,
    update_webhook,
)

ContentType = Literal["JSON", "FORM_DATA", "application/json", "application/x-www-form-urlencoded"]

_STORED = {"JSON": "application/json", "FORM_DATA": "application/x-www-form-urlencoded"}
_COLUMNS = {"name": "title", "url": "url", "is_active": "is_active", "version": "version"}
_WIRE = {"title": "name", "event_names": "scopes", "filter_pql": "pql_filters"}
PAGE_SIZE, PAGE_LIMIT = 100, 1000
MAX_SELECTED = 1000  # deliveries per redelivery request
REFUSES_KEY = "Redelivery is done in many short transactions and takes no Idempotency-Key."
EVENTLESS = "A webhook is a setting of its receiver; the audit log records who changed it."


class WebhookIn(Body):
    """`scopes` are event names; each of the five flags selects all events of an entity. By default: every event."""

    example = {"url": "https://courier.example/hook", "scopes": ["workitem.created"]}

    url: Text
    name: Label = ""
    is_active: bool = True
    version: Literal["v1", "v2"] = "v1"
    content_type: ContentType = "JSON"
    scopes: list[Short] | None = None
    project: bool | None = None
    issue: bool | None = None
    module: bool | None = None
    cycle: bool | None = None
    issue_comment: bool | None = None
    pql_filters: Conditions | None = None  # {"stripped": the query, "json": the editor's state}
    rich_filters: Conditions | None = None  # rejected: use pql_filters


class WebhookOut(Shown):
    id: str
    name: str
    url: str
    is_active: bool
    version: str
    content_type: str
    scopes: list[str] | None
    project: bool
    issue: bool
    module: bool
    cycle: bool
    issue_comment: bool
    pql_filters: dict[str, Any]
    rich_filters: dict[str, Any]
    disabled_reason: str | None
    failing_since: datetime | None
    created_at: datetime
    updated_at: datetime
    created_by_id: str | None


class WebhookMade(WebhookOut):
    secret_key: str


class TestIn(Body):
    example = {"event": "workitem.created"}

    event: Short


class RedeliverIn(Body):
    """Exactly one of them: selected deliveries, or everything undelivered since a time."""

    example = {"since": "2026-01-31T12:00:00Z"}

    deliveries: list[Uuid] | None = None
    since: datetime | None = None


class DeliveryOut(Shown):
    id: str
    event_id: str
    entity_id: str
    event: str
    action: str  # empty in v2, whose `event` says it
    version: Literal["v1", "v2"]
    part: int
    state: Literal["pending", "retrying", "delivered", "failed", "cancelled", "missed"]
    url: str
    created_at: datetime
    completed_at: datetime | None
    next_attempt_at: datetime | None
    attempt_count: int
    http_status: int | None
    duration_ms: int | None
    error: str | None


class DeliveryLog(Shown):
    results: list[DeliveryOut]


class Tried(Shown):
    event_id: str


class Redelivered(Shown):
    redelivered: int


def show_webhook(row: EndpointRow) -> Row:
    """The API representation, without the secret."""
    return {
        "id": row["id"],
        "name": row["title"],
        "url": row["url"],
        "is_active": row["is_active"],
        "version": row["version"],
        "content_type": "JSON" if row["content_type"] == "application/json" else "FORM_DATA",
        "scopes": row["event_names"],
        **show_flags(row["event_names"]),
        "pql_filters": {"json": row["filter_json"] or {}, "stripped": row["filter_pql"]},
        "rich_filters": {},
        "disabled_reason": row["disabled_reason"],
        "failing_since": row["first_failure_at"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "created_by_id": row["created_by_id"],
    }


def require_person_in_full(call: Call) -> None:
    """Requires an API key. A webhook outlives tokens and installations and receives events of every project, so
    apps can't create one, not even on behalf of a user with every scope. Raises Forbidden."""
    if call.caller.kind != "api_key":
        raise Forbidden("Webhooks are managed with an API key of an administrator.")


async def list_all(call: Call) -> Any:
    require_person_in_full(call)
    page = read_page(call.query, PAGE_SIZE, PAGE_LIMIT)
    found = [show_webhook(row) for row in await list_webhooks(call.reader, call.workspace_id)]
    return wrap_page(page, len(found), found[page.offset : page.offset + page.size])


async def retrieve(call: Call) -> Any:
    return show_webhook(await _find(call))


async def create(call: Call) -> Any:
    require_person_in_full(call)
    fields = _read_fields(call.body, None)
    try:
        made = await create_webhook(call.site, call.workspace_id, call.caller.user_id, fields)
    except Invalid as error:
        raise _with_wire_names(error) from None
    return show_webhook(made.webhook) | {"secret_key": made.secret}


async def update(call: Call) -> Any:
    webhook = await _find(call)
    fields = _read_fields(call.body, webhook)
    try:
        after = await update_webhook(call.site, call.workspace_id, webhook["id"], call.caller.user_id, fields)
    except Invalid as error:
        raise _with_wire_names(error) from None
    return show_webhook(after)


async def delete(call: Call) -> None:
    webhook = await _find(call)
    await delete_webhook(call.site, call.workspace_id, webhook["id"], call.caller.user_id)


async def regenerate(call: Call) -> Any:
    """Rotate the secret; the old one still signs for a day, or until `switch`."""
    webhook = await _find(call)
    secret = await replace_secret(call.site, call.workspace_id, webhook["id"], call.caller.user_id)
    return show_webhook(webhook) | {"secret_key": secret}


async def switch(call: Call) -> None:
    """Airside's own: stop signing with the old secret, once the receiver has the new one."""
    webhook = await _find(call)
    await switch_secret(call.site, call.workspace_id, webhook["id"], call.caller.user_id)


async def test(call: Call) -> Any:
    """Airside's own: send a sample event."""
    webhook = await _find(call)
    event_id = await try_webhook(
        call.site, call.workspace_id, webhook["id"], call.caller.user_id, call.body["event"]
    )
    return {"event_id": event_id}


async def redeliver(call: Call) -> Any:
    """Airside's own: redeliver selected deliveries, or everything undelivered since a time."""
    webhook = await _find(call)
    ids, since = call.body.get("deliveries"), call.body.get("since")
    if (ids is None) == (since is None):
        raise Invalid.whole("Send either deliveries or since.")
    if ids is not None and len(ids) > MAX_SELECTED:
        raise Invalid({"deliveries": [f"Select at most {MAX_SELECTED}."]})
    if ids is None:
        return {"redelivered": await redeliver_since(call.site, endpoint=webhook, since=since)}
    async with call.site.db.transaction() as tx:
        count = await redeliver_selected(tx, call.site.wakeups, endpoint=webhook, ids=ids, now=call.now)
    return {"redelivered": count}


async def list_log(call: Call) -> Any:
    """Airside's own: the delivery log, newest first; `before` is the last id of the previous page."""
    webhook = await _find(call)
    before = call.query.get("before", "")
    found = await list_deliveries(
        call.reader,
        [webhook],
        limit=PAGE,
        before=before if is_uuid(before) else None,
        search=read_search(call.query),
    )
    return {"results": [show_delivery(row) for row in found]}


async def _find(call: Call) -> EndpointRow:
    require_person_in_full(call)
    return await get_webhook(call.reader, call.workspace_id, call.path["webhook_id"])


def _read_fields(sent: Mapping[str, Any], before: EndpointRow | None) -> dict[str, Any]:
    """The request's fields as columns. Raises Invalid."""
    errors = {name: ["This field may not be null."] for name in FLAGS if name in sent and sent[name] is None}
    if errors:
        raise Invalid(errors)
    if sent.get("rich_filters"):
        raise Invalid({"rich_filters": ["Say it as a query in pql_filters."]})
    columns: dict[str, Any] = {_COLUMNS[name]: sent[name] for name in _COLUMNS if name in sent}
    if "content_type" in sent:
        columns["content_type"] = _STORED.get(sent["content_type"], sent["content_type"])
    if "pql_filters" in sent:
        columns |= _read_filters(sent["pql_filters"] or {})
    flags = {name: sent[name] for name in FLAGS if name in sent}
    if "scopes" in sent or flags:
        names = sent.get("scopes", before["event_names"] if before else [])
        columns["event_names"] = set_flags(names, flags) if flags else names
    return columns


def _read_filters(sent: Mapping[str, Any]) -> dict[str, Any]:
    stripped, editor = sent.get("stripped", ""), sent.get("json")
    if not isinstance(stripped, str):
        raise Invalid({"pql_filters": {"stripped": ["Not a valid string."]}})
    if editor is not None and not isinstance(editor, dict):
        raise Invalid({"pql_filters": {"json": ["Expected a dictionary of items."]}})
    return {"filter_pql": stripped, "filter_json": editor or None}


def _with_wire_names(error: Invalid) -> Invalid:
    return Invalid({_WIRE.get(name, name): sentences for name, sentences in error.fields.items()})


def read_search(query: Mapping[str, str]) -> Search:
    """Parse the filters of a delivery log. Raises Invalid."""
    search = Search(
        status=query.get("status", ""), event=query.get("event", ""), mentioned=query.get("id", "")
    )
    if search.status and search.status not in STATUSES:
        raise Invalid({"status": [f"Use one of {', '.join(STATUSES)}."]})
    if search.mentioned and not is_uuid(search.mentioned):
        raise Invalid({"id": ["Must be a valid UUID."]})
    for name in ("since", "until"):
        if query.get(name):
            setattr(search, name, _read_time(name, query[name]))
    return search


def _read_time(name: str, text: str) -> datetime:
    found = read_instant(text)
    if found is None:
        raise Invalid({name: ["Use a time such as 2026-01-31T12:00:00Z."]})
    return found


def show_delivery(row: Notice) -> Row:
    names = (
        "id",
        "event_id",
        "entity_id",
        "event",
        "action",
        "version",
        "part",
        "state",
        "url",
        "created_at",
    )
    last = ("completed_at", "next_attempt_at", "attempt_count", "http_status", "duration_ms", "error")
    return {name: row[name] for name in (*names, *last)}


LOG_QUERY = {
    "status": described(one_of(STATUSES), "Only deliveries in this state."),
    "event": described(str, "Only deliveries of this event."),
    "id": described(UUID, "Only what this is the id of: a delivery, an event or a record."),
    "since": described(datetime, "Only deliveries from then on."),
    "until": described(datetime, "Only deliveries before then."),
    "before": described(UUID, "The last id of the page before."),
}
_ALL, _ONE = WORKSPACE + "webhooks", WORKSPACE + "webhooks/{webhook_id}"


def _route(method: str, path: str, handler: Any, name: str, **options: Any) -> Route:
    return Route(
        method=method,
        path=path,
        handler=handler,
        scope=None,  # Plane publishes none; see require_person_in_full
        name=name,
        role=ADMIN,
        eventless=None if method == "GET" else EVENTLESS,
        **options,
    )


WEBHOOK_ROUTES = [
    _route(
        "GET",
        _ALL,
        list_all,
        "list_webhooks",
        summary="List the webhooks of a workspace",
        shown=WebhookOut,
        paged=True,
        query=page_query(PAGE_SIZE, PAGE_LIMIT),
    ),
    _route(
        "POST",
        _ALL,
        create,
        "create_webhook",
        summary="Create a webhook and show its secret once",
        body=WebhookIn,
        shown=WebhookMade,
        status=201,
    ),
    _route("GET", _ONE, retrieve, "retrieve_webhook", summary="Retrieve a webhook", shown=WebhookOut),
    _route(
        "PATCH",
        _ONE,
        update,
        "update_webhook",
        summary="Update a webhook",
        body=WebhookIn,
        partial=True,
        shown=WebhookOut,
    ),
    _route("DELETE", _ONE, delete, "delete_webhook", summary="Delete a webhook", status=204),
    _route(
        "POST",
        f"{_ONE}/regenerate",
        regenerate,
        "regenerate_webhook_secret",
        summary="Replace a webhook's secret; the old one signs for another day",
        shown=WebhookMade,
    ),
    _route(
        "POST",
        f"{_ONE}/switch-secret",
        switch,
        "switch_webhook_secret",
        summary="Stop signing with a webhook's replaced secret",
        status=204,
    ),
    _route(
        "POST",
        f"{_ONE}/test",
        test,
        "test_webhook",
        summary="Send a sample event to a webhook",
        body=TestIn,
        shown=Tried,
    ),
    _route(
        "POST",
        f"{_ONE}/redeliver",
        redeliver,
        "redeliver_webhook",
        summary="Send deliveries of a webhook again",
        body=RedeliverIn,
        refuses_key=REFUSES_KEY,
        shown=Redelivered,
    ),
    _route(
        "GET",
        f"{_ONE}/deliveries",
        list_log,
        "list_webhook_deliveries",
        summary="List the deliveries of a webhook, newest first",
        query=LOG_QUERY,
        shown=DeliveryLog,
    ),
]
