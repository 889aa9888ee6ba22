"""The peer that sends the same signed requests: Celery workers on RabbitMQ."""

import os
import socket
import subprocess
import time
from pathlib import Path

from environments import BENCH, token_peer_environment
from processes import Server
from sides import installed_versions, run_json
from wire import HOST, Request, ask

BROKER = "amqp://guest:guest@127.0.0.1:5672//"
IDLE_SECONDS = 60.0  # without a delivery: then something is broken


def is_there() -> bool:
    """Whether something listens where RabbitMQ is expected."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((HOST, 5672)) == 0


class CelerySide:
    """A queue of its own on the broker, deleted at the end."""

    def __init__(self, folder: Path, processes: int) -> None:
        self._bin = token_peer_environment("celery_sender")
        self._folder, self._processes = folder, processes
        self._environment = {
            "PYTHONPATH": str(BENCH / "peers"),
            "BENCH_BROKER": BROKER,
            "BENCH_QUEUE": f"airside_bench_{os.getpid()}",
        }
        versions = installed_versions(self._bin / "python", ["celery", "requests"])
        print(f"celery: {versions}, {processes} processes, messages persistent, acknowledged late")

    def measure(self, receiver_url: str, receiver: Server, count: int) -> float:
        """Deliveries a second, from the first to the last; all are published before a worker starts."""
        publish = [str(self._bin / "python"), "-m", "celery_sender.publish", f"{receiver_url}/well"]
        run_json([*publish, str(count), "1400"], self._environment)
        with (self._folder / "celery.log").open("ab") as log:
            worker = subprocess.Popen(
                [*self._celery(), "worker", "--concurrency", str(self._processes), "--loglevel", "INFO"],
                env=os.environ | self._environment,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,
            )
        try:
            told = _wait_for(receiver, count)
        finally:
            worker.terminate()
            worker.wait()
        return (count - 1) / (told["last"] - told["first"])

    def close(self) -> None:
        purge = [*self._celery(), "amqp", "queue.delete", self._environment["BENCH_QUEUE"]]
        subprocess.run(purge, env=os.environ | self._environment, capture_output=True, check=False)

    def _celery(self) -> list[str]:
        return [str(self._bin / "celery"), "--app", "celery_sender.tasks"]


def _wait_for(receiver: Server, count: int) -> dict[str, float]:
    moved_at, seen = time.monotonic(), 0
    while (told := ask(Request("/count"), receiver.port))["count"] < count:
        if told["count"] > seen:
            moved_at, seen = time.monotonic(), told["count"]
        if time.monotonic() - moved_at > IDLE_SECONDS:
            raise RuntimeError(f"Celery stopped at {seen} of {count}")
        time.sleep(0.1)
    return told
