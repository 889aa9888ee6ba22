"""The forms that register an app and change it, each tab its own fields."""

from typing import Any

from falcon.asgi import Request, Response

from airside.apps.fields import DESCRIPTION_LENGTH, NAME_LENGTH
from airside.apps.registry import create_app
from airside.db.base import Row
from airside.developer.registration import update_app
from airside.errors import Invalid
from airside.portal.applications.created import go_to_registered
from airside.portal.applications.pages import AppPage, tab_path
from airside.portal.forms import Form
from airside.portal.logos import check_logo, forget_logo, store_logo
from airside.portal.scope_choices import scope_groups
from airside.portal.visit import Page, Visit, enter_workspace, first_sentences

# Form field → column of the registration.
TEXTS = {
    "name": "name",
    "description": "short_description",
    "redirect_uris": "redirect_uris",
    "contact_email": "contact_email",
    "setup_url": "setup_url",
    "webhook_url": "webhook_url",
    "webhook_version": "webhook_version",
    "webhook_content_type": "webhook_content_type",
    "organization_name": "organization_name",
    "organization_email": "organization_email",
    "privacy_policy_url": "privacy_policy_url",
    "terms_of_service_url": "terms_of_service_url",
    "website": "website",
}
FLAGS = ("is_mentionable", "receives_own_events")
SHOWN = {column: name for name, column in TEXTS.items()}
NOTHING_TYPED: dict[str, Any] = {"webhook_version": "v1"}
LENGTHS = {"name": NAME_LENGTH, "description": DESCRIPTION_LENGTH}


class NewApplication(Page):
    """GET and POST /<workspace>/settings/applications/new/"""

    creates = True

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_builder()
        show_form(visit, NOTHING_TYPED, [])

    async def on_post(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_builder()
        form = await visit.read_form()
        logo = form.files.get("logo")
        try:
            if logo is not None:
                check_logo(logo)
            made = await create_app(
                self.site, workspace_id=visit.workspace_id, by_user_id=visit.user_id, fields=read_fields(form)
            )
        except Invalid as error:
            show_form(visit, *as_typed(form), first_sentences(error, SHOWN))
            return
        if logo is not None:
            url = await store_logo(self.site, made.app["id"], logo)
            await update_app(self.site, made.app["id"], visit.user_id, {"logo_url": url})
        await go_to_registered(visit, made)


class EditApp(AppPage):
    """A page that edits some fields of a registration, and shows the form again with its errors."""

    tab: str
    template: str
    names: tuple[str, ...] = ()  # of TEXTS
    flags: tuple[str, ...] = ()  # of FLAGS

    async def on_get(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app = await self.enter_app(req, resp, slug, app_id)
        self.show_fields(visit, app, None, {})

    async def on_post(self, req: Request, resp: Response, slug: str, app_id: str) -> None:
        visit, app, form = await self.take_form(req, resp, slug, app_id)
        try:
            await self.save(visit, app, form)
        except Invalid as error:
            self.show_fields(visit, app, form, first_sentences(error, SHOWN))
            return
        visit.go(tab_path(visit, app, self.tab), "app_saved")

    async def save(self, visit: Visit, app: Row, form: Form) -> None:
        """Raises Invalid."""
        await update_app(self.site, app["id"], visit.user_id, self.read_changes(form))

    def read_changes(self, form: Form) -> dict[str, Any]:
        """The form's values as columns; a text field that wasn't sent is left unchanged."""
        changes: dict[str, Any] = {TEXTS[name]: form.text(name) for name in self.names if form.has(name)}
        return changes | {name: form.has(name) for name in self.flags} | self.read_more(form)

    def show_fields(self, visit: Visit, app: Row, form: Form | None, errors: dict[str, str]) -> None:
        filled = self._stored(app) if form is None else self._typed(form)
        self.show_tab(
            visit,
            app,
            self.tab,
            self.template,
            status=422 if errors else 200,
            filled=filled,
            errors=errors,
            lengths=LENGTHS,
            **self.more(visit, app, form),
        )

    def more(self, visit: Visit, app: Row, form: Form | None) -> dict[str, Any]:
        """Further variables for the template."""
        return {}

    def read_more(self, form: Form) -> dict[str, Any]:
        """Further columns."""
        return {}

    def _stored(self, app: Row) -> dict[str, Any]:
        filled = {name: app[TEXTS[name]] or "" for name in self.names}
        if "redirect_uris" in filled:
            filled["redirect_uris"] = "\n".join(app["redirect_uris"])
        return filled | {name: app[name] for name in self.flags}

    def _typed(self, form: Form) -> dict[str, Any]:
        return {name: form.text(name) for name in self.names} | {name: form.has(name) for name in self.flags}


class EditApplication(EditApp):
    """GET and POST /<workspace>/settings/applications/<id>/edit/: its public profile, and its publisher."""

    tab = "settings"
    template = "applications/settings.html"
    names = (
        "name",
        "description",
        "contact_email",
        "organization_name",
        "organization_email",
        "website",
        "privacy_policy_url",
        "terms_of_service_url",
    )

    async def save(self, visit: Visit, app: Row, form: Form) -> None:
        changes = self.read_changes(form) | await self._read_logo(form, app)
        await update_app(self.site, app["id"], visit.user_id, changes)
        if changes.get("logo_url", app["logo_url"]) != app["logo_url"]:
            await forget_logo(self.site, app["logo_url"])

    async def _read_logo(self, form: Form, app: Row) -> dict[str, Any]:
        logo = form.files.get("logo")
        if logo is not None:
            check_logo(logo)
            return {"logo_url": await store_logo(self.site, app["id"], logo)}
        return {"logo_url": None} if form.has("remove_logo") else {}


def read_fields(form: Form) -> dict[str, Any]:
    """The new app's form as fields of a registration."""
    fields: dict[str, Any] = {column: form.text(name) for name, column in TEXTS.items() if form.has(name)}
    fields |= {name: form.has(name) for name in FLAGS}
    return fields | {"scopes": form.texts("scopes")}


def as_typed(form: Form) -> tuple[dict[str, Any], list[str]]:
    """What to show again after a refusal: the fields and the chosen scopes."""
    filled: dict[str, Any] = {name: form.text(name) for name in TEXTS}
    return filled | {name: form.has(name) for name in FLAGS}, form.texts("scopes")


def show_form(
    visit: Visit, filled: dict[str, Any], chosen: list[str], errors: dict[str, str] | None = None
) -> None:
    found = errors or {}
    ordered = [name for name in ("name", "description", "logo", *TEXTS, "scopes") if name in found]
    visit.show(
        "applications/form.html",
        status=422 if errors else 200,
        filled=filled,
        errors={name: found[name] for name in dict.fromkeys([*ordered, *found])},
        scope_groups=scope_groups(),
        chosen=chosen,
        lengths=LENGTHS,
    )
