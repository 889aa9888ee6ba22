"""OpenAPI from the table: what is described is what is served."""

from typing import Any

import pytest

from airside.api_v1 import TABLE
from airside.rest.openapi import describe_api
from airside.rest.routes import PREFIX, list_routes

DOCUMENT = describe_api(TABLE, "https://airside.example", "1.2.3")
LABELS = f"{PREFIX}/workspaces/{{workspace_slug}}/projects/{{project_id}}/labels/"


def operations() -> list[tuple[str, str, Any]]:
    return [
        (path, method, one) for path, methods in DOCUMENT["paths"].items() for method, one in methods.items()
    ]


def test_every_route_and_alias_is_described_and_nothing_else() -> None:
    described = {(method.upper(), path) for path, method, _ in operations()}
    served = {
        (route.method, f"{PREFIX}/{path}/")
        for route in list_routes(TABLE)
        for path in (route.path, *route.aliases)
    }
    assert described == served


def test_the_document_says_where_it_is_and_which_credentials_it_takes() -> None:
    assert (DOCUMENT["openapi"], DOCUMENT["info"]["version"]) == ("3.1.0", "1.2.3")
    assert DOCUMENT["servers"] == [{"url": "https://airside.example"}]
    assert DOCUMENT["security"] == [{"bearer": []}, {"apiKey": []}]
    assert DOCUMENT["components"]["securitySchemes"]["apiKey"]["name"] == "X-API-Key"


def test_every_reference_leads_to_a_schema() -> None:
    schemas = DOCUMENT["components"]["schemas"]

    def follow(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                assert value["$ref"].removeprefix("#/components/schemas/") in schemas
            for one in value.values():
                follow(one)
        elif isinstance(value, list):
            for one in value:
                follow(one)

    follow(DOCUMENT)


def test_a_path_names_its_parameters_and_a_list_its_query() -> None:
    for path, _, operation in operations():
        named = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
        assert named == [part[1:-1] for part in path.split("/") if part.startswith("{")]
    listed = DOCUMENT["paths"][LABELS]["get"]
    query = {one["name"] for one in listed["parameters"] if one["in"] == "query"}
    assert {"fields", "expand", "order_by", "cursor", "per_page", "external_id", "external_source"} <= query


def test_one_record_is_shaped_by_its_query_and_what_is_written_has_none() -> None:
    one = DOCUMENT["paths"][f"{LABELS}{{label_id}}/"]
    query = {
        method: [one["name"] for one in operation["parameters"] if one["in"] == "query"]
        for method, operation in one.items()
    }
    assert query == {"get": ["fields", "expand"], "patch": [], "delete": []}
    assert [part for part in DOCUMENT["paths"][LABELS]["post"]["parameters"] if part["in"] == "query"] == []


def test_post_requires_what_patch_does_not() -> None:
    post, patch = DOCUMENT["paths"][LABELS]["post"], DOCUMENT["paths"][f"{LABELS}{{label_id}}/"]["patch"]
    sent = post["requestBody"]["content"]["application/json"]["schema"]
    assert DOCUMENT["components"]["schemas"][sent["$ref"].rpartition("/")[2]]["required"] == ["name"]
    partial = patch["requestBody"]["content"]["application/json"]["schema"]
    assert "required" not in partial
    assert "name" in partial["properties"]


def test_an_operation_says_its_scope_its_event_and_how_it_answers() -> None:
    post = DOCUMENT["paths"][LABELS]["post"]
    assert (post["x-scope"], post["x-event"]) == ("projects.labels:write", "label.created")
    assert set(post["responses"]) == {"201", "4XX"}
    states = LABELS.replace("labels", "states")
    assert set(DOCUMENT["paths"][states]["post"]["responses"]) == {"200", "4XX"}
    delete = DOCUMENT["paths"][f"{LABELS}{{label_id}}/"]["delete"]
    assert delete["responses"]["204"] == {"description": "Done."}
    page = DOCUMENT["paths"][LABELS]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert page["allOf"][0] == {"$ref": "#/components/schemas/Page"}


@pytest.mark.parametrize("word", ["issues", "work-items"])
def test_former_paths_are_deprecated_and_the_present_ones_are_not(word: str) -> None:
    path = LABELS.replace("labels", word)
    for operation in DOCUMENT["paths"][path].values():
        assert operation.get("deprecated", False) == (word == "issues")
