"""The shape of a wire's answers is decided in rest/wires/, so that a second wire costs no change of the engine."""

import ast

import pytest

from airside.api.served import APIS, Api
from airside.rest.face import Face
from airside.rest.routes import list_routes
from tests.architecture.test_rules import sources

WIRES = "airside/rest/wires/"
# The workspace pages read answers of v1, like any client, and an import those of another Plane.
CLIENTS = ("airside/portal/", "airside/moving/remote_client.py")
# Words of a wire's envelopes and errors.
SHAPES = (
    "has_more",
    "next_cursor",
    "prev_cursor",
    "next_page_results",
    "non_field_errors",
    "RATE_LIMIT_EXCEEDED",
    "problem+json",
)


def test_the_engine_asks_the_face_and_knows_no_wire() -> None:
    """An engine that imports one wire serves the next one in the first one's shape."""
    careless = {
        f"{path}: {node.module}"
        for path, tree in sources()
        if path.startswith("airside/rest/") and not path.startswith(WIRES)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("airside.rest.wires")
    }
    assert careless == set()


def test_no_word_of_an_envelope_or_error_is_written_outside_the_wires() -> None:
    """An error that carried v1's body showed it to pages and to the command line too."""
    careless = {
        f"{path}: {node.value}"
        for path, tree in sources()
        if not path.startswith((WIRES, *CLIENTS))
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if any(word in node.value for word in SHAPES)
    }
    assert careless == set()


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.wire.name)
def test_every_face_of_a_table_is_of_the_tables_wire(api: Api) -> None:
    faces = [one for one in api.table if isinstance(one, Face)]
    faces += [one.face for one in list_routes(api.table) if one.face]
    assert [one.path for one in faces if one.wire is not api.wire] == []


def test_webhooks_show_a_record_as_v1_does_whatever_wire_wrote_it() -> None:
    """An app that receives `label.created` can't know through which API the label was made."""
    shown: dict[object, set[Face]] = {}
    for api in APIS:
        for face in (one for one in api.table if isinstance(one, Face)):
            shown.setdefault(face.record, set()).add(face.events)
    of_v2 = {one.record for one in APIS[1].table if isinstance(one, Face)}
    assert all({one.wire for one in shown[record]} == {APIS[0].wire} for record in of_v2)
