"""Objects in place of ids, for the names that API v1 expands."""

from collections.abc import Callable
from typing import Any

from tests.support.upstream.accounts import v1_user
from tests.support.upstream.labels import V1_SHOWN as V1_LABEL
from tests.support.upstream.pagination import expanded
from tests.support.upstream.payloads import STATE, V1_ITEM
from tests.support.upstream.store import Row, pick
from tests.support.upstream.wire import Call

V1_PROJECT = "id identifier name cover_image icon_prop emoji description cover_image_url"


def _user(call: Call, row_id: Any) -> Row:
    return v1_user(call.site, row_id)


def _parent(call: Call, row_id: Any) -> Row:
    return pick(call.site.store.issues.rows[row_id], "id sequence_id project_id") if row_id else {}


EXPANDED: dict[str, Callable[[Call, Any], Any]] = {
    "workspace": lambda call, row_id: pick(call.site.store.workspaces.rows[row_id], "name slug id"),
    "project": lambda call, row_id: pick(call.site.store.projects.rows[row_id], V1_PROJECT),
    **dict.fromkeys(("project_lead", "default_assignee", "created_by", "actor"), _user),
    "state": lambda call, row_id: pick(call.site.store.states.rows[row_id], STATE),
    "parent": _parent,
    "issue": lambda call, row_id: pick(call.site.store.issues.rows[row_id], V1_ITEM),
    "assignees": lambda call, ids: [_user(call, row_id) for row_id in reversed(ids)],
    "labels": lambda call, ids: [pick(call.site.store.labels.rows[row_id], V1_LABEL) for row_id in ids],
}


def expand(call: Call, shown: Row, *names: str) -> Row:
    """Those of these names that the request asks for."""
    return expanded(call, shown, {name: lambda value, n=name: EXPANDED[n](call, value) for name in names})
