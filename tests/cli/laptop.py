"""A developer's laptop: somebody who signs it in, `airside listen`, and the server that it posts to."""

import json
import queue
import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from subprocess import PIPE
from typing import Any

from tests.support.consent import Person
from tests.support.programs import Program, start_airside
from tests.support.servers import ADMIN, Instance, Server

PATIENCE = 30.0  # seconds: for whatever a busy machine is slow at


class Local:
    """A server of the developer's; `answers` are statuses to give in turn, then always 200."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.may_answer = threading.Event()  # while it is cleared, what has arrived waits for its answer
        self.may_answer.set()
        self._received: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()

    def take(self) -> tuple[dict[str, str], bytes]:
        """The next one that arrived."""
        return self._received.get(timeout=PATIENCE)

    def is_idle(self) -> bool:
        return self._received.empty()

    @contextmanager
    def running(self, port: int) -> Generator[None]:
        local = self

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                local._received.put((dict(self.headers), body))
                local.may_answer.wait(PATIENCE)
                self.send_response(local.answers.pop(0) if local.answers else 200)
                self.end_headers()
                self.wfile.write(b"thank you")

            def log_message(self, format: str, *args: Any) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", port), Hook)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()


class Listening:
    """A running `airside listen --json`."""

    def __init__(self, instance: Instance, *arguments: str) -> None:
        words = ("listen", "--json", *arguments)
        self.process = start_airside(*words, env=instance.environment, stdout=PIPE, stderr=PIPE)

    def line(self) -> dict[str, Any]:
        """The next line that it prints."""
        assert self.process.stdout is not None
        text = self.process.stdout.readline()
        assert text, self.process.communicate()[1]
        return json.loads(text)

    def delivery(self) -> dict[str, Any]:
        """The next line about a delivery; what is said of the connection is passed over."""
        while "event_id" not in (line := self.line()):
            pass
        return line

    def stop(self) -> float:
        started = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(PATIENCE) == 0
        return time.monotonic() - started


def begin_login(server: Server) -> tuple[Program, str]:
    """The running command, and the address that it shows."""
    words = ("login", "--base-url", server.url, "--json")
    process = start_airside(*words, env=server.environment, stdout=PIPE, stderr=PIPE)
    assert process.stderr is not None
    return process, process.stderr.readline().removeprefix("Open ").strip()


def log_in(server: Server, decision: str) -> tuple[int, Any]:
    assert server.password is not None
    process, address = begin_login(server)
    person = Person(server.url, ADMIN, server.password)
    page = person.open(address)
    if 'name="password"' in page.text:
        page = person.sign_in(page)
    question = person.submit(page, "user_code")
    assert "Airside CLI" in question.text
    person.submit(question, "request", decision=decision)
    out, _ = process.communicate(timeout=30)
    return process.returncode, json.loads(out) if out else None
