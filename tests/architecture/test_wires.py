"""The shape of a wire's answers is decided in rest/wires/, so that a second wire costs no change of the engine."""

import ast

from airside.api.v1 import TABLE
from airside.rest.face import Face
from airside.rest.routes import list_routes
from airside.rest.wires.v1.wire import V1
from tests.architecture.test_rules import sources

WIRES = "airside/rest/wires/"
CLIENT = "airside/portal/"  # the workspace pages read answers of v1, like any client
# Words of a wire's envelopes and errors.
SHAPES = (
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
        if not path.startswith((WIRES, CLIENT))
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if any(word in node.value for word in SHAPES)
    }
    assert careless == set()


def test_every_face_of_the_table_is_of_the_tables_wire() -> None:
    strangers = [one.path for one in TABLE if isinstance(one, Face) and one.wire is not V1]
    assert strangers == []
    assert [one.name for one in list_routes(TABLE) if one.face and one.face.wire is not V1] == []
