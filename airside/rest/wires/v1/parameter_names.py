"""Which query parameters a list refuses by name, so that no client takes all records for the ones it asked for.

Anything else that is unknown is ignored, as Plane does.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_args

import msgspec

from airside.errors import Invalid
from airside.rest.face import columns_of
from airside.rest.route import Route

# The filters of all lists of Plane's API v1, also of those that aren't served.
_DOCUMENTED = frozenset(
    (
        "assignee", "archive_pages", "customer", "customer_request_id", "cycle_view", "display_name", "email",
        "external_id", "external_source", "filters", "first_name", "group_by", "include_archived", "is_active",
        "is_bot", "is_default", "issue", "last_name", "namespace", "parent_id", "pql", "project", "project_id",
        "property", "role_slug", "search", "state", "status", "sub_group_by", "type", "type_id", "workspace",
        "workspace_search",
    )
)  # fmt: skip
# Plain filters of work items, which clients try on searches, too.
_OF_WORK_ITEMS = frozenset(
    (
        "assignees", "created_by", "cycle", "label", "labels", "milestone", "module", "parent", "priority",
        "sequence_id", "target_date",
    )
)  # fmt: skip
_PAGE = "Pages are requested by `cursor`: the `next_cursor` of the page before."


def check_names(route: Route, query: Mapping[str, str]) -> None:
    """Raises Invalid for a parameter that seems to filter this list, and doesn't."""
    if not query or not _is_list(route):
        return
    refused = _refused(route)
    errors = {name: [refused[name]] for name, value in query.items() if value and name in refused}
    if errors:
        raise Invalid(errors)


@cache
def _is_list(route: Route) -> bool:
    if route.method != "GET":
        return False
    return route.paged or bool(get_args(route.shown)) or bool(_DOCUMENTED & route.query.keys())


@cache
def _refused(route: Route) -> dict[str, str]:
    """Parameter → why it is refused."""
    names = {*_DOCUMENTED, *_OF_WORK_ITEMS, *_shown_names(route.shown)}
    if route.face is not None:
        names |= {*_shown_names(route.face.shown)}
    refused = {name: f"This list can't be filtered by {name}." for name in names}
    if route.face is not None:
        columns = columns_of(route.face, tuple(names))
        refused |= {
            column: f"This list is filtered by {name}." for name, column in columns.items() if name != column
        }
    return {name: why for name, why in {**refused, "page": _PAGE}.items() if name not in route.query}


def _shown_names(declared: Any) -> Iterator[str]:
    """The fields of a struct, and of those within it."""
    if isinstance(declared, type) and issubclass(declared, msgspec.Struct):
        for info in msgspec.structs.fields(declared):
            yield info.encode_name
            yield from _shown_names(info.type)
    for part in get_args(declared):
        yield from _shown_names(part)
