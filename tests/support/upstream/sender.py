"""Webhooks as a Community Edition sends them, with its faults: `data` as it is when sent, one queue that a hanging
receiver stalls, retries after network failures alone, with a new delivery id and the same signature, and a hook
that is disabled when they are used up, while retries of other changes still arrive."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import aiohttp

from tests.support.upstream.accounts import V1_USER
from tests.support.upstream.payloads import DATA
from tests.support.upstream.site import Site
from tests.support.upstream.store import Row, pick

TIMEOUT_SECONDS = 30.0
RETRY_WITHIN_SECONDS = 600.0


@dataclass(frozen=True)
class Change:
    event: str
    action: str
    row: Row
    actor: str
    workspace: str
    field: str | None = None
    old: Any = None
    new: Any = None


@dataclass(frozen=True)
class Delivery:
    """One webhook to one hook; its body is the same in every attempt."""

    hook: Row
    change: Change
    payload: Row
    attempts_before: int = 0

    @property
    def raw(self) -> bytes:
        return json.dumps(self.payload, default=_text).encode()


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value))


def send_change(site: Site, change: Change) -> None:
    data = None if site.settings.read_data_late else _data(site, change)
    site.worker.add(lambda: _send_to_hooks(site, change, data))


def _data(site: Site, change: Change) -> Row:
    if change.action == "deleted":
        return {"id": change.row["id"]}
    return json.loads(json.dumps(DATA[change.event](site, change.row), default=_text))


async def _send_to_hooks(site: Site, change: Change, data: Row | None) -> None:
    for hook in site.store.webhooks.all(workspace=change.workspace, is_active=True):
        if hook[change.event]:
            payload = _payload(site, hook, change, data or _data(site, change))
            await _attempt(site, Delivery(hook, change, payload))


def _payload(site: Site, hook: Row, change: Change, data: Row) -> Row:
    return {
        "event": change.event,
        "action": change.action,
        "webhook_id": hook["id"],
        "workspace_id": change.workspace,
        "data": data,
        "activity": {
            "field": change.field,
            "new_value": change.new,
            "old_value": change.old,
            "actor": pick(site.store.users.rows[change.actor], V1_USER),
            "old_identifier": None,
            "new_identifier": None,
        },
    }


async def _attempt(site: Site, delivery: Delivery) -> None:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Autopilot",
        "X-Plane-Delivery": str(uuid4()),
        "X-Plane-Event": delivery.change.event,
        "X-Plane-Signature": signature(delivery.hook["secret_key"], delivery.raw),
    }
    try:
        status, text = await _post(site, delivery.hook["url"], delivery.raw, headers)
        _log(site, delivery, headers, str(status), text)
    except (OSError, TimeoutError, aiohttp.ClientError) as failure:
        _log(site, delivery, headers, "500", str(failure))
        _retry(site, delivery)


def signature(secret: str, raw: bytes) -> str:
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


async def _post(site: Site, url: str, raw: bytes, headers: dict[str, str]) -> tuple[int, str]:
    """The status, whatever it is: none of them is a failure. Redirects aren't followed."""
    limit = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS * (site.settings.seconds or 1))
    accepted = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
    async with (
        aiohttp.ClientSession(timeout=limit) as client,
        client.post(url, data=raw, headers=headers | accepted, allow_redirects=False) as response,
    ):
        return response.status, await response.text(errors="replace")


def _log(site: Site, delivery: Delivery, headers: dict[str, str], status: str, body: str) -> None:
    site.store.webhook_logs.insert(
        webhook=delivery.hook["id"],
        event_type=delivery.change.event,
        request_method=delivery.change.action,
        request_headers=str(headers),
        request_body=str(delivery.payload),
        response_status=status,
        response_headers="",
        response_body=body,
        retry_count=delivery.attempts_before,
        workspace=delivery.change.workspace,
    )


def _retry(site: Site, delivery: Delivery) -> None:
    if delivery.attempts_before >= site.settings.retries:
        site.store.webhooks.update(delivery.hook, is_active=False)
        return
    later = Delivery(delivery.hook, delivery.change, delivery.payload, delivery.attempts_before + 1)
    wait = site.random.uniform(0, RETRY_WITHIN_SECONDS)
    site.worker.add_later(wait, lambda: _attempt(site, later))
