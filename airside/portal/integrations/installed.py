"""The apps in a workspace: which are installed, which can be, what each may do, and uninstalling one."""

from collections.abc import Sequence
from typing import Any

from falcon.asgi import Request, Response

from airside.apps.policy import find_policy
from airside.apps.registry import list_apps
from airside.apps.scopes import describe_scopes
from airside.apps.tables import apps
from airside.db.base import Row
from airside.developer.activity import Activity, find_activity
from airside.errors import Invalid
from airside.identity.users import get_user
from airside.installations.install import install_app
from airside.installations.project_choice import choose_projects
from airside.installations.read import InstallationAndApp, get_installation, list_installations
from airside.installations.scope_requests import (
    approve_scopes,
    decline_scopes,
    find_scope_request,
    list_scope_requests,
)
from airside.installations.suspend import suspend_app, unsuspend_app
from airside.installations.tables import INSTALLED, InstallationRow
from airside.installations.uninstall import uninstall_app
from airside.marketplace.publishers import find_verified, is_app_verified
from airside.marketplace.snapshot import publisher_of
from airside.oauth.authorize import install_url
from airside.portal.forms import Form, Unreadable
from airside.portal.logos import shown_picture
from airside.portal.lookups import UNKNOWN, find_names
from airside.portal.project_choice import read_projects, show_choice_of_projects
from airside.portal.scope_choices import permission_groups
from airside.portal.visit import Page, Visit, enter_workspace, first_sentences
from airside.runtime.app_accounts import Install
from airside.webhooks.deliveries import LogEntry, list_deliveries
from airside.webhooks.endpoints import find_endpoint
from airside.workspaces.find import get_workspace
from airside.workspaces.members import find_member
from airside.workspaces.roles import get_role

RECENT_DELIVERIES = 20  # from which the state of a webhook is derived


class Integrations(Page):
    """GET /<workspace>/settings/integrations/"""

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_member()
        installed = await list_installations(self.site.db, visit.workspace_id)
        names = await find_names(self.site.db, [row["installed_by_id"] for row in installed])
        asking = {
            row["installation_id"] for row in await list_scope_requests(self.site.db, visit.workspace_id)
        }
        activity = await find_activity(self.site.db, visit.workspace_id, installed)
        present = {row["app_id"] for row in installed}
        registered = await list_apps(self.site.db, visit.workspace_id)
        verified = await find_verified(self.site.db, [visit.workspace_id])
        policy = await find_policy(self.site.db, visit.workspace_id)
        visit.show(
            "integrations/list.html",
            installed=[show_installed(row, names, asking, activity[row["id"]]) for row in installed],
            asking=len(asking),
            available=[
                self._show_available(app, visit, verified) | {"kept_out": policy.refusal_of(app)}
                for app in registered
                if app["id"] not in present
            ],
            may_install=visit.is_admin,
        )

    def _show_available(self, app: Row, visit: Visit, verified: set[tuple[str, str]]) -> dict[str, Any]:
        publisher = publisher_of(app, visit.workspace["name"])
        return {
            "name": app["name"],
            "logo_url": shown_picture(app["logo_url"]),
            "description": app["short_description"],
            "publisher_name": publisher,
            "is_verified": (visit.workspace_id, publisher) in verified,
            "install_href": install_url(self.site, app),
        }


