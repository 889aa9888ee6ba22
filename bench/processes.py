"""Server processes: started, waited for, weighed and stopped. Time and memory are read from /proc (Linux)."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

from wire import Request, UnexpectedAnswer, ask

START_LIMIT_SECONDS = 60.0
STOP_LIMIT_SECONDS = 15.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class ServerFailed(Exception):
    """A server ended, or didn't answer in time; its last lines of log are in the message."""


@dataclass
class Server:
    """One server, its port and its log. It may be started and stopped many times."""

    command: list[str]
    environment: dict[str, str]
    port: int
    log: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                env=os.environ | self.environment,
                cwd=self.log.parent,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        process.terminate()
        try:
            process.wait(STOP_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def start_and_wait(self, request: Request | None = None) -> float:
        """Start; seconds until the request is answered with success, or the port is open when None."""
        started = time.perf_counter()
        self.start()
        while not self._answers(request):
            if time.perf_counter() - started > START_LIMIT_SECONDS or self._has_ended():
                tail = self.log.read_text(errors="replace")[-2000:]
                self.stop()
                raise ServerFailed(f"{' '.join(self.command)}\n{tail}")
            time.sleep(0.005)
        return time.perf_counter() - started

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _answers(self, request: Request | None) -> bool:
        try:
            ask(request or Request("/"), self.port)
        except UnexpectedAnswer:
            return request is None
        except ValueError:  # answered, not with JSON
            return request is None
        except (OSError, HTTPException):
            return False
        return True

    def memory_mb(self) -> float:
        """Resident memory of all its processes; pages that they share count once for each."""
        return sum(_resident_pages(pid) for pid in self._processes()) * _PAGE / 1e6

    def cpu_seconds(self) -> float:
        """CPU time that its living processes have used, in user and kernel."""
        return sum(_cpu_ticks(pid) for pid in self._processes()) / _TICKS

    def _processes(self) -> list[int]:
        return _descendants(self._process.pid) if self._process else []


def _descendants(root: int) -> list[int]:
    """The process and everything below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def _stat(pid: int) -> list[str]:
    """proc(5): the fields after the command's name, so state is 0 and the parent 1. Empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _cpu_ticks(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[11]) + int(fields[12]) if fields else 0


def _resident_pages(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[21]) if fields else 0
