"""CSRF tokens: a MAC over what the browser holds, so that nothing has to be stored."""

from airside.errors import Forbidden
from airside.site import Site

PURPOSE = "csrf"


class ForgedForm(Forbidden):
    sentence = "This form has expired. Go back, reload the page and try again."


def issue_csrf_token(site: Site, bound_to: str, about: str = "") -> str:
    """A token for a form of the browser that `bound_to` stands for: a Session's `id_hash`, or the value of an
    anonymous cookie. `about` narrows it, as to one consent request."""
    return site.sealer.sign(_message(bound_to, about), PURPOSE)


def check_csrf_token(site: Site, token: str, bound_to: str, about: str = "") -> None:
    """Raises ForgedForm."""
    if not bound_to or not site.sealer.is_signed(_message(bound_to, about), token, PURPOSE):
        raise ForgedForm


def _message(bound_to: str, about: str) -> str:
    return f"{len(bound_to)}:{bound_to}:{about}"
