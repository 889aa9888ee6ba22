"""An app's registration as a YAML manifest: kept with its code, compared, and applied to this or another instance.

A manifest is the whole registration: absent fields get their default. Secrets, ids and the logo aren't in it, since
they belong to one registration and not to the app. Fields are validated like the form's (fields.py).
"""

import asyncio
import difflib
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from airside.apps.fields import DEFAULTS, check_fields
from airside.apps.registry import NewApp, create_app
from airside.apps.scopes import ANY_READ, ANY_WRITE, READ, WRITE
from airside.db.base import Row
from airside.developer.registration import update_app
from airside.errors import Invalid
from airside.runtime.site import Site

VERSION = "1"
HEAD = "# An app of Airside. `airside app manifest apply` and the app's page take it back.\n"

# Column → its path in the manifest: section ("" for the top level) and name, in the order of the text.
PATHS: dict[str, tuple[str, str]] = {
    "name": ("", "name"),
    "short_description": ("", "description"),
    "contact_email": ("", "contact_email"),
    "client_type": ("", "client_type"),
    "redirect_uris": ("oauth", "redirect_uris"),
    "setup_url": ("oauth", "setup_url"),
    "scopes": ("oauth", "scopes"),
    "webhook_url": ("webhooks", "url"),
    "webhook_version": ("webhooks", "version"),
    "webhook_content_type": ("webhooks", "content_type"),
    "webhook_event_names": ("webhooks", "events"),
    "receives_own_events": ("webhooks", "receives_own_events"),
    "is_mentionable": ("agent", "is_mentionable"),
    "organization_name": ("organization", "name"),
    "organization_email": ("organization", "email"),
    "website": ("organization", "website"),
    "privacy_policy_url": ("organization", "privacy_policy_url"),
    "terms_of_service_url": ("organization", "terms_of_service_url"),
}
SECTIONS = ("oauth", "webhooks", "agent", "organization")
_COLUMN_OF = {path: column for column, path in PATHS.items()}
_SPELLED = {ANY_READ: READ, ANY_WRITE: WRITE}


class Change(NamedTuple):
    """A field that a manifest would change; both values in the manifest's notation."""

    name: str
    before: Any
    after: Any


class Plan(NamedTuple):
    """The dry run of a manifest. `lines` are a unified diff, empty when nothing changes."""

    fields: dict[str, Any]
    changes: list[Change]
    lines: list[str]


def export_manifest(app: Mapping[str, Any]) -> str:
    from airside.developer.manifest_text import write_yaml  # PyYAML slows start-up

    return HEAD + write_yaml(_arrange(app))


def plan_manifest(text: str, app: Row | None) -> Plan:
    """The changes to the app, or the fields of a new app. Raises Invalid with the manifest's field names. Parsing
    YAML is slow: call it in a thread."""
    fields = read_manifest(text)
    if app is None:
        before, after = "", export_manifest(fields)
    else:
        if fields["client_type"] != app["client_type"]:
            raise Invalid({"client_type": ["This can't be changed. Register another app."]})
        before, after = export_manifest(app), export_manifest(dict(app) | fields)
    old = _flatten(_arrange(app)) if app is not None else {}
    new = _flatten(_arrange(fields))
    changes = [Change(name, old.get(name), new[name]) for name in new if old.get(name) != new[name]]
    lines = [
        line.rstrip("\n")
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=3)
    ]
    return Plan(fields, changes if app is not None else [], lines[2:])


async def apply_manifest(site: Site, app: Row, by_user_id: str, text: str) -> Row:
    """Raises Invalid, Forbidden and NotFound, and Refused when the app has changed since `app` was read."""
    plan = await asyncio.to_thread(plan_manifest, text, app)
    if not plan.changes:
        return app
    changed = {name: value for name, value in plan.fields.items() if name != "client_type"}
    with _ManifestNames():
        return await update_app(site, app["id"], by_user_id, changed, as_of=app["updated_at"])


