"""One request for a page: the viewer, what they may see, and the response."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Self, cast

from falcon.asgi import Request, Response

from airside.apps.authors import may_register
from airside.audit.sources import current_source, guesser
from airside.db.base import Row
from airside.errors import Forbidden, Invalid, NotFound
from airside.host.chosen import host_of
from airside.http.request import REQUEST
from airside.identity.csrf import check_csrf_token, issue_csrf_token
from airside.identity.form_answers import store_shown_once, take_shown_once
from airside.identity.guesses import Guesses
from airside.identity.passwords import is_password
from airside.identity.proof import is_proven
from airside.identity.sessions import Session
from airside.identity.users import get_user
from airside.portal import cookies
from airside.portal.errors import AdminsOnly, SignInNeeded
from airside.portal.forms import FORM_LIMIT, UPLOAD_LIMIT, Form, read_form
from airside.portal.logos import shown_picture
from airside.portal.rendering import redirect, show_page
from airside.portal.return_path import consent_sign_in_url, sign_in_url
from airside.portal.sent_once import begin_answer
from airside.portal.signed_in import find_signed_in
from airside.runtime.site import Site
from airside.workspaces.find import find_workspace
from airside.workspaces.members import find_member
from airside.workspaces.roles import ADMIN, MEMBER

NO_SUCH_PLACE = "There is no such page, or you don't belong to its workspace."

_guesses = Guesses("password_again", 10, timedelta(minutes=5))


class Page:
    """A resource of the portal; its responders begin with `enter` or `enter_workspace`."""

    creates = False  # whether its form creates something, so that a form sent twice must not create two

    def __init__(self, site: Site) -> None:
        self.site = site


class Visit:
    """One request of a signed-in person, in a workspace if the URL names one."""

    def __init__(self, site: Site, req: Request, resp: Response, session: Session) -> None:
        self.site = site
        self.req = req
        self.resp = resp
        self.session = session
        self.workspace: Row = {}
        self.role = 0
        self.may_build = False  # register apps in the workspace, and manage them

    @property
    def user_id(self) -> str:
        return self.session.user_id

    @property
    def workspace_id(self) -> str:
        return self.workspace["id"]

    @property
    def is_admin(self) -> bool:
        return self.role == ADMIN

    @property
    def here(self) -> str:
        """The path of the workspace's pages, without a final slash."""
        return f"/{self.workspace['slug']}"

    def require_admin(self) -> Self:
        if not self.is_admin:
            sentence = f"Only administrators of {self.workspace['name']} can see and change this."
            raise AdminsOnly(sentence, self.workspace_id)
        return self

    def require_builder(self) -> Self:
        """Raises Forbidden for people who may not register apps here."""
        return self if self.may_build else self.require_admin()

    def require_member(self) -> Self:
        if self.role < MEMBER:
            raise Forbidden(f"Guests of {self.workspace['name']} can't see this.")
        return self

    def require_operator(self) -> Self:
        """Raises NotFound: operator pages stay hidden from anybody else."""
        if not self.session.user["is_operator"]:
            raise NotFound(NO_SUCH_PLACE)
        return self

    def csrf_token(self, about: str = "") -> str:
        return issue_csrf_token(self.site, self.session.id_hash, about)

    async def read_form(
        self, about: str = "", upload_limit: int = UPLOAD_LIMIT, form_limit: int = FORM_LIMIT
    ) -> Form:
        """Raises ForgedForm unless the form came from a page of this session, Unreadable and TooLarge, and
        SentBefore for one that creates something and was processed already."""
        form = await read_form(self.req, upload_limit, form_limit)
        check_csrf_token(self.site, form.text("csrf_token"), self.session.id_hash, about)
        await begin_answer(self.site, self.req, self.session.id_hash, form)
        return form

    async def confirm_session(self, consent: str = "") -> None:
        """Ask at once where people sign in, if that isn't here. Raises SignInNeeded as `enter`, and Unavailable."""
        if not await host_of(self.site).confirm_session(self.site, self.session, self.req.cookies):
            raise SignInNeeded(consent_sign_in_url(consent) if consent else sign_in_url(self.site, self.req))

    async def check_password(self, password: str) -> None:
        """Verify the password again. Raises Invalid for `password`, and RateLimited after too many wrong ones.

        In front of a Community Edition, where people have none here, their session there is confirmed."""
        if self.site.settings.upstream_url:
            await self.confirm_session()
            return
        key = (self.user_id, guesser(current_source().address))
        async with self.site.db.transaction() as tx:
            await _guesses.spend(tx, self.site, *key)
        user = await get_user(self.site.db, self.user_id)
        if not await is_password(password, user["password_hash"]):
            raise Invalid({"password": ["That is not your password."]})
        async with self.site.db.transaction() as tx:
            await _guesses.forget(tx, self.site, *key)

    def show(self, template: str, *, status: int = 200, about: str = "", **context: Any) -> None:
        """Respond with a page. `about` narrows the CSRF token."""
        self.resp.status = status
        shared: Mapping[str, Any] = {
            "viewer": show_viewer(self.session.user),
            "workspace": self._show_workspace(),
            "csrf_token": self.csrf_token(about),
            "messages": cookies.take_notice(self.site, self.req, self.resp),
            "made_at": self.site.clock.now(),
        }
        if self.site.settings.upstream_url and "ask_password" in context:
            context["ask_password"] = False
        show_page(self.site, self.req, self.resp, template, **{**shared, **context})

    def go(self, path: str, notice: str = "") -> None:
        """303 to a page of this origin, which shows the notice."""
        if notice:
            cookies.leave_notice(self.site, self.resp, notice)
        redirect(self.site, self.resp, path)

    async def go_to_show(self, path: str, **shown: Any) -> None:
        """303 to the page at `path`, which shows this once, to this session. For pages with `creates`."""
        settings, key = self.site.settings, self.req.context.form_key
        location = await store_shown_once(self.site, key, settings.page_url(path), shown)
        redirect(self.site, self.resp, settings.page_path(location))

    async def take_shown_once(self) -> dict[str, Any] | None:
        """What this page shows once. None when it was shown already."""
        is_head = self.req.scope[REQUEST].is_head
        key = self.req.get_param("answer") or ""
        path = self.req.path.rstrip("/") + "/"
        return await take_shown_once(self.site, key, path, self.session.id_hash, keep=is_head)

    def show_gone(self, nav: str, what: str, sentence: str, *ways: tuple[str, str]) -> None:
        """Say that it was already shown; `ways` are labels and paths of alternatives."""
        self.show("shown_once.html", status=404, nav=nav, what=what, sentence=sentence, ways=ways)

    def _show_workspace(self) -> dict[str, Any] | None:
        if not self.workspace:
            return None
        return {
            "id": self.workspace["id"],
            "name": self.workspace["name"],
            "slug": self.workspace["slug"],
            "logo_url": shown_picture(self.workspace["logo_url"]),
            "is_admin": self.is_admin,
            "is_member": self.role >= MEMBER,
            "may_build": self.may_build,
        }


