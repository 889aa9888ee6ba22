"""The fields of a registration with their validation, shared by pages, the command line and manifests."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from airside.apps.addresses import check_redirect_uri, check_url
from airside.apps.reserved_names import is_reserved
from airside.apps.scopes import ceiling_of, check_registrable
from airside.apps.tables import CONFIDENTIAL, PUBLIC
from airside.db.text_rules import is_one_line, is_plain_reading, is_storable
from airside.errors import Invalid
from airside.identity.users import check_email
from airside.webhooks.subscriptions import find_unknown, list_choices
from airside.workspaces.webhooks import CONTENT_TYPES

MAX_REDIRECT_URIS = 20
NAME_LENGTH, DESCRIPTION_LENGTH, REASON_LENGTH = 80, 255, 200  # characters
VERSIONS = ("v1", "v2")

Check = Callable[[Any], Any]


class Wrong(ValueError):
    """A field's validation error, as a sentence."""


def _name(value: Any) -> str:
    text = _line(NAME_LENGTH)(value)
    if not text:
        raise Wrong("Give the app a name.")
    return text


def _line(length: int) -> Check:
    def check(value: Any) -> str:
        text = _text(value)
        if len(text) > length or not is_one_line(text):
            raise Wrong(f"Use at most {length} characters, without line breaks.")
        if not is_plain_reading(text):
            raise Wrong("Leave out characters that are invisible or turn the direction of text around.")
        return text

    return check


def _email(value: Any) -> str:
    text = _text(value)
    try:
        return check_email(text) if text else ""
    except Invalid:
        raise Wrong("Enter a valid e-mail address.") from None


def _url(value: Any) -> str | None:
    text = _text(value)
    problem = check_url(text) if text else None
    if problem:
        raise Wrong(problem)
    return text or None


def _redirect_uris(value: Any) -> list[str]:
    uris = _words(value)
    if not uris:
        raise Wrong("Enter at least one redirect URI.")
    if len(uris) > MAX_REDIRECT_URIS:
        raise Wrong(f"Enter at most {MAX_REDIRECT_URIS} redirect URIs.")
    problems = [f"{uri[:100]}: {problem}" for uri in uris if (problem := check_redirect_uri(uri))]
    if problems:
        raise Wrong(*problems)
    return uris


def _scopes(value: Any) -> list[str]:
    try:
        return check_registrable(_words(value))
    except ValueError as error:
        raise Wrong(f"There is no scope {str(error)[:80]}.") from None


def _scope_reasons(value: Any) -> dict[str, str]:
    """Scope → reason, without empty reasons."""
    if not isinstance(value, dict):
        raise Wrong("This is a reason for each scope.")
    reasons: dict[str, str] = {}
    for name, text in cast(dict[str, Any], value).items():
        [scope] = _scopes([name]) or [""]
        try:
            reasons[scope] = _line(REASON_LENGTH)(text)
        except Wrong as wrong:
            raise Wrong(f"{scope}: {wrong}") from None
    return {scope: text for scope, text in reasons.items() if text}


def _event_names(value: Any) -> list[str] | None:
    if value is None:
        return None
    names = _words(value)
    if not names:
        raise Wrong("Choose at least one event.")
    unknown = find_unknown(names)
    if unknown:
        raise Wrong(f"There is no event {unknown[0][:60]}.")
    return [name for name in list_choices() if name in names]


def _content_type(value: Any) -> str:
    if value not in CONTENT_TYPES:
        raise Wrong(f"Use {' or '.join(CONTENT_TYPES)}.")
    return value


def _version(value: Any) -> str:
    if value not in VERSIONS:
        raise Wrong("The webhook version is v1 or v2.")
    return value


def _client_type(value: Any) -> str:
    if value not in (CONFIDENTIAL, PUBLIC):
        raise Wrong("An app is confidential or public.")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong("This is true or false.")
    return value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or not is_storable(value):
        raise Wrong("Enter plain text.")
    return value.strip()


def _words(value: Any) -> list[str]:
    """The unique items of a list of strings, or of one string separated by whitespace."""
    parts = cast(list[Any], value) if isinstance(value, list) else []
    if isinstance(value, str):
        parts = value.split()
    return list(dict.fromkeys(filter(None, (_text(part) for part in parts))))


# Column → its check; a check returns the value as stored or raises Wrong.
CHECKS: dict[str, Check] = {
    "name": _name,
    "short_description": _line(DESCRIPTION_LENGTH),
    "logo_url": _url,
    "redirect_uris": _redirect_uris,
    "contact_email": _email,
    "setup_url": _url,
    "webhook_url": _url,
    "webhook_version": _version,
    "webhook_content_type": _content_type,
    "webhook_event_names": _event_names,
    "organization_name": _line(NAME_LENGTH),
    "organization_email": _email,
    "privacy_policy_url": _url,
    "terms_of_service_url": _url,
    "website": _url,
    "receives_own_events": _flag,
    "is_mentionable": _flag,
    "scopes": _scopes,
    "scope_reasons": _scope_reasons,
    "client_type": _client_type,
}
DEFAULTS: dict[str, Any] = {
    "short_description": "",
    "logo_url": None,
    "contact_email": "",
    "setup_url": None,
    "webhook_url": None,
    "webhook_version": "v1",
    "webhook_content_type": "application/json",
    "webhook_event_names": None,
    "organization_name": "",
    "organization_email": "",
    "privacy_policy_url": None,
    "terms_of_service_url": None,
    "website": None,
    "receives_own_events": False,
    "is_mentionable": False,
    "scopes": [],
    "scope_reasons": {},
    "client_type": CONFIDENTIAL,
}


def check_fields(given: Mapping[str, Any], *, whole: bool, is_built_in: bool = False) -> dict[str, Any]:
    """The columns to store. `whole`: a new registration, where absent fields get their default or are required.
    `is_built_in`: the platform's own client, which alone may use a reserved name, and has no redirect URI.

    Raises Invalid with the messages of each wrong, missing or unknown field."""
    values = {**DEFAULTS, "name": None, "redirect_uris": None, **given} if whole else dict(given)
    wrong: dict[str, list[str]] = {}
    checked: dict[str, Any] = {}
    if is_built_in:
        checked["redirect_uris"] = []
        del values["redirect_uris"]
    for field, value in values.items():
        check = CHECKS.get(field)
        try:
            if check is None:
                raise Wrong("An app has no such field.")
            checked[field] = check(value)
        except Wrong as error:
            wrong[field] = [str(argument) for argument in error.args]
    if "scope_reasons" not in wrong and (superfluous := _list_superfluous(checked)):
        wrong["scope_reasons"] = [f"The app doesn't ask for {superfluous[0]}, so it needs no reason."]
    if not is_built_in and is_reserved(checked.get("name", "")):
        wrong["name"] = ["This name is the platform's own. Choose another."]
    if wrong:
        raise Invalid(wrong)
    return checked


def _list_superfluous(checked: Mapping[str, Any]) -> list[str]:
    """The scopes that have a reason although the app doesn't register them."""
    if not checked.keys() >= {"scopes", "scope_reasons"}:
        return []
    registered = ceiling_of(checked["scopes"])
    return [scope for scope in checked["scope_reasons"] if scope not in registered]
