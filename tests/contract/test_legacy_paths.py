"""Plane's former paths, which plane-adk and older clients call: each is served as what it is called today.

They are aliases of rows of the table, so there is nothing that could differ; OpenAPI calls them deprecated.
"""

import pytest

from airside.api.v1 import TABLE
from airside.rest.routes import list_routes
from airside.rest.wires.v1.paths import PREFIX, WORKSPACE
from tests.support.openapi import DOCUMENT

# What clients call by a former path, below a workspace; and what it is called today.
FORMER = """
    GET               issues/search
    GET               issues/{}
    GET POST          projects/{}/issues
    GET PATCH DELETE  projects/{}/issues/{}
    GET POST          projects/{}/issues/{}/comments
    GET PATCH DELETE  projects/{}/issues/{}/comments/{}
    GET POST          projects/{}/issues/{}/worklogs
    PATCH DELETE      projects/{}/issues/{}/worklogs/{}
    GET POST          projects/{}/issues/{}/links
    GET PATCH DELETE  projects/{}/issues/{}/links/{}
    GET               projects/{}/issues/{}/activities
    GET               projects/{}/issues/{}/activities/{}
    GET POST          projects/{}/issues/{}/issue-attachments
    GET PATCH DELETE  projects/{}/issues/{}/issue-attachments/{}
    GET POST          projects/{}/issues/{}/relations
    POST              projects/{}/issues/{}/relations/remove
    GET POST          projects/{}/inbox-issues
    GET PATCH DELETE  projects/{}/inbox-issues/{}
    GET POST          projects/{}/issue-types
    GET PATCH DELETE  projects/{}/issue-types/{}
    GET POST          projects/{}/issue-types/{}/issue-properties
    GET PATCH DELETE  projects/{}/issue-types/{}/issue-properties/{}
    GET POST          projects/{}/issue-properties/{}/options
    GET PATCH DELETE  projects/{}/issue-properties/{}/options/{}
    GET               projects/{}/issues/{}/issue-properties/values
    GET POST          projects/{}/issues/{}/issue-properties/{}/values
"""
TODAY = {
    "issues": "work-items",
    "issue-attachments": "attachments",
    "inbox-issues": "intake-issues",
    "issue-types": "work-item-types",
    "issue-properties": "work-item-properties",
}


def list_pairs() -> list[tuple[str, str, str]]:
    """Method, former path and present one of each operation."""
    rows = [line.split() for line in FORMER.strip().splitlines()]
    return [
        (method, former, "/".join(TODAY.get(part, part) for part in former.split("/")))
        for *methods, former in rows
        for method in methods
    ]


def bare(path: str) -> str:
    """The path with its parameters unnamed."""
    parts = path.removeprefix(WORKSPACE).split("/")
    return "/".join("{}" if part.startswith("{") else part for part in parts)


SERVED = {
    (route.method, bare(path)): route for route in list_routes(TABLE) for path in (route.path, *route.aliases)
}
PAIRS = list_pairs()


def test_plane_has_54_former_operations() -> None:
    assert len(PAIRS) == 54


@pytest.mark.parametrize(("method", "former", "present"), PAIRS)
def test_a_former_path_is_served_as_the_present_one_is(method: str, former: str, present: str) -> None:
    assert SERVED.get((method, former)) is SERVED.get((method, present))


def test_the_description_of_the_api_calls_former_paths_deprecated() -> None:
    described = DOCUMENT["paths"]
    aliases = {f"{PREFIX}/{alias}/" for route in list_routes(TABLE) for alias in route.aliases}
    former = {(method, path) for method, path, _ in PAIRS}
    for path, operations in described.items():
        for method, operation in operations.items():
            is_former = (method.upper(), bare(path.removeprefix(f"{PREFIX}/").rstrip("/"))) in former
            is_deprecated = operation.get("deprecated", False)
            assert is_deprecated or not is_former, (method, path)
            assert path in aliases or not is_deprecated, (method, path)
