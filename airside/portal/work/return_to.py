"""Where a form leads back to: the page it was sent from, which the form names, and only on this origin."""

import re

from airside.portal.forms import Form

_PATH = re.compile(r"/(?![/\\])[\x21-\x7e]{0,2000}")


def read_next(form: Form, otherwise: str) -> str:
    """The path in the form's field `next`, when it is a path of this origin."""
    asked = form.text("next")
    return asked if _PATH.fullmatch(asked) and "\\" not in asked else otherwise


def check_next(text: str | None, otherwise: str) -> str:
    """The same for a parameter of the address."""
    return text if text and _PATH.fullmatch(text) and "\\" not in text else otherwise