async def create_from_manifest(site: Site, workspace_id: str, by_user_id: str, text: str) -> NewApp:
    """Raises Invalid and Forbidden."""
    fields = await asyncio.to_thread(read_manifest, text)
    with _ManifestNames():
        return await create_app(site, workspace_id=workspace_id, by_user_id=by_user_id, fields=fields)


def read_manifest(text: str) -> dict[str, Any]:
    """The manifest as checked columns, with defaults for absent fields. Raises Invalid."""
    from airside.developer.manifest_text import Unreadable, read_yaml

    top = read_yaml(text)
    if not isinstance(top, dict):
        raise Unreadable("A manifest begins with fields, such as “name: Courier”.")
    given = dict(cast(dict[str, Any], top))
    version = given.pop("version", VERSION)
    if version != VERSION:
        raise Invalid({"version": [f"This Airside reads version {VERSION}."]})
    found = _gather(given)
    if "scopes" in found:
        found["scopes"], found["scope_reasons"] = _read_scopes(found["scopes"])
    defaults = {name: value for name, value in DEFAULTS.items() if name != "logo_url"}
    with _ManifestNames():
        checked = check_fields({**defaults, **found}, whole=True)
    del checked["logo_url"]
    return checked


def _gather(given: dict[str, Any]) -> dict[str, Any]:
    """Column → value. Raises Invalid with every unknown field."""
    found: dict[str, Any] = {}
    wrong: dict[str, list[str]] = {}
    for name, value in given.items():
        if name in SECTIONS:
            if not isinstance(value, dict):
                wrong[name] = ["This is a section: fields stand below it, indented."]
                continue
            placed = {(name, field): one for field, one in cast(dict[str, Any], value).items()}
        else:
            placed = {("", name): value}
        for path, one in placed.items():
            column = _COLUMN_OF.get(path)
            if column is None:
                wrong[".".join(filter(None, path))[:120]] = ["A manifest has no such field."]
            elif one is not None:  # a field without a value counts as absent
                found[column] = one
    if wrong:
        raise Invalid(wrong)
    return found


def _read_scopes(value: Any) -> tuple[list[Any], dict[Any, Any]]:
    """A list, or a mapping from each scope to its reason."""
    if isinstance(value, list):
        return cast(list[Any], value), {}
    if isinstance(value, dict):
        reasons = cast(dict[Any, Any], value)
        return list(reasons), {scope: reason for scope, reason in reasons.items() if reason is not None}
    raise Invalid({"oauth.scopes": ["List the scopes, or write a reason beside each."]})


def _arrange(app: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest's structure: sections with their fields, without unset ones."""
    written: dict[str, Any] = {"version": VERSION}
    for column, (section, name) in PATHS.items():
        value = app[column]
        if column == "scopes":
            value = _spell_scopes(value, app["scope_reasons"])
        if value is None or value in ("", [], {}):
            continue
        (written.setdefault(section, {}) if section else written)[name] = value
    return written


def _spell_scopes(scopes: list[str], reasons: Mapping[str, str]) -> list[str] | dict[str, str | None]:
    """A list of scopes; or if any has a reason, a mapping of scope to reason."""
    if not reasons:
        return [_SPELLED.get(scope, scope) for scope in scopes]
    return {_SPELLED.get(scope, scope): reasons.get(scope) for scope in scopes}


def _flatten(written: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted path (`oauth.scopes`) → value, for every field."""
    return {
        f"{section}.{name}" if section else name: (written.get(section, {}) if section else written).get(name)
        for section, name in PATHS.values()
    }


class _ManifestNames:
    """Translates the field names of Invalid errors to the manifest's."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Invalid):
            raise Invalid({_path_of(name): why for name, why in error.fields.items()}) from None


def _path_of(column: str) -> str:
    if column == "scope_reasons":
        return "oauth.scopes"
    section, name = PATHS.get(column, ("", column))
    return f"{section}.{name}" if section else name
