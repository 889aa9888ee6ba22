"""Imports Airside once and forks itself for each command that tests/support/programs.py starts.

python -m tests.support.fork_server <descriptor of the socket that requests come from>
"""

import contextlib
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import time
from importlib import import_module

LARGEST_REQUEST = 1 << 20
PRELOADED = (
    "airside.app",
    "airside.cli.first_start",
    "airside.cli.main",
    "airside.db.migrate",
    "airside.worker.loop",
    "uvloop",
)


def fork_until_asked_no_more(requests: socket.socket) -> None:
    """Returns in each process that runs a command; exits with the parent process."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the commands handle Ctrl-C themselves
    running: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([requests, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            report_ended(running)
        if requests in ready:
            request, descriptors, _, _ = socket.recv_fds(requests, LARGEST_REQUEST, 4)
            if not request:
                sys.exit()
            process = os.fork()
            if process == 0:
                become(*json.loads(request), streams=descriptors[:3])
                return
            for descriptor in descriptors[:3]:
                os.close(descriptor)
            running[process] = socket.socket(fileno=descriptors[3])
            running[process].send(str(process).encode())


def report_ended(running: dict[int, socket.socket]) -> None:
    """Send the exit status of ended commands to the processes that started them."""
    while running:
        process, status = os.waitpid(-1, os.WNOHANG)
        if not process:
            return
        with running.pop(process) as asker, contextlib.suppress(BrokenPipeError):
            asker.send(str(os.waitstatus_to_exitcode(status)).encode())


def become(words: list[str], environment: dict[str, str], folder: str, *, streams: list[int]) -> None:
    """Turn this process into the command, as if Python had started it."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.argv[1:] = words


if __name__ == "__main__":
    for name in PRELOADED:
        import_module(name)
    gc.freeze()  # objects that are never collected stay shared between the processes
    fork_until_asked_no_more(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module("airside", run_name="__main__", alter_sys=True)
