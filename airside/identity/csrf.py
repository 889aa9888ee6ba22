"""CSRF tokens: a MAC over the session or anonymous cookie, so that nothing has to be stored.

Each has a new salt: in compressed responses a constant token could be recovered from their length (BREACH).
"""

import secrets

from airside.errors import Forbidden
from airside.runtime.site import Site

PURPOSE = "csrf"
SALT_LENGTH = 16  # hex digits


class ForgedForm(Forbidden):
    sentence = "This form has expired. Go back, reload the page and try again."


def issue_csrf_token(site: Site, bound_to: str, about: str = "") -> str:
    """A token for a form, bound to `bound_to`: a Session's `id_hash`, or the value of an anonymous cookie. `about`
    narrows it, for example to one consent request."""
    salt = secrets.token_hex(SALT_LENGTH // 2)
    return salt + site.sealer.sign(_message(salt, bound_to, about), PURPOSE)


def check_csrf_token(site: Site, token: str, bound_to: str, about: str = "") -> None:
    """Raises ForgedForm."""
    salt, signature = token[:SALT_LENGTH], token[SALT_LENGTH:]
    is_known = bool(bound_to) and salt.isascii()
    if not is_known or not site.sealer.is_signed(_message(salt, bound_to, about), signature, PURPOSE):
        raise ForgedForm


def _message(salt: str, bound_to: str, about: str) -> str:
    return f"{salt}:{len(bound_to)}:{bound_to}:{about}"
