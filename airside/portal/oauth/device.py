"""Signing in a device without a browser (RFC 8628): the person types its code here, then sees the consent page."""

from urllib.parse import urlencode

from falcon.asgi import Request, Response

from airside.audit.sources import client_address, guesser
from airside.errors import NotFound, RateLimited
from airside.oauth.device_requests import CODE_LENGTH, WrongUserCode, ask_for_device, read_code, show_code
from airside.portal.errors import SignInNeeded
from airside.portal.rendering import redirect
from airside.portal.return_path import consent_url, path_sign_in_url
from airside.portal.visit import Page, Visit, enter

HERE = "/device/"
ANSWERS = ("allowed", "denied")


class Device(Page):
    """GET /device/?user_code=<code> shows the code to confirm, or asks for one; POST continues to consent."""

    async def on_get(self, req: Request, resp: Response) -> None:
        code = read_code(req.get_param("user_code") or "")
        typed = show_code(code) if len(code) == CODE_LENGTH else ""
        try:
            visit = await enter(self.site, req, resp)
        except SignInNeeded:
            query = f"?{urlencode({'user_code': typed})}" if typed else ""
            raise SignInNeeded(path_sign_in_url(self.site, HERE + query)) from None
        show_form(visit, typed)

    async def on_post(self, req: Request, resp: Response) -> None:
        visit = await enter(self.site, req, resp)
        form = await visit.read_form()
        typed = form.text("user_code")[:40]
        source = guesser(client_address(req, self.site.settings))
        try:
            request_id = await ask_for_device(self.site, typed, visit.user_id, source)
        except (WrongUserCode, RateLimited) as error:
            show_form(visit, typed, error.sentence, error.status if isinstance(error, RateLimited) else 422)
            resp.set_headers(error.headers)
            return
        redirect(self.site, resp, consent_url(request_id))


class DeviceAnswered(Page):
    """GET /device/allowed/ and /device/denied/: the outcome, and what to do next."""

    async def on_get(self, req: Request, resp: Response, answer: str) -> None:
        visit = await enter(self.site, req, resp)
        if answer not in ANSWERS:
            raise NotFound
        visit.show("device/answered.html", is_allowed=answer == "allowed")


def show_form(visit: Visit, typed: str, error: str = "", status: int = 200) -> None:
    visit.show("device/code.html", status=status, filled={"user_code": typed}, error=error)
