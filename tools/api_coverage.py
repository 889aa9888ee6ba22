"""Writes docs/api-coverage.md: which operations of Plane's API v1 are served, and the SDKs' methods for them.

plane_v1.json has a line for each operation: its family, method and path below /api/v1/, its former paths, the
methods of plane-sdk 0.3.2 (`python`) and plane-node-sdk 0.2.12 (`node`) that call it, its query parameters, and the
scope that Plane documents.
"""

import json
import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from airside.api.v1 import TABLE
from airside.rest.routes import list_routes
from airside.rest.wires.v1.paths import PREFIX, WORKSPACE

FACTS = Path(__file__).parent / "plane_v1.json"
PAGE = Path(__file__).parents[1] / "docs" / "api-coverage.md"

HEAD = """# What of Plane's API v1 is served

Written by `make api-coverage` from the table of the API; CI compares the two. A path is below
`/api/v1/workspaces/{workspace_slug}/`, or below `/api/v1/` where it begins with a slash. A former path is one
that older clients call for the same operation. A list that is always empty, because its records aren't served yet,
counts as missing. What Airside serves beyond Plane's API is in its OpenAPI document.
"""


@dataclass(frozen=True)
class Operation:
    """One of Plane's; `former` are its former paths. Paths are as in the table, but for the names of parameters."""

    family: str
    method: str
    path: str
    former: tuple[str, ...] = ()
    python: str | None = None
    node: str | None = None
    scope: str | list[str] | None = None  # several: any of them
    query: tuple[str, ...] = ()  # the query parameters that Plane's documentation or an SDK has

    def is_served(self, path: str | None = None) -> bool:
        """By this path, or by its present one."""
        return (self.method, bare(path or self.path)) in SERVED


def bare(path: str) -> str:
    """The path with its parameters unnamed; `{}-{}` is one identifier."""
    return re.sub(r"{\w+}(-{\w+})?", "{}", path.strip("/"))


def is_path(template: str, path: str) -> bool:
    """Whether this path of a request is one of the template."""
    pattern = re.sub(r"{\w+}(-{\w+})?", "[^/]+", template.strip("/"))
    return re.fullmatch(f"{PREFIX}/{pattern}/?", path) is not None


SERVED = {
    (route.method, bare(path))
    for route in list_routes(TABLE)
    if not route.is_placeholder
    for path in (route.path, *route.aliases)
}


def read_operations() -> list[Operation]:
    """Every operation, by family."""
    rows: list[dict[str, Any]] = json.loads(FACTS.read_text())
    return [
        Operation(**row | {name: tuple(row.get(name, ())) for name in ("former", "query")}) for row in rows
    ]


def render() -> str:
    """The page as a text that changes only where the API does."""
    operations = read_operations()
    families = [(name, list(rows)) for name, rows in groupby(operations, _section)]
    parts = [HEAD, _count(operations), _summarize(families)]
    parts += [_list_family(name, rows) for name, rows in families]
    return "\n".join(parts)


def _section(operation: Operation) -> str:
    return operation.family.partition(".")[0]


def _count(operations: list[Operation]) -> str:
    former = [one.is_served(path) for one in operations for path in one.former]
    lines = ["| | served | of |", "|---|--:|--:|"]
    for what, served in (
        ("operations", [one.is_served() for one in operations]),
        ("former paths", former),
        ("methods of plane-sdk", [one.is_served() for one in operations if one.python]),
        ("methods of plane-node-sdk", [one.is_served() for one in operations if one.node]),
    ):
        lines.append(f"| {what} | {sum(served)} | {len(served)} |")
    return "\n".join(lines) + "\n"


def _summarize(families: list[tuple[str, list[Operation]]]) -> str:
    lines = ["| family | served | of |", "|---|--:|--:|"]
    for name, rows in families:
        lines.append(
            f"| [{_title(name)}](#{name.replace('_', '-')}) | {sum(one.is_served() for one in rows)} "
            f"| {len(rows)} |"
        )
    return "\n".join(lines) + "\n"


def _title(section: str) -> str:
    return section.replace("_", " ").capitalize()


def _list_family(name: str, rows: list[Operation]) -> str:
    lines = [f"## {_title(name)}", "", "| | operation | plane-sdk | plane-node-sdk |", "|---|---|---|---|"]
    for one in rows:
        lines.append(
            f"| {_say(one.is_served())} | `{one.method} {_short(one.path)}` | {_code(one.python)} "
            f"| {_code(one.node)} |"
        )
        lines += [
            f"| {_say(one.is_served(path))} | formerly `{one.method} {_short(path)}` | | |"
            for path in one.former
        ]
    return "\n".join(lines) + "\n"


def _say(served: bool) -> str:
    return "served" if served else "missing"


def _code(name: str | None) -> str:
    return f"`{name}`" if name else ""


def _short(path: str) -> str:
    return path.removeprefix(WORKSPACE) if path.startswith(WORKSPACE) else f"/{path}"


if __name__ == "__main__":
    PAGE.write_text(render())
    print(PAGE)
