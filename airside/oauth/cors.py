"""CORS for clients that run in a browser: the endpoints open to any origin, without credentials (Fetch §3.2).

Metadata, registration, token and revocation, errors included. Sign-in and consent pages are closed to other
origins.
"""

import re

from falcon.asgi import Request, Response

from airside.oauth.metadata import RESOURCE, SERVER

OPEN_PATHS = frozenset({SERVER, RESOURCE, "/auth/o/register", "/auth/o/token", "/auth/o/revoke-token"})
OPEN_BELOW = (f"{SERVER}/", f"{RESOURCE}/")
USUAL_HEADERS = "Authorization, Content-Type, MCP-Protocol-Version"
MAX_AGE = 3600  # seconds for which a browser may cache a preflight

_HEADER_NAMES = re.compile(r"[\w-]+(?:, *[\w-]+){0,30}", re.ASCII)


class OpenToBrowsers:
    """Sets the CORS headers first, so that errors have them too, and answers preflights."""

    async def process_request(self, req: Request, resp: Response) -> None:
        if not is_open(req.path):
            return
        resp.set_headers(
            {
                "Access-Control-Allow-Origin": "*",
                "Access-Control-Expose-Headers": "Retry-After, WWW-Authenticate",
            }
        )
        if req.method == "OPTIONS" and req.get_header("Access-Control-Request-Method"):
            answer_preflight(resp, req.get_header("Access-Control-Request-Headers") or "")


def is_open(path: str) -> bool:
    return path.rstrip("/") in OPEN_PATHS or path.startswith(OPEN_BELOW)


def answer_preflight(resp: Response, asked: str) -> None:
    """Any header may be sent: none of them is a browser's own credential."""
    is_list = len(asked) <= 1000 and _HEADER_NAMES.fullmatch(asked) is not None
    resp.set_headers(
        {
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": asked if is_list else USUAL_HEADERS,
            "Access-Control-Max-Age": str(MAX_AGE),
        }
    )
    resp.status = 204
    resp.complete = True
