"""Which endpoint a path leads to: literals before parameters, and none for odd paths."""

import time

import pytest

from airside.app import create_dispatch
from airside.http.dispatch import Dispatch
from airside.http.endpoint import Nowhere
from airside.runtime.site import Site
from tests.support.apps import list_endpoints

PATHS = (
    "/users/me",
    "/users/{user_id}",
    "/users/{user_id}/keys",
    "/users/me/keys/{key_id}",
    "/a/{x}/b/{y}",
    "/a/c/b",
)
ENDPOINTS = {path: Nowhere() for path in PATHS}
BELOW = {"/users/": Nowhere(), "/users/hidden": None, "/": Nowhere()}


@pytest.mark.parametrize(
    ("path", "template", "parameters"),
    [
        ("/users/me", "/users/me", {}),
        ("/users/you", "/users/{user_id}", {"user_id": "you"}),
        ("/users/me/keys", "/users/{user_id}/keys", {"user_id": "me"}),
        ("/users/me/keys/1", "/users/me/keys/{key_id}", {"key_id": "1"}),
        ("/a/c/b", "/a/c/b", {}),
        ("/a/c/b/d", "/a/{x}/b/{y}", {"x": "c", "y": "d"}),
        ("/users/..", "/users/{user_id}", {"user_id": ".."}),
        ("/users/", "/users/{user_id}", {"user_id": ""}),
    ],
)
def test_a_literal_precedes_a_parameter(path: str, template: str, parameters: dict[str, str]) -> None:
    assert Dispatch(ENDPOINTS).find(path) == (ENDPOINTS[template], parameters)


@pytest.mark.parametrize(
    "path", ["/", "", "/users", "/users/me/", "/users/me/keys/1/2", "/a//b", "/users/../a/c/b"]
)
def test_what_no_path_fits_is_nothing(path: str) -> None:
    assert Dispatch(ENDPOINTS).find(path) is None


def test_the_longest_prefix_answers_where_no_path_fits() -> None:
    dispatch = Dispatch(ENDPOINTS, BELOW)
    assert dispatch.find("/users/me/other") == (BELOW["/users/"], {})
    assert dispatch.find("/elsewhere") == (BELOW["/"], {})
    assert dispatch.find("/users/hidden/by/none") is None


@pytest.mark.parametrize("paths", [("/a/{x}", "/a/{y}/b"), ("/a/{x}", "/a/{x}")])
def test_two_names_for_one_place_are_a_mistake(paths: tuple[str, str]) -> None:
    dispatch = Dispatch({paths[0]: Nowhere()})
    with pytest.raises(ValueError, match=r"another path|twice"):
        dispatch._add(paths[1], Nowhere())


def test_every_path_leads_to_its_own_endpoint(site: Site) -> None:
    endpoints = list_endpoints(site)
    dispatch = Dispatch(endpoints)
    for path, endpoint in endpoints.items():
        assert dispatch.find(path) == (endpoint, {name: f"{{{name}}}" for name in _names(path)})


def test_av1_the_longest_path_holds_up_nothing(site: Site) -> None:
    dispatch = create_dispatch(site)
    for path in ("/api/v1/" + "a/" * 30_000, "/" * 60_000, "/api/v1/workspaces/" + "x" * 60_000):
        started = time.process_time()
        for _ in range(10):
            dispatch.find(path)
        assert time.process_time() - started < 0.05


def _names(path: str) -> list[str]:
    return [segment[1:-1] for segment in path.split("/") if segment.startswith("{")]
