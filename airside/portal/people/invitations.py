"""Inviting people by a link that is shown once, and accepting an invitation."""

from urllib.parse import urlencode

from falcon.asgi import Request, Response

from airside.audit.sources import client_address
from airside.db.base import Row
from airside.db.text_rules import is_one_line
from airside.errors import WHOLE_BODY, Conflict, Invalid, Refused
from airside.identity.csrf import check_csrf_token, issue_csrf_token
from airside.identity.passwords import MIN_LENGTH
from airside.identity.proof import UnprovenEmail, is_proven
from airside.identity.sessions import Session, end_session, start_session
from airside.identity.users import find_user_by_email
from airside.portal import cookies
from airside.portal.forms import Form, read_form
from airside.portal.logos import shown_picture
from airside.portal.people.members import role_choices
from airside.portal.rendering import omit_referrer, redirect, show_page
from airside.portal.return_path import path_sign_in_url
from airside.portal.signed_in import find_signed_in
from airside.portal.visit import Page, Visit, enter_workspace, first_sentences
from airside.workspaces.invitations import (
    LIFETIME,
    Invited,
    accept_as,
    accept_as_new,
    create_invitation,
    find_by_token,
    get_invitation,
    renew_link,
    revoke_invitation,
)
from airside.workspaces.roles import get_role, parse_role

ABOUT = "invitation"
ACCEPT = "accept_unproven"  # form field that confirms the warning
NAME_LENGTH = 80  # characters


