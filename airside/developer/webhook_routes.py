"""An app's webhooks over the API, for its developers: the delivery log, redelivery, and sample events.

Airside's own endpoints, below the workspace that registered the app and addressed by client id. Deliveries come
from all workspaces that installed the app.
"""

from typing import Any
from uuid import UUID

from airside.apps.authors import is_author, may_register
from airside.apps.registry import find_app
from airside.db.base import Row, is_uuid
from airside.developer.deliveries import (
    list_app_deliveries,
    redeliver_to_app,
    redeliver_to_app_since,
    send_app_sample,
)
from airside.developer.webhook_secret import switch_webhook_secret
from airside.errors import Forbidden, Invalid, NotFound
from airside.rest.body import Body, Short
from airside.rest.call import Call
from airside.rest.face import Shown
from airside.rest.parameters import described
from airside.rest.record import ADMIN, MEMBER
from airside.rest.route import Route
from airside.rest.wires.v1.paths import WORKSPACE
from airside.webhooks.deliveries import PAGE
from airside.workspaces.webhook_routes import (
    LOG_QUERY,
    REFUSES_KEY,
    DeliveryOut,
    Redelivered,
    RedeliverIn,
    read_search,
    require_person_in_full,
    show_delivery,
)

APPLICATION = WORKSPACE + "applications/{client_id}"
EVENTLESS = "What is sent to an app is no change of the workspace."


class TryIn(Body):
    """`workspace` is the id of a workspace that installed the app; by default the first that did."""

    example = {"event": "workitem.created"}

    event: Short
    workspace: Short | None = None


class AppDeliveryOut(DeliveryOut):
    workspace: str


class AppDeliveryLog(Shown):
    results: list[AppDeliveryOut]


class AppTried(Shown):
    event_ids: list[str]


async def list_log(call: Call) -> Any:
    """The delivery log, newest first; `before` is the last id of the previous page."""
    app, before, workspace = (
        await get_own_app(call),
        call.query.get("before", ""),
        call.query.get("workspace"),
    )
    found = await list_app_deliveries(
        call.reader,
        app["id"],
        search=read_search(call.query),
        workspace_id=_read_workspace(workspace),
        limit=PAGE,
        before=before if is_uuid(before) else None,
    )
    return {"results": [show_delivery(row) | {"workspace": row["workspace_id"]} for row in found]}


async def redeliver(call: Call) -> Any:
    """Redeliver selected deliveries, or everything undelivered since a time."""
    app, ids, since = await get_own_app(call), call.body.get("deliveries"), call.body.get("since")
    if (ids is None) == (since is None):
        raise Invalid.whole("Send either deliveries or since.")
    if ids is not None:
        count = await redeliver_to_app(call.site, app, call.caller.user_id, ids)
    else:
        count = await redeliver_to_app_since(call.site, app, call.caller.user_id, since)
    return {"redelivered": count}


async def test(call: Call) -> Any:
    """Send a sample event to all endpoints of the app in one workspace."""
    app = await get_own_app(call)
    workspace_id = _read_workspace(call.body.get("workspace"))
    made = await send_app_sample(call.site, app, call.caller.user_id, call.body["event"], workspace_id)
    return {"event_ids": made}


async def switch(call: Call) -> None:
    """Stop signing with the replaced webhook secret: the app's server has the new one."""
    app = await get_own_app(call)
    await switch_webhook_secret(call.site, app["id"], call.caller.user_id)


async def get_own_app(call: Call) -> Row:
    """The workspace's app with this client id, for a user who manages it, with an API key.

    A member gets Forbidden for a missing app and for another member's app alike; an admin gets NotFound."""
    require_person_in_full(call)
    return await get_managed_app(call)


async def get_managed_app(call: Call) -> Row:
    """As `get_own_app`; the caller has checked the kind of credential."""
    role = call.workspace_role
    if not await may_register(call.reader, call.workspace_id, role):
        raise Forbidden
    found = await find_app(call.reader, call.path["client_id"])
    is_here = found is not None and found["workspace_id"] == call.workspace_id
    if found is None or not is_here or not is_author(found, role, call.caller.user_id):
        raise NotFound if role == ADMIN else Forbidden
    return found


def _read_workspace(text: str | None) -> str | None:
    if text and not is_uuid(text):
        raise Invalid({"workspace": ["Must be a valid UUID."]})
    return text.lower() if text else None


def app_route(method: str, tail: str, handler: Any, name: str, **options: Any) -> Route:
    """A route below one app."""
    return Route(
        method=method,
        path=f"{APPLICATION}/{tail}",
        handler=handler,
        scope=None,  # see require_person_in_full
        name=name,
        role=MEMBER,  # see get_managed_app
        eventless=None if method == "GET" else EVENTLESS,
        **options,
    )


APP_WEBHOOK_ROUTES = [
    app_route(
        "GET",
        "deliveries",
        list_log,
        "list_application_deliveries",
        summary="List what was delivered to an app, newest first",
        query={**LOG_QUERY, "workspace": described(UUID, "Only what happened in this workspace.")},
        shown=AppDeliveryLog,
    ),
    app_route(
        "POST",
        "redeliver",
        redeliver,
        "redeliver_application",
        summary="Send deliveries of an app again",
        body=RedeliverIn,
        refuses_key=REFUSES_KEY,
        shown=Redelivered,
    ),
    app_route(
        "POST",
        "switch-secret",
        switch,
        "switch_application_webhook_secret",
        summary="Stop signing with an app's replaced webhook secret",
        status=204,
    ),
    app_route(
        "POST",
        "test",
        test,
        "test_application",
        summary="Send a sample event to an app",
        body=TryIn,
        shown=AppTried,
    ),
]
