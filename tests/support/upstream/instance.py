"""The instance: its first admin, who sets what people may do, and the configuration that everybody sees."""

import secrets
from typing import Any

from tests.support.upstream.accounts import HOUR, create_user, csrf_failure, is_csrf_valid, set_cookie
from tests.support.upstream.routing import Credential, Routes
from tests.support.upstream.site import Site
from tests.support.upstream.store import Row
from tests.support.upstream.wire import Answer, Call, page_not_found, redirect, unauthenticated

routes = Routes("/api/instances/", Credential.NONE)
DEFAULTS = {"ENABLE_SIGNUP": "1", "ENABLE_EMAIL_PASSWORD": "1"}
VERSION = "v1.3.1"


def set_up_instance(site: Site) -> None:
    site.configuration = {
        key: site.store.instance_configurations.insert(
            key=key, value=value, category="AUTHENTICATION", is_encrypted=False
        )
        for key, value in DEFAULTS.items()
    }
    site.store.instances.insert(instance_name="", is_setup_done=False, instance_id=secrets.token_hex(12))


@routes("POST", "admins/sign-up/")
def make_first_admin(call: Call) -> Answer:
    instance = call.site.store.instances.all()[0]
    if not is_csrf_valid(call):
        return csrf_failure()
    if instance["is_setup_done"]:
        raise page_not_found()
    form = call.form
    names = {"first_name": form.get("first_name", ""), "last_name": form.get("last_name", "")}
    user = create_user(call.site, form["email"], form["password"], **names)
    instance.update(is_setup_done=True, instance_name=form.get("company_name", ""))
    key = secrets.token_hex(16)
    call.site.sessions[f"admin:{key}"] = {"user": user["id"], "password": user["password"]}
    cookies = [
        set_cookie(call, "csrftoken", secrets.token_urlsafe(24), 31449600),
        set_cookie(call, "admin-session-id", key, HOUR),
    ]
    return redirect(f"{call.origin}/god-mode/general/", *cookies)


@routes("PATCH", "configurations/")
def change_configuration(call: Call) -> list[Row]:
    if f"admin:{call.cookies.get('admin-session-id')}" not in call.site.sessions:
        raise unauthenticated()
    changed = []
    for key, value in call.body.items():
        row = call.site.configuration.get(key)
        if row is not None:
            changed.append(call.site.store.instance_configurations.update(row, value=str(value)))
    return changed


@routes("GET", "")
def show_instance(call: Call) -> Row:
    instance = call.site.store.instances.all()[0]
    return {"config": _config(call), "instance": _shown(call, instance)}


def _config(call: Call) -> dict[str, Any]:
    on = {key: row["value"] == "1" for key, row in call.site.configuration.items()}
    off = "is_google_enabled is_github_enabled is_gitlab_enabled is_gitea_enabled is_magic_login_enabled"
    return {
        "enable_signup": on["ENABLE_SIGNUP"],
        "is_workspace_creation_disabled": False,
        **dict.fromkeys(off.split(), False),
        "is_email_password_enabled": on["ENABLE_EMAIL_PASSWORD"],
        "github_app_name": "",
        "slack_client_id": None,
        "posthog_api_key": "",
        "posthog_host": "",
        "has_unsplash_configured": False,
        "has_llm_configured": False,
        "file_size_limit": 5242880.0,
        "is_smtp_configured": False,
        **dict.fromkeys(("admin_base_url", "space_base_url", "app_base_url"), call.origin),
        "instance_changelog_url": "",
        "is_self_managed": True,
    }


def _shown(call: Call, instance: Row) -> Row:
    return {
        **{
            name: instance[name] for name in ("id", "created_at", "updated_at", "deleted_at", "instance_name")
        },
        "whitelist_emails": None,
        "instance_id": instance["instance_id"],
        "current_version": VERSION,
        "latest_version": VERSION,
        "edition": "PLANE_COMMUNITY",
        "domain": "",
        "last_checked_at": instance["created_at"],
        "namespace": None,
        "is_telemetry_enabled": False,
        "is_support_required": True,
        "is_setup_done": instance["is_setup_done"],
        "is_signup_screen_visited": False,
        "is_verified": False,
        "is_test": True,
        "is_current_version_deprecated": False,
        "created_by": None,
        "updated_by": None,
        "workspaces_exist": bool(call.site.store.workspaces.all()),
    }
