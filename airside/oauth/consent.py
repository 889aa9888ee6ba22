"""The consent screen and the user's decision: once, by the session that saw the screen.

Everything the decision depends on is stored in `consent_requests`; the form sends only the request's id and the
workspace that the page showed.
"""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

import msgspec

from airside.apps.addresses import is_same_redirect, redirect_host
from airside.apps.policy import check_installable, find_policy
from airside.apps.scopes import Grant, describe_scopes, is_nothing
from airside.apps.tables import BUILT_IN, CONFIDENTIAL, DOCUMENT, WORKSPACE, apps
from airside.audit.record import record_audit
from airside.db.base import Row, new_id
from airside.db.database import Reader, Transaction
from airside.db.text_rules import is_id
from airside.errors import Forbidden, NotFound
from airside.identity.sessions import Session
from airside.installations.install import put_installation
from airside.installations.project_choice import check_choice
from airside.installations.read import find_installation
from airside.installations.scope_requests import missing_scopes, request_scopes, settle_granted
from airside.installations.tables import INSTALLED, InstallationRow
from airside.oauth.authorize import answer_url, refusal_url
from airside.oauth.device_requests import approve_device, deny_device, find_source
from airside.oauth.errors import AccessDenied
from airside.oauth.grant_scopes import cap_scopes
from airside.oauth.tables import CONSENT_ANSWER, ConsentRequestRow, authorization_codes, consent_requests
from airside.oauth.tokens import CODE_LIFETIME, find_last_grant
from airside.runtime.app_accounts import Install
from airside.runtime.site import Site
from airside.system.credentials import hash_credential, new_credential
from airside.workspaces.find import get_workspace, list_workspaces_of
from airside.workspaces.members import find_member
from airside.workspaces.roles import ADMIN, MEMBER

NO_COOKIES: Mapping[str, str] = MappingProxyType({})
INSTALL, GRANT = "install", "grant"
DEVICE_ALLOWED, DEVICE_DENIED = "/device/allowed/", "/device/denied/"  # pages of the portal


class ConsentGone(NotFound):
    """The request is unknown, answered, expired, or another session's; the error is the same for all."""

    sentence = "This request has been answered or has expired. Go back to the app and start again."


class WorkspaceChoice(msgspec.Struct, frozen=True):
    """A workspace of the user. `may` is what they may do there: "install", "grant", or None (see `refusal`)."""

    id: str
    name: str
    slug: str
    logo_url: str | None
    role: int
    may: str | None
    refusal: str = ""
    is_installed: bool = False
    is_kept_out: bool = False  # refused by the workspace's policy, to an admin
    may_ask: bool = False  # refused only for its scopes; the user may request them from admins


class ConsentScreen(msgspec.Struct, frozen=True):
    """What the consent screen shows. Scopes are group → sentences."""

    request_id: str
    app: Row
    publisher: str  # the organization that the app names, else the workspace that registered it
    registered_by: str  # that workspace's name, always; empty when no admin registered it
    redirect_host: str  # empty for a device
    device_source: str  # the address of the device to sign in; empty when there is a redirect
    document_host: str  # the host of the client's metadata document
    choices: list[WorkspaceChoice]
    chosen: WorkspaceChoice | None
    as_bot: dict[str, list[str]]  # scopes of the app's bot; empty for a user who can't install
    as_you: dict[str, list[str]]  # scopes of the app on behalf of the user
    added: dict[str, list[str]]  # of as_bot, those that the installation doesn't have yet
    added_as_you: dict[str, list[str]]  # of as_you, those that the user's last consent didn't include
    withheld: dict[str, list[str]]  # scopes that a member's consent requests from the admins
    project_ids: list[str] | None  # the projects that the installed app may access; None: all


async def ask(
    site: Site, request_id: str, session: Session, workspace_id: str | None = None
) -> ConsentScreen:
    """Bind the request to the session, store the workspace if one is given, and return what to show.

    A single usable workspace is chosen by default. Raises ConsentGone."""
    async with site.db.transaction() as tx:
        request = await _lock_request(tx, site, request_id, session)
        choices = await _list_choices(tx, request, session.user_id)
        chosen = _choose(choices, workspace_id or request["workspace_id"])
        held = {"session_hash": session.id_hash, "workspace_id": chosen.id if chosen else None}
        await tx.update(consent_requests, held, id=request["id"])
        return await _describe_request(tx, request, choices, chosen, session.user_id)


