"""A proxy in front of Airside that keeps each request of an SDK's suite beside the test that made it.

The suite's own runner says at MARK which test begins and how it ended (`hooks/`)."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from tests.sdk_suites.classes import Exchange, Result

MARK = "/__mark__"
HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}
SECONDS = 60.0


@dataclass
class Recording:
    """What a suite did, in its order; `package` is the file that the tried SDK was imported from."""

    results: list[Result] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    package: str = ""
    owner: str = ""

    def mark(self, said: dict[str, Any]) -> None:
        if "now" in said:
            self.owner = said["now"]
        elif "package" in said:
            self.package = said["package"]
        else:
            self.results.append(Result(**said))


@contextmanager
def recording(port: int, upstream: str) -> Iterator[Recording]:
    """Pass on to `upstream` what comes to the port, until the end."""
    kept = Recording()
    server = ThreadingHTTPServer(("127.0.0.1", port), make_handler(kept, urlsplit(upstream).netloc))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def make_handler(kept: Recording, upstream: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == MARK:
                kept.mark(json.loads(body))
                self.reply(204, [], b"")
            else:
                self.pass_on(body)

        def pass_on(self, body: bytes) -> None:
            owner = kept.owner  # by the time of the answer the next test may have begun
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            connection = http.client.HTTPConnection(upstream, timeout=SECONDS)
            try:
                connection.request(self.command, self.path, body or None, headers)
                response = connection.getresponse()
                response_body = response.read()
            finally:
                connection.close()
            path, text = urlsplit(self.path).path, response_body.decode(errors="replace")
            kept.exchanges.append(Exchange(owner, self.command, path, response.status, text))
            self.reply(response.status, response.getheaders(), response_body)

        def reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            if status not in (204, 304):
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the recording tells it."""

    return Handler
