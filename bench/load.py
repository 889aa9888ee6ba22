"""Repeats one request over kept-open connections for some seconds: with wrk where it is found, else in Python.

Closed loop: each connection sends its next request when the answer to the last one is complete. Both
generators count answers that are not a 200 (wrk: those of 400 and more, after a 200 that measures.py checked).
"""

import asyncio
import json
import re
import resource
import shutil
import subprocess
import tempfile
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from wire import HOST, Request, as_bytes

MAXIMUM_REQUESTS = 1_000_000  # a bound on one run of the Python generator, whatever the server's speed
GRACE_SECONDS = 10.0  # how long unfinished answers may take after the last request
GeneratorName = Literal["wrk", "python"]


@dataclass(frozen=True)
class Load:
    """What one run of the generator saw. `generator_busy` is its share of one CPU: near 1, it is the limit."""

    requests: int
    errors: int
    seconds: float
    p50_ms: float
    p99_ms: float
    generator_busy: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def pick_generator() -> GeneratorName:
    return "wrk" if shutil.which("wrk") else "python"


def apply_load(generator: GeneratorName, request: Request, port: int, connections: int, seconds: int) -> Load:
    runners: dict[GeneratorName, Callable[[Request, int, int, int], Load]] = {
        "wrk": _load_with_wrk,
        "python": _load_with_python,
    }
    return runners[generator](request, port, connections, seconds)


# wrk ---------------------------------------------------------------------------------------------------

_SCRIPT = """\
wrk.method = {method}
wrk.body = {body}
wrk.headers = {headers}
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\\n{{"requests":%d,"errors":%d,"microseconds":%d,"p50":%d,"p99":%d}}\\n',
    summary.requests, e.status + e.connect + e.read + e.write + e.timeout,
    summary.duration, latency:percentile(50), latency:percentile(99)))
end
"""


def _load_with_wrk(request: Request, port: int, connections: int, seconds: int) -> Load:
    before, started = _children_cpu(), time.perf_counter()
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_wrk_script(request))
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name]
        command.append(f"http://{HOST}:{port}{request.target}")
        run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
    seen = json.loads(run.stdout.strip().splitlines()[-1])
    return Load(
        requests=seen["requests"],
        errors=seen["errors"],
        seconds=seen["microseconds"] / 1e6,
        p50_ms=seen["p50"] / 1e3,
        p99_ms=seen["p99"] / 1e3,
        generator_busy=(_children_cpu() - before) / (time.perf_counter() - started),
    )


def _wrk_script(request: Request) -> str:
    """JSON strings of these requests are Lua strings too: nothing in them needs an escape."""
    headers = ", ".join(
        f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in request.headers.items()
    )
    body = json.dumps(request.body) if request.body else "nil"
    return _SCRIPT.format(method=json.dumps(request.method), body=body, headers="{" + headers + "}")


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


# Python ------------------------------------------------------------------------------------------------

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


def _load_with_python(request: Request, port: int, connections: int, seconds: int) -> Load:
    busy = time.process_time()
    run = asyncio.run(_repeat(as_bytes(request, port), port, connections, seconds))
    latencies = sorted(run.latencies) or [float("nan")]
    return Load(
        requests=len(run.latencies),
        errors=run.errors,
        seconds=run.last - run.first,
        p50_ms=latencies[len(latencies) // 2] * 1e3,
        p99_ms=latencies[int(len(latencies) * 0.99)] * 1e3,
        generator_busy=(time.process_time() - busy) / (run.last - run.first),
    )


async def _repeat(payload: bytes, port: int, connections: int, seconds: int) -> "_Run":
    run = _Run(payload, port, connections, seconds)
    for _ in range(connections):
        run.open_connection()
    try:
        await asyncio.wait_for(run.finished.wait(), seconds + GRACE_SECONDS)
    except TimeoutError:
        run.errors += run.open
    return run


class _Run:
    """What all connections of one run share: the request, the deadline, what was seen."""

    def __init__(self, payload: bytes, port: int, connections: int, seconds: int) -> None:
        self.payload, self.port = payload, port
        self.latencies = array("d")
        self.errors = 0
        self.open = connections
        self.finished = asyncio.Event()
        self.first = self.last = time.perf_counter()
        self.deadline = self.first + seconds
        self._connecting: set[asyncio.Task[None]] = set()

    def open_connection(self) -> None:
        task = asyncio.get_running_loop().create_task(self._connect())
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: _Connection(self), HOST, self.port)
        except OSError:
            self.errors += 1
            self.end_connection()

    def is_over(self) -> bool:
        return self.last >= self.deadline or len(self.latencies) >= MAXIMUM_REQUESTS

    def end_connection(self) -> None:
        self.open -= 1
        if not self.open:
            self.finished.set()


class _Connection(asyncio.Protocol):
    """One connection: send, wait for the whole answer, note its time, send again."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._received = b""
        self._waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        if not is_complete(self._received):
            return
        run, answer = self._run, self._received
        run.last = time.perf_counter()
        run.latencies.append(run.last - self._sent_at)
        if answer[9:12] != b"200":
            run.errors += 1
        self._received, self._waiting = b"", False
        if run.is_over() or _CLOSES.search(answer):
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting:  # closed by the server before it answered
            self._run.errors += 1
        if self._waiting or self._run.is_over():
            self._run.end_connection()
        else:
            self._run.open_connection()

    def _send(self) -> None:
        self._waiting = True
        self._sent_at = time.perf_counter()
        self._transport.write(self._run.payload)


def is_complete(answer: bytes) -> bool:
    """Whether these bytes hold one whole HTTP/1.1 answer."""
    head_end = answer.find(b"\r\n\r\n")
    if head_end < 0:
        return False
    if length := _LENGTH.search(answer, 0, head_end):
        return len(answer) >= head_end + 4 + int(length[1])
    return bool(_CHUNKED.search(answer, 0, head_end)) and answer.endswith(b"0\r\n\r\n")
