"""What a load balancer asks: whether the process answers, and whether it can do its work."""

from falcon.asgi import Request, Response

from airside.db.away import DatabaseAway
from airside.db.migrate import DatabaseTooNew, is_current
from airside.site import Site


class Health:
    """Whether the process answers at all."""

    async def on_get(self, req: Request, resp: Response) -> None:
        resp.data = b'{"status":"ok"}'


class Readiness:
    """Whether it can do its work: the database answers and has today's tables."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def on_get(self, req: Request, resp: Response) -> None:
        try:
            problem = "" if await is_current(self._site.db) else "the database is not migrated"
        except DatabaseAway:
            problem = "the database can't be reached"
        except DatabaseTooNew:
            problem = "the database was migrated by a later version"
        resp.status = 503 if problem else 200
        resp.data = f'{{"status":"{problem or "ok"}"}}'.encode()
