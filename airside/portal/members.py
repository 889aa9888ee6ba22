"""Who belongs to the workspace: people first, then apps' bots."""

from falcon.asgi import Request, Response

from airside.portal.logos import shown_picture
from airside.portal.visit import Page, enter_workspace
from airside.workspaces.members import list_members
from airside.workspaces.roles import get_role


class Members(Page):
    """GET /<workspace>/settings/members/"""

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_member()
        found = await list_members(self.site.db, visit.workspace_id, bots=True)
        found.sort(key=lambda member: (member["is_bot"], member["display_name"].lower()))
        shown = [
            {
                "name": member["display_name"],
                "email": member["email"],
                "avatar_url": shown_picture(member["avatar_url"]),
                "role": get_role(member["role"]).name,
                "is_bot": member["is_bot"],
                "is_you": member["id"] == visit.user_id,
                "joined_at": member["joined_at"],
            }
            for member in found
        ]
        visit.show("members/list.html", members=shown, page=None)
