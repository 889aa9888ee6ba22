"""A deleted record takes what is below it with it: neither is found, listed, counted, searched or expanded."""

import re

import pytest

from airside.rest.route import Route
from tests.contract.world import QUERIES, ROUTES, World, maker_of, on_one_database
from tests.support.api import Client

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What tells of the past, and what stands for one that is running.
HISTORIES = {"list_audit_log", "list_webhook_deliveries", "list_agent_runs", "list_agent_run_activities"}

LINKED = {
    "issue_id",
    "property_id",
    "related_work_item_id",
    "user_id",
}  # records beside the one that they are linked to


def names_in(route: Route) -> list[str]:
    return re.findall(r"{(\w+)}", route.path)


def deletion_of(name: str) -> Route | None:
    """The operation that deletes the records of this parameter."""
    return next(
        (
            one
            for one in ROUTES
            if one.method == "DELETE" and one.path.endswith(f"/{{{name}}}") and "/properties/" not in one.path
        ),
        None,
    )


def parents() -> list[str]:
    """The parameters that have operations below them, and an operation that deletes them."""
    above = {name for route in ROUTES for name in names_in(route)[1:] if f"{{{name}}}/" in f"{route.path}"}
    return sorted(name for name in above if deletion_of(name) is not None)


PARENTS = parents()


async def expand_all(client: Client, route: Route, path: str) -> str:
    """The whole answer, with everything expanded."""
    expands = ",".join(route.face.expands) if route.face and "expand" in route.query else ""
    asked = {**QUERIES.get(route.name, {}), **({"expand": expands} if expands else {})}
    answer = await client.get(path, **asked)
    assert answer.status_code < 500, (path, answer.text)
    return answer.text


def test_the_parents_are_found() -> None:
    assert {"project_id", "work_item_id", "cycle_id", "module_id", "page_id", "collection_id"} <= {*PARENTS}


@on_one_database
@pytest.mark.parametrize("name", PARENTS)
async def test_nothing_below_a_deleted_record_is_answered_any_more(world: World, name: str) -> None:
    deletion = deletion_of(name)
    assert deletion is not None
    kept = {"workspace_slug"} if name == "project_id" else {"workspace_slug", "project_id"}
    base = {one: value for one, value in world.known.items() if one in kept}
    world.known = dict(base)
    below = [route for route in ROUTES if name in names_in(route) and route is not deletion]
    if name != "project_id":
        below = [
            route for route in below if ("{project_id}" in route.path) == ("{project_id}" in deletion.path)
        ]
    paths = [(route, await world.params(route)) for route in below]
    known = await world.known_id(maker_of(deletion.path, name))
    paths = [
        (route, params) for route, params in paths if params[name] == known
    ]  # some have one of their own
    bodies = [await world.body(route) for route, _ in paths]
    gone = ids_below(name, paths)
    own = await world.params(deletion)
    await world.meet(deletion, own)
    answer = await world.admin.delete(deletion.path.format(**own))
    assert answer.status_code == 204, answer.text
    for (route, params), body in zip(paths, bodies, strict=True):
        sent = await world.admin.send(
            route.method, route.path.format(**params), body, **QUERIES.get(route.name, {})
        )
        assert sent.status_code == 404, (route.method, route.path, sent.text)
    world.known = dict(base)
    for route in ROUTES:
        if route.method != "GET" or name in names_in(route) or route.streams or route.name in HISTORIES:
            continue
        text = await expand_all(world.admin, route, route.path.format(**await world.params(route)))
        assert not [one for one in gone if one in text], (route.path, text[:2000])


def ids_below(name: str, paths: list[tuple[Route, dict[str, str]]]) -> set[str]:
    """The ids of the record and of the records that are below it, without those that are only linked to it."""
    found: set[str] = set()
    for route, params in paths:
        found.add(params[name])
        face = route.face
        if face and face.key in params and face.key not in LINKED:
            found |= {params[face.key] for parent in face.record.parents if parent.parameter == name}
    return found
