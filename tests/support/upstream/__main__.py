"""The stand-in as a process: it prints one line of JSON when it answers, and stops at SIGTERM."""

import argparse
import asyncio
import json
import signal
from pathlib import Path

from tests.support.upstream.server import open_upstream
from tests.support.upstream.site import Settings


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.support.upstream", description=__doc__)
    parser.add_argument("--port", type=int, help="a free one unless given")
    parser.add_argument("--storage-port", type=int, help="of the storage with the uploaded files")
    parser.add_argument("--state", type=Path, help="file that keeps everything over restarts and kills")
    parser.add_argument("--database-url", help="PostgreSQL database that shows the rows as tables")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long a second takes in its worker")
    parser.add_argument(
        "--webhook-host", action="append", default=[], help="host that webhooks may be sent to"
    )
    parser.add_argument("--unlimited", action="store_true", help="without rate limits")
    return parser.parse_args()


async def main() -> None:
    given = _arguments()
    settings = Settings(seconds=given.seconds)
    settings.webhook_allowed_hosts |= set(given.webhook_host)
    if given.unlimited:
        settings.api_key_limit = settings.service_key_limit = settings.anonymous_limit = None
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    places = {"port": given.port, "storage_port": given.storage_port}
    async with open_upstream(
        settings, **places, state=given.state, database_url=given.database_url
    ) as upstream:
        print(json.dumps({"url": upstream.url, "storage_url": upstream.storage_url}), flush=True)
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(main())