async def approve(
    site: Site,
    request_id: str,
    session: Session,
    workspace_id: str,
    project_ids: list[str] | None = None,
    cookies: Mapping[str, str] = NO_COOKIES,
) -> str:
    """Install the app, or grant it access as the user; returns the redirect URL with the code. For the device flow
    it returns a confirmation page: the device polls for its token.

    `workspace_id` is the one the page showed, and must equal the stored one. `project_ids` limits an app that is
    being installed; None allows every project. `cookies` are those of the request. Raises ConsentGone, Invalid, and
    Forbidden for a user who may do neither, and Blocked for an account that can't be made; the request then stays
    open."""
    chosen = None if project_ids is None else check_choice(project_ids)
    if site.app_accounts.is_remote:
        await _prepare_account(site, request_id, session, workspace_id, chosen, cookies)
    async with site.db.transaction() as tx:
        request = await _lock_decided(tx, site, request_id, session, workspace_id)
        app = await _get_app(tx, request)
        installation, grant = await _settle(tx, site, app, request, session.user_id, chosen)
        await _audit(tx, site, "consent.given", request, session, grant)
        if request["device_request_id"] is not None:
            installation_id = installation["id"] if installation else None
            device_id, user_id = request["device_request_id"], session.user_id
            await approve_device(tx, site, device_id, workspace_id, installation_id, user_id, grant)
            await tx.delete(consent_requests, id=request["id"])
            return DEVICE_ALLOWED
        assert installation is not None  # only the command line has none, and it never requests a code
        code = await _issue_code(tx, site, request, installation, session.user_id, grant)
        answer = {"code": code, "app_installation_id": installation["id"]}
        location = answer_url(site, request["redirect_uri"], answer, request["state"])
        return await _keep_answer(tx, site, request, location)


async def _prepare_account(
    site: Site,
    request_id: str,
    session: Session,
    workspace_id: str,
    project_ids: list[str] | None,
    cookies: Mapping[str, str],
) -> None:
    """Over the network, so before the transaction that installs, and only for a user who may install."""
    async with site.db.transaction() as tx:
        request = await _lock_decided(tx, site, request_id, session, workspace_id)
        app = await _get_app(tx, request)
        member = await find_member(tx, workspace_id, session.user_id)
        installation = await find_installation(tx, workspace_id, app["id"])
        may, _ = _may(member["role"] if member else 0, installation, request["scopes"])
        if app["registration"] == BUILT_IN or may != INSTALL:
            return
        if installation is None:
            await check_installable(tx, workspace_id, app)
    kept = None if installation is None else installation["project_ids"]
    if installation is not None:
        project_ids = kept
    install = Install(app, workspace_id, session.user_id, project_ids, cookies, kept or ())
    await site.app_accounts.prepare(install)


async def _lock_decided(
    tx: Transaction, site: Site, request_id: str, session: Session, workspace_id: str
) -> ConsentRequestRow:
    """The request whose screen this session saw, for this workspace. Raises ConsentGone."""
    request = await _lock_request(tx, site, request_id, session)
    if request["session_hash"] is None or request["workspace_id"] != workspace_id:
        raise ConsentGone
    return request


async def deny(site: Site, request_id: str, session: Session) -> str:
    """The redirect URL with `access_denied`. Raises ConsentGone."""
    async with site.db.transaction() as tx:
        request = await _lock_request(tx, site, request_id, session)
        if request["session_hash"] is None:
            raise ConsentGone
        await _audit(tx, site, "consent.denied", request, session, request["scopes"])
        return await _refuse(tx, site, request, AccessDenied("The person declined."))


async def ask_admins(site: Site, request_id: str, session: Session, workspace_id: str) -> str:
    """Request the app's scopes from the admins; returns the redirect URL with `access_denied`, to try again later.

    Raises ConsentGone, and Forbidden when missing scopes aren't the reason for the refusal."""
    async with site.db.transaction() as tx:
        request = await _lock_decided(tx, site, request_id, session, workspace_id)
        member = await find_member(tx, workspace_id, session.user_id)
        installation = await find_installation(tx, workspace_id, request["app_id"])
        if installation is None or not _may_ask(member["role"] if member else 0, installation):
            raise Forbidden
        await request_scopes(tx, site, installation, request["scopes"], session.user_id)
        refusal = AccessDenied("An admin of the workspace has been asked to allow this. Try again later.")
        return await _refuse(tx, site, request, refusal)


async def take_answer(site: Site, request_id: str, session: Session, *, keep: bool = False) -> str:
    """The redirect URL of a decided request, once, for the session that decided it. Raises ConsentGone.

    `keep`: don't consume it."""
    async with site.db.transaction() as tx:
        request = await tx.lock(consent_requests, id=request_id) if is_id(request_id) else None
        if request is None or request["answer_sealed"] is None:
            raise ConsentGone
        if request["session_hash"] != session.id_hash or request["expires_at"] <= site.clock.now():
            raise ConsentGone
        if not keep:
            await tx.delete(consent_requests, id=request["id"])
    return site.sealer.unseal(request["answer_sealed"], CONSENT_ANSWER)


