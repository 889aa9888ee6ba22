"""What somebody looks for in a delivery log, as its search form says it."""

from datetime import UTC, datetime

from falcon.asgi import Request

from airside.identity.storable import is_id
from airside.webhooks.deliveries import STATUSES, Search

FIELDS = ("status", "event", "id", "since", "until")


def read_asked(req: Request, *further: str) -> dict[str, str]:
    """As typed; what can't be looked for is left out of the search, not of the form."""
    return {name: (req.get_param(name) or "").strip()[:200] for name in (*FIELDS, *further)}


def read_search(asked: dict[str, str]) -> Search:
    event = asked["event"]
    return Search(
        status=asked["status"] if asked["status"] in STATUSES else "",
        event=event if event.isascii() and event.isprintable() else "",
        mentioned=asked["id"].lower() if is_id(asked["id"].lower()) else "",
        since=read_time(asked["since"]),
        until=read_time(asked["until"]),
    )


def read_time(text: str) -> datetime | None:
    """In UTC unless it says otherwise; None for what is no time."""
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
