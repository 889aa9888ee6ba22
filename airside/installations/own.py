"""GET /auth/o/app-installation/: the installation that the caller's token belongs to."""

from typing import Protocol

from airside.http.answer import Answer, encode_json
from airside.http.request import Request
from airside.installations.read import describe_installation
from airside.rest.call import Caller
from airside.rest.guard import count_unmetered
from airside.runtime.site import Site


class Callers(Protocol):
    """Resolves a request's credential to its caller."""

    async def resolve(self, authorization: str | None, api_key: str | None) -> Caller: ...


class OwnInstallation:
    """A plain array; empty for any other `id`, and for an API key, which belongs to no app."""

    def __init__(self, site: Site, callers: Callers) -> None:
        self._site = site
        self._callers = callers

    async def answer(self, request: Request) -> Answer:
        request.answer_headers["Cache-Control"] = "no-store"
        caller = await self._callers.resolve(
            request.get_header("Authorization"), request.get_header("X-API-Key")
        )
        request.answer_headers.update((await count_unmetered(self._site, caller)).headers)
        asked = request.query.get("id", [])
        return Answer(body=encode_json(await self._list(caller.installation_id, asked)))

    async def _list(self, own_id: str | None, asked: list[str]) -> list[dict[str, object]]:
        if own_id is None or any(one.lower() != own_id for one in asked):
            return []
        shown = await describe_installation(self._site.db, own_id)
        return [] if shown is None else [shown]
