"""Errors as pages: what happened and what to do next, or a redirect to sign-in."""

from falcon.asgi import Request, Response

from airside.errors import AirsideError, MaybeDone
from airside.oauth.authorize import DisplayedRefusal
from airside.portal.rendering import forward, redirect, send_nowhere, show_page
from airside.portal.return_path import CONSENT
from airside.portal.sent_once import SentBefore
from airside.runtime.site import Site

# Status → the title, and what to do next.
TITLES = {
    400: ("That didn't work", ""),
    401: ("You are signed out", "Sign in again, then repeat what you did."),
    403: ("You can't do that", ""),
    404: ("Nothing here", "Check the address. What was here may have been removed, or belongs to others."),
    405: ("That didn't work", ""),
    413: ("That is too large", "Send less at once: shorter texts, a smaller picture."),
    429: ("Too many attempts", "Wait a few minutes, then try again."),
    503: ("Back in a moment", "Wait a little, then load this page again."),
}
OUTCOME_UNKNOWN = ("This may not be saved", "Look whether it is there, and do it again only if it isn't.")
UNEXPECTED = (
    "Something went wrong",
    "Try again. If it stays so, give the number below to whoever runs this site.",
)
BAD_LINK = (
    "This link doesn't work",
    "Go back to the app and start again. If it stays so, tell its developer.",
)


class SignInNeeded(AirsideError):
    """Nobody is signed in; `location` is the sign-in page, which returns to the present one."""

    status = 401
    sentence = "Your session is over."

    def __init__(self, location: str) -> None:
        super().__init__()
        self.location = location


async def show_error(site: Site, req: Request, resp: Response, error: AirsideError) -> None:
    """Respond to a failed request; a request from htmx gets the error page instead of a redirect to sign in."""
    is_plain = req.get_header("HX-Request") is None
    if isinstance(error, SentBefore):
        forward(resp, error.location)
        return
    if isinstance(error, SignInNeeded) and is_plain:
        redirect(site, resp, error.location)
        return
    is_consent = is_authorization(site, req)
    title, next_step = TITLES.get(error.status, UNEXPECTED)
    if is_consent and error.status in (400, 404):
        title, next_step = BAD_LINK
    elif isinstance(error, MaybeDone):
        title, next_step = OUTCOME_UNKNOWN
    show_page(
        site,
        req,
        resp,
        "error.html",
        status=error.status,
        title=title,
        sentence=error.sentence,
        next_step=next_step,
        facts=error.facts if isinstance(error, DisplayedRefusal) else {},
        detail="" if error.status < 500 else f"request {req.context.request_id}",
        action=_next_place(error, is_consent),
    )
    if is_consent:
        send_nowhere(resp)


def is_authorization(site: Site, req: Request) -> bool:
    """Whether an app sent the person here: the authorization endpoint, and the pages of consent."""
    return req.path.startswith("/auth/o/") or site.settings.page_path(req.path).startswith(CONSENT)


def _next_place(error: AirsideError, is_consent: bool) -> dict[str, str] | None:
    """The button below the error."""
    if isinstance(error, SignInNeeded):
        return {"words": "Sign in", "href": error.location}
    return None if is_consent else {"words": "Your workspaces", "href": "/"}
