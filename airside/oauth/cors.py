"""CORS for clients that run in a browser: the endpoints open to any origin, without credentials (Fetch §3.2).

Metadata, registration, token and revocation, errors included. Sign-in and consent pages are closed to other
origins.
"""

import re

from airside.http.answer import Answer
from airside.http.request import Request

USUAL_HEADERS = "Authorization, Content-Type, MCP-Protocol-Version"
MAX_AGE = 3600  # seconds for which a browser may cache a preflight
OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After, WWW-Authenticate",
}

_HEADER_NAMES = re.compile(r"[\w-]+(?:, *[\w-]+){0,30}", re.ASCII)


def is_preflight(request: Request) -> bool:
    return request.method == "OPTIONS" and bool(request.get_header("Access-Control-Request-Method"))


def answer_preflight(request: Request) -> Answer:
    """Any header may be sent: none of them is a browser's own credential."""
    asked = request.get_header("Access-Control-Request-Headers") or ""
    is_list = len(asked) <= 1000 and _HEADER_NAMES.fullmatch(asked) is not None
    headers = {
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": asked if is_list else USUAL_HEADERS,
        "Access-Control-Max-Age": str(MAX_AGE),
    }
    return Answer(204, headers=headers)
