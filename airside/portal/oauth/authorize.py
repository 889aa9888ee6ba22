"""The consent pages: the authorization endpoint, the choice of a workspace, the screen, the decision."""

from collections.abc import Mapping
from typing import Any

from falcon.asgi import Request, Response

from airside.apps.addresses import redirect_host
from airside.apps.tables import BUILT_IN
from airside.audit.sources import client_address, guesser
from airside.errors import Forbidden, Invalid, RateLimited
from airside.http.request import REQUEST
from airside.identity.attempts import FailedAttempts
from airside.identity.csrf import check_csrf_token
from airside.marketplace.publishers import is_app_verified
from airside.oauth.authorize import RedirectedRefusal, open_consent_request
from airside.oauth.consent import (
    INSTALL,
    ConsentGone,
    ConsentScreen,
    WorkspaceChoice,
    approve,
    ask,
    ask_admins,
    deny,
    take_answer,
)
from airside.portal.forms import Form, Unreadable, read_form
from airside.portal.integrations.installed import show_app
from airside.portal.logos import shown_picture
from airside.portal.project_choice import read_projects, show_choice_of_projects
from airside.portal.rendering import forward, omit_referrer, redirect
from airside.portal.return_path import consent_url, continue_url
from airside.portal.scope_choices import permission_groups
from airside.portal.signed_in import find_signed_in
from airside.portal.visit import Page, Visit, enter, first_sentences
from airside.runtime.site import Site
from airside.workspaces.find import find_workspace
from airside.workspaces.members import list_members
from airside.workspaces.roles import ADMIN, get_role


class Authorize(Page):
    """GET /auth/o/authorize-app/: stores the request, then redirects to the screen."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        # Anybody can cause a row in the database; the limit is far above what an office behind one address clicks.
        self._opened = FailedAttempts("authorize", allowed=300, minutes=1)

    async def on_get(self, req: Request, resp: Response) -> None:
        omit_referrer(resp)
        await self._count(req)
        try:
            request_id = await open_consent_request(self.site, req.query_string)
        except RedirectedRefusal as refusal:
            forward(resp, refusal.location)
        else:
            redirect(self.site, resp, consent_url(request_id))

    async def _count(self, req: Request) -> None:
        """Raises RateLimited for an address that opens too many; signed-in people are counted individually, unless
        AIRSIDE_PAGES_PREFIX keeps their cookies from this endpoint."""
        source = guesser(client_address(req, self.site.settings))
        try:
            self._opened.check(source)
        except RateLimited:
            session = await find_signed_in(self.site, req)
            if session is None:
                raise
            source = f"person {session.user_id}"
            self._opened.check(source)
        self._opened.count(source)


class Consent(Page):
    """GET /consent/?request=<id> asks; a POST submits the decision."""

    async def on_get(self, req: Request, resp: Response) -> None:
        request_id = req.get_param("request") or ""
        visit = await enter(self.site, req, resp, request_id)
        await visit.confirm_session(request_id)
        screen = await ask(self.site, request_id, visit.session)
        if screen.chosen is None or req.has_param("change"):
            show_choice(visit, screen)
        else:
            await show_consent(visit, screen, screen.chosen)
        omit_referrer(resp)

    async def on_post(self, req: Request, resp: Response) -> None:
        omit_referrer(resp)
        visit, form = await enter_with_form(self, req, resp)
        request_id, decision = form.text("request"), form.text("decision")
        try:
            if decision == "allow":
                await self._allow(visit, form, request_id)
            elif decision == "ask":
                chosen_id = form.text("chosen")
                go_on(
                    self.site,
                    resp,
                    request_id,
                    await ask_admins(self.site, request_id, visit.session, chosen_id),
                )
            elif decision == "deny":
                go_on(self.site, resp, request_id, await deny(self.site, request_id, visit.session))
            else:
                raise Unreadable
        except ConsentGone as error:  # a request can be answered once
            raise Forbidden(error.sentence) from None

    async def _allow(self, visit: Visit, form: Form, request_id: str) -> None:
        chosen_id = form.text("chosen")
        await visit.confirm_session(request_id)
        try:
            projects = await read_projects(self.site, chosen_id, form, visit.user_id)
            cookies = visit.req.cookies
            answer = await approve(self.site, request_id, visit.session, chosen_id, projects, cookies)
            go_on(self.site, visit.resp, request_id, answer)
        except Invalid as error:
            screen = await ask(self.site, request_id, visit.session)
            if screen.chosen is None:
                raise ConsentGone from None
            await show_consent(visit, screen, screen.chosen, form, first_sentences(error))
            omit_referrer(visit.resp)


class Continue(Page):
    """GET /consent/continue/?request=<id>: forwards to the app, once, by a page instead of a redirect.

    Browsers apply the page's CSP form-action to every redirect that follows a form, and an app's callback may
    redirect to anywhere."""

    async def on_get(self, req: Request, resp: Response) -> None:
        omit_referrer(resp)
        visit = await enter(self.site, req, resp)
        request_id, is_head = req.get_param("request") or "", req.scope[REQUEST].is_head
        location = await take_answer(self.site, request_id, visit.session, keep=is_head)
        visit.show("oauth/continue.html", location=location, redirect_host=redirect_host(location))
        omit_referrer(resp)


class ChooseWorkspace(Page):
    """POST /consent/workspace/, then back to the screen."""

    async def on_post(self, req: Request, resp: Response) -> None:
        omit_referrer(resp)
        visit, form = await enter_with_form(self, req, resp)
        request_id = form.text("request")
        workspace = await find_workspace(self.site.db, form.text("workspace"))
        if workspace is not None:  # None: not one of theirs, so the screen is asked again
            await ask(self.site, request_id, visit.session, workspace["id"])
        redirect(self.site, resp, consent_url(request_id))


async def enter_with_form(page: Page, req: Request, resp: Response) -> tuple[Visit, Form]:
    """The form's CSRF token is valid for this session and this consent request only. Raises ForgedForm."""
    visit = await enter(page.site, req, resp)
    form = await read_form(req)
    about = csrf_about(form.text("request"))
    check_csrf_token(page.site, form.text("csrf_token"), visit.session.id_hash, about)
    return visit, form


