"""Resolves a request's credential to its caller, cached for at most a second."""

import time
from datetime import datetime, timedelta
from typing import NamedTuple

from airside.audit.sources import enter_actor
from airside.errors import BadRequest, InvalidToken, Unauthenticated
from airside.identity.api_keys import resolve_api_key
from airside.identity.revocations import revocations
from airside.oauth.tokens import resolve_token
from airside.rest.call import Caller
from airside.runtime.site import Site
from airside.system.credentials import BOT_TOKEN, hash_credential

CACHE_SECONDS = 1.0  # so a revocation takes effect in every process within a second
MAX_CACHED = 20_000  # callers, about 10 MB


class _Cached(NamedTuple):
    caller: Caller
    until: float  # monotonic
    since: datetime  # by the site's clock, which tests and operators may set


class CallerCache:
    """Credential → caller, for every API request. A revocation in this process clears it at once."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._callers: dict[str, _Cached] = {}
        self._seen_revocations = revocations.count

    async def resolve(self, authorization: str | None, api_key: str | None) -> Caller:
        """Raises Unauthenticated, InvalidToken, or BadRequest for two credentials at once."""
        caller = await self._resolve(authorization, api_key)
        enter_actor(is_bot=caller.kind == "bot", app_id=caller.app_id)
        return caller

    async def _resolve(self, authorization: str | None, api_key: str | None) -> Caller:
        token = _read_bearer(authorization)
        if token and api_key:
            raise BadRequest("Send either Authorization or X-API-Key, not both.")
        if api_key:
            return await self._find_caller(api_key, is_key=True)
        if token is None:
            raise Unauthenticated
        return await self._find_caller(token, is_key=False)

    def clear(self) -> None:
        self._callers.clear()

    async def _find_caller(self, credential: str, *, is_key: bool) -> Caller:
        if revocations.count != self._seen_revocations:
            self._seen_revocations = revocations.count
            self.clear()
        cache_key = hash_credential(credential) + ("k" if is_key else "t")
        found = self._callers.get(cache_key)
        if found is not None and time.monotonic() < found.until and self._is_fresh(found.since):
            return found.caller
        return await self._look_up(credential, cache_key, is_key=is_key)

    async def _look_up(self, credential: str, cache_key: str, *, is_key: bool) -> Caller:
        started, count, since = time.monotonic(), revocations.count, self._site.clock.now()
        # The Node SDK's tests send every credential as X-API-Key, an agent's bot token too.
        resolve = resolve_api_key if is_key and not credential.startswith(BOT_TOKEN) else resolve_token
        caller = await resolve(self._site, credential)
        if caller is None:
            self._callers.pop(cache_key, None)
            raise InvalidToken
        if count == revocations.count:  # else it may have been revoked after it was read
            if len(self._callers) >= MAX_CACHED:
                self.clear()
            self._callers[cache_key] = _Cached(caller, started + CACHE_SECONDS, since)
        return caller

    def _is_fresh(self, since: datetime) -> bool:
        return self._site.clock.now() - since < timedelta(seconds=CACHE_SECONDS)


def _read_bearer(authorization: str | None) -> str | None:
    """None for another scheme, such as a proxy's Basic authentication: it is no credential of this API."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
