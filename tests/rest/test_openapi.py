"""OpenAPI from the table: what is described is what is served."""

from typing import Any

import pytest
from openapi_spec_validator import validate

from airside import __version__
from airside.api.v1 import TABLE
from airside.apps.scopes import SCOPES, UMBRELLAS
from airside.oauth.metadata import describe_server
from airside.rest.body import check_body
from airside.rest.openapi_examples import make_brief_example
from airside.rest.route import Route
from airside.rest.routes import list_routes
from airside.rest.wire import Wire
from airside.rest.wires.v1.openapi_errors import RESPONSES
from airside.rest.wires.v1.paths import PREFIX
from airside.rest.wires.v1.wire import V1
from airside.settings import Settings
from tests.support.openapi import DOCUMENT, DOCUMENTS, ORIGIN, check_value, operation_of, resolve

ROUTES = list_routes(TABLE)
LABELS = f"{PREFIX}/workspaces/{{workspace_slug}}/projects/{{project_id}}/labels/"
OWN_SHAPES = {"200", "201", "204"}  # of a success; everything else is a shared component


def operations() -> list[tuple[str, str, Any]]:
    return [
        (path, method, one) for path, methods in DOCUMENT["paths"].items() for method, one in methods.items()
    ]


def parameters_of(operation: Any, place: str) -> dict[str, Any]:
    found = [resolve(one) for one in operation["parameters"]]
    return {one["name"]: one for one in found if one["in"] == place}


def content_of(described: Any) -> Any:
    return resolve(described)["content"]["application/json"]


def test_every_route_and_alias_is_described_and_nothing_else() -> None:
    described = {(method.upper(), path) for path, method, _ in operations()}
    served = {
        (route.method, f"{PREFIX}/{path}/") for route in ROUTES for path in (route.path, *route.aliases)
    }
    assert described == served


def test_it_is_valid_openapi() -> None:
    """Also that ids are unique, paths name their parameters, and defaults fit."""
    validate(DOCUMENT)


def test_the_document_says_where_it_is_and_which_credentials_it_takes() -> None:
    assert (DOCUMENT["openapi"], DOCUMENT["info"]["version"]) == ("3.1.0", __version__)
    assert DOCUMENT["servers"] == [{"url": ORIGIN}]
    assert DOCUMENT["components"]["securitySchemes"]["apiKey"]["name"] == "X-API-Key"
    server = describe_server(Settings(base_url=ORIGIN))
    code, client = (
        DOCUMENT["components"]["securitySchemes"]["oauth"]["flows"][name]
        for name in ("authorizationCode", "clientCredentials")
    )
    assert code["authorizationUrl"] == server["authorization_endpoint"]
    assert code["tokenUrl"] == code["refreshUrl"] == client["tokenUrl"] == server["token_endpoint"]
    assert code["scopes"] == {scope.name: scope.sentence for scope in (*UMBRELLAS, *SCOPES)}
    assert client["scopes"] == code["scopes"]


