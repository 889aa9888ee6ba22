"""Webhooks of a workspace, which its admins manage with their session, and the log of every attempt."""

import ipaddress
import re
import secrets
from urllib.parse import urlsplit

from tests.support.upstream.access import ADMIN, workspace_of
from tests.support.upstream.routing import Credential, Routes
from tests.support.upstream.store import Row, pick
from tests.support.upstream.wire import Answer, Call, Refusal, missing, no_content

routes = Routes("/api/workspaces/<slug>/", Credential.SESSION)
EVENTS = ["project", "issue", "module", "cycle", "issue_comment"]
SHOWN = (
    "id url created_at updated_at deleted_at is_active secret_key project issue module cycle "
    "issue_comment is_internal version created_by updated_by workspace"
)
LOGGED = (
    "id created_at updated_at deleted_at webhook event_type request_method request_headers "
    "request_body response_status response_headers response_body retry_count created_by "
    "updated_by workspace"
)
HOST = re.compile(r"(?:localhost|[\w-]+(?:\.[\w-]+)+)")


def _check_url(call: Call, url: str) -> None:
    """A host with a dot that is allowed by name: nothing was ever resolved in the recordings."""
    parts = urlsplit(url)
    if not HOST.fullmatch(parts.hostname or ""):
        raise Refusal(400, {"url": ["Enter a valid URL."]})
    own = parts.netloc in ("127.0.0.1", "localhost")
    problems = (
        [] if parts.scheme in ("http", "https") else ["Invalid schema. Only HTTP and HTTPS are allowed."]
    )
    if own:
        problems.append("Local URLs are not allowed.")
    if problems:
        raise Refusal(400, {"url": problems})
    if parts.hostname not in call.site.settings.webhook_allowed_hosts and not _is_public(
        parts.hostname or ""
    ):
        raise Refusal(400, {"url": "Invalid or disallowed webhook URL."})


def _is_public(host: str) -> bool:
    """Names count as private, since a test's network resolves none."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return False


@routes("GET", "webhooks/")
def list_hooks(call: Call) -> list[Row]:
    workspace = workspace_of(call, ADMIN)
    names = SHOWN.replace("secret_key ", "")
    return [pick(hook, names) for hook in call.site.store.webhooks.newest(workspace=workspace["id"])]


@routes("POST", "webhooks/")
def create_hook(call: Call) -> Answer:
    workspace, url = workspace_of(call, ADMIN), call.body.get("url", "")
    _check_url(call, url)
    if call.site.store.webhooks.first(workspace=workspace["id"], url=url):
        raise Refusal(409, {"error": "URL already exists for the workspace"})
    hook = call.site.store.webhooks.insert(
        by=call.user["id"],
        url=url,
        is_active=bool(call.body.get("is_active", True)),
        secret_key=_new_secret(),
        **{event: bool(call.body.get(event, False)) for event in EVENTS},
        is_internal=False,
        version="v1",
        workspace=workspace["id"],
    )
    return Answer(pick(hook, SHOWN), 201)


def _new_secret() -> str:
    return f"plane_wh_{secrets.token_hex(16)}"


def _hook(call: Call) -> Row:
    workspace = workspace_of(call, ADMIN)
    hook = call.site.store.webhooks.find(call.params["hook"], workspace=workspace["id"])
    if hook is None:
        raise missing()
    return hook


@routes("GET", "webhooks/<hook>/")
def show_hook(call: Call) -> Row:
    return pick(_hook(call), SHOWN)


@routes("PATCH", "webhooks/<hook>/")
def change_hook(call: Call) -> Row:
    hook = _hook(call)
    values = {name: bool(call.body[name]) for name in ("is_active", *EVENTS) if name in call.body}
    if "url" in call.body:
        _check_url(call, call.body["url"])
        values["url"] = call.body["url"]
    return pick(call.site.store.webhooks.update(hook, by=call.user["id"], **values), SHOWN)


@routes("DELETE", "webhooks/<hook>/")
def delete_hook(call: Call) -> Answer:
    call.site.store.webhooks.delete(_hook(call))
    return no_content()


@routes("POST", "webhooks/<hook>/regenerate/")
def replace_secret(call: Call) -> Row:
    secret = _new_secret()
    return pick(call.site.store.webhooks.update(_hook(call), by=call.user["id"], secret_key=secret), SHOWN)


@routes("GET", "webhook-logs/<hook>/")
def list_attempts(call: Call) -> list[Row]:
    """All of them, not in pages."""
    own = {"workspace": workspace_of(call, ADMIN)["id"], "webhook": call.params["hook"]}
    return [pick(row, LOGGED) for row in call.site.store.webhook_logs.newest(**own)]