class Integration(Page):
    """GET /<workspace>/settings/integrations/<installation id>/"""

    async def on_get(self, req: Request, resp: Response, slug: str, installation_id: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_member()
        await self.show_page(visit, installation_id)

    async def show_page(
        self,
        visit: Visit,
        installation_id: str,
        form: Form | None = None,
        errors: dict[str, str] | None = None,
    ) -> None:
        installation = await get_installation(self.site.db, visit.workspace_id, installation_id)
        app = await self.site.db.find(apps, id=installation["app_id"])
        assert app is not None  # a registration is kept for the record
        visit.show(
            "integrations/installed.html",
            installation=await self._show(visit, installation),
            app=show_app(app, is_verified=await is_app_verified(self.site.db, app))
            | {"publisher_name": await self._publisher(app)},
            permissions=permission_groups(
                describe_scopes(installation["scopes"]), reasons=app["scope_reasons"]
            ),
            asked=await self._show_asked(installation, app),
            projects=await show_choice_of_projects(
                self.site, visit.workspace_id, visit.user_id, installation["project_ids"], form
            ),
            may_manage=visit.is_admin,
            is_removed=await self.site.app_accounts.is_removed(
                self.site.db, visit.workspace_id, installation["app_id"]
            ),
            errors=errors or {},
            status=422 if errors else 200,
        )

    async def _show_asked(self, installation: InstallationRow, app: Row) -> dict[str, Any] | None:
        """The scopes that it requests beyond its grant, and since when."""
        request = await find_scope_request(self.site.db, installation["id"])
        if request is None:
            return None
        names = await find_names(self.site.db, [request["asked_by_id"]])
        return {
            "permissions": permission_groups(
                describe_scopes(request["scopes"]), reasons=app["scope_reasons"]
            ),
            "by": names.get(request["asked_by_id"], UNKNOWN) if request["asked_by_id"] else "",
            "at": request["created_at"],
        }

    async def _show(self, visit: Visit, installation: InstallationRow) -> dict[str, Any]:
        db = self.site.db
        names = await find_names(db, [installation["installed_by_id"], installation["bot_user_id"]])
        bot = await find_member(db, visit.workspace_id, installation["bot_user_id"])
        found = await find_activity(db, visit.workspace_id, [installation])
        activity = found[installation["id"]]
        return {
            "id": installation["id"],
            "status": installation["status"],
            "installed_by": names.get(installation["installed_by_id"], UNKNOWN),
            "installed_at": installation["created_at"],
            "bot_name": names.get(installation["bot_user_id"], "its bot"),
            "bot_role": get_role(bot["role"]).name if bot else "none",
            "last_token_at": activity.token_at,
            "last_delivery_at": activity.delivered_at,
            "tone": activity.tone,
            "health": activity.health,
            **await self._show_webhook(visit, installation),
        }

    async def _show_webhook(self, visit: Visit, installation: InstallationRow) -> dict[str, str]:
        endpoint_id = installation["webhook_id"]
        endpoint = await find_endpoint(self.site.db, visit.workspace_id, endpoint_id) if endpoint_id else None
        if installation["status"] != INSTALLED and endpoint is not None:
            return {"webhook_url": endpoint["url"], "webhook_state": "Nothing is sent while it is suspended."}
        if endpoint is None or (not endpoint["is_active"] and endpoint["disabled_reason"] == "no_url"):
            return {"webhook_url": "", "webhook_state": ""}
        if not endpoint["is_active"]:
            return {"webhook_url": endpoint["url"], "webhook_state": "Switched off: it answered 410, gone."}
        latest = await list_deliveries(self.site.db, [endpoint], limit=RECENT_DELIVERIES)
        return {"webhook_url": endpoint["url"], "webhook_state": webhook_sentence(latest)}

    async def _publisher(self, app: Row) -> str:
        if app["organization_name"] or app["workspace_id"] is None:
            return app["organization_name"]
        return (await get_workspace(self.site.db, app["workspace_id"]))["name"]


class ChooseProjects(Integration):
    """POST /<workspace>/settings/integrations/<installation id>/projects/; GET shows the whole page."""

    async def on_post(self, req: Request, resp: Response, slug: str, installation_id: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        form = await visit.read_form()
        try:
            present = await get_installation(self.site.db, visit.workspace_id, installation_id)
            chosen = await read_projects(
                self.site, visit.workspace_id, form, visit.user_id, present["project_ids"]
            )
            await self._place(visit, installation_id, chosen)
            await choose_projects(self.site, visit.workspace_id, installation_id, visit.user_id, chosen)
        except Invalid as error:
            await self.show_page(visit, installation_id, form, first_sentences(error))
            return
        visit.go(f"{visit.here}/settings/integrations/{installation_id}/", "projects_saved")

    async def _place(self, visit: Visit, installation_id: str, chosen: list[str] | None) -> None:
        """Raises Invalid for a project that this person can't let the app's account into."""
        if self.site.app_accounts.is_remote:
            await self.site.app_accounts.place(await install_of(visit, installation_id, chosen))


class Repair(Page):
    """POST /<workspace>/settings/integrations/<installation id>/repair/: an app whose account was removed in Plane
    gets it back, with the scopes and projects that it has here."""

    async def on_post(self, req: Request, resp: Response, slug: str, installation_id: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        await visit.read_form()
        installation = await get_installation(self.site.db, visit.workspace_id, installation_id)
        install = await install_of(visit, installation_id, installation["project_ids"])
        await self.site.app_accounts.prepare(install)
        await install_app(self.site, install.app, visit.workspace_id, visit.user_id, installation["scopes"])
        visit.go(f"{visit.here}/settings/integrations/{installation_id}/", "app_repaired")


class DecideScopes(Page):
    """POST /<workspace>/settings/integrations/<installation id>/scopes/ with a decision: approve or decline."""

    async def on_post(self, req: Request, resp: Response, slug: str, installation_id: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        decision = (await visit.read_form()).text("decision")
        await get_installation(self.site.db, visit.workspace_id, installation_id)
        asked = (self.site, visit.workspace_id, installation_id, visit.user_id)
        if decision == "approve":
            await approve_scopes(*asked)
        elif decision == "decline":
            await decline_scopes(*asked)
        else:
            raise Unreadable
        notice = "scopes_approved" if decision == "approve" else "scopes_declined"
        visit.go(f"{visit.here}/settings/integrations/{installation_id}/", notice)


class Suspend(Page):
    """GET and POST /<workspace>/settings/integrations/<installation id>/suspend/"""

    async def on_get(self, req: Request, resp: Response, slug: str, installation_id: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        installation = await get_installation(self.site.db, visit.workspace_id, installation_id)
        app = await self.site.db.find(apps, id=installation["app_id"])
        assert app is not None  # a registration is kept for the record
        here = f"{visit.here}/settings/integrations/"
        visit.show(
            "confirm.html",
            nav="integrations",
            title=f"Suspend {app['name']}?",
            crumbs=[("Installed apps", here), (app["name"], f"{here}{installation_id}/")],
            sentences=[
                "None of its tokens works until you resume it, and it gets no new ones.",
                "No webhooks are sent, and those that wait to be sent are cancelled.",
                "It stays installed, with everything it made and was allowed.",
            ],
            words="Suspend",
            action=f"{here}{installation_id}/suspend/",
            cancel_href=f"{here}{installation_id}/",
            ask_password=False,
            errors={},
        )

    async def on_post(self, req: Request, resp: Response, slug: str, installation_id: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        await visit.read_form()
        await suspend_app(self.site, visit.workspace_id, installation_id, visit.user_id)
        visit.go(f"{visit.here}/settings/integrations/{installation_id}/", "suspended")


class Unsuspend(Page):
    """POST /<workspace>/settings/integrations/<installation id>/unsuspend/"""

    async def on_post(self, req: Request, resp: Response, slug: str, installation_id: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        await visit.read_form()
        await unsuspend_app(self.site, visit.workspace_id, installation_id, visit.user_id)
        visit.go(f"{visit.here}/settings/integrations/{installation_id}/", "unsuspended")


class Uninstall(Page):
    """GET and POST /<workspace>/settings/integrations/<installation id>/uninstall/"""

    async def on_get(self, req: Request, resp: Response, slug: str, installation_id: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        installation = await get_installation(self.site.db, visit.workspace_id, installation_id)
        app = await self.site.db.find(apps, id=installation["app_id"])
        assert app is not None  # a registration is kept for the record
        bot = await get_user(self.site.db, installation["bot_user_id"])
        visit.show(
            "integrations/uninstall.html",
            app={"name": app["name"]},
            installation={"id": installation["id"], "bot_name": bot["display_name"]},
        )

    async def on_post(self, req: Request, resp: Response, slug: str, installation_id: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        await visit.read_form()
        installation = await get_installation(self.site.db, visit.workspace_id, installation_id)
        await uninstall_app(self.site, visit.workspace_id, installation_id, visit.user_id)
        await self.site.app_accounts.leave(visit.workspace_id, installation["app_id"], req.cookies)
        visit.go(f"{visit.here}/settings/integrations/", "uninstalled")


async def install_of(visit: Visit, installation_id: str, project_ids: list[str] | None) -> Install:
    """What the app's account is made, repaired or placed by. Raises NotFound."""
    installation = await get_installation(visit.site.db, visit.workspace_id, installation_id)
    app = await visit.site.db.find(apps, id=installation["app_id"])
    assert app is not None  # a registration is kept for the record
    kept = installation["project_ids"] or ()
    return Install(app, visit.workspace_id, visit.user_id, project_ids, visit.req.cookies, kept)


def show_installed(
    row: InstallationAndApp, names: dict[str | None, str], asking: set[str], activity: Activity
) -> dict[str, Any]:
    return {
        "last_at": activity.last_at,
        "tone": activity.tone,
        "health": activity.health,
        "project_count": None if row["project_ids"] is None else len(row["project_ids"]),
        "id": row["id"],
        "app": {
            "name": row["app_name"],
            "logo_url": shown_picture(row["app_logo_url"]),
            "description": row["app_short_description"],
        },
        "status": row["status"],
        "asks": row["id"] in asking,
        "installed_by": names.get(row["installed_by_id"], UNKNOWN),
        "installed_at": row["created_at"],
    }


def show_app(app: Row, *, is_verified: bool = False) -> dict[str, Any]:
    """An app's own description; its links were checked to be http(s) at registration."""
    return {
        "name": app["name"],
        "logo_url": shown_picture(app["logo_url"]),
        "description": app["short_description"],
        "website": app["website"] or "",
        "privacy_policy_url": app["privacy_policy_url"] or "",
        "terms_of_service_url": app["terms_of_service_url"] or "",
        "contact_email": app["contact_email"],
        "is_verified": is_verified,
    }


def webhook_sentence(latest: Sequence[LogEntry]) -> str:
    """The outcome of the latest deliveries."""
    done = [delivery["state"] for delivery in latest if delivery["state"] != "pending"]
    if not done:
        return "Nothing has been sent yet."
    arrived = done.count("delivered")
    if arrived == len(done):
        return "The last delivery arrived." if arrived == 1 else f"The last {arrived} deliveries arrived."
    return f"{arrived} of the last {len(done)} deliveries arrived."