def test_every_reference_leads_somewhere_and_every_component_is_used() -> None:
    seen: set[str] = set()

    def follow(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                resolve(value)  # KeyError where there is nothing
                seen.add(value["$ref"])
            for one in value.values():
                follow(one)
        elif isinstance(value, list):
            for one in value:
                follow(one)

    follow(DOCUMENT)
    components = DOCUMENT["components"]
    kinds = ("schemas", "responses", "headers", "parameters", "examples")
    assert seen == {f"#/components/{kind}/{name}" for kind in kinds for name in components[kind]}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_operation_has_its_own_sentence(route: Route) -> None:
    operation = operation_of(route)
    assert operation["summary"] == route.summary
    assert route.summary, "say in the declaration what it does: `summary`, or `summaries` of a resource"
    assert route.summary[0].isupper()
    assert not route.summary.endswith(".")
    assert operation["description"].endswith(".")


def test_no_two_operations_have_the_same_sentence() -> None:
    sentences = [route.summary for route in ROUTES]
    assert sorted(set(sentences)) == sorted(sentences)


def test_every_operation_has_a_tag_and_every_tag_an_operation() -> None:
    used = {tag for _, _, operation in operations() for tag in operation["tags"]}
    assert used == {tag["name"] for tag in DOCUMENT["tags"]}
    assert len(used) == len(DOCUMENT["tags"])
    assert all(tag["description"].endswith(".") for tag in DOCUMENT["tags"])


def test_a_path_names_its_parameters_with_their_format() -> None:
    for path, _, operation in operations():
        named = parameters_of(operation, "path")
        assert list(named) == [part[1:-1] for part in path.split("/") if part.startswith("{")]
        for name, one in named.items():
            assert one["required"]
            assert one["description"]
            assert one["schema"].get("format") == ("uuid" if name.endswith("_id") else None)


def test_every_query_parameter_has_a_type_and_a_sentence() -> None:
    for path, method, operation in operations():
        for name, one in parameters_of(operation, "query").items():
            assert one["schema"].keys() & {"type", "enum"}, (method, path, name)
            assert one["description"].endswith("."), (method, path, name)


def test_a_list_says_what_it_can_be_asked() -> None:
    query = parameters_of(DOCUMENT["paths"][LABELS]["get"], "query")
    assert {"external_id", "external_source", "cursor"} < set(query)
    size = query["per_page"]["schema"]
    assert (size["type"], size["minimum"], size["maximum"], size["default"]) == ("integer", 1, 1000, 100)
    orders = query["order_by"]["schema"]
    assert {"name", "-name", "created_at", "-created_at"} <= set(orders["enum"])
    assert orders["default"] == "-created_at"
    assert query["fields"]["explode"] is query["expand"]["explode"] is False  # separated by commas
    assert "color" in query["fields"]["schema"]["items"]["enum"]
    assert set(query["expand"]["schema"]["items"]["enum"]) == {"created_by", "parent", "project", "workspace"}


def test_one_record_is_shaped_by_its_query_and_what_is_written_has_none() -> None:
    one = DOCUMENT["paths"][f"{LABELS}{{label_id}}/"]
    query = {method: list(parameters_of(operation, "query")) for method, operation in one.items()}
    assert query == {"get": ["fields", "expand"], "patch": [], "delete": []}
    assert parameters_of(DOCUMENT["paths"][LABELS]["post"], "query") == {}


def test_post_requires_what_patch_does_not_and_patch_has_no_defaults() -> None:
    post, patch = DOCUMENT["paths"][LABELS]["post"], DOCUMENT["paths"][f"{LABELS}{{label_id}}/"]["patch"]
    whole, some = (resolve(content_of(one["requestBody"])["schema"]) for one in (post, patch))
    assert (whole["title"], some["title"]) == ("LabelIn", "PatchedLabelIn")  # generators name types by them
    assert whole["required"] == ["name"]
    assert whole["properties"]["color"]["default"] == ""
    assert whole["properties"]["name"]["maxLength"] == 255
    assert "required" not in some
    assert not [name for name, one in some["properties"].items() if "default" in one]
    assert some["properties"].keys() == whole["properties"].keys()


@pytest.mark.parametrize("route", [route for route in ROUTES if route.body], ids=lambda route: route.name)
def test_the_example_of_a_body_is_one_that_is_taken(route: Route) -> None:
    sent = content_of(operation_of(route)["requestBody"])
    assert sent["example"]
    check_value(sent["schema"], sent["example"])
    assert route.body is not None
    assert check_body(route.body, sent["example"], partial=route.partial).keys() == sent["example"].keys()


def test_the_example_of_an_answer_has_its_schema() -> None:
    for path, method, operation in operations():
        for status in OWN_SHAPES & operation["responses"].keys():
            for kind, one in operation["responses"][status].get("content", {}).items():
                assert "schema" in one, (method, path)
                if kind == "application/json":
                    check_value(one["schema"], resolve(one["examples"]["whole"])["value"])


@pytest.mark.parametrize("wire", DOCUMENTS, ids=lambda wire: wire.name)
def test_every_success_describes_its_body_unless_its_status_means_none(wire: Wire) -> None:
    bare = [
        (path, method, status)
        for path, methods in DOCUMENTS[wire]["paths"].items()
        for method, operation in methods.items()
        for status, described in operation["responses"].items()
        if status in {"200", "201", "202"} and not resolve(described, wire).get("content")
    ]
    assert bare == []


def test_the_example_of_a_body_in_which_nothing_is_required_has_one_field() -> None:
    fields = {"name": {"type": "string"}, "rank": {"type": "integer"}, "is_open": {"type": "boolean"}}
    schema = {"type": "object", "properties": fields}
    assert make_brief_example(schema, {}) == {"name": "Name"}
    assert make_brief_example(schema | {"required": ["rank", "is_open"]}, {}) == {"rank": 1, "is_open": True}


def test_the_example_of_an_error_has_its_schema_and_its_headers() -> None:
    for one in RESPONSES.values():
        described = DOCUMENT["components"]["responses"][one.name]
        for sample in one.samples.values():
            check_value(content_of(described)["schema"], V1.error_body(sample))
            assert set(sample.headers) <= set(described["headers"])


def test_an_operation_says_its_scope_its_event_and_how_it_answers() -> None:
    post = DOCUMENT["paths"][LABELS]["post"]
    assert (post["x-scope"], post["x-event"]) == ("projects.labels:write", "label.created")
    assert post["security"] == [{"oauth": ["projects.labels:write"]}, {"apiKey": []}]
    errors = {"400", "401", "403", "404", "406", "409", "413", "422", "429", "500", "503"}
    assert set(post["responses"]) == {"201"} | errors
    states = LABELS.replace("labels", "states")
    assert set(DOCUMENT["paths"][states]["post"]["responses"]) == {"200"} | errors
    delete = DOCUMENT["paths"][f"{LABELS}{{label_id}}/"]["delete"]
    assert "content" not in delete["responses"]["204"]
    assert set(DOCUMENT["paths"][LABELS]["get"]["responses"]) == {"200", "304"} | errors - {
        "409",
        "413",
        "422",
    }
    page = resolve(content_of(DOCUMENT["paths"][LABELS]["get"]["responses"]["200"])["schema"])
    assert page["allOf"][0] == {"$ref": "#/components/schemas/Page"}


@pytest.mark.parametrize("word", ["issues", "work-items"])
def test_former_paths_are_deprecated_and_the_present_ones_are_not(word: str) -> None:
    path = LABELS.replace("labels", word)
    for operation in DOCUMENT["paths"][path].values():
        assert operation.get("deprecated", False) == (word == "issues")


def test_what_is_expanded_may_be_an_object_also_in_records_of_an_answer_that_are_not_the_faces_own() -> None:
    related = DOCUMENT["components"]["schemas"]["RelatedItem"]["properties"]
    assert related["created_by"] == {"anyOf": [{"type": "string"}, {"type": "null"}, {"type": "object"}]}
    assert related["name"] == {"type": "string"}
