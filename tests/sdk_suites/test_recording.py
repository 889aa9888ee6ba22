"""From a suite in a checkout to verdicts: pytest's hook, the proxy between, and where the SDK was imported from."""

import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.sdk_suites.__main__ import HOOKS, recorded
from tests.sdk_suites.classes import Court, Kind, Served
from tests.support.servers import free_port

SUITE = """
import os
import urllib.request

import plane
import pytest


def ask(path):
    return urllib.request.urlopen(os.environ["PLANE_BASE_URL"] + path, timeout=5).read()


@pytest.fixture(scope="module")
def cycle():
    return ask("/api/v1/cycles/?name=a")


def test_of_what_is_served():
    assert ask("/api/v1/states/") == b"states"


def test_of_a_cycle(cycle):
    pass


def test_of_the_same_cycle(cycle):
    pass


def test_of_a_wrong_answer():
    assert ask("/api/v1/states/") == b"others"


def test_that_is_skipped():
    pytest.skip("no reason")
"""


class Upstream(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        is_served = self.path == "/api/v1/states/"
        self.send_response(200 if is_served else 404)
        self.end_headers()
        self.wfile.write(b"states" if is_served else b"no page")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def upstream() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_suite_is_recorded_test_by_test(tmp_path: Path, upstream: str) -> None:
    checkout = tmp_path / "checkout"
    (checkout / "plane").mkdir(parents=True)
    (checkout / "plane" / "__init__.py").touch()
    (checkout / "test_all.py").write_text(SUITE)
    with recorded(checkout, tmp_path / "log", upstream, free_port()) as suite:
        plugins = ("-p", "sdk_marks", "-p", "no:cacheprovider")
        suite.run([sys.executable, "-m", "pytest", *plugins], PYTHONPATH=str(HOOKS))
    assert Path(suite.kept.package) == checkout / "plane" / "__init__.py"
    verdicts = Court(suite.kept.exchanges, Served([("GET", "/api/v1/states/")])).judge(suite.kept.results)
    assert [(one.result.test, one.kind) for one in verdicts] == [
        ("test_all.py::test_of_what_is_served", Kind.PASSED),
        ("test_all.py::test_of_a_cycle", Kind.NOT_SERVED),
        ("test_all.py::test_of_the_same_cycle", Kind.FOLLOWS),
        ("test_all.py::test_of_a_wrong_answer", Kind.WRONG),
        ("test_all.py::test_that_is_skipped", Kind.SKIPPED),
    ]
    assert verdicts[1].cause is not None
    assert (verdicts[1].cause.operation, verdicts[1].cause.answer) == ("GET /api/v1/cycles/", "no page")


def test_a_suite_that_cannot_be_collected_is_no_result(tmp_path: Path, upstream: str) -> None:
    (tmp_path / "test_all.py").write_text("def test_of_a_typo(:\n")
    with (
        recorded(tmp_path, tmp_path / "log", upstream, free_port()) as suite,
        pytest.raises(SystemExit, match="could not be run"),
    ):
        suite.run([sys.executable, "-m", "pytest", "-p", "sdk_marks"], PYTHONPATH=str(HOOKS))