class Invite(Page):
    """GET and POST /<workspace>/settings/members/invite/"""

    creates = True

    async def on_get(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        self._show(visit, {"role": "member"}, {})

    async def on_post(self, req: Request, resp: Response, slug: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        form = await visit.read_form()
        filled = {"email": form.text("email").strip(), "role": form.text("role")}
        try:
            made = await create_invitation(
                self.site,
                visit.workspace_id,
                visit.user_id,
                email=filled["email"],
                role=parse_role(filled["role"]),
                accept_unproven=form.has(ACCEPT),
            )
        except UnprovenEmail as error:
            warn_of_unproven(visit, f"{visit.here}/settings/members/invite/", error, filled)
            return
        except Invalid as error:
            self._show(visit, filled, first_sentences(error, {WHOLE_BODY: "email"}))
            return
        except Refused as error:
            self._show(visit, filled, {"email": error.sentence})
            return
        await go_to_link(visit, made)

    def _show(self, visit: Visit, filled: dict[str, str], errors: dict[str, str]) -> None:
        visit.show(
            "members/invite.html",
            status=422 if errors else 200,
            filled=filled,
            errors=errors,
            roles=role_choices(),
            days=LIFETIME.days,
        )


class InvitationLink(Page):
    """POST /<workspace>/settings/members/invitations/<id>/link/: replaces the link by a new one."""

    creates = True

    async def on_post(self, req: Request, resp: Response, slug: str, invitation_id: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        accepted = (await visit.read_form()).has(ACCEPT)
        try:
            made = await renew_link(
                self.site, visit.workspace_id, invitation_id, visit.user_id, accept_unproven=accepted
            )
        except UnprovenEmail as error:
            here = f"{visit.here}/settings/members/invitations/{invitation_id}/link/"
            warn_of_unproven(visit, here, error, {})
            return
        await go_to_link(visit, made)


class InvitationMade(Page):
    """GET /<workspace>/settings/members/invitations/<id>/made/?answer=<form key>: the full link, once."""

    async def on_get(self, req: Request, resp: Response, slug: str, invitation_id: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        row = await get_invitation(self.site.db, visit.workspace_id, invitation_id)
        shown = await visit.take_shown_once()
        if shown is None:
            visit.show_gone(
                "members",
                "This link was shown once",
                f"If you haven't passed it on to {row['email']}, make a new link; the one before stops working.",
                ("Members", f"{visit.here}/settings/members/"),
            )
            return
        visit.show(
            "members/link.html",
            email=row["email"],
            role=get_role(row["role"]).name.lower(),
            link=self.site.settings.page_address(invitation_path(shown["token"])),
            expires_at=row["expires_at"],
            makes_account=await find_user_by_email(self.site.db, row["email"]) is None,
        )


class RevokeInvitation(Page):
    """GET and POST /<workspace>/settings/members/invitations/<id>/revoke/"""

    async def on_get(self, req: Request, resp: Response, slug: str, invitation_id: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        row = await get_invitation(self.site.db, visit.workspace_id, invitation_id)
        members = f"{visit.here}/settings/members/"
        visit.show(
            "confirm.html",
            nav="members",
            crumbs=[("Members", members)],
            title=f"Revoke the invitation of {row['email']}?",
            sentences=["Its link stops working at once.", "You can invite them again."],
            words="Revoke the invitation",
            action=f"{members}invitations/{row['id']}/revoke/",
            cancel_href=members,
            ask_password=False,
            errors={},
        )

    async def on_post(self, req: Request, resp: Response, slug: str, invitation_id: str) -> None:
        visit = (await enter_workspace(self.site, req, resp, slug)).require_admin()
        await visit.read_form()
        await revoke_invitation(self.site, visit.workspace_id, invitation_id, visit.user_id)
        visit.go(f"{visit.here}/settings/members/", "invitation_revoked")


class Accept(Page):
    """GET and POST /invitations/?token=…, signed in or not. The token is in the query, which no log keeps."""

    async def on_get(self, req: Request, resp: Response) -> None:
        token = req.get_param("token") or ""
        omit_referrer(resp)
        invitation = await find_by_token(self.site, token)
        await self._show(req, resp, token, invitation, {}, {})

    async def on_post(self, req: Request, resp: Response) -> None:
        form = await read_form(req)
        session = await find_signed_in(self.site, req)
        bound_to = session.id_hash if session else cookies.read_guest(self.site, req)
        check_csrf_token(self.site, form.text("csrf_token"), bound_to, ABOUT)
        token = form.text("token")
        invitation = await find_by_token(self.site, token)
        if session is not None:
            await accept_as(self.site, token, session.user_id)
        elif (errors := await self._join_as_new(req, resp, token, form)) is not None:
            await self._show(req, resp, token, invitation, {"name": form.text("name")}, errors)
            return
        cookies.leave_notice(self.site, resp, "joined")
        redirect(self.site, resp, f"/{invitation['workspace_slug']}/projects/")

    async def _join_as_new(
        self, req: Request, resp: Response, token: str, form: Form
    ) -> dict[str, str] | None:
        """Errors by field; None on success, when the person is signed in."""
        name = form.text("name").strip()
        if not name or len(name) > NAME_LENGTH or not is_one_line(name):
            return {"name": f"Enter a name of at most {NAME_LENGTH} characters."}
        try:
            _, user = await accept_as_new(self.site, token, name=name, password=form.text("password"))
        except Invalid as error:
            return first_sentences(error, {WHOLE_BODY: "email"})
        except Conflict as error:
            return {"name": error.sentence}
        session_id = await start_session(
            self.site,
            user["id"],
            source=client_address(req, self.site.settings),
            user_agent=req.user_agent or "",
        )
        cookies.set_session_id(self.site, resp, session_id)
        cookies.remember_browser(self.site, req, resp, user["id"])
        return None

    async def _show(
        self,
        req: Request,
        resp: Response,
        token: str,
        invitation: Row,
        filled: dict[str, str],
        errors: dict[str, str],
    ) -> None:
        session = await find_signed_in(self.site, req)
        known = await find_user_by_email(self.site.db, invitation["email"])
        bound_to = session.id_hash if session else cookies.hold_guest(self.site, req, resp)
        resp.status = 422 if errors else 200
        show_page(
            self.site,
            req,
            resp,
            "invitation.html",
            csrf_token=issue_csrf_token(self.site, bound_to, ABOUT),
            token=token,
            invitation={
                "email": invitation["email"],
                "role": get_role(invitation["role"]).name.lower(),
                "workspace": {
                    "name": invitation["workspace_name"],
                    "logo_url": shown_picture(invitation["logo_url"]),
                },
                "invited_by": invitation["invited_by"],
            },
            situation=self._situation(session, known, invitation),
            is_unverified=known is not None and not is_proven(known),
            you=session.user["email"] if session else "",
            sign_in_url=path_sign_in_url(self.site, invitation_path(token)),
            filled=filled,
            errors=errors,
            password_length=MIN_LENGTH,
        )
        omit_referrer(resp)

    def _situation(self, session: Session | None, known: Row | None, invitation: Row) -> str:
        """What the page offers: to join, to sign in, to create an account, to sign out of another one, or to have
        the e-mail verified first."""
        if session is not None and session.user["email"] != invitation["email"]:
            return "other"
        if session is not None:
            return "join" if is_proven(session.user) or invitation["accepts_unproven"] else "unverified"
        return "sign_in" if known is not None else "new"


class AcceptSignedOut(Page):
    """POST /invitations/sign-out/: for people signed in as somebody else; returns to the invitation."""

    async def on_post(self, req: Request, resp: Response) -> None:
        form = await read_form(req)
        session = await find_signed_in(self.site, req)
        bound_to = session.id_hash if session else cookies.read_guest(self.site, req)
        check_csrf_token(self.site, form.text("csrf_token"), bound_to, ABOUT)
        if session is not None:
            await end_session(self.site, cookies.read_session_id(self.site, req))
            cookies.drop_session_id(self.site, resp)
        redirect(self.site, resp, invitation_path(form.text("token")))


def warn_of_unproven(visit: Visit, action: str, error: UnprovenEmail, filled: dict[str, str]) -> None:
    """Ask to confirm the invitation of an account whose e-mail is unverified; keeps what was filled in."""
    members = f"{visit.here}/settings/members/"
    visit.show(
        "confirm.html",
        status=409,
        nav="members",
        crumbs=[("Members", members)],
        title="Invite an account that nobody has proven?",
        sentences=[
            error.sentence,
            f"If it isn't theirs, a stranger comes into {visit.workspace['name']}.",
            "An operator of this site can verify it first, which gives the account to the owner of the e-mail.",
        ],
        words="Invite this account all the same",
        action=action,
        cancel_href=members,
        hidden={**filled, ACCEPT: "yes"},
        ask_password=False,
        errors={},
    )


async def go_to_link(visit: Visit, made: Invited) -> None:
    """Redirect to the page that shows the link once."""
    path = f"{visit.here}/settings/members/invitations/{made.invitation['id']}/made/"
    await visit.go_to_show(path, token=made.token)


def invitation_path(token: str) -> str:
    return f"/invitations/?{urlencode({'token': token})}"
