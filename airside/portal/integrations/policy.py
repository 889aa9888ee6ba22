"""A workspace's app policy: who may register apps, which may be installed, and the allowed and blocked apps."""

from typing import Any

from falcon.asgi import Request, Response

from airside.apps.policy import (
    ADMINS,
    ALLOWED,
    ANY,
    LISTED,
    MEMBERS,
    change_policy,
    find_policy,
    list_apps_named,
    rule_app,
)
from airside.apps.registry import list_apps
from airside.db.base import Row
from airside.errors import Invalid
from airside.installations.blocked_apps import list_blocked_apps
from airside.installations.read import list_installations
from airside.installations.suspend import suspend_app
from airside.portal.forms import Form
from airside.portal.logos import shown_picture
from airside.portal.visit import Page, Visit, enter_workspace, first_sentences

REGISTERS = [
    (ADMINS, "Admins", "As in every new workspace."),
    (
        MEMBERS,
        "Admins and members",
        "Members manage the apps that they registered themselves, and no others.",
    ),
]
INSTALLS = [
    (ANY, "Any app", "Except those that are blocked below."),
    (
        LISTED,
        "Only apps from the marketplace",
        "What an operator of this site has looked at, and what is allowed below.",
    ),
    (ALLOWED, "Only apps that are allowed below", "Nothing else, not even apps that are built here."),
]


class AppPolicy(Page):
    """GET and POST /<workspace>/settings/app-policy/"""

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        await self.show_policy(visit)

    async def on_post(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        form = await visit.read_form()
        chosen = {name: form.text(name) for name in ("registers", "installs") if form.has(name)}
        try:
            await change_policy(self.site, visit.workspace_id, visit.user_id, chosen)
        except Invalid as error:
            await self.show_policy(visit, form, first_sentences(error))
            return
        visit.go(policy_path(visit), "policy_saved")

    async def show_policy(
        self, visit: Visit, form: Form | None = None, errors: dict[str, str] | None = None
    ) -> None:
        db = self.site.db
        policy = await find_policy(db, visit.workspace_id)
        known = {app["id"]: app for app in await list_apps_named(db, (*policy.allowed, *policy.denied))}
        kept_out = await list_blocked_apps(db, visit.workspace_id)
        visit.show(
            "app_policy.html",
            status=422 if errors else 200,
            here=policy_path(visit),
            filled={"registers": policy.registers, "installs": policy.installs},
            typed={"client_id": form.text("client_id") if form else ""},
            errors=errors or {},
            registers=REGISTERS,
            installs=INSTALLS,
            lists=[
                {"rule": rule, "apps": [_show_app(known[one]) for one in ids if one in known]}
                for rule, ids in (("allowed", policy.allowed), ("denied", policy.denied))
            ],
            suggestions=await self._list_suggestions(visit),
            kept_out=[
                {
                    "id": row["installation_id"],
                    "name": row["name"],
                    "logo_url": shown_picture(row["logo_url"]),
                    "why": why,
                }
                for row, why in kept_out
            ],
        )

    async def _list_suggestions(self, visit: Visit) -> list[tuple[str, str]]:
        """Client id and name of apps that are installed or built here."""
        installed = await list_installations(self.site.db, visit.workspace_id)
        found = {row["app_client_id"]: row["app_name"] for row in installed}
        found |= {app["client_id"]: app["name"] for app in await list_apps(self.site.db, visit.workspace_id)}
        return sorted(found.items(), key=lambda each: each[1].lower())


class RuleApp(AppPolicy):
    """POST /<workspace>/settings/app-policy/apps/: allow an app, block it, or remove it from both lists."""

    async def on_post(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        form = await visit.read_form()
        asked = (form.text("client_id"), form.text("rule"))
        try:
            await rule_app(self.site, visit.workspace_id, visit.user_id, *asked)
        except Invalid as error:
            await self.show_policy(visit, form, first_sentences(error))
            return
        visit.go(f"{policy_path(visit)}#apps", "policy_saved")


class SuspendKeptOut(Page):
    """POST /<workspace>/settings/app-policy/suspend/: suspend installed apps that the policy blocks today."""

    async def on_post(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        await visit.read_form()
        for row, _ in await list_blocked_apps(self.site.db, visit.workspace_id):
            await suspend_app(self.site, visit.workspace_id, row["installation_id"], visit.user_id)
        visit.go(policy_path(visit), "apps_suspended")


def policy_path(visit: Visit) -> str:
    return f"{visit.here}/settings/app-policy/"


def _show_app(app: Row) -> dict[str, Any]:
    return {
        "name": app["name"],
        "logo_url": shown_picture(app["logo_url"]),
        "client_id": app["client_id"],
        "publisher": app["organization_name"],
    }
