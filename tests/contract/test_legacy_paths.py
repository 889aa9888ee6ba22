"""Plane's former paths, which plane-adk and older clients call: each is served as what it is called today.

They are aliases of rows of the table, so there is nothing that could differ; OpenAPI calls them deprecated.
"""

import pytest

from airside.api_v1 import TABLE
from airside.rest.openapi import describe_api
from airside.rest.routes import PREFIX, WORKSPACE, list_routes

PROJECT = "projects/{project_id}"
# Former path → present one, and the methods that clients call it with.
LEGACY: dict[str, tuple[str, str]] = {
    "issues/search": ("work-items/search", "GET"),
    "issues/{identifier}": ("work-items/{identifier}", "GET"),
    f"{PROJECT}/issues": (f"{PROJECT}/work-items", "GET POST"),
    f"{PROJECT}/issues/{{}}": (f"{PROJECT}/work-items/{{}}", "GET PATCH DELETE"),
    f"{PROJECT}/issues/{{}}/comments": (f"{PROJECT}/work-items/{{}}/comments", "GET POST"),
    f"{PROJECT}/issues/{{}}/comments/{{}}": (f"{PROJECT}/work-items/{{}}/comments/{{}}", "GET PATCH DELETE"),
    f"{PROJECT}/issues/{{}}/worklogs": (f"{PROJECT}/work-items/{{}}/worklogs", "GET POST"),
    f"{PROJECT}/issues/{{}}/worklogs/{{}}": (f"{PROJECT}/work-items/{{}}/worklogs/{{}}", "PATCH DELETE"),
    f"{PROJECT}/issues/{{}}/links": (f"{PROJECT}/work-items/{{}}/links", "GET POST"),
    f"{PROJECT}/issues/{{}}/links/{{}}": (f"{PROJECT}/work-items/{{}}/links/{{}}", "GET PATCH DELETE"),
    f"{PROJECT}/issues/{{}}/activities": (f"{PROJECT}/work-items/{{}}/activities", "GET"),
    f"{PROJECT}/issues/{{}}/activities/{{}}": (f"{PROJECT}/work-items/{{}}/activities/{{}}", "GET"),
    f"{PROJECT}/issues/{{}}/issue-attachments": (f"{PROJECT}/work-items/{{}}/attachments", "GET POST"),
    f"{PROJECT}/issues/{{}}/issue-attachments/{{}}": (
        f"{PROJECT}/work-items/{{}}/attachments/{{}}",
        "GET PATCH DELETE",
    ),
    f"{PROJECT}/issues/{{}}/relations": (f"{PROJECT}/work-items/{{}}/relations", "GET POST"),
    f"{PROJECT}/issues/{{}}/relations/remove": (f"{PROJECT}/work-items/{{}}/relations/remove", "POST"),
    f"{PROJECT}/inbox-issues": (f"{PROJECT}/intake-issues", "GET POST"),
    f"{PROJECT}/inbox-issues/{{}}": (f"{PROJECT}/intake-issues/{{}}", "GET PATCH DELETE"),
    f"{PROJECT}/issue-types": (f"{PROJECT}/work-item-types", "GET POST"),
    f"{PROJECT}/issue-types/{{}}": (f"{PROJECT}/work-item-types/{{}}", "GET PATCH DELETE"),
    f"{PROJECT}/issue-types/{{}}/issue-properties": (
        f"{PROJECT}/work-item-types/{{}}/work-item-properties",
        "GET POST",
    ),
    f"{PROJECT}/issue-types/{{}}/issue-properties/{{}}": (
        f"{PROJECT}/work-item-types/{{}}/work-item-properties/{{}}",
        "GET PATCH DELETE",
    ),
    f"{PROJECT}/issue-properties/{{}}/options": (
        f"{PROJECT}/work-item-properties/{{}}/options",
        "GET POST",
    ),
    f"{PROJECT}/issue-properties/{{}}/options/{{}}": (
        f"{PROJECT}/work-item-properties/{{}}/options/{{}}",
        "GET PATCH DELETE",
    ),
    f"{PROJECT}/issues/{{}}/issue-properties/values": (
        f"{PROJECT}/work-items/{{}}/work-item-properties/values",
        "GET",
    ),
    f"{PROJECT}/issues/{{}}/issue-properties/{{}}/values": (
        f"{PROJECT}/work-items/{{}}/work-item-properties/{{}}/values",
        "GET POST",
    ),
}


def bare(path: str) -> str:
    """The path with its parameters unnamed."""
    parts = path.removeprefix(WORKSPACE).split("/")
    return "/".join("{}" if part.startswith("{") else part for part in parts)


SERVED = {
    (route.method, bare(path)): route for route in list_routes(TABLE) for path in (route.path, *route.aliases)
}
PAIRS = [
    (method, bare(former), bare(present))
    for former, (present, methods) in LEGACY.items()
    for method in methods.split()
]


def test_plane_has_54_former_operations() -> None:
    assert len(PAIRS) == 54


@pytest.mark.parametrize(("method", "former", "present"), PAIRS)
def test_a_former_path_is_served_as_the_present_one_is(method: str, former: str, present: str) -> None:
    assert SERVED.get((method, former)) is SERVED.get((method, present))


def test_the_description_of_the_api_calls_former_paths_deprecated() -> None:
    described = describe_api(TABLE, "http://127.0.0.1:8000", "0")["paths"]
    former = {(method, path) for method, path, _ in PAIRS}
    for path, operations in described.items():
        for method, operation in operations.items():
            is_former = (method.upper(), bare(path.removeprefix(f"{PREFIX}/").rstrip("/"))) in former
            assert operation.get("deprecated", False) is is_former, (method, path)
