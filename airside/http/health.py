"""Health checks for load balancers: liveness at /healthz, readiness at /readyz."""

import asyncio
import os
from pathlib import Path

from airside.db.away import DatabaseAway, DatabaseBusy, Unwritable
from airside.db.migrate import DatabaseTooNew, is_current, write_revision
from airside.errors import Unavailable
from airside.http.answer import Answer, encode_json
from airside.http.endpoint import Endpoint, Methods
from airside.http.request import Request
from airside.runtime.site import Site

CHECK_SECONDS = 5.0  # after which a check fails
KEPT_SECONDS = 1.0  # for which "ok" is cached: each check waits for a commit
FULL_BYTES = (
    1_048_576  # a disk with less than this counts as full: uploads and logs fail before the database does
)


def health_endpoints(site: Site) -> dict[str, Endpoint]:
    """Path → endpoint."""
    return {
        "/healthz": Methods({"GET": answer_alive}),
        "/readyz": Methods({"GET": Readiness(site).answer}),
    }


async def answer_alive(request: Request) -> Answer:
    """Liveness: whether the process responds at all."""
    return Answer(body=b'{"status":"ok"}')


class Readiness:
    """Readiness: whether the database is reachable, fully migrated and writable, and the disk is writable.

    The path is public, so concurrent requests share one check."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._checking: asyncio.Task[str] | None = None
        self._fine_until = 0.0  # by the loop's clock

    async def answer(self, request: Request) -> Answer:
        problem = await self._check()
        if problem:
            later = {"Retry-After": str(Unavailable.retry_after)}
            return Answer(503, encode_json({"status": problem}), headers=later)
        return Answer(body=encode_json({"status": "ok"}))

    async def _check(self) -> str:
        loop = asyncio.get_running_loop()
        if loop.time() < self._fine_until:
            return ""
        if self._checking is None:
            self._checking = loop.create_task(find_problem(self._site))
            self._checking.add_done_callback(self._keep_result)
        return await asyncio.shield(self._checking)

    def _keep_result(self, checked: "asyncio.Task[str]") -> None:
        self._checking = None
        if not checked.cancelled() and checked.exception() is None and not checked.result():
            self._fine_until = asyncio.get_running_loop().time() + KEPT_SECONDS


async def find_problem(site: Site) -> str:
    """Why the instance isn't ready; "" when it is. Writes to the database, since a read may still work when writes
    fail."""
    if problem := _find_disk_problem(site):
        return problem
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            if not await is_current(site.db):
                return "the database is not migrated"
            await write_revision(site.db)
    except Unwritable as error:
        return f"nothing can be saved: {error.about}"
    except (TimeoutError, DatabaseBusy):
        return "the database is too busy"
    except DatabaseAway:
        return "the database can't be reached"
    except DatabaseTooNew:
        return ""  # an upgrade in progress: what a migration adds, servers of the version before don't mind
    return ""


def _find_disk_problem(site: Site) -> str:
    """Checks the data folder with either database, since uploads are stored there."""
    folders = {site.settings.data}
    if site.db.url.startswith("sqlite:///"):
        folders.add(Path(site.db.url.removeprefix("sqlite:///")).parent)
    for folder in folders:
        try:
            disk = os.statvfs(folder)
        except OSError as error:
            return f"nothing can be saved: the data folder can't be used: {error.strerror}"
        if disk.f_flag & os.ST_RDONLY:
            return "nothing can be saved: the file system is read-only"
        if disk.f_bavail * disk.f_frsize < FULL_BYTES:
            return "nothing can be saved: the disk is full"
        if not os.access(folder, os.W_OK | os.X_OK):
            return "nothing can be saved: the data folder can't be written to"
    return ""
