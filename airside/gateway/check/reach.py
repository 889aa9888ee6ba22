"""Whether a request to the public origin reaches this Airside: it signs a nonce that nobody else can."""

import re
from collections.abc import Iterable

from airside.errors import PageNotFound
from airside.http.answer import Answer
from airside.http.endpoint import Endpoint, Methods
from airside.http.request import Request
from airside.settings import Settings
from airside.system.credentials import Sealer

NAME = "airside-check"
NONCE = "nonce"
PURPOSE = "upstream_check"
# Below each of these the proxy in front has to send requests to Airside.
PLACES = (
    "/auth/o",
    "/api/v1",
    "/api/v2",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource",
)

_is_nonce = re.compile(r"[0-9a-f]{32}").fullmatch


def check_paths(settings: Settings) -> tuple[str, ...]:
    """Where nonces are signed; the pages' prefix is among them if there is one."""
    pages = (settings.pages_prefix,) if settings.pages_prefix else ()
    return tuple(f"{place}/{NAME}" for place in (*PLACES, *pages))


def check_endpoints(settings: Settings, sealer: Sealer) -> dict[str, Endpoint]:
    """Path → endpoint. An answer says nothing but that it comes from the holder of the key."""

    async def answer(request: Request) -> Answer:
        signed = sign_nonce(sealer, "".join(request.query.get(NONCE, [])))
        return Answer(body=signed.encode(), content_type="text/plain", headers={"Cache-Control": "no-store"})

    return {path: Methods({"GET": answer}) for path in check_paths(settings)}


def sign_nonce(sealer: Sealer, nonce: str) -> str:
    """Raises PageNotFound for anything else: nobody gets other texts signed."""
    if _is_nonce(nonce) is None:
        raise PageNotFound
    return sealer.sign(nonce, PURPOSE)


def is_ours(sealers: Iterable[Sealer], nonce: str, answer: bytes) -> bool:
    """Whether one of the keys signed it."""
    signature = answer.decode("latin-1")[:200]
    return any(sealer.is_signed(nonce, signature, PURPOSE) for sealer in sealers)