def go_on(site: Site, resp: Response, request_id: str, answer: str) -> None:
    """Redirect onwards; the outcome of a device's sign-in is a page of this origin."""
    redirect(site, resp, answer if answer.startswith("/") else continue_url(request_id))


def csrf_about(request_id: str) -> str:
    return f"consent {request_id}"


def show_choice(visit: Visit, screen: ConsentScreen) -> None:
    visit.show(
        "oauth/choose_workspace.html",
        about=csrf_about(screen.request_id),
        request_id=screen.request_id,
        app=show_app(screen.app),
        workspaces=[
            {
                "name": choice.name,
                "slug": choice.slug,
                "logo_url": shown_picture(choice.logo_url),
                "role": get_role(choice.role).name,
                "has_app": choice.is_installed,
            }
            for choice in screen.choices
        ],
    )


async def show_consent(
    visit: Visit,
    screen: ConsentScreen,
    chosen: WorkspaceChoice,
    form: Form | None = None,
    errors: dict[str, str] | None = None,
) -> None:
    request_id = screen.request_id
    if screen.app["registration"] == BUILT_IN:
        show_command_line(visit, screen, chosen)
        return
    described = screen.as_bot or screen.as_you
    visit.show(
        "oauth/consent.html",
        status=422 if errors else 200,
        about=csrf_about(request_id),
        request_id=request_id,
        mode=find_mode(chosen),
        refusal=chosen.refusal,
        app=show_app(screen.app, is_verified=await is_app_verified(visit.site.db, screen.app))
        | {"publisher_name": screen.publisher},
        registered_by=screen.registered_by,
        workspace={"id": chosen.id, "name": chosen.name, "logo_url": shown_picture(chosen.logo_url)},
        document_host=screen.document_host,
        redirect_host=screen.redirect_host,
        device_source=screen.device_source,
        acts_as="both" if screen.as_bot else "user",
        permissions=permission_groups(
            described, merge_groups(screen.added, screen.added_as_you), screen.app["scope_reasons"]
        ),
        has_new=bool(screen.added or screen.added_as_you),
        withheld=permission_groups(screen.withheld, None, screen.app["scope_reasons"])
        if chosen.may or chosen.may_ask
        else [],
        may_ask=chosen.may_ask,
        projects=await show_choice_of_projects(
            visit.site, chosen.id, visit.user_id, screen.project_ids, form
        ),
        errors=errors or {},
        admins=await list_admins(visit, chosen) if chosen.may is None and not chosen.is_kept_out else [],
        policy_href=f"/{chosen.slug}/settings/app-policy/" if chosen.is_kept_out else "",
        change_href=f"{consent_url(request_id)}&change=1" if len(screen.choices) > 1 else "",
    )


def show_command_line(visit: Visit, screen: ConsentScreen, chosen: WorkspaceChoice) -> None:
    """For Airside's own command-line client: nothing is installed, and its publisher is this site."""
    visit.show(
        "oauth/command_line.html",
        about=csrf_about(screen.request_id),
        request_id=screen.request_id,
        app=show_app(screen.app),
        workspace={"id": chosen.id, "name": chosen.name, "logo_url": shown_picture(chosen.logo_url)},
        device_source=screen.device_source,
        logout=f"airside logout --base-url {visit.site.settings.origin}",
        change_href=f"{consent_url(screen.request_id)}&change=1" if len(screen.choices) > 1 else "",
    )


def merge_groups(one: Mapping[str, list[str]], other: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {name: [*one.get(name, []), *other.get(name, [])] for name in {**one, **other}}


def find_mode(chosen: WorkspaceChoice) -> str:
    """Which of the template's questions to show."""
    if chosen.may is None:
        return "refused"
    return "install" if chosen.may == INSTALL and not chosen.is_installed else "grant"


async def list_admins(visit: Visit, chosen: WorkspaceChoice) -> list[dict[str, Any]]:
    """The admins whom the person can ask to install the app."""
    return [
        {"name": member["display_name"], "email": member["email"]}
        for member in await list_members(visit.site.db, chosen.id)
        if member["role"] == ADMIN
    ]
