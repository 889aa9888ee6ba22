"""What was typed into a form whose session has ended: kept on the page that answers, and sent from there again."""

from typing import Any

from falcon.asgi import Request

from airside.db.text_rules import is_id
from airside.errors import BadRequest, TooLarge
from airside.portal.forms import WRITING_LIMIT, Form, read_form
from airside.runtime.site import Site

NOT_KEPT = (
    "csrf_token",
    "password",
    "new_password",
    "confirm",
)  # the token of the ended session, and secrets
MIN_LENGTH = 20  # characters of a value without a space that is shown as text


async def read_typed(site: Site, req: Request) -> Form | None:
    """The form. None unless it comes from a page of this origin, can be read and holds a text."""
    if req.method != "POST" or not is_same_origin(site, req):
        return None
    try:
        form = await read_form(req, form_limit=WRITING_LIMIT)
    except (BadRequest, TooLarge):
        return None
    for name in NOT_KEPT:
        form.fields.pop(name, None)
    return form if any(is_text(value) for _, value in list_pairs(form)) else None


def is_same_origin(site: Site, req: Request) -> bool:
    """Without a session there is no CSRF token to check, so that only the browser says where the form was."""
    origin = req.get_header("Origin") or ""
    return origin == site.settings.origin or req.get_header("Sec-Fetch-Site") == "same-origin"


def show_typed(form: Form) -> list[dict[str, Any]]:
    """Its fields in order, as `signed_out.html` takes them."""
    return [
        {
            "name": name,
            "value": value,
            "label": name.replace("_", " ").capitalize(),
            "is_text": is_text(value),
        }
        for name, value in list_pairs(form)
    ]


def list_pairs(form: Form) -> list[tuple[str, str]]:
    return [(name, value) for name, values in form.fields.items() for value in values]


def is_text(value: str) -> bool:
    """Whether a person may have typed it, rather than the page put it there or a choice been made."""
    return not is_id(value) and (" " in value.strip() or "\n" in value or len(value) > MIN_LENGTH)
