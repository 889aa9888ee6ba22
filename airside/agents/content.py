"""Validates an activity: its content by type, and the metadata its signal requires. Pure functions."""

from typing import Any, cast
from urllib.parse import urlsplit

from airside.agents.statuses import ACTION, AUTH_REQUEST, CARRIED, ELICITATION, PROMPT, SELECT
from airside.db.base import Row
from airside.errors import Invalid

MAX_BODY = 100_000  # characters of Markdown
MAX_ACTION, MAX_PARAMETERS = 255, 100
MAX_OPTIONS = 50


def check_content(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """The normalized content. Raises Invalid under `content`.

    An elicitation's content may have the type "prompt", which some agents send."""
    content_type = content.get("type", kind)
    if content_type != kind and (kind, content_type) != (ELICITATION, PROMPT):
        raise Invalid({"content": [f'Its "type" has to be "{kind}", as the activity\'s.']})
    return _check_action(content) if kind == ACTION else _check_text(kind, content)


def _check_text(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    body = content.get("body")
    if not isinstance(body, str) or not body.strip():
        raise Invalid({"content": ['It needs a "body": text in Markdown.']})
    if len(body) > MAX_BODY:
        raise Invalid({"content": [f'Its "body" has no more than {MAX_BODY} characters.']})
    return {"type": kind, "body": body}


def _check_action(content: dict[str, Any]) -> dict[str, Any]:
    action, parameters = content.get("action"), content.get("parameters", {})
    if not isinstance(action, str) or not action.strip() or len(action) > MAX_ACTION:
        raise Invalid({"content": [f'It needs an "action": its name, of at most {MAX_ACTION} characters.']})
    texts = list(cast(Row, parameters).values()) if isinstance(parameters, dict) else None
    if texts is None or not all(isinstance(one, str) for one in texts):
        raise Invalid({"content": ['The values of its "parameters" have to be strings.']})
    if len(texts) > MAX_PARAMETERS or sum(map(len, texts)) > MAX_BODY:
        raise Invalid({"content": [f'It has at most {MAX_PARAMETERS} "parameters".']})
    return {"type": ACTION, "action": action, "parameters": parameters}


def check_signal(kind: str, signal: str, signal_metadata: dict[str, Any] | None) -> None:
    """Raises Invalid for a signal that this activity type doesn't allow, or that lacks required metadata."""
    if signal not in CARRIED[kind]:
        allowed = ", ".join(sorted(CARRIED[kind]))
        raise Invalid({"signal": [f'A {kind} can\'t carry "{signal}"; use one of {allowed}.']})
    given = signal_metadata or {}
    if signal == AUTH_REQUEST and not _is_https(given.get("url")):
        raise Invalid({"signal_metadata": ['auth_request needs a "url" that starts with https://.']})
    if signal == SELECT and not _are_options(given.get("options")):
        raise Invalid(
            {"signal_metadata": [f'select needs "options": 1 to {MAX_OPTIONS} texts or of {{id, label}}.']}
        )


def check_link(url: str | None) -> None:
    """Validate a run's `external_link`. Raises Invalid for a URL that a page can't link to safely."""
    if url is not None and not _is_address(url, ("http", "https")):
        raise Invalid({"external_link": ["Enter a valid URL that starts with https:// or http://."]})


def _is_https(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("https://") and _is_address(value, ("https",))


def _is_address(value: str, schemes: tuple[str, ...]) -> bool:
    if len(value) > 2000 or any(ord(one) <= 32 or ord(one) == 127 for one in value):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.hostname)


def read_option(option: Any) -> Row:
    """`id`, `label` and `description` of an option of a `select`. A string is both id and label; `value` is an
    alias of `id`."""
    if not isinstance(option, dict):
        return {"id": option, "label": option, "description": ""}
    given = cast(Row, option)
    label = given.get("label")
    return {
        "id": given.get("id", given.get("value", label)),
        "label": label,
        "description": given.get("description") or "",
    }


def _are_options(value: Any) -> bool:
    offered = cast(list[Any], value) if isinstance(value, list) else []
    if not 1 <= len(offered) <= MAX_OPTIONS:
        return False
    options = [read_option(one) for one in offered]
    return all(map(_is_option, options)) and len({one["id"] for one in options}) == len(options)


def _is_option(option: Row) -> bool:
    named = all(
        isinstance(option[name], str) and 0 < len(option[name].strip()) <= 500 for name in ("id", "label")
    )
    return named and isinstance(option["description"], str)
