"""Errors as pages: what happened and what to do next, or a redirect to sign-in."""

from contextlib import suppress

from falcon.asgi import Request, Response

from airside.db.away import DatabaseAway
from airside.errors import AirsideError, Blocked, Forbidden, MaybeDone, NotFound
from airside.http.request import REQUEST
from airside.oauth.authorize import DisplayedRefusal
from airside.portal.rendering import forward, omit_referrer, redirect, show_page
from airside.portal.return_path import CONSENT
from airside.portal.sent_once import SentBefore
from airside.portal.typed_texts import read_typed, show_typed
from airside.runtime.site import Site
from airside.workspaces.members import list_members
from airside.workspaces.roles import ADMIN

MAX_ADMINS = 5  # that an error page names
# Status → the title, and what to do next.
TITLES = {
    400: ("Invalid request", ""),
    401: ("You are signed out", "Sign in again, then repeat what you did."),
    403: ("You can't do that", ""),
    404: (
        "Not found",
        "Check the address. The page may have been removed, or you may not have access to it.",
    ),
    405: ("Invalid request", ""),
    413: ("That is too large", "Send less at once: shorter texts or a smaller picture."),
    429: ("Too many attempts", "Wait a few minutes, then try again."),
    502: (
        "Plane didn't do what Airside needs",
        "Wait a minute, then repeat this. It goes on where it stopped.",
    ),
    503: ("Temporarily unavailable", "Wait a few seconds, then reload this page."),
    504: ("Plane didn't answer in time", "Wait a minute, then repeat this. It goes on where it stopped."),
}
OUTCOME_UNKNOWN = ("This may not be saved", "Check whether it was saved, and repeat it only if it wasn't.")
UNEXPECTED = (
    "Something went wrong",
    "Try again. If it fails again, send the request id below to an operator of this site.",
)
IN_PLANE = ("This is in Plane", "")
BAD_LINK = (
    "This link doesn't work",
    "Go back to the app and start again. If it fails again, contact the app's developer.",
)


class SignInNeeded(AirsideError):
    """Nobody is signed in; `location` is the sign-in page, which returns to the present one."""

    status = 401
    sentence = "Your session has expired."

    def __init__(self, location: str) -> None:
        super().__init__()
        self.location = location


class KeptUpstream(NotFound):
    """A page that the Community Edition behind Airside has; the error's page leads there."""

    def __init__(self, sentence: str, location: str) -> None:
        super().__init__(sentence)
        self.location = location


class AdminsOnly(Forbidden):
    """The page names the workspace's admins, whom the person can ask."""

    def __init__(self, sentence: str, workspace_id: str) -> None:
        super().__init__(sentence)
        self.workspace_id = workspace_id


async def show_error(site: Site, req: Request, resp: Response, error: AirsideError) -> None:
    """Respond to a failed request; a request from htmx gets the error page instead of a redirect to sign in."""
    is_plain = req.get_header("HX-Request") is None
    if isinstance(error, SentBefore):
        forward(resp, error.location)
        return
    if isinstance(error, SignInNeeded) and is_plain:
        await answer_signed_out(site, req, resp, error)
        return
    is_consent = is_authorization(site, req)
    title, next_step = TITLES.get(error.status, UNEXPECTED)
    if is_consent and error.status in (400, 404):
        title, next_step = BAD_LINK
    elif isinstance(error, KeptUpstream):
        title, next_step = IN_PLANE
    elif isinstance(error, MaybeDone):
        title, next_step = OUTCOME_UNKNOWN
    elif isinstance(error, Blocked):
        title, next_step = error.title, error.advice
    show_page(
        site,
        req,
        resp,
        "error.html",
        status=error.status,
        title=title,
        sentence=error.sentence,
        next_step=await name_admins(site, error) if isinstance(error, AdminsOnly) else next_step,
        facts=error.facts if isinstance(error, DisplayedRefusal) else {},
        detail="" if error.status < 500 else f"request {req.scope[REQUEST].id}",
        action=_next_place(error, is_consent),
    )
    if is_consent:
        omit_referrer(resp)


async def answer_signed_out(site: Site, req: Request, resp: Response, error: SignInNeeded) -> None:
    """Redirect to sign in; a form with a text gets a page that keeps it."""
    form = await read_typed(site, req)
    if form is None:
        redirect(site, resp, error.location)
        return
    show_page(
        site,
        req,
        resp,
        "signed_out.html",
        action=site.settings.page_path(req.path).rstrip("/") + "/",
        sign_in_href=error.location,
        fields=show_typed(form),
        has_files=bool(form.files),
    )


async def name_admins(site: Site, error: AdminsOnly) -> str:
    """Whom to ask; "" when they can't be looked up."""
    with suppress(DatabaseAway):
        admins = [one for one in await list_members(site.db, error.workspace_id) if one["role"] == ADMIN]
        names = [f"{one['display_name']} ({one['email']})" for one in admins[:MAX_ADMINS]]
        return f"Ask an administrator: {', '.join(names)}." if names else ""
    return ""


def is_authorization(site: Site, req: Request) -> bool:
    """Whether an app sent the person here: the authorization endpoint, and the pages of consent."""
    return req.path.startswith("/auth/o/") or site.settings.page_path(req.path).startswith(CONSENT)


def _next_place(error: AirsideError, is_consent: bool) -> dict[str, str] | None:
    """The button below the error."""
    if isinstance(error, SignInNeeded):
        return {"words": "Sign in", "href": error.location}
    if isinstance(error, KeptUpstream):
        return {"words": "Open Plane", "href": error.location, "glyph": "external-link"}
    return None if is_consent else {"words": "Your workspaces", "href": "/"}