async def enter(site: Site, req: Request, resp: Response, consent: str = "") -> Visit:
    """Raises SignInNeeded, whose page returns here, or to the named consent request."""
    session = await find_signed_in(site, req)
    if session is None:
        raise SignInNeeded(consent_sign_in_url(consent) if consent else sign_in_url(site, req))
    return Visit(site, req, resp, session)


async def enter_workspace(site: Site, req: Request, resp: Response, slug: str) -> Visit:
    """Raises SignInNeeded, and NotFound alike for a missing workspace and one the person isn't a member of."""
    visit = await enter(site, req, resp)
    workspace = await find_workspace(site.db, slug)
    member = await find_member(site.db, workspace["id"], visit.user_id) if workspace else None
    if workspace is None or member is None:
        raise NotFound(NO_SUCH_PLACE)
    visit.workspace, visit.role = workspace, member["role"]
    visit.may_build = await may_register(site.db, workspace["id"], visit.role)
    return visit


def show_viewer(user: Row) -> dict[str, Any]:
    return {
        "name": user["display_name"],
        "email": user["email"],
        "avatar_url": shown_picture(user["avatar_url"]),
        "is_operator": user["is_operator"],
        "is_proven": is_proven(user),
    }


def first_sentences(error: Invalid, rename: Mapping[str, str] | None = None) -> dict[str, str]:
    """Form field → its error, from a domain error about fields that may have other names."""
    names = rename or {}
    return {
        names.get(name, name): " ".join(cast(list[str], messages))
        if isinstance(messages, list)
        else str(messages)
        for name, messages in error.fields.items()
    }
