"""Where to redirect after sign-in: to a stored consent request, or to a path that this instance signed.

Anything else is ignored, so the sign-in page is no open redirector (RFC 9700 §4.11.2).
"""

from urllib.parse import quote, urlencode, urlsplit

from falcon.asgi import Request

from airside.db.text_rules import is_id
from airside.runtime.site import Site

HOME = "/"
CONSENT = "/consent/"
CONTINUE = "/consent/continue/"
PURPOSE = "return_path"
MAC_LENGTH = 64  # characters
PATH_LENGTH = 1000  # characters; a longer path leads to the home page instead


def sign_in_url(site: Site, req: Request) -> str:
    """The sign-in page, which returns to the page of this request, if that was a GET of a page."""
    shown = shown_path(site, req)
    if shown:
        return path_sign_in_url(site, shown)
    path = quote(site.settings.page_path(req.path), errors="replace")
    if req.method != "GET" or path == HOME or len(path) > PATH_LENGTH or not _is_own(path):
        return "/sign-in/"
    return path_sign_in_url(site, path.rstrip("/") + "/")


def shown_path(site: Site, req: Request) -> str:
    """The path of the page that the browser shows, for an htmx request or a submitted form; "" when unknown.
    The headers are the client's, so only the path of a page on this origin is accepted."""
    claimed = (
        req.get_header("HX-Current-URL") or (req.get_header("Referer") if req.method == "POST" else "") or ""
    )
    try:
        url = urlsplit(claimed)
    except ValueError:
        return ""
    path = site.settings.page_path(url.path) + (f"?{url.query}" if url.query else "")
    return path if len(path) <= PATH_LENGTH and _is_own(path) and path != HOME else ""


def path_sign_in_url(site: Site, path: str) -> str:
    """The sign-in page, which continues to this path; the path must be Airside's own."""
    return f"/sign-in/?{urlencode({'next': site.sealer.sign(path, PURPOSE) + path})}"


def consent_sign_in_url(request_id: str) -> str:
    """The sign-in page, which returns to this consent request."""
    return f"/sign-in/?{urlencode({'next': request_id})}" if is_id(request_id) else "/sign-in/"


def consent_url(request_id: str) -> str:
    return f"{CONSENT}?{urlencode({'request': request_id})}"


def continue_url(request_id: str) -> str:
    """The page that forwards to the app after the decision."""
    return f"{CONTINUE}?{urlencode({'request': request_id})}"


def follow(site: Site, token: str) -> str:
    """The path that a sign-in form's `next` names; the home page when it is invalid."""
    if is_id(token):
        return consent_url(token)
    path = token[MAC_LENGTH:]
    if _is_own(path) and site.sealer.is_signed(path, token[:MAC_LENGTH], PURPOSE):
        return path
    return HOME


def _is_own(path: str) -> bool:
    return (
        path.startswith("/") and not path.startswith(("//", "/\\")) and path.isascii() and path.isprintable()
    )