async def _refuse(tx: Transaction, site: Site, request: ConsentRequestRow, refusal: AccessDenied) -> str:
    if request["device_request_id"] is not None:
        await deny_device(tx, request["device_request_id"])
        await tx.delete(consent_requests, id=request["id"])
        return DEVICE_DENIED
    return await _keep_answer(
        tx, site, request, refusal_url(site, request["redirect_uri"], refusal, request["state"])
    )


async def _keep_answer(tx: Transaction, site: Site, request: ConsentRequestRow, location: str) -> str:
    """Close the request and store its redirect URL, for as long as the code in it is valid."""
    kept = {
        "answer_sealed": site.sealer.seal(location, CONSENT_ANSWER),
        "expires_at": site.clock.now() + CODE_LIFETIME,
    }
    await tx.update(consent_requests, kept, id=request["id"])
    return location


async def _audit(
    tx: Transaction, site: Site, action: str, request: ConsentRequestRow, session: Session, scopes: Grant
) -> None:
    await record_audit(
        tx,
        action,
        site.clock.now(),
        workspace_id=request["workspace_id"],
        actor_id=session.user_id,
        app_id=request["app_id"],
        target=("app", request["app_id"]),
        details={"scopes": scopes, "redirect_host": redirect_host(request["redirect_uri"])},
    )


async def find_asking_app(site: Site, request_id: str) -> Row | None:
    """The app of an open request, to name it on the sign-in page."""
    request = await site.db.find(consent_requests, id=request_id) if is_id(request_id) else None
    return None if request is None else await site.db.find(apps, id=request["app_id"])


async def _lock_request(tx: Transaction, site: Site, request_id: str, session: Session) -> ConsentRequestRow:
    request = await tx.lock(consent_requests, id=request_id) if is_id(request_id) else None
    if request is None or request["expires_at"] <= site.clock.now():
        raise ConsentGone
    if request["answer_sealed"] is not None:
        raise ConsentGone
    if request["session_hash"] not in (None, session.id_hash):
        raise ConsentGone
    return request


async def _get_app(tx: Transaction, request: ConsentRequestRow) -> Row:
    """The app's current row. Raises ConsentGone if it was deleted or no longer has the redirect URI."""
    app = await tx.lock(apps, id=request["app_id"])
    if app is None or app["deleted_at"] is not None:
        raise ConsentGone
    if request["device_request_id"] is not None:
        return app
    if not any(is_same_redirect(uri, request["redirect_uri"]) for uri in app["redirect_uris"]):
        raise ConsentGone
    return app


async def _settle(
    tx: Transaction,
    site: Site,
    app: Row,
    request: ConsentRequestRow,
    user_id: str,
    project_ids: list[str] | None,
) -> tuple[InstallationRow | None, Grant]:
    """The installation, and the scopes of the user's token. Scopes that a member can't grant are requested from
    admins. Airside's own command line has no installation."""
    workspace_id = request["workspace_id"]
    member = await find_member(tx, workspace_id, user_id) if workspace_id else None
    if app["registration"] == BUILT_IN:
        if member is None:
            raise Forbidden("You are not a member of this workspace.")
        return None, request["scopes"]
    installation = await find_installation(tx, workspace_id, app["id"]) if workspace_id else None
    may, refusal = _may(member["role"] if member else 0, installation, request["scopes"])
    if may is None or workspace_id is None:
        raise Forbidden(refusal)
    if may == INSTALL:
        installed = await put_installation(
            tx, site, app, workspace_id, user_id, request["scopes"], project_ids
        )
        await settle_granted(tx, site, installed, user_id)
        return installed, request["scopes"]
    assert installation is not None  # _may grants only where one is
    await request_scopes(tx, site, installation, request["scopes"], user_id)
    return installation, cap_scopes(request["scopes"], installation["scopes"])


def _may(role: int, installation: InstallationRow | None, asked: Grant) -> tuple[str | None, str]:
    """What a user of this role may do: INSTALL or GRANT; else None, and the reason as a sentence."""
    if installation is not None and installation["status"] != INSTALLED:
        return None, "This app is suspended in this workspace."
    if role == ADMIN:
        return INSTALL, ""
    if installation is None:
        return None, "Only admins of a workspace can install an app. Ask one of them to install it first."
    if role != MEMBER:
        return None, "Guests can't let apps act for them in this workspace."
    if is_nothing(cap_scopes(asked, installation["scopes"])):
        return None, "The app asks for more than an admin has allowed it in this workspace."
    return GRANT, ""


