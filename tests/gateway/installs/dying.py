"""Processes of Airside that are killed in the middle of an install.

`python -m tests.gateway.installs.dying` forks one for each line that it reads, and writes how it ended."""

import asyncio
import json
import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from airside.db.open import open_database
from airside.gateway.app_accounts import register_app_accounts
from airside.gateway.client import Reply, UpstreamClient
from airside.oauth.token_revoker import register_token_revoker
from airside.runtime.app_accounts import Install
from airside.runtime.site import Site
from airside.system.credentials import Sealer
from tests.gateway.installs.stage import SECRET_KEY, settings_of
from tests.support.clocks import FrozenClock


def die_after(requests: int) -> None:
    """kill -9 with the answer to this request in hand, before anything is stored of it."""
    send, sent = UpstreamClient.send, 0

    async def send_and_die(self: UpstreamClient, *args: Any, **kwargs: Any) -> Reply:
        nonlocal sent
        reply = await send(self, *args, **kwargs)
        sent += 1
        if sent == requests:
            os.kill(os.getpid(), signal.SIGKILL)
        return reply

    UpstreamClient.send = send_and_die  # type: ignore[method-assign]


async def install(order: dict[str, Any]) -> None:
    settings = settings_of(order["upstream"], order["database"], data=Path(order["data"]))
    clock = FrozenClock()
    clock.time = datetime.fromisoformat(order["now"])
    db = await open_database(settings.database, 2)
    site = Site(settings=settings, db=db, sealer=Sealer(SECRET_KEY), clock=clock)
    register_token_revoker(site)
    register_app_accounts(site)
    ids = (order["workspace_id"], order["by_user_id"])
    await site.app_accounts.prepare(Install(order["app"], *ids, order["project_ids"], order["cookies"]))


def main() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        process = os.fork()
        if process == 0:
            die_after(order["die_after"])
            asyncio.run(install(order))
            os._exit(0)
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
