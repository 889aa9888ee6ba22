"""Where a form returns to: the page it was opened from, named in the form, on this origin only."""

import re
from urllib.parse import urlsplit

from falcon.asgi import Request

from airside.portal.forms import Form
from airside.runtime.site import Site

_PATH = re.compile(r"/(?![/\\])[\x21-\x7e]{0,2000}")


def read_next(form: Form, otherwise: str) -> str:
    """The path in the form's field `next`, when it is a path of this origin."""
    asked = form.text("next")
    return asked if _PATH.fullmatch(asked) and "\\" not in asked else otherwise


def came_from(site: Site, req: Request, otherwise: str) -> str:
    """The page with the link that was followed, from the Referer, which pages send to their own origin."""
    parts = urlsplit(req.get_header("Referer") or "")
    path = site.settings.page_path(parts.path) + (f"?{parts.query}" if parts.query else "")
    is_own = parts.netloc == req.netloc and _PATH.fullmatch(path) and "\\" not in path
    return path if is_own and path != f"{site.settings.page_path(req.path).rstrip('/')}/" else otherwise