def _may_ask(role: int, installation: InstallationRow) -> bool:
    return MEMBER <= role < ADMIN and installation["status"] == INSTALLED


async def _list_choices(reader: Reader, request: ConsentRequestRow, user_id: str) -> list[WorkspaceChoice]:
    choices: list[WorkspaceChoice] = []
    app = await reader.find(apps, id=request["app_id"])
    for workspace in await list_workspaces_of(reader, user_id):
        shown = {name: workspace[name] for name in ("id", "name", "slug", "logo_url", "role")}
        if app is not None and app["registration"] == BUILT_IN:
            choices.append(WorkspaceChoice(**shown, may=GRANT))
            continue
        installation = await find_installation(reader, workspace["id"], request["app_id"])
        may, refusal = _may(workspace["role"], installation, request["scopes"])
        kept_out = ""
        if may == INSTALL and installation is None and app is not None:
            kept_out = (await find_policy(reader, workspace["id"])).refusal_of(app)
        choices.append(
            WorkspaceChoice(
                **shown,
                may=None if kept_out else may,
                refusal=kept_out or refusal,
                is_kept_out=bool(kept_out),
                is_installed=installation is not None,
                may_ask=may is None and installation is not None and _may_ask(shown["role"], installation),
            )
        )
    return choices


def _choose(choices: list[WorkspaceChoice], workspace_id: str | None) -> WorkspaceChoice | None:
    usable = [choice for choice in choices if choice.may]
    if workspace_id is None:
        return usable[0] if len(usable) == 1 else None
    return next((choice for choice in choices if choice.id == workspace_id), None)


async def _describe_request(
    tx: Transaction,
    request: ConsentRequestRow,
    choices: list[WorkspaceChoice],
    chosen: WorkspaceChoice | None,
    user_id: str,
) -> ConsentScreen:
    app = await _get_app(tx, request)
    home = await _name_home(tx, app)
    device_source = await find_source(tx, request["device_request_id"])
    installation = await find_installation(tx, chosen.id, app["id"]) if chosen else None
    asked: Grant = request["scopes"]
    installed: Grant = installation["scopes"] if installation else []
    installs = chosen is not None and chosen.may == INSTALL
    last = await find_last_grant(tx, installation["id"], user_id) if installation else None
    as_you = asked if installs or chosen is None else cap_scopes(asked, installed)
    return ConsentScreen(
        request_id=request["id"],
        app=app,
        publisher=app["organization_name"] or home,
        registered_by=home,
        redirect_host="" if device_source else redirect_host(request["redirect_uri"]),
        device_source=device_source,
        document_host=_host_of(app["client_id"]) if app["registration"] == DOCUMENT else "",
        choices=choices,
        chosen=chosen,
        as_bot=describe_scopes(asked) if installs and has_bot_tokens(app) else {},
        as_you=describe_scopes(as_you),
        added=describe_scopes(missing_scopes(asked, installed)) if installs and installation else {},
        added_as_you=describe_scopes(missing_scopes(as_you, last["scopes"])) if last else {},
        withheld=describe_scopes(missing_scopes(asked, installed)) if installation and not installs else {},
        project_ids=installation["project_ids"] if installation else None,
    )


def _host_of(url: str) -> str:
    return urlsplit(url).netloc


async def _name_home(reader: Reader, app: Row) -> str:
    return (await get_workspace(reader, app["workspace_id"]))["name"] if app["workspace_id"] else ""


def has_bot_tokens(app: Row) -> bool:
    """Whether the app can get bot tokens: it has a secret, and an admin registered it."""
    return app["client_type"] == CONFIDENTIAL and app["registration"] == WORKSPACE


async def _issue_code(
    tx: Transaction,
    site: Site,
    request: ConsentRequestRow,
    installation: InstallationRow,
    user_id: str,
    grant: Grant,
) -> str:
    code = new_credential()
    row = {
        "code_hash": hash_credential(code),
        "family_id": new_id(),
        "app_id": request["app_id"],
        "installation_id": installation["id"],
        "workspace_id": installation["workspace_id"],
        "user_id": user_id,
        "redirect_uri": request["redirect_uri"],
        "redirect_uri_given": request["redirect_uri_given"],
        "scopes": grant,
        "code_challenge": request["code_challenge"],
        "audience": request["audience"],
        "expires_at": site.clock.now() + CODE_LIFETIME,
    }
    await tx.insert(authorization_codes, row)
    return code
