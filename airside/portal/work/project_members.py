"""A project's members and their roles, which its admins add, change and remove."""

from typing import Any

import sqlalchemy as sa
from falcon.asgi import Request, Response

from airside.db.base import Id
from airside.db.conditions import live, tenant
from airside.db.statements import Statement
from airside.errors import Invalid, Refused
from airside.identity.tables import users
from airside.portal.logos import shown_picture
from airside.portal.visit import first_sentences
from airside.portal.work import operations
from airside.portal.work.project_settings import Managed, SettingsPage, manage
from airside.work.projects.tables import project_members
from airside.workspaces.roles import get_role
from airside.workspaces.tables import workspace_members

MAX_OFFERED = 500  # people who are offered
ROLES = [("15", "Member"), ("20", "Admin"), ("5", "Guest")]


class ProjectMembers(SettingsPage):
    """GET /<workspace>/projects/<id>/settings/members/, and POST to add somebody"""

    creates = True

    async def on_get(self, req: Request, resp: Response, slug: str, project_id: str) -> None:
        await show_members(await self.open(req, resp, slug, project_id))

    async def on_post(self, req: Request, resp: Response, slug: str, project_id: str) -> None:
        work, form = await self.take_form(req, resp, slug)
        managed = await manage(work, project_id)
        body = {"member": form.text("member"), "role": _read_role(form.text("role"))}
        try:
            await work.perform(operations.CREATE_MEMBER, managed.path, body=body)
        except Invalid as error:
            await show_members(managed, first_sentences(error))
            return
        except Refused:
            await show_members(managed, {"member": "This person is a member of the project already."})
            return
        work.visit.go(f"{managed.settings}members/", "member_added")


class ProjectMember(SettingsPage):
    """POST /<workspace>/projects/<id>/settings/members/<id>/: another role"""

    async def on_post(self, req: Request, resp: Response, slug: str, project_id: str, member_id: str) -> None:
        work, form = await self.take_form(req, resp, slug)
        managed = await manage(work, project_id)
        path = managed.path | {"member_id": member_id}
        try:
            await work.perform(operations.UPDATE_MEMBER, path, body={"role": _read_role(form.text("role"))})
        except Invalid as error:
            await show_members(managed, first_sentences(error))
            return
        work.visit.go(f"{managed.settings}members/", "member_saved")


class RemoveProjectMember(SettingsPage):
    """GET and POST /<workspace>/projects/<id>/settings/members/<id>/remove/"""

    async def on_get(self, req: Request, resp: Response, slug: str, project_id: str, member_id: str) -> None:
        managed = await self.open(req, resp, slug, project_id)
        person = await managed.work.perform(operations.SHOW_MEMBER, managed.path | {"member_id": member_id})
        here = f"{managed.settings}members/"
        managed.work.visit.show(
            "confirm.html",
            nav="projects",
            crumbs=[(managed.project["name"], managed.project["href"]), ("Members", here)],
            title=f"Remove {person['display_name']}?",
            sentences=[
                "They no longer see the project, if only its members do.",
                "What they did stays, and so do the work items that are assigned to them.",
            ],
            words="Remove from the project",
            action=f"{here}{member_id}/remove/",
            cancel_href=here,
            ask_password=False,
            errors={},
        )

    async def on_post(self, req: Request, resp: Response, slug: str, project_id: str, member_id: str) -> None:
        work, _ = await self.take_form(req, resp, slug)
        managed = await manage(work, project_id)
        try:
            await work.perform(operations.DELETE_MEMBER, managed.path | {"member_id": member_id})
        except Refused as error:
            await show_members(managed, {"member": error.sentence})
            return
        work.visit.go(f"{managed.settings}members/", "member_removed")


async def show_members(managed: Managed, errors: dict[str, str] | None = None) -> None:
    found = await managed.work.perform(
        operations.LIST_MEMBERS, managed.path, query={"order_by": "display_name"}
    )
    reader = managed.work.site.db
    others = await reader.fetch_all(
        _OTHERS,
        workspace_id=managed.work.visit.workspace_id,
        project_id=managed.call.project_id,
        limit=MAX_OFFERED,
    )
    managed.show(
        "work/settings/members.html",
        "members",
        status=422 if errors else 200,
        members=[_show(managed, one) for one in found],
        others=[(row["id"], f"{row['display_name']} ({row['email']})") for row in others],
        roles=ROLES,
        errors=errors or {},
    )


def _show(managed: Managed, member: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": member["id"],
        "name": member["display_name"],
        "email": "" if member["is_bot"] else member["email"],
        "avatar_url": shown_picture(member["avatar_url"]),
        "is_bot": member["is_bot"],
        "is_you": member["id"] == managed.work.visit.user_id,
        "role": str(member["role"]),
        "role_words": get_role(member["role"]).name,
        "href": f"{managed.settings}members/{member['id']}/",
    }


def _read_role(text: str) -> Any:
    return int(text) if text in ("5", "15", "20") else text


_u, _w, _m = users.c, workspace_members.c, project_members.c
_OTHERS = Statement(
    sa.select(_u.id, _u.display_name, _u.email)
    .select_from(workspace_members.join(users, _u.id == _w.user_id))
    .where(
        tenant(workspace_members),
        _w.is_active,
        live(workspace_members),
        _u.is_bot.is_(False),
        _u.id.not_in(
            sa.select(_m.member_id).where(
                tenant(project_members),
                _m.project_id == sa.bindparam("project_id", type_=Id()),
                live(project_members),
            )
        ),
    )
    .order_by(_u.display_name, _u.id)
    .limit(sa.bindparam("limit", type_=sa.Integer()))
)
