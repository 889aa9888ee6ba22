"""The server side of `airside listen`: an app's developers receive its webhooks on their own computers."""

from datetime import datetime

import msgspec

from airside.apps.addresses import check_url
from airside.apps.authors import require_author
from airside.apps.tables import apps
from airside.audit.record import record_audit
from airside.db.base import Row
from airside.db.database import Reader, Transaction
from airside.db.text_rules import is_id, is_one_line
from airside.errors import Invalid, NotFound, Refused
from airside.installations.listening import create_installation_endpoint
from airside.installations.read import list_installations_of
from airside.runtime.site import Site
from airside.webhooks.cancel import cancel_deliveries
from airside.webhooks.listeners import (
    count_waiting,
    end_listener,
    find_listener,
    list_endpoints_of_listener,
    list_listeners,
    put_listener,
)
from airside.webhooks.signing import earlier_secret, last_four
from airside.webhooks.subscriptions import OF_AGENTS, find_unknown, list_choices
from airside.webhooks.tables import ListenerRow

NAME_LENGTH = 80  # characters
MAX_LISTENERS = 50  # per app: each adds a delivery to every event in every workspace that installed it


class Opened(msgspec.Struct, frozen=True):
    """An open listener, and what the command prints about it."""

    listener: ListenerRow
    installations: int  # whose events it receives
    waiting: int  # pending deliveries
    last_four: str  # of the signing secret
    earlier_last_four: str | None  # of the replaced secret, while X-Plane-Signature still uses it


async def open_listener(
    site: Site,
    app: Row,
    user_id: str,
    *,
    name: str,
    forward_to: str,
    event_names: list[str] | None,
    session: str,
    from_now: bool = False,
) -> Opened:
    """Open the user's listener of this name, or resume it; `from_now` drops pending deliveries.

    Another session of the same listener gets no more deliveries. Raises Invalid, Forbidden and Refused."""
    _check(name, forward_to, event_names)
    now = site.clock.now()
    async with site.db.transaction() as tx:
        await require_author(tx, app, user_id)
        app = (
            await tx.lock(apps, id=app["id"]) or app
        )  # so that concurrent installs and listeners see each other
        known = await list_listeners(tx, app["workspace_id"], app["id"])
        is_new = all((one["user_id"], one["name"]) != (user_id, name) for one in known)
        if is_new and len(known) >= MAX_LISTENERS:
            raise Refused(f"An app has at most {MAX_LISTENERS} computers that listen. End one of them first.")
        listener = await put_listener(
            tx,
            workspace_id=app["workspace_id"],
            app_id=app["id"],
            user_id=user_id,
            name=name,
            forward_to=forward_to,
            event_names=event_names,
            session=session,
            now=now,
        )
        installed = await _create_endpoints_of(tx, app, user_id, now)
        if from_now:
            await _drop_waiting(tx, listener, now)
        if is_new:
            await _record(tx, "listener.opened", app, listener, user_id, now)
        waiting = await count_waiting(tx, listener["id"])
    earlier = earlier_secret(app["previous_webhook_secret_sealed"], app["previous_webhook_secret_until"], now)
    return Opened(
        listener,
        installed,
        waiting,
        last_four(site.sealer, app["webhook_secret_sealed"]),
        last_four(site.sealer, earlier) if earlier else None,
    )


async def get_own_listener(reader: Reader, app: Row, user_id: str, listener_id: str) -> ListenerRow:
    """A listener that this user opened for this app and that hasn't ended. Raises NotFound."""
    found = await get_listener(reader, app, listener_id)
    if found["user_id"] != user_id:
        raise NotFound
    return found


async def get_listener(reader: Reader, app: Row, listener_id: str) -> ListenerRow:
    """A listener of this app, any user's, that hasn't ended. Raises NotFound."""
    found = await find_listener(reader, app["workspace_id"], listener_id) if is_id(listener_id) else None
    if found is None or found["app_id"] != app["id"] or found["ended_at"] is not None:
        raise NotFound
    return found


async def close_listener(site: Site, app: Row, listener_id: str, by_user_id: str) -> None:
    """End the listener: nothing is queued for it any more. Raises Forbidden and NotFound."""
    now = site.clock.now()
    async with site.db.transaction() as tx:
        await require_author(tx, app, by_user_id)
        listener = await get_listener(tx, app, listener_id)
        await end_listener(tx, listener, now)
        await _record(tx, "listener.closed", app, listener, by_user_id, now)


async def _create_endpoints_of(tx: Transaction, app: Row, by_user_id: str, now: datetime) -> int:
    live = await list_installations_of(tx, app["id"])
    for installation in live:
        await create_installation_endpoint(tx, app, installation, by_user_id, now)
    return len(live)


async def _drop_waiting(tx: Transaction, listener: ListenerRow, now: datetime) -> None:
    for endpoint in await list_endpoints_of_listener(tx, listener["id"]):
        await cancel_deliveries(tx, endpoint["workspace_id"], endpoint["id"], now)


def _check(name: str, forward_to: str, event_names: list[str] | None) -> None:
    wrong: dict[str, list[str]] = {}
    if not name.strip() or len(name) > NAME_LENGTH or not is_one_line(name):
        wrong["name"] = [f"Use 1 to {NAME_LENGTH} characters, without line breaks."]
    if (problem := check_url(forward_to)) is not None:
        wrong["forward_to"] = [problem]
    if event_names is not None:
        unknown = find_unknown(event_names, (*list_choices(), *OF_AGENTS))
        if unknown or not event_names:
            sentence = f"There is no event {unknown[0][:60]}." if unknown else "Choose at least one event."
            wrong["events"] = [sentence]
    if wrong:
        raise Invalid(wrong)


async def _record(
    tx: Transaction, action: str, app: Row, listener: ListenerRow, by_user_id: str, now: datetime
) -> None:
    await record_audit(
        tx,
        action,
        now,
        workspace_id=app["workspace_id"],
        actor_id=by_user_id,
        app_id=app["id"],
        target=("listener", listener["id"]),
        details={"name": listener["name"], "forward_to": listener["forward_to"]},
    )
