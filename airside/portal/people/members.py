"""The workspace's members: search, role, removal and leaving."""

from urllib.parse import urlencode

from falcon.asgi import Request, Response

from airside.db.base import Row
from airside.db.text_rules import is_id
from airside.errors import NotFound, Refused
from airside.identity.proof import is_proven
from airside.oauth.sign_ins import end_sign_ins_in, list_sign_ins
from airside.portal.logos import shown_picture
from airside.portal.pagination import cut_page, read_page
from airside.portal.visit import Page, Visit, enter_workspace
from airside.workspaces.invitations import list_invitations
from airside.workspaces.members import list_members, remove_member, set_member_role
from airside.workspaces.roles import ROLES, get_role, parse_role

PER_PAGE = 50
ROLE_HELP = {
    "admin": "Manages members, apps and webhooks, and every project.",
    "member": "Works in projects and sees installed apps.",
    "guest": "Sees only the projects they are added to.",
}


class Members(Page):
    """GET /<workspace>/settings/members/?q=&page=N"""

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_member()
        asked = (req.get_param("q") or "").strip()[:100]
        here = f"{visit.here}/settings/members/"
        page = read_page(req, here, PER_PAGE)
        found = sort_members(await list_members(self.site.db, visit.workspace_id, bots=True), asked)
        page, shown = cut_page(page, found[page.offset : page.offset + PER_PAGE + 1])
        invitations = await list_invitations(self.site.db, visit.workspace_id) if visit.is_admin else []
        links = page.links()
        if asked:
            more = urlencode({"q": asked})
            links |= {name: f"{links[name]}&{more}" for name in ("prev_href", "next_href") if links[name]}
        visit.show(
            "members/list.html",
            members=[show_member(visit, member) for member in shown],
            invitations=[show_invited(visit, row) for row in invitations],
            asked=asked,
            here=here,
            page=links,
        )


class Member(Page):
    """GET and POST /<workspace>/settings/members/<user id>/: their role, for admins."""

    async def on_get(self, req: Request, resp: Response, slug: str, user_id: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_member()
        await self._show(visit, await get_member(visit, user_id), {})

    async def on_post(self, req: Request, resp: Response, slug: str, user_id: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        form = await visit.read_form()
        member, role = await get_member(visit, user_id), parse_role(form.text("role"))
        try:
            await set_member_role(self.site, visit.workspace_id, member["id"], role, by_user_id=visit.user_id)
        except Refused as error:
            await self._show(visit, member, {"role": error.sentence})
            return
        visit.go(f"{visit.here}/settings/members/", "role_saved")

    async def _show(self, visit: Visit, member: Row, errors: dict[str, str]) -> None:
        found = await list_sign_ins(self.site, member["id"]) if visit.is_admin else []
        visit.show(
            "members/member.html",
            sign_ins=[one for one in found if one["workspace_id"] == visit.workspace_id],
            status=422 if errors else 200,
            member=show_member(visit, member),
            roles=role_choices(),
            here=member_path(visit, member),
            errors=errors,
        )


class EndSignIns(Page):
    """POST /<workspace>/settings/members/<user id>/sign-ins/end/: an admin ends their command-line sign-ins."""

    async def on_post(self, req: Request, resp: Response, slug: str, user_id: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        await visit.read_form()
        member = await get_member(visit, user_id)
        await end_sign_ins_in(self.site, visit.workspace_id, member["id"], visit.user_id)
        visit.go(member_path(visit, member), "sign_ins_ended")


class RemoveMember(Page):
    """GET and POST /<workspace>/settings/members/<user id>/remove/: an admin removes, anybody leaves."""

    async def on_get(self, req: Request, resp: Response, slug: str, user_id: str) -> None:
        visit, member = await self._enter(req, resp, slug, user_id)
        self._ask(visit, member, "")

    async def on_post(self, req: Request, resp: Response, slug: str, user_id: str) -> None:
        visit = await enter_workspace(self.site, req, resp, slug)
        if user_id != visit.user_id:
            visit.require_admin()
        await visit.read_form()
        member = await get_member(visit, user_id)
        try:
            await remove_member(self.site, visit.workspace_id, member["id"], by_user_id=visit.user_id)
        except Refused as error:
            self._ask(visit, member, error.sentence)
            return
        is_leaving = member["id"] == visit.user_id
        visit.go(
            "/" if is_leaving else f"{visit.here}/settings/members/", "left" if is_leaving else "removed"
        )

    async def _enter(self, req: Request, resp: Response, slug: str, user_id: str) -> tuple[Visit, Row]:
        visit = await enter_workspace(self.site, req, resp, slug)
        if user_id != visit.user_id:
            visit.require_admin()
        return visit, await get_member(visit, user_id)

    def _ask(self, visit: Visit, member: Row, refusal: str) -> None:
        is_leaving, name, here = (
            member["id"] == visit.user_id,
            member["display_name"],
            member_path(visit, member),
        )
        place, list_path = visit.workspace["name"], f"{visit.here}/settings/members/"
        visit.show(
            "confirm.html",
            status=422 if refusal else 200,
            nav="members",
            crumbs=[("Members", list_path), (name, here)] if visit.role > 5 else [],
            title=f"Leave {place}?" if is_leaving else f"Remove {name} from {place}?",
            sentences=[
                f"{'You' if is_leaving else 'They'} can't see {place} any more, and apps can't act there in "
                f"{'your' if is_leaving else 'their'} name.",
                "What was written stays, with the name of who wrote it.",
            ],
            words="Leave the workspace" if is_leaving else "Remove",
            action=f"{here}remove/",
            cancel_href=list_path if visit.role > 5 else "/",
            ask_password=False,
            errors={},
            refusal=refusal,
        )


async def get_member(visit: Visit, user_id: str) -> Row:
    """A human member of the workspace. Raises NotFound, also for a bot."""
    found = await list_members(visit.site.db, visit.workspace_id) if is_id(user_id) else []
    for member in found:
        if member["id"] == user_id:
            return member
    raise NotFound("There is no such member.")


def sort_members(found: list[Row], asked: str) -> list[Row]:
    """Members whose name or e-mail contains `asked`: people first, by name."""
    wanted = asked.lower()
    found = [
        one
        for one in found
        if wanted in one["display_name"].lower() or (not one["is_bot"] and wanted in one["email"])
    ]
    return sorted(found, key=lambda member: (member["is_bot"], member["display_name"].lower()))


def member_path(visit: Visit, member: Row) -> str:
    return f"{visit.here}/settings/members/{member['id']}/"


def role_choices() -> list[tuple[str, str, str]]:
    """Value, word and what it means."""
    return [(role.slug, role.name, ROLE_HELP[role.slug]) for role in ROLES]


def show_member(visit: Visit, member: Row) -> Row:
    role = get_role(member["role"])
    return {
        "name": member["display_name"],
        "email": member["email"],
        "avatar_url": shown_picture(member["avatar_url"]),
        "role": role.name,
        "role_slug": role.slug,
        "is_bot": member["is_bot"],
        "is_you": member["id"] == visit.user_id,
        "is_proven": is_proven(member),
        "is_deactivated": not member["is_active"],
        "joined_at": member["joined_at"],
        "path": member_path(visit, member),
    }


def show_invited(visit: Visit, row: Row) -> Row:
    return {
        "email": row["email"],
        "role": get_role(row["role"]).name,
        "created_at": row["created_at"],
        "expires_at": row["expires_at"],
        "is_expired": row["expires_at"] <= visit.site.clock.now(),
        "path": f"{visit.here}/settings/members/invitations/{row['id']}/",
    }
