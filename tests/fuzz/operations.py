"""One operation of an API under schemathesis: its cases, with ids of real records in paths and bodies."""

# schemathesis' cases and operations are generic in what isn't said.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false, reportMissingTypeArgument=false

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from random import Random
from typing import Any, cast

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from airside.api.served import Api
from airside.rest.route import Route
from airside.rest.routes import list_routes
from airside.workspaces.create import FEATURES
from tests.contract.world import World
from tests.fuzz.transport import ORIGIN

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
]
REAL = 0.85  # the share of ids that are those of records
REMEMBERED = 128  # operations whose cases are kept for the next test, more than any test has
BOTH = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass
class Operation:
    """An operation and what became of its cases; `run` runs a coroutine."""

    route: Route
    described: Any
    world: World
    run: Callable[[Any], Any]
    session: requests.Session
    random: Random
    statuses: Counter[int] = field(default_factory=Counter[int])
    failures: list[str] = field(default_factory=list[str])
    ids: dict[str, str] = field(default_factory=dict[str, str])

    def systematic(self) -> list[Case]:
        """Each bound, type and missing part of the description once, in random order."""
        found = [*_generate_systematic(self.described)]
        self.random.shuffle(found)
        return found

    def draw(self, number: int) -> None:
        """Send cases that Hypothesis combines from the description."""
        chosen = settings(
            max_examples=number,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=[*cast(Any, HealthCheck)],
        )
        strategy = self.described.as_strategy(GenerationMode.POSITIVE)
        seed(self.random.getrandbits(32))(chosen(given(strategy)(self.send)))()

    def send(self, case: Case) -> None:
        """Send the case, and keep how the answer differs from the description."""
        generated = case.path_parameters, case.body
        try:
            self._send_with_real_ids(case)
        finally:
            case.path_parameters, case.body = generated  # another test sends it to another database

    def _send_with_real_ids(self, case: Case) -> None:
        self._use_real_ids(case)
        answer = case.call(base_url=ORIGIN, session=self.session)
        self.statuses[answer.status_code] += 1
        # An answer with chosen fields lacks required ones.
        chosen = "fields" in (case.query or {})
        checks = CHECKS if chosen else [*CHECKS, response_schema_conformance]
        try:
            case.validate_response(answer, checks=checks)
        except FailureGroup as failures:
            self.failures.append(str(failures))
        if answer.status_code == 204:
            self.ids = {}  # the record may be gone
        if self.route.name == "update_workspace_features":
            self.run(reset_features(self.world))

    def _use_real_ids(self, case: Case) -> None:
        if not self.ids:
            self.ids = self.run(self._make_ids())
        used = {
            name: value
            for name, value in self.ids.items()
            if name == "workspace_slug" or self.random.random() < REAL
        }
        case.path_parameters = {**case.path_parameters, **used}
        if isinstance(case.body, dict | list):
            case.body = self._with_real_ids(case.body)

    async def _make_ids(self) -> dict[str, str]:
        """Records for the parameters of the path; what is written below is written to a new one."""
        ids = await self.world.params(self.route, fresh=self.route.method != "GET")
        if self.route.name == "update_project_features":
            ids["project_id"] = await self.world.make("project_id")
        return ids

    def _with_real_ids(self, value: Any, name: str = "") -> Any:
        """The value of a body; an id in it becomes that of a record of the kind that its field names."""
        if isinstance(value, dict):
            return {key: self._with_real_ids(one, key) for key, one in value.items()}
        if isinstance(value, list):
            return [self._with_real_ids(one, name) for one in value]
        if isinstance(value, str) and UUID.fullmatch(value) and self.random.random() < REAL:
            return self._id_for(name)
        return value

    def _id_for(self, name: str) -> str:
        known = self.world.known
        kind = re.sub(r"(_id)?s?$", "", name)
        return known.get(f"{kind}_id") or self.random.choice(sorted(known.values()))


@lru_cache(REMEMBERED)
def _generate_systematic(described: Any) -> list[Case]:
    schema = described.schema
    config = schema.config.generation_for(operation=described)
    cases = schema.iter_coverage_cases(described, generation_modes=BOTH, generation_config=config)
    return [case for case in cases if case.method.upper() == described.method.upper()]


async def reset_features(world: World) -> None:
    """Turn the workspace's features back to what they are in a new one, since other records belong to them."""
    await world.admin.patch(f"workspaces/{world.slug}/features", FEATURES)


def list_operations(
    api: Api, world: World, run: Callable[[Any], Any], session: requests.Session, random: Random
) -> Iterator[Operation]:
    """Every operation by its present path, but streams, which go on."""
    for route, described in describe_operations(api):
        yield Operation(route, described, world, run, session, random)


@cache
def describe_operations(api: Api) -> list[tuple[Route, Any]]:
    """Each operation as schemathesis sees it. It derives much from it, which all tests of a process share."""
    routes = {(f"{api.wire.prefix}/{one.path}/", one.method): one for one in list_routes(api.table)}
    every: list[Any] = [*schemathesis.openapi.from_dict(api.describe(ORIGIN)).get_all_operations()]
    found = [(routes.get((one.path, one.method.upper())), one) for one in (each.ok() for each in every)]
    return [(route, one) for route, one in found if route is not None and not route.streams]
