"""The search form of a delivery log: its parameters, the filter that they make, and errors for invalid ones."""

from functools import cache

from falcon.asgi import Request

from airside.db.text_rules import is_id
from airside.events.catalog import get_kind
from airside.system.clock import read_instant
from airside.webhooks.deliveries import STATUSES, Search
from airside.webhooks.log import LEFT_OUT
from airside.webhooks.subscriptions import list_choices

FIELDS = ("status", "event", "id", "since", "until")
NO_ID = "This isn't an id. Paste a whole one, as 019a2f6e-7c1b-7e0a-9d52-0b6f1a3c4d5e."
NO_TIME = "This isn't a time. Write it as 2026-01-31T12:00."


def read_asked(req: Request, *further: str) -> dict[str, str]:
    """The search parameters as typed; a valid time as its input field takes it, in UTC."""
    asked = {name: (req.get_param(name) or "").strip()[:200] for name in (*FIELDS, *further)}
    for name in ("since", "until"):
        found = read_instant(asked[name])
        asked[name] = asked[name] if found is None else found.strftime("%Y-%m-%dT%H:%M")
    return asked


def find_wrong(asked: dict[str, str]) -> list[str]:
    """A sentence for each field with an invalid value."""
    times = [asked[name] for name in ("since", "until") if asked[name]]
    return [
        *([NO_ID] if asked["id"] and not is_id(asked["id"]) else []),
        *([NO_TIME] if any(read_instant(time) is None for time in times) else []),
    ]


def read_search(asked: dict[str, str]) -> Search:
    event = asked["event"]
    names = _group_by_v1().get(event, [])
    return Search(
        status=asked["status"] if asked["status"] in (*STATUSES, LEFT_OUT) else "",
        names=names,
        event=event if event.isascii() and event.isprintable() and not names else "",
        mentioned=asked["id"].lower() if is_id(asked["id"].lower()) else "",
        since=read_instant(asked["since"]),
        until=read_instant(asked["until"]),
    )


def list_event_choices(version: str) -> list[str]:
    """The events that a log can be searched for, named as this webhook version shows them."""
    return list(_group_by_v1()) if version == "v1" else list(list_choices())


@cache
def _group_by_v1() -> dict[str, list[str]]:
    """Event and action in v1 → event names: v1 calls several of them an update."""
    groups: dict[str, list[str]] = {}
    for kind in map(get_kind, list_choices()):
        groups.setdefault(f"{kind.v1_event} · {kind.v1_action}", []).append(kind.name)
    return groups
