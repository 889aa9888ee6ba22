"""What a load balancer asks: whether the process answers, and whether it can do its work."""

from falcon.asgi import Request, Response

from airside.db.migrate import is_current
from airside.site import Site


class Health:
    """Whether the process answers at all."""

    async def on_get(self, req: Request, resp: Response) -> None:
        resp.data = b'{"status":"ok"}'

    on_head = on_get


class Readiness:
    """Whether it can do its work: the database answers and has today's tables."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def on_get(self, req: Request, resp: Response) -> None:
        if await is_current(self._site.db):
            resp.data = b'{"status":"ok"}'
            return
        resp.status = 503
        resp.data = b'{"status":"the database is not migrated"}'

    on_head = on_get
