"""What the change of a work item looks like in its activity feed: one row a key, of lists one row an entry."""

from collections.abc import Callable
from typing import Any

from tests.support.upstream.announcements import Activity
from tests.support.upstream.site import Site
from tests.support.upstream.store import Row

# The names of the internal API.
COLUMNS = {
    "state_id": "state",
    "parent_id": "parent",
    "assignee_ids": "assignees",
    "label_ids": "labels",
    "estimate_point_id": "estimate_point",
}
PLAIN = {
    "name": "updated the name to",
    "description_html": "updated the description to",
    "priority": "updated the priority to",
    "start_date": "updated the start date to ",
    "target_date": "updated the target date to",
}
Naming = Callable[[Site, str | None], str]


def column(key: str) -> str:
    return COLUMNS.get(key, key)


def activities_of(site: Site, before: Row, after: Row, keys: list[str]) -> list[Activity]:
    found: list[Activity] = []
    for key in keys:
        name = column(key)
        if name in PLAIN:
            found += _plain(name, before[name], after[name])
        elif name in REFERENCES:
            found += _reference(site, name, before[name], after[name])
        elif name in ENTRIES:
            found += _entries(site, name, before[name], after[name])
    return found


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _plain(name: str, old: Any, new: Any) -> list[Activity]:
    if old == new:
        return []
    quiet = False if name == "description_html" else None
    field = name.removesuffix("_html")
    return [Activity("updated", PLAIN[name], field, _text(old), _text(new), notifies=quiet)]


def state_name(site: Site, row_id: str | None) -> str:
    return site.store.states.rows[row_id]["name"] if row_id else ""


def item_name(site: Site, row_id: str | None) -> str:
    if not row_id:
        return ""
    item = site.store.issues.rows[row_id]
    return f"{site.store.projects.rows[item['project']]['identifier']}-{item['sequence_id']}"


REFERENCES: dict[str, tuple[str, Naming]] = {
    "state": ("updated the state to", state_name),
    "parent": ("updated the parent issue to", item_name),
}


def _reference(site: Site, name: str, old: str | None, new: str | None) -> list[Activity]:
    if old == new:
        return []
    comment, naming = REFERENCES[name]
    return [Activity("updated", comment, name, naming(site, old), naming(site, new), old, new)]


ENTRIES: dict[str, tuple[str, Naming]] = {
    "assignees": ("assignee", lambda site, row_id: site.store.users.rows[row_id or ""]["display_name"]),
    "labels": ("label", lambda site, row_id: site.store.labels.rows[row_id or ""]["name"]),
}


def _entries(site: Site, name: str, old: list[str], new: list[str]) -> list[Activity]:
    word, naming = ENTRIES[name]
    added = [
        Activity("updated", f"added {word} ", name, "", naming(site, row_id), None, row_id)
        for row_id in new
        if row_id not in old
    ]
    removed = [
        Activity("updated", f"removed {word} ", name, naming(site, row_id), "", row_id, None)
        for row_id in old
        if row_id not in new
    ]
    return added + removed
