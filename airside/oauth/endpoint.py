"""The authorization server's endpoints: errors in RFC 6749's format, and CORS where browsers may call."""

from collections.abc import Mapping
from typing import Any

from airside.errors import AirsideError
from airside.http.answer import Answer, encode_json
from airside.http.endpoint import Handler, Methods, show_json
from airside.http.request import Request
from airside.oauth.cors import OPEN, answer_preflight, is_preflight
from airside.oauth.errors import OAuthError, OwnFailure

NEVER_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}  # RFC 6749 §5.1


def answer_oauth(reply: Mapping[str, Any], status: int = 200) -> Answer:
    return Answer(status, encode_json(reply), headers=NEVER_STORED)


def answer_error(error: OAuthError) -> Answer:
    """RFC 6749 §5.2."""
    return Answer(error.status, encode_json(error.body), headers={**NEVER_STORED, **error.headers})


def show_oauth_error(request: Request, error: AirsideError) -> Answer:
    """A server error with OAuth's codes; others, as for a wrong path, are the API's."""
    if error.status >= 500:
        return answer_error(OwnFailure(error.status, error.sentence, error.headers))
    return show_json(request, error)


class OAuthEndpoint(Methods):
    """One path. `is_open`: to clients that run in a browser, at any origin."""

    def __init__(self, handlers: Mapping[str, Handler], *, is_open: bool = False) -> None:
        super().__init__(handlers, show_oauth_error)
        self._is_open = is_open

    async def serve(self, request: Request) -> Answer:
        self._open(request)
        if self._is_open and is_preflight(request):
            return answer_preflight(request)
        try:
            return await super().serve(request)
        except OAuthError as error:
            return answer_error(error)

    def show_error(self, request: Request, error: AirsideError) -> Answer:
        self._open(request)  # also where the request was refused before `serve`
        return super().show_error(request, error)

    def _open(self, request: Request) -> None:
        if self._is_open:
            request.answer_headers.update(OPEN)
