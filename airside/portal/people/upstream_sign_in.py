"""Signing in and out in front of a Community Edition, where people sign in at that one.

Its session cookie comes with the request; a session of ours is begun with it. Without it a page waits, and asks
again until somebody has signed in there, by a password or by SSO. What was asked for waits meanwhile: a consent
request under its id, a page as a path that this instance signed."""

import time
from collections import OrderedDict

from falcon.asgi import Request, Response

from airside.audit.sources import client_address, guesser
from airside.errors import AirsideError, RateLimited
from airside.gateway.client import Cookies
from airside.gateway.signing_in import Unchecked, begin_session, cookies_of, end_session
from airside.identity.attempts import FailedAttempts
from airside.identity.csrf import check_csrf_token
from airside.identity.sessions import find_session
from airside.oauth.consent import find_asking_app
from airside.portal import cookies
from airside.portal.forms import read_form
from airside.portal.rendering import lead_on, omit_referrer, redirect, show_page
from airside.portal.return_path import follow
from airside.portal.signed_in import find_signed_in
from airside.portal.visit import Page
from airside.runtime.site import Site
from airside.system.credentials import hash_credential

REFUSED_FOR = 30.0  # seconds; a session that is over doesn't come back, and a sign-in makes another
MAX_REFUSED = 10_000  # that are remembered
POLL_SECONDS = 3  # between two questions of a page that waits


class Questions:
    """Limits what the Community Edition is asked for browsers without a session of ours.

    In memory, for each process: it protects the Community Edition from waiting pages and from made-up cookies."""

    def __init__(self) -> None:
        self._refused: OrderedDict[str, float] = OrderedDict()  # hash of a cookie → when it was refused
        self._of_cookie = FailedAttempts("upstream_cookie", allowed=20, minutes=1)
        self._of_source = FailedAttempts("upstream_sign_in", allowed=120, minutes=1)

    def may_ask(self, sent: Cookies, source: str) -> bool:
        """Counts the question. False for no cookie, and for one that was just refused. Raises RateLimited."""
        if not sent.session:
            return False
        key = hash_credential(sent.session)
        if time.monotonic() - self._refused.get(key, -REFUSED_FOR) < REFUSED_FOR:
            return False
        for limit, counted in ((self._of_cookie, key), (self._of_source, source)):
            limit.check(counted)
            limit.count(counted)
        return True

    def refuse(self, sent: Cookies) -> None:
        key = hash_credential(sent.session)
        self._refused[key] = time.monotonic()
        self._refused.move_to_end(key)
        if len(self._refused) > MAX_REFUSED:
            self._refused.popitem(last=False)


class UpstreamSignIn(Page):
    """GET /sign-in/?next=…: goes on where somebody is signed in, and else waits for it."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._questions = Questions()

    async def on_get(self, req: Request, resp: Response) -> None:
        token, error = req.get_param("next") or "", None
        try:
            if await find_signed_in(self.site, req) or await self._begin(req, resp):
                lead_on(self.site, req, resp, follow(self.site, token))
                return
        except (Unchecked, RateLimited) as failure:
            error = failure
        await self._wait(req, resp, token, error)

    async def _begin(self, req: Request, resp: Response) -> bool:
        """Begin a session of ours with the Community Edition's, where the request has one."""
        sent, address = cookies_of(req.cookies), client_address(req, self.site.settings)
        if not self._questions.may_ask(sent, guesser(address)):
            return False
        session_id = await begin_session(
            self.site,
            sent,
            source=address,
            user_agent=req.user_agent or "",
            replaces=cookies.read_session_id(self.site, req),
        )
        if session_id is None:
            self._questions.refuse(sent)
            return False
        cookies.set_session_id(self.site, resp, session_id)
        return True

    async def _wait(self, req: Request, resp: Response, token: str, error: AirsideError | None) -> None:
        app = await find_asking_app(self.site, token)
        show_page(
            self.site,
            req,
            resp,
            "upstream/sign_in.html",
            status=error.status if error else 200,
            error=error.sentence if error else "",
            here=f"/sign-in/{'?' * bool(req.query_string)}{req.query_string}",
            poll_seconds=POLL_SECONDS,
            app_name=app["name"] if app else "",
        )
        omit_referrer(resp)
        if error is not None:
            resp.status = error.status
            resp.set_headers({**error.headers})


class UpstreamSignOut(Page):
    """POST /sign-out/ ends Airside's session alone, also while the Community Edition is away; GET says so."""

    async def on_get(self, req: Request, resp: Response) -> None:
        show_page(self.site, req, resp, "upstream/signed_out.html")

    async def on_post(self, req: Request, resp: Response) -> None:
        session_id = cookies.read_session_id(self.site, req)
        session = await find_session(self.site, session_id) if session_id else None
        form = await read_form(req)
        if session is not None:
            check_csrf_token(self.site, form.text("csrf_token"), session.id_hash)
            await end_session(self.site, session)
        cookies.drop_session_id(self.site, resp)
        redirect(self.site, resp, "/sign-out/")
