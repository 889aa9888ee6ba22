"""An app's OAuth tab: redirect URIs, scopes with their reasons, the authorization link, and code samples."""

from urllib.parse import urlencode

from falcon.asgi import Request, Response

from airside.apps.scopes import BY_NAME, READ, WRITE, ceiling_of, check_registrable, describe_scopes
from airside.db.base import Row
from airside.installations.read import find_installation
from airside.portal.applications.code import token_snippets
from airside.portal.applications.form import EditApp
from airside.portal.applications.pages import AppPage
from airside.portal.forms import Form
from airside.portal.scope_choices import permission_groups, scope_groups, spell_reasons, spell_scopes
from airside.portal.visit import Visit

_UMBRELLA_WORDS = {READ: "Read everything", WRITE: "Change everything"}


class OAuth(AppPage):
    """GET /<workspace>/settings/applications/<id>/oauth/?redirect_uri=…&scope=…: the link and the code."""

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        asked = req.get_param("redirect_uri") or ""
        redirect_uri = asked if asked in app["redirect_uris"] else app["redirect_uris"][0]
        registered = spell_scopes(app["scopes"])
        wanted = req.get_param_as_list("scope") or []
        chosen = [scope for scope in registered if scope in wanted]
        scope = " ".join(chosen if len(chosen) < len(registered) else [])
        installed = await find_installation(self.site.db, visit.workspace_id, app["id"])
        self.show_tab(
            visit,
            app,
            "oauth",
            "applications/oauth.html",
            chosen_uri=redirect_uri,
            scope_choices=[
                (name, BY_NAME[name].sentence if name in BY_NAME else _UMBRELLA_WORDS[name], name in chosen)
                for name in registered
            ],
            consent_url=self._consent_url(app, redirect_uri, scope),
            snippets=token_snippets(
                self.site.settings.origin, app, redirect_uri, scope, installed["id"] if installed else ""
            ),
            permissions=permission_groups(
                describe_scopes(ceiling_of(app["scopes"])), reasons=app["scope_reasons"]
            ),
            unexplained=len([name for name in app["scopes"] if name not in app["scope_reasons"]]),
        )

    def _consent_url(self, app: Row, redirect_uri: str, scope: str) -> str:
        """Without a scope it requests all scopes that the app is registered for."""
        asked = {"client_id": app["client_id"], "response_type": "code", "redirect_uri": redirect_uri}
        if scope:
            asked["scope"] = scope
        return f"{self.site.settings.origin}/auth/o/authorize-app/?{urlencode(asked)}"


class EditOAuth(EditApp):
    """GET and POST /<workspace>/settings/applications/<id>/oauth/edit/"""

    tab = "oauth"
    template = "applications/oauth_form.html"
    names = ("redirect_uris", "setup_url")

    def more(self, visit: Visit, app: Row, form: Form | None) -> dict[str, object]:
        chosen, reasons = spell_scopes(app["scopes"]), spell_reasons(app["scope_reasons"])
        if form is not None:
            chosen = form.texts("scopes")
            reasons = {name: form.text(f"reason:{name}") for name in (READ, WRITE, *BY_NAME)}
        return {"scope_groups": scope_groups(), "chosen": chosen, "reasons": reasons}

    def read_more(self, form: Form) -> dict[str, object]:
        scopes = form.texts("scopes")
        return {"scopes": scopes, "scope_reasons": read_reasons(form, scopes)}


def read_reasons(form: Form, scopes: list[str]) -> dict[str, str]:
    """The reasons for the chosen scopes; text beside an unticked box is ignored."""
    try:
        asked = spell_scopes(check_registrable(scopes))
    except ValueError:  # an unknown scope, which the registration refuses
        return {}
    return {name: form.text(f"reason:{name}") for name in asked}
