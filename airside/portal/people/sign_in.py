"""Signing in and out."""

from falcon.asgi import Request, Response

from airside.audit.sources import client_address
from airside.errors import AirsideError, RateLimited
from airside.identity.csrf import check_csrf_token, issue_csrf_token
from airside.identity.sessions import WrongSignIn, end_session, find_session, sign_in
from airside.oauth.consent import find_asking_app
from airside.portal import cookies
from airside.portal.forms import read_form
from airside.portal.rendering import omit_referrer, redirect, show_page
from airside.portal.return_path import follow
from airside.portal.signed_in import find_signed_in
from airside.portal.visit import Page, enter

ABOUT = "sign_in"


class SignIn(Page):
    """GET and POST /sign-in/"""

    async def on_get(self, req: Request, resp: Response) -> None:
        token = req.get_param("next") or ""
        if await find_signed_in(self.site, req):
            redirect(self.site, resp, follow(self.site, token))
            return
        await self._show(req, resp, token)

    async def on_post(self, req: Request, resp: Response) -> None:
        form = await read_form(req)
        check_csrf_token(self.site, form.text("csrf_token"), cookies.read_guest(self.site, req), ABOUT)
        token, email = form.text("next"), form.text("email")
        try:
            session_id = await sign_in(
                self.site,
                email,
                form.text("password"),
                source=client_address(req, self.site.settings),
                user_agent=req.user_agent or "",
                replaces=cookies.read_session_id(self.site, req),
                browser=cookies.read_browser(self.site, req),
            )
        except (WrongSignIn, RateLimited) as error:
            await self._show(req, resp, token, email, error)
            return
        cookies.set_session_id(self.site, resp, session_id)
        if session := await find_session(self.site, session_id):
            cookies.remember_browser(self.site, req, resp, session.user_id)
        redirect(self.site, resp, follow(self.site, token))

    async def _show(
        self, req: Request, resp: Response, token: str, email: str = "", error: AirsideError | None = None
    ) -> None:
        app = await find_asking_app(self.site, token)
        guest = cookies.hold_guest(self.site, req, resp)
        show_page(
            self.site,
            req,
            resp,
            "sign_in.html",
            csrf_token=issue_csrf_token(self.site, guest, ABOUT),
            email=email,
            error=error.sentence if error else "",
            next=token,
            app_name=app["name"] if app else "",
        )
        omit_referrer(resp)
        if error is not None:
            resp.status = error.status
            resp.set_headers({**error.headers})


class SignOut(Page):
    """POST /sign-out/"""

    async def on_post(self, req: Request, resp: Response) -> None:
        visit = await enter(self.site, req, resp)
        await visit.read_form()
        await end_session(self.site, cookies.read_session_id(self.site, req))
        cookies.drop_session_id(self.site, resp)
        redirect(self.site, resp, "/sign-in/")
