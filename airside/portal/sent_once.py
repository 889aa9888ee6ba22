"""Idempotent forms: a page with `creates = True` processes the same form once, however often it is sent."""

from contextlib import suppress
from typing import Any

from falcon.asgi import Request, Response

from airside.db.away import DatabaseAway, begin_request
from airside.errors import AirsideError
from airside.identity.form_answers import claim, finish, key_of, release
from airside.portal.forms import Form
from airside.runtime.site import Site
from airside.system.credentials import new_credential


class SentBefore(AirsideError):
    """The same form was processed already: redirect to its result."""

    status = 303

    def __init__(self, location: str) -> None:
        super().__init__()
        self.location = location


class SentOnce:
    """Middleware that records where a form redirected; a refused form may be sent again."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def process_resource(self, req: Request, resp: Response, resource: Any, params: Any) -> None:
        req.context.creates = req.method == "POST" and getattr(resource, "creates", False)

    async def process_response(
        self, req: Request, resp: Response, resource: Any, req_succeeded: bool
    ) -> None:
        key = req.context.get("form_key")
        if key is None or resp.status_code == 500:  # a 500 leaves the outcome unknown
            return
        with suppress(DatabaseAway):  # the form was processed; at worst a second one has to wait
            if resp.status_code == 303:
                await finish(
                    self._site, key, resp.get_header("Location") or self._site.settings.page_url("/")
                )
            else:
                await release(self._site, key)


async def begin_answer(site: Site, req: Request, session_hash: str, form: Form) -> None:
    """Raises SentBefore, and StillProcessing.

    A form that htmx submits may stay unchanged on the page, so sending it twice is deliberate."""
    if not req.context.get("creates"):
        return
    if req.get_header("HX-Request") is None:
        key = key_of(session_hash, req.path, form.fields, form.files)
    else:
        key = new_credential()
    location = await claim(site, session_hash, key)
    if location is not None:
        raise SentBefore(location)
    req.context.form_key = key
    begin_request()  # commits until now don't belong to the form's action
