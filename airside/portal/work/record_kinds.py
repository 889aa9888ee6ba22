"""The kinds of records that have a plain page, drawn from the table of the API: every list, and
every record that a project has one of, that no page of its own shows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import sqlalchemy as sa

from airside.api.v1 import TABLE
from airside.rest.face import Face
from airside.rest.route import Route
from airside.rest.routes import list_routes
from airside.work.intake.items import intake_items
from airside.work.types.tables import property_options, work_item_properties, work_item_types
from airside.work.work_items.tables import work_items

# Kinds with pages of their own, and what stands on those: by the last parts of their paths.
# fmt: off
ELSEWHERE = frozenset((
    "projects", "projects-lite", "work-items", "archived-work-items", "runs", "stickies", "labels", "states",
    "members", "members-lite", "project-members", "project-members-lite", "invitations", "roles", "webhooks",
    "audit-log", "features", "count",
))
# fmt: on
ON_ITS_ITEM = "work-items/{work_item_id}/"  # shown on the page of the work item


@dataclass(frozen=True, eq=False)
class Kind:
    """One list of the API as pages, or one record."""

    route: Route  # that lists, or has the one
    face: Face
    retrieve: Route | None

    @property
    def has_page(self) -> bool:
        """Whether each of its records has a plain page; a work item has its own."""
        return self.retrieve is not None and not self.is_of_items

    @property
    def is_of_items(self) -> bool:
        return self.face.table is work_items

    @property
    def api_path(self) -> str:
        """Below the workspace: "projects/{project_id}/cycles"."""
        return self.route.path.removeprefix("workspaces/{workspace_slug}/")

    @property
    def path(self) -> str:
        """Of its page, below the workspace's: "projects/{project_id}/records/cycles"."""
        head, tail = _split(self.api_path)
        return f"{head}records/{tail}"

    @property
    def in_project(self) -> bool:
        return self.api_path.startswith("projects/{project_id}/")

    @cached_property
    def title(self) -> str:
        """In words: "Archived cycles"."""
        last = self.api_path.rpartition("/")[2]
        if self.is_of_items and not self.is_top:
            return "Work items"
        return _TITLES.get(last) or last.replace("-", " ").capitalize()

    @cached_property
    def feature(self) -> str | None:
        """The flag of the project that switches it: that of its records, or of what they stand below."""
        above = self.face.record.feature or _FEATURES.get(self.face.table)
        if above or self.is_top:
            return above
        first = self.api_path.partition("/{project_id}/")[2].partition("/")[0]
        return next(
            (kind.feature for kind in KINDS if kind.is_top and kind.api_path.endswith(f"}}/{first}")), None
        )

    @property
    def noun(self) -> str:
        return self.face.noun or self.face.record.noun

    @property
    def key(self) -> str:
        """The field that names a record in the address of its page."""
        return "issue" if self.face.table is intake_items else "id"

    @property
    def is_single(self) -> bool:
        """Whether there is one record, and no list."""
        return not _is_listed(self.route)

    @property
    def is_top(self) -> bool:
        """Whether it stands below its project or workspace, and not below another record."""
        return "{" not in _split(self.api_path)[1]

    @property
    def is_main(self) -> bool:
        """Whether it is a tab: not another list of the same records."""
        return self.is_top and not self.api_path.rpartition("/")[2].startswith("archived-")


def _split(path: str) -> tuple[str, str]:
    project = "projects/{project_id}/"
    return (project, path.removeprefix(project)) if path.startswith(project) else ("", path)


def _find_kinds(routes: Iterable[Route]) -> list[Kind]:
    reading = {route.path: route for route in routes if route.method == "GET"}
    kinds: list[Kind] = []
    for path, route in reading.items():
        one = next((reading[other] for other in reading if _is_one_of(other, path)), None)
        if route.face is None or path.endswith("}") or not _is_plain(path):
            continue
        kinds.append(Kind(route, route.face, one))
    return kinds


def _is_one_of(path: str, of: str) -> bool:
    return path.startswith(f"{of}/{{") and path.endswith("}") and "/" not in path[len(of) + 1 :]


def _is_listed(route: Route) -> bool:
    return route.paged or getattr(route.shown, "__origin__", None) is list


def _is_plain(path: str) -> bool:
    tail = path.removeprefix("workspaces/{workspace_slug}/")
    last = tail.rpartition("/")[2]
    return (
        tail != path
        and ON_ITS_ITEM not in tail
        and not tail.startswith(("applications/", "runs/", "webhooks/"))
        and last not in ELSEWHERE
        and not last.endswith(("-lite", "-search"))
    )


_TITLES = {"intake-issues": "Intake", "work-item-relation-definitions": "Relation definitions"}
KINDS = _find_kinds(list_routes(TABLE))
# Of records whose API is there whatever the flag says.
_FEATURES: Mapping[sa.Table, str] = {
    work_item_types: "work_item_types",
    work_item_properties: "work_item_types",
    property_options: "work_item_types",
}


@cache
def find_main(table: sa.Table, *, in_project: bool) -> Kind | None:
    """The kind that has a page for each record of this table."""
    found = (kind for kind in KINDS if kind.is_main and kind.has_page and kind.in_project == in_project)
    return next((kind for kind in found if kind.face.table is table), None)


def kinds_below(kind: Kind) -> list[Kind]:
    """The lists below one record of the kind."""
    start = f"{kind.api_path}/{{"
    found = [one for one in KINDS if one.api_path.startswith(start) and one is not kind]
    return [one for one in found if one.api_path.count("{") == kind.api_path.count("{") + 1]
