"""A stand-in as a process of its own, which can be killed and started again with what it had."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.programs import ROOT
from tests.support.servers import START_SECONDS, free_port


class UpstreamProcess:
    def __init__(self, folder: Path, *flags: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.storage_url = ""
        self._flags = ("--state", str(folder / "upstream.state"), "--unlimited", *flags)
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.support.upstream", "--port", str(self.port), *self._flags]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        ready: dict[str, Any] = json.loads(self._process.stdout.readline())
        self.storage_url = ready["storage_url"]

    def kill(self) -> None:
        """kill -9: what its worker hadn't done yet is lost."""
        self._end("kill")

    def stop(self) -> int:
        return self._end("terminate")

    def _end(self, how: str) -> int:
        if self._process is None:
            return 0
        getattr(self._process, how)()
        status = self._process.wait(START_SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
        return status


@contextmanager
def upstream_process(folder: Path, *flags: str) -> Iterator[UpstreamProcess]:
    process = UpstreamProcess(folder, *flags)
    process.start()
    try:
        yield process
    finally:
        process.stop()
