"""nginx as the proxy in front of a Community Edition, with the lines that Airside prints and without."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportPrivateUsage=false, reportDeprecated=false, reportCallIssue=false

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.servers import START_SECONDS

PROGRAM = shutil.which("nginx") or shutil.which("nginx", path=f"/usr/sbin{os.pathsep}/usr/local/sbin")
CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
{lines}
        location / {{
            proxy_pass {upstream};
            proxy_set_header Host $http_host;
        }}
    }}
}}
"""


@contextmanager
def running_nginx(folder: Path, port: int, upstream: str, lines: str) -> Iterator[None]:
    """In front of `upstream`, with these lines before its own."""
    if PROGRAM is None:
        pytest.skip("nginx not found: install Debian's package nginx")
    folder.mkdir(exist_ok=True)
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port, upstream=upstream, lines=lines))
    command = [PROGRAM, "-c", str(configuration), "-e", str(folder / "nginx.log")]
    with subprocess.Popen(command) as process:
        try:
            _wait_open(process, port)
            yield
        finally:
            process.terminate()


def _wait_open(process: "subprocess.Popen[bytes]", port: int) -> None:
    """By connecting alone: what is behind it may be served by the event loop that waits here."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            time.sleep(0.02)
            continue
        return
