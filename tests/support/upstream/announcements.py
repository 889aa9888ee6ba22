"""What a change sets off: rows in the activity feed, notifications, webhooks. All of it waits in the worker."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from tests.support.upstream.notifications import notify
from tests.support.upstream.sender import Change, send_change
from tests.support.upstream.site import Site
from tests.support.upstream.store import Row
from tests.support.upstream.wire import Call


@dataclass(frozen=True)
class Activity:
    """One row of the feed of a work item."""

    verb: str
    comment: str
    field: str | None = None
    old: str | None = None
    new: str | None = None
    old_id: str | None = None
    new_id: str | None = None
    issue_comment: str | None = None
    names_item: bool = True
    touches_item: bool = True  # its `updated_at` moves
    notifies: bool | None = None  # who follows the item; None: if it was done in the web application


def record(
    call: Call, item: Row, *activities: Activity, but: tuple[str, ...] = (), by: str | None = None
) -> None:
    """Rows are written by the worker, but dated to the change: a cursor on `created_at` misses them."""
    site, actor, now = call.site, by or call.user["id"], call.site.clock.now()
    via_web = not call.is_v1

    def write() -> None:
        if item["deleted_at"] is None and any(_touches(activity) for activity in activities):
            site.store.issues.put(item, updated_at=site.clock.now())
        for activity in activities:
            row = _insert(site, item, actor, activity)
            site.store.issue_activities.put(row, created_at=now, updated_at=site.clock.now())
            if via_web if activity.notifies is None else activity.notifies:
                notify(site, item, actor, row, but)

    site.worker.add(write)


def _touches(activity: Activity) -> bool:
    return activity.touches_item and activity.names_item


def _insert(site: Site, item: Row, actor: str, activity: Activity) -> Row:
    return site.store.issue_activities.insert(
        verb=activity.verb,
        field=activity.field,
        old_value=activity.old,
        new_value=activity.new,
        comment=activity.comment,
        attachments=[],
        old_identifier=activity.old_id,
        new_identifier=activity.new_id,
        epoch=float(int(site.clock.now().timestamp())),
        project=item["project"],
        workspace=item["workspace"],
        issue=item["id"] if activity.names_item else None,
        issue_comment=activity.issue_comment,
        actor=actor,
    )


def announce(call: Call, event: str, action: str, row: Row, by: str | None = None) -> None:
    """The webhook of something that was created or deleted."""
    change = Change(event, action, row, by or call.user["id"], row["workspace"])
    send_change(call.site, change)


def announce_changes(call: Call, event: str, row: Row, before: Row, body: Row) -> None:
    """A webhook for each key of the body that changed something, in any order."""
    base = Change(event, "updated", row, call.user["id"], row["workspace"])
    changes = [
        replace(base, field=name, old=_plain(before.get(name)), new=_plain(value))
        for name, value in body.items()
        if name in before and _differs(before[name], value)
    ]
    if call.site.settings.shuffle_keys:
        call.site.random.shuffle(changes)
    for change in changes:
        send_change(call.site, change)


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _differs(old: Any, new: Any) -> bool:
    if isinstance(old, list) and isinstance(new, Iterable):
        return sorted(old) != sorted(new)
    return _plain(old) != new
