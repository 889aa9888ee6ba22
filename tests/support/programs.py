"""`airside` as separate processes, forked after the imports.

program = start_airside("serve", "--port", "9000", env=environment, stdout=file, stderr=file)
program.wait(10)

Importing takes most of a second, more than most commands take. So each test process has a second one, which has
imported everything and forks for each command (fork_server.py). Started as people start them, to detect missing
imports: the commands of tests/journeys/test_readme.py, the worker of tests/cli/test_serve.py, the server of
tools/demo.py in tests/journeys/test_example_agent.py.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent.parent

Given = int | IO[Any] | None  # PIPE, DEVNULL, a file, or this process's own


def start_airside(
    *words: str, env: Mapping[str, str], stdin: Given = None, stdout: Given = None, stderr: Given = None
) -> "Program":
    """The streams are as in subprocess.Popen; pipes are text."""
    ends = [End(given, number) for number, given in enumerate((stdin, stdout, stderr))]
    mine, exit_socket = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    request = json.dumps([words, dict(env), str(Path.cwd())]).encode()
    socket.send_fds(fork_server(), [request], [*(end.theirs for end in ends), exit_socket.fileno()])
    exit_socket.close()
    for end in ends:
        end.let_go()
    return Program(words, mine, ends)


@cache
def fork_server() -> socket.socket:
    """The socket for requests to the fork server, which exits with this process."""
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno())]
    subprocess.Popen(
        command, cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    theirs.close()
    return mine


class End:
    """One standard stream: the program's descriptor, and this process's end of a pipe."""

    def __init__(self, given: Given, number: int) -> None:
        self.mine: IO[str] | None = None
        self.theirs, self._is_made = number, False
        if given == subprocess.PIPE:
            readable, writable = os.pipe()
            mine, self.theirs = (writable, readable) if number == 0 else (readable, writable)
            self.mine = open(mine, "w" if number == 0 else "r", encoding="utf-8")  # noqa: SIM115
            self._is_made = True
        elif given == subprocess.DEVNULL:
            self.theirs, self._is_made = os.open(os.devnull, os.O_RDWR), True
        elif given is not None and not isinstance(given, int):
            self.theirs = given.fileno()

    def let_go(self) -> None:
        if self._is_made:
            os.close(self.theirs)


class Program:
    """A running command, with as much of subprocess.Popen's interface as tests use."""

    def __init__(self, words: tuple[str, ...], exit_socket: socket.socket, ends: list[End]) -> None:
        self.args = ("airside", *words)
        self.stdin, self.stdout, self.stderr = (end.mine for end in ends)
        self.returncode: int | None = None
        self._exit = exit_socket
        self.pid = int(exit_socket.recv(32) or -1)
        assert self.pid > 0, "the process that forks has ended"

    def poll(self) -> int | None:
        return self._ask_status(0)

    def wait(self, timeout: float | None = None) -> int:
        status = self._ask_status(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return status

    def communicate(self, input: str = "", timeout: float | None = None) -> tuple[str, str]:
        with ThreadPoolExecutor(2) as pool:
            out, err = (pool.submit(pipe.read) if pipe else None for pipe in (self.stdout, self.stderr))
            with contextlib.suppress(BrokenPipeError):
                if self.stdin:
                    self.stdin.write(input)
                    self.stdin.close()
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
            return out.result() if out else "", err.result() if err else ""

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ask_status(self, timeout: float | None) -> int | None:
        """The exit status, or None after the timeout."""
        if self.returncode is None:
            self._exit.settimeout(timeout)
            with contextlib.suppress(TimeoutError, BlockingIOError):
                self.returncode = int(self._exit.recv(32))
                self._exit.close()
        return self.returncode
