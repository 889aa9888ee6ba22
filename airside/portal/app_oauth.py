"""An app's OAuth tab: where people come back to, what it asks for, and the link that asks."""

from urllib.parse import urlencode

from falcon.asgi import Request, Response

from airside.db.base import Row
from airside.oauth.scopes import ceiling_of, describe_scopes
from airside.portal.app_form import EditApp
from airside.portal.app_pages import AppPage
from airside.portal.forms import Form
from airside.portal.scope_choices import permission_groups, scope_groups, spell_scopes


class OAuth(AppPage):
    """GET /<workspace>/settings/applications/<id>/oauth/"""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        self.show_tab(
            visit,
            app,
            "oauth",
            "applications/oauth.html",
            consent_url=self._consent_url(app),
            permissions=permission_groups(describe_scopes(ceiling_of(app["scopes"]))),
        )

    def _consent_url(self, app: Row) -> str:
        asked = {
            "client_id": app["client_id"],
            "response_type": "code",
            "redirect_uri": app["redirect_uris"][0],
        }
        return f"{self.site.settings.origin}/auth/o/authorize-app/?{urlencode(asked)}"


class EditOAuth(EditApp):
    """GET and POST /<workspace>/settings/applications/<id>/oauth/edit/"""

    tab = "oauth"
    template = "applications/oauth_form.html"
    names = ("redirect_uris", "setup_url")

    def more(self, app: Row, form: Form | None) -> dict[str, object]:
        chosen = spell_scopes(app["scopes"]) if form is None else form.texts("scopes")
        return {"scope_groups": scope_groups(), "chosen": chosen}

    def read_more(self, form: Form) -> dict[str, object]:
        return {"scopes": form.texts("scopes")}
