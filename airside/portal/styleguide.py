"""Every component on one page, in debug mode."""

from falcon.asgi import Request, Response

from airside.apps.scopes import describe_scopes
from airside.portal.scope_choices import permission_groups, scope_groups
from airside.portal.visit import Page, enter


class StyleGuide(Page):
    """GET /styleguide/"""

    async def on_get(self, req: Request, resp: Response) -> None:
        visit = await enter(self.site, req, resp)
        described = describe_scopes(["projects:read", "projects:write", "profile:read"])
        visit.show(
            "styleguide.html",
            now=self.site.clock.now(),
            scope_groups=scope_groups(),
            permissions=permission_groups(described),
        )
