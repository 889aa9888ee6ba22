"""Where a person goes on after they signed in: a consent request held here, or a path signed by this instance.

Nothing else is followed, so a link to the sign-in page can't lead anywhere but here (RFC 9700 §4.11.2).
"""

from urllib.parse import quote, urlencode, urlsplit

from falcon.asgi import Request

from airside.identity.storable import is_id
from airside.runtime.site import Site

HOME = "/"
CONSENT = "/auth/o/authorize-app/consent/"
CONTINUE = "/auth/o/authorize-app/continue/"
PURPOSE = "return_path"
MAC_LENGTH = 64  # characters
PATH_LENGTH = 1000  # characters; whoever wanted to see more lands at home


def sign_in_url(site: Site, req: Request) -> str:
    """The sign-in page, from which one comes back to the page of this request, if it was one to look at."""
    shown = shown_path(req)
    if shown:
        return path_sign_in_url(site, shown)
    path = quote(req.path, errors="replace")
    if req.method != "GET" or path == HOME or len(path) > PATH_LENGTH or not _is_own(path):
        return "/sign-in/"
    return path_sign_in_url(site, path.rstrip("/") + "/")


def shown_path(req: Request) -> str:
    """Of the page that the browser shows while it asks for a part of it, or sends a form of it; "" when that
    can't be told. Whatever a stranger says here, it is a path of ours."""
    told = (
        req.get_header("HX-Current-URL") or (req.get_header("Referer") if req.method == "POST" else "") or ""
    )
    try:
        url = urlsplit(told)
    except ValueError:
        return ""
    path = url.path + (f"?{url.query}" if url.query else "")
    return path if len(path) <= PATH_LENGTH and _is_own(path) and path != HOME else ""


def path_sign_in_url(site: Site, path: str) -> str:
    """The sign-in page, from which one comes to this path, which Airside itself made."""
    return f"/sign-in/?{urlencode({'next': site.sealer.sign(path, PURPOSE) + path})}"


def consent_sign_in_url(request_id: str) -> str:
    """The sign-in page, from which one comes back to this consent request."""
    return f"/sign-in/?{urlencode({'next': request_id})}" if is_id(request_id) else "/sign-in/"


def consent_url(request_id: str) -> str:
    return f"{CONSENT}?{urlencode({'request': request_id})}"


def continue_url(request_id: str) -> str:
    """The page that leads to the app once the request is answered."""
    return f"{CONTINUE}?{urlencode({'request': request_id})}"


def follow(site: Site, token: str) -> str:
    """The path that a sign-in form's `next` stands for; home when it stands for none."""
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
