"""Every served operation that plane-node-sdk has a method for, called by that method."""

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.sdk_rows.place import SLUG, Exchange, Place, check_requested
from tests.support.clients import node_packages
from tools.api_coverage import read_operations

# The first run installs the SDK, which takes a while on a slow registry.
pytestmark = pytest.mark.timeout(300)

OPERATIONS = {one.node: one for one in read_operations() if one.node}
SERVED = {method for method, one in OPERATIONS.items() if one.is_served()}
SDK = Path(__file__).parents[1] / "journeys" / "node_sdk"


def run_node(*options: str, **given: Any) -> list[Any]:
    """The values that the process of the rows prints, a line each."""
    done = subprocess.run(
        ["node", Path(__file__).parent / "node" / "run.cjs", *options],
        env=os.environ | node_packages(SDK),
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@cache
def list_rows() -> frozenset[str]:
    return frozenset(run_node("--list")[0])


def test_every_operation_works_by_the_method_of_the_sdk_for_node(place: Place) -> None:
    """One process for all of them, since starting one takes longer than most rows."""
    workplace = place.workplace
    results = run_node(
        baseUrl=workplace.stage.base_url,
        apiKey=workplace.api_key,
        botToken=workplace.bot_token,
        slug=SLUG,
        projectId=place.project_id,
        me=place.me,
        methods=sorted(list_rows() & SERVED),
    )
    assert {one["method"]: one["error"] for one in results if one["error"]} == {}
    for one in results:
        exchanges = [Exchange(*values) for values in one["requested"]]
        check_requested(OPERATIONS[one["method"]], exchanges, is_refused=one["isRefused"])


def test_every_served_operation_has_a_row_for_node() -> None:
    without = [
        f"{one.method} {one.path} is served, and node/families/ has no row for {method}"
        for method, one in OPERATIONS.items()
        if method in SERVED - list_rows()
    ]
    assert without == []


def test_every_row_for_node_is_of_a_method_that_the_sdk_has() -> None:
    assert list_rows() - OPERATIONS.keys() == set()
